"""A block of changes as bytes: what repeats itself stands there once, and what follows from the one before not at all.

Changes of the same shape (kind, context, device, names) have their values in one column. So a reader who wants some of
them makes only these, and sees from the fingerprints of a block whether it has any. It must not know who reads it.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import sub
from sys import byteorder
from typing import Any, Final, NamedTuple

import msgspec

from hallway.home.changes import Context, Defined, Fired, State, StateChange, Updated, VariableSet
from hallway.home.recorded import Recorded
from hallway.home.values import Attributes, Value, same

_LEVEL: Final = 6
UPDATED, VARIABLE, FIRED, DEFINED = range(4)
OLD_GIVEN, SAME, NO_OLD = 1, 2, 4
NOTHING, WHOLE, TEXT_AND_SOME, SOME = range(4)
Shape = list[Any]
"""[kind, number of the context, …]: device, names, states | name, code, states | type, remote, names |
kind, key, source, states. Names: [name, code] of a value; states: [entity, told by, how, names of attributes]."""
_NONE_YET: Final = object()
_MORE: Final = object()
_NO_ATTRIBUTES: Final[Attributes] = {}


class Broken(Exception):
    """The bytes are not those of a block."""


class Said(msgspec.Struct, array_like=True):
    """The part of a block that is JSON."""

    contexts: list[tuple[str, str | None, int, list[str]]]
    shapes: list[Shape]
    columns: list[list[Any]]


class Block(msgspec.Struct):
    """rows: the shape of each change; seqs, ats (milliseconds): differences to the change before; causes: how far back.

    As bytes: how many changes there are, these four as numbers of eight bytes, and the rest as JSON.
    """

    said: Said
    rows: array[int]
    seqs: array[int]
    ats: array[int]
    causes: array[int]

    def to_bytes(self) -> bytes:
        numbers = (array("q", [len(self.rows)]), self.rows, self.seqs, self.ats, self.causes)
        return b"".join([*(_ordered(each).tobytes() for each in numbers), _encode(self.said)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Block:
        (count,) = _ordered(array("q", data[:_WIDTH]))
        end = _WIDTH * (4 * count + 1)
        numbers = _ordered(array("q", data[_WIDTH:end]))
        rows, seqs, ats, causes = (numbers[start : start + count] for start in range(0, 4 * count, count))
        return cls(_decode(data[end:]), rows, seqs, ats, causes)


_WIDTH: Final = 8
NO_CAUSE: Final = -(2**63)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Said).decode


def _ordered(numbers: array[int]) -> array[int]:
    """The lowest byte first, whatever machine this is."""
    if byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


# ---------------------------------------------------------------------- fingerprints


def may_have(prints: bytes, keys: Iterable[str]) -> bool:
    """Whether a block with these fingerprints can have a change that has one of the keys."""
    known = array("H", prints[: len(prints) & ~1])
    return any(_fingerprint(key) in known for key in keys)


def _fingerprint(key: str) -> int:
    return zlib.crc32(key.encode("utf-8", "replace")) & 0xFFFF


# ---------------------------------------------------------------------- writing


def pack(changes: Sequence[Recorded]) -> tuple[bytes, bytes]:
    """Fingerprints and body of a block. ValueError, TypeError: JSON cannot carry one of the changes."""
    block = _Packer().pack(changes)
    prints = array("H", sorted({_fingerprint(key) for shape in block.said.shapes for key in keys_of_shape(shape)}))
    return prints.tobytes(), zlib.compress(block.to_bytes(), _LEVEL)


class _Known(NamedTuple):
    """The shape of the last change of an entity, if its states and values had but one value to be written.

    kind: of the change; whose: the device or variable; name: of the attribute, empty for a reported state.
    """

    number: int
    kind: type
    context: Context
    told_by: str
    whose: str
    name: str


class _Packer:
    """Puts changes into a block, one after the other."""

    def __init__(self) -> None:
        self._said = Said([], [], [])
        self._rows = array("q")
        self._contexts: dict[tuple[str, str | None, int, tuple[str, ...]], int] = {}
        self._shapes: dict[tuple[Any, ...], int] = {}
        self._last: dict[Any, Value] = {}
        self._shown: dict[str, State] = {}
        self._known: dict[str, _Known] = {}
        """By entity."""

    def pack(self, changes: Sequence[Recorded]) -> Block:
        for change in changes:
            if not self._is_put_again(change):
                context = change.context
                self._put(change, self._context((context.origin, context.user, context.depth, context.hops)))
        seqs, ats = [change.seq for change in changes], [round(change.at * 1000) for change in changes]
        causes = array("q", [_back(change.seq, change.context.cause) for change in changes])
        return Block(self._said, self._rows, _steps(seqs), _steps(ats), causes)

    def _context(self, key: tuple[str, str | None, int, tuple[str, ...]]) -> int:
        number = self._contexts.get(key)
        if number is None:
            number = self._contexts[key] = len(self._contexts)
            self._said.contexts.append((*key[:3], list(key[3])))
        return number

    def _is_put_again(self, change: Recorded) -> bool:
        """Put in what is of the same shape as the last change of its entity; whether it is.

        Nearly all are where much happens: so they take a third of the time that the way for all of them takes.
        """
        kind = type(change)
        if (kind is not Updated and kind is not VariableSet) or len(change.states) != 1:  # type: ignore[union-attr]
            return False
        moved = change.states[0]  # type: ignore[union-attr]
        known = self._known.get(moved.entity_id)
        if known is None or known.kind is not kind or known.told_by != moved.told_by:
            return False
        if known.context is not change.context and not _is_alike(known.context, change.context):
            return False
        value = self._only_value(change, moved, known)  # type: ignore[arg-type]
        if value is _MORE:
            return False
        self._rows.append(known.number)
        self._said.columns[known.number].append(value)
        return True

    def _only_value(self, change: Updated | VariableSet, moved: StateChange, known: _Known) -> Any:
        """The one value that has to be written; _MORE: it is not one."""
        state, whose = moved.new, known.whose
        if type(change) is VariableSet:
            if state is not None or change.name != whose:
                return _MORE
            return self._follows(whose, change.old, change.new)
        new: Mapping[str, Value] = change.new  # type: ignore[assignment]
        if change.device_id != whose:  # type: ignore[union-attr]
            return _MORE
        if known.name:
            old, name = change.old, known.name
            if state is not None or len(new) != 1 or name not in new or name not in old:  # type: ignore[operator]
                return _MORE
            return self._follows((whose, name), old[name], new[name])  # type: ignore[index, call-overload]
        return _MORE if new or state is None else self._told_again(moved.entity_id, state)

    def _follows(self, key: object, old: Value, new: Value) -> Any:
        if not same(self._last[key], old) or same(old, new):
            return _MORE
        self._last[key] = new
        return new

    def _told_again(self, entity_id: str, state: State) -> Any:
        last = self._shown[entity_id]
        if last.attributes is not state.attributes or last.state == state.state:
            return _MORE
        self._shown[entity_id] = state
        return state.state

    def _put(self, change: Recorded, context: int) -> None:
        values: list[Value] = []
        shape: tuple[Any, ...]
        match change:
            case Updated():
                names = tuple(
                    [(name, self._value(change.device_id, name, change, values)) for name in change.new]
                    if change.new
                    else ()
                )
                shape = (UPDATED, context, change.device_id, names, self._states(change.states, values))
            case VariableSet():
                code = self._moved(change.name, change.old, change.new, values)
                shape = (VARIABLE, context, change.name, code, self._states(change.states, values))
            case Fired():
                values.extend(change.data.values())
                shape = (FIRED, context, change.event_type, change.remote, tuple(change.data))
            case Defined():
                values += [change.old, change.new]
                states = self._states(change.states, values)
                shape = (DEFINED, context, change.kind, change.key, change.source, states)
        number = self._shapes.get(shape)
        if number is None:
            number = self._shapes[shape] = len(self._shapes)
            self._said.shapes.append(list(shape))
            self._said.columns.append([])
        self._rows.append(number)
        self._said.columns[number] += values
        self._note(change, shape, number)

    def _note(self, change: Recorded, shape: tuple[Any, ...], number: int) -> None:
        """Know the shape again, if it has one entity, and but one value to be written."""
        if shape[0] == FIRED or len(shape[-1]) != 1:
            return
        (entity_id, told_by, how, *attributes), *_ = shape[-1]
        known = _Known(number, type(change), change.context, told_by, shape[2], "")
        self._known.pop(entity_id, None)
        match shape[0], shape[3], how:
            case (0, (), 2) if not attributes:
                self._known[entity_id] = known
            case (0, ((name, 0),), 0):
                self._known[entity_id] = known._replace(name=name)
            case (1, 0, 0):
                self._known[entity_id] = known

    def _value(self, device_id: str, name: str, change: Updated, values: list[Value]) -> int:
        if name not in change.old:
            self._last[device_id, name] = change.new[name]
            values.append(change.new[name])
            return NO_OLD
        return self._moved((device_id, name), change.old[name], change.new[name], values)

    def _moved(self, key: object, old: Value, new: Value, values: list[Value]) -> int:
        code = 0
        last = self._last.get(key, _NONE_YET)
        if last is _NONE_YET or not same(last, old):  # type: ignore[arg-type]
            code = OLD_GIVEN
            values.append(old)
        if same(old, new):
            code |= SAME
        else:
            values.append(new)
        self._last[key] = new
        return code

    def _states(self, states: tuple[StateChange, ...], values: list[Value]) -> tuple[Any, ...]:
        if len(states) == 1:  # nearly always
            return (self._state(states[0], values),)
        return tuple([self._state(moved, values) for moved in states])

    def _state(self, moved: StateChange, values: list[Value]) -> tuple[Any, ...]:
        new = moved.new
        if new is None:
            return (moved.entity_id, moved.told_by, NOTHING)
        last = self._shown.get(moved.entity_id)
        self._shown[moved.entity_id] = new
        if last is None or list(last.attributes) != list(new.attributes):
            values.append(new.state)
            values.extend(new.attributes.values())
            return (moved.entity_id, moved.told_by, WHOLE, *new.attributes)
        how = SOME
        if last.state != new.state:
            values.append(new.state)
            how = TEXT_AND_SOME
        changed = _changed(last.attributes, new.attributes)
        values.extend([new.attributes[name] for name in changed])
        return (moved.entity_id, moved.told_by, how, *changed)


def _steps(numbers: Sequence[int]) -> array[int]:
    """Each as the difference to the one before."""
    return array("q", map(sub, numbers, [0, *numbers]))


def _is_alike(one: Context, other: Context) -> bool:
    """Whether they differ in the cause alone, which is kept for itself."""
    return (one.origin, one.user, one.depth, one.hops) == (other.origin, other.user, other.depth, other.hops)


def _back(seq: int, cause: int | None) -> int:
    return NO_CAUSE if cause is None else seq - cause


def _changed(last: Attributes, new: Attributes) -> list[str]:
    """The names of those that are other than before; both have the same names."""
    if last == new:
        kinds = [*map(type, new.values())]
        if kinds == [*map(type, last.values())] and list not in kinds:  # most often nothing is, and that is soon seen
            return []
    return [name for name, value in new.items() if not same(value, last[name])]


# ---------------------------------------------------------------------- shapes


def states_of(shape: Shape) -> list[list[Any]]:
    """The states in a shape: entity, told by, how, names of attributes."""
    return [] if shape[0] == FIRED else shape[-1]


def keys_of_shape(shape: Shape) -> Iterator[str]:
    """All keys that a change of a shape may have, as `keys_of` has them."""
    match shape[0]:
        case 0:
            yield f"device:{shape[2]}"
            for name, code in shape[3]:
                if not code & SAME:
                    yield f"moved:{shape[2]}.{name}"
        case 1:
            yield f"variable:{shape[2]}"
            yield f"moved:${shape[2]}"
        case 2:
            yield f"event:{shape[2]}"
        case _:
            yield f"{shape[2]}:{shape[3]}"
    for state in states_of(shape):
        yield f"entity:{state[0]}"
