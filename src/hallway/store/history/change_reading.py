"""Changes made again from the bytes of a block: all of them, or those that concern something.

It must not know tables.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from hallway.home.changes import Context, Defined, Fired, State, StateChange, Updated, VariableSet
from hallway.home.recorded import Recorded, keys_of
from hallway.home.values import Attributes, Value
from hallway.store.history.change_block import (
    DEFINED,
    NO_CAUSE,
    NO_OLD,
    NOTHING,
    OLD_GIVEN,
    SAME,
    SOME,
    UPDATED,
    VARIABLE,
    WHOLE,
    Block,
    Broken,
    Shape,
    states_of,
)

_NO_ATTRIBUTES: Final[Attributes] = {}
_WRONG: Final = (zlib.error, ValueError, TypeError, LookupError, RuntimeError, OverflowError, MemoryError)
"""What bytes that are no block lead to; RuntimeError: a column that ends too soon."""


def unpack(body: bytes, keys: Collection[str] | None = None) -> list[Recorded]:
    """The changes of a block in their order; keys: only those that concern one of these, and are made of them alone.

    Broken: it is none.
    """
    try:
        return list(_Unpacker(Block.from_bytes(zlib.decompress(body))).unpack(keys))
    except _WRONG as error:
        raise Broken(f"{type(error).__name__}: {error}") from None


def unpack_one(body: bytes, seq: int) -> list[Recorded]:
    """The changes of that number in a block: one, or none, or several where a block is of two lives of a hub."""
    try:
        return list(_Unpacker(Block.from_bytes(zlib.decompress(body))).unpack_seq(seq))
    except _WRONG as error:
        raise Broken(f"{type(error).__name__}: {error}") from None


class _Unpacker:
    """Makes changes of a block again."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._shapes = block.said.shapes
        self._contexts = [(origin, user, depth, tuple(hops)) for origin, user, depth, hops in block.said.contexts]
        self._values = [iter(column) for column in block.said.columns]
        self._last: dict[Any, Value] = {}
        self._shown: dict[str, tuple[str, Attributes]] = {}

    def unpack(self, keys: Collection[str] | None) -> Iterator[Recorded]:
        rows = self._block.rows
        if keys is None:
            yield from self._make_all(enumerate(rows))
            return
        has = _has_one_of(keys)
        wanted = {number for number, shape in enumerate(self._shapes) if has(shape)}
        if wanted:
            needed = self._with_what_they_follow(wanted)
            for change in self._make_all((row, shape) for row, shape in enumerate(rows) if shape in needed):
                if any(key in keys for key in keys_of(change)):
                    yield change

    def unpack_seq(self, seq: int) -> Iterator[Recorded]:
        rows = self._block.rows
        found = {row for row, number in enumerate(accumulate(self._block.seqs)) if number == seq}
        if found:
            needed = self._with_what_they_follow({rows[row] for row in found})
            before = enumerate(rows[: max(found) + 1])
            for change in self._make_all((row, shape) for row, shape in before if shape in needed):
                if change.seq == seq:
                    yield change

    def _with_what_they_follow(self, wanted: set[int]) -> set[int]:
        """These shapes and all from which their values follow: those of the same devices, variables and entities."""
        subjects = [_subjects(shape) for shape in self._shapes]
        known = {subject for number in wanted for subject in subjects[number]}
        found = set(wanted)
        while more := [n for n, mine in enumerate(subjects) if n not in found and not known.isdisjoint(mine)]:
            found.update(more)
            known.update(subject for number in more for subject in subjects[number])
        return found

    def _make_all(self, rows: Iterable[tuple[int, int]]) -> Iterator[Recorded]:
        seqs, ats = list(accumulate(self._block.seqs)), list(accumulate(self._block.ats))
        causes = self._block.causes
        for row, shape in rows:
            back = causes[row]
            yield self._make(shape, seqs[row], ats[row] / 1000, None if back == NO_CAUSE else seqs[row] - back)

    # ------------------------------------------------------------------ one change

    def _make(self, number: int, seq: int, at: float, cause: int | None) -> Recorded:
        shape, values = self._shapes[number], self._values[number]
        origin, user, depth, hops = self._contexts[shape[1]]
        context = Context(origin, user, cause, depth, hops)
        match shape[0]:
            case 0:
                device_id, names, states = shape[2:]
                old, new = dict[str, Value](), dict[str, Value]()
                for name, code in names:
                    self._read(device_id, name, code, (old, new), values)
                return Updated(seq, at, context, device_id, old, new, self._states(states, at, values))
            case 1:
                name, code, states = shape[2:]
                before, after = self._pair(name, code, values)
                return VariableSet(seq, at, context, name, before, after, self._states(states, at, values))
            case 2:
                event_type, remote, names = shape[2:]
                return Fired(seq, at, context, event_type, {name: next(values) for name in names}, remote)
            case 3:
                kind, key, source, states = shape[2:]
                body, other = next(values), next(values)
                return Defined(seq, at, context, kind, key, body, other, self._states(states, at, values), source)
            case kind:
                raise Broken(f"a change of kind {kind}")

    def _read(
        self,
        device_id: str,
        name: str,
        code: int,
        into: tuple[dict[str, Value], dict[str, Value]],
        values: Iterator[Any],
    ) -> None:
        old, new = into
        if code & NO_OLD:
            new[name] = self._last[device_id, name] = next(values)
        else:
            old[name], new[name] = self._pair((device_id, name), code, values)

    def _pair(self, key: object, code: int, values: Iterator[Any]) -> tuple[Value, Value]:
        old = next(values) if code & OLD_GIVEN else self._last[key]
        new = old if code & SAME else next(values)
        self._last[key] = new
        return old, new

    def _states(self, states: Iterable[Sequence[Any]], at: float, values: Iterator[Any]) -> tuple[StateChange, ...]:
        return tuple([self._state(state, at, values) for state in states])

    def _state(self, state: Sequence[Any], at: float, values: Iterator[Any]) -> StateChange:
        entity_id, told_by, how, *names = state
        if how == NOTHING:
            return StateChange(entity_id, None, None, told_by)
        text, before = ("", _NO_ATTRIBUTES) if how == WHOLE else self._shown[entity_id]
        if how != SOME:
            text = next(values)
        attributes = {**before, **{name: next(values) for name in names}} if names else before
        self._shown[entity_id] = text, attributes
        return StateChange(entity_id, None, State(entity_id, text, attributes, at, at), told_by)


