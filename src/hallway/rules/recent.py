"""The last changes of a home, without what makes them heavy: to say why something is so, and to try rules on.

They stand in memory and begin anew with each start. It must not know what is asked of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from hallway.home.changes import (
    AnyChange,
    Changes,
    Defined,
    Fired,
    State,
    StateChange,
    Unsubscribe,
    Updated,
    VariableSet,
)
from hallway.home.values import Attributes, Value

KEPT: Final = 4000
_MOST_VALUES: Final = 30
_LONGEST: Final = 500
Kept = Updated | VariableSet | Fired | Defined


class Recent:
    """The last changes of values, the last events and edits."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._kept: deque[Kept] = deque(maxlen=KEPT)
        self._unsubscribe: Unsubscribe | None = None
        self._since = 0.0

    @property
    def since(self) -> float:
        """The moment from which on everything is kept."""
        return self._kept[0].at if len(self._kept) == KEPT else self._since

    def start(self, now: float) -> None:
        """Keep what happens from now on."""
        self._since = now
        self._unsubscribe = self._changes.subscribe(self._take)

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def all(self) -> list[Kept]:
        """What is kept, newest last."""
        return list(self._kept)

    def newest_first(self) -> Iterator[Kept]:
        return reversed(self._kept)

    def get(self, seq: int) -> Kept | None:
        """The change of that number, if it is still kept."""
        kept = self.all()
        index = bisect_left(kept, seq, key=lambda change: change.seq)
        return kept[index] if index < len(kept) and kept[index].seq == seq else None

    def _take(self, change: AnyChange) -> None:
        match change:
            case Updated() | VariableSet():
                self._kept.append(_light(change))
            case Fired():
                light = is_light(change.data)
                self._kept.append(change if light else msgspec.structs.replace(change, data={}))
            case Defined():
                old, new = _name_of(change.old), _name_of(change.new)
                self._kept.append(msgspec.structs.replace(change, states=_light_states(change), old=old, new=new))
            case _:
                return


def _light(change: Updated | VariableSet) -> Updated | VariableSet:
    states = _light_states(change)
    if isinstance(change, VariableSet):
        old, new = _cut(change.old), _cut(change.new)
        return VariableSet(change.seq, change.at, change.context, change.name, old, new, states)
    before, after = _cut_all(change.old), _cut_all(change.new)
    return Updated(change.seq, change.at, change.context, change.device_id, before, after, states)


def _cut_all(values: Mapping[str, Value]) -> Mapping[str, Value]:
    for value in values.values():
        if not _is_short(value):
            return {name: _cut(value) for name, value in values.items()}
    return values


def _light_states(change: Updated | VariableSet | Defined) -> tuple[StateChange, ...]:
    return tuple(StateChange(each.entity_id, None, _light_state(each.new), each.told_by) for each in change.states)


def _light_state(state: State | None) -> State | None:
    if state is None:
        return None
    heavy = not is_light(state.attributes)
    if not heavy and len(state.state) <= _LONGEST:
        return state
    text = state.state if len(state.state) <= _LONGEST else f"{state.state[:_LONGEST]}…"
    return msgspec.structs.replace(state, state=text, attributes={} if heavy else state.attributes)


def is_light(attributes: Attributes) -> bool:
    """Whether an object may be kept as it is."""
    return len(attributes) <= _MOST_VALUES and all(map(_is_short, attributes.values()))


def _is_short(value: Value) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return not isinstance(value, list | dict) or not value


def _cut(value: Value) -> Value:
    if _is_short(value):
        return value
    return f"{value[:_LONGEST]}…" if isinstance(value, str) else None


def _name_of(body: Attributes | None) -> Attributes | None:
    return None if body is None else {"name": body.get("name")}