def _has_one_of(keys: Iterable[str]) -> Callable[[Shape], bool]:
    """Whether a shape may have changes with one of these keys: as `keys_of_shape` tells, without writing them all."""
    names: dict[str, set[str]] = {}
    for key in keys:
        kind, _, name = key.partition(":")
        names.setdefault(kind, set()).add(name)
    nothing: set[str] = set()
    devices, entities, moved = (names.get(kind, nothing) for kind in ("device", "entity", "moved"))
    variables, events = (names.get(kind, nothing) for kind in ("variable", "event"))

    def has(shape: Shape) -> bool:
        match shape[0]:
            case 0:
                found = shape[2] in devices or (
                    bool(moved) and any(f"{shape[2]}.{name}" in moved for name, code in shape[3] if not code & SAME)
                )
            case 1:
                found = shape[2] in variables or f"${shape[2]}" in moved
            case 2:
                return shape[2] in events
            case _:
                found = shape[3] in names.get(shape[2], nothing)
        return found or (bool(entities) and any(state[0] in entities for state in shape[-1]))

    return has


def _subjects(shape: Shape) -> list[tuple[int, str]]:
    """What has values that follow from the change before."""
    found = [(DEFINED, state[0]) for state in states_of(shape) if state[2] != NOTHING]
    if shape[0] in {UPDATED, VARIABLE} and shape[3] != []:
        found.append((shape[0], shape[2]))
    return found
