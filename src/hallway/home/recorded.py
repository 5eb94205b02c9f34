"""Changes without what makes them heavy, as they are kept to say later why something is so and to try rules on.

It must not know where they are kept, nor what is asked of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from hallway.home.changes import AnyChange, Defined, Fired, State, StateChange, Updated, VariableSet
from hallway.home.values import Attributes, Value, same

Recorded = Updated | VariableSet | Fired | Defined
_MOST_VALUES: Final = 30
_LONGEST: Final = 500
_MOST_TEXT: Final = 2000
_MOST_NUMBERS: Final = 10
_ALWAYS_SHORT: Final = (int, float, bool, type(None))


def light(change: AnyChange) -> Recorded | None:
    """What is kept of a change; None: nothing.

    Times have three decimals. Of a state that follows from values only its entity stays: `new` is None. Long texts are
    cut, large objects are empty, of a definition its name is left.
    """
    kind = type(change)
    if kind is VariableSet:
        return _light_variable(change)  # type: ignore[arg-type]
    if kind is Updated:
        return _light_update(change)  # type: ignore[arg-type]
    match change:
        case Fired(seq, at, context, event_type, data, remote):
            return Fired(seq, _rounded(at), context, event_type, data if is_light(data) else {}, remote)
        case Defined(seq, at, context, kind_of_it, key, old, new, states, source):
            shown = tuple(map(_light_state, states))
            return Defined(seq, _rounded(at), context, kind_of_it, key, _name_of(old), _name_of(new), shown, source)
        case _:
            return None


def _light_variable(change: VariableSet) -> VariableSet:
    old, new, states = change.old, change.new, _only_named(change.states)
    if type(old) not in _ALWAYS_SHORT or type(new) not in _ALWAYS_SHORT:
        old, new = cut(old), cut(new)
    return VariableSet(change.seq, _rounded(change.at), change.context, change.name, old, new, states)


def _rounded(at: float) -> float:
    """To milliseconds: `round` to three decimals takes three times as long."""
    return round(at * 1000) / 1000


def _light_update(change: Updated) -> Updated:
    at, states = _rounded(change.at), change.states
    if change.new:
        before, after = _cut_all(change.old), _cut_all(change.new)
        return Updated(change.seq, at, change.context, change.device_id, before, after, _only_named(states))
    shown = (_light_state(states[0]),) if len(states) == 1 else tuple([_light_state(each) for each in states])
    return Updated(change.seq, at, change.context, change.device_id, change.old, change.new, shown)


def _only_named(states: tuple[StateChange, ...]) -> tuple[StateChange, ...]:
    if len(states) == 1:  # nearly always, and a loop takes as long again
        return (StateChange(states[0].entity_id, None, None, states[0].told_by),)
    return tuple([StateChange(each.entity_id, None, None, each.told_by) for each in states])


def _cut_all(values: Mapping[str, Value]) -> Mapping[str, Value]:
    for value in values.values():
        if type(value) not in _ALWAYS_SHORT and not _is_short(value):
            return {name: cut(value) for name, value in values.items()}
    return values


def _light_state(moved: StateChange) -> StateChange:
    new = moved.new
    if new is not None:
        heavy = not is_light(new.attributes)
        if heavy or len(new.state) > _LONGEST:
            text = new.state if len(new.state) <= _LONGEST else f"{new.state[:_LONGEST]}…"
            new = State(new.entity_id, text, {} if heavy else new.attributes, new.last_changed, new.last_updated)
    return StateChange(moved.entity_id, None, new, moved.told_by)


def is_light(attributes: Attributes) -> bool:
    """Whether an object may be kept as it is."""
    if len(attributes) > _MOST_VALUES:
        return False
    length = 0
    for value in attributes.values():
        if type(value) is str:
            length += len(value)
            if len(value) > _LONGEST:
                return False
        elif type(value) not in _ALWAYS_SHORT and not _is_short(value):
            return False
    return length <= _MOST_TEXT


def _is_short(value: Value) -> bool:
    """A text of some length; a list of a few numbers, such as a colour; an empty object."""
    if isinstance(value, str):
        return len(value) <= _LONGEST
    if isinstance(value, list):
        return len(value) <= _MOST_NUMBERS and all(isinstance(each, int | float) for each in value)
    return not isinstance(value, dict) or not value


def cut(value: Value) -> Value:
    """A value as it is kept."""
    if _is_short(value):
        return value
    return f"{value[:_LONGEST]}…" if isinstance(value, str) else None


def _name_of(body: Attributes | None) -> Attributes | None:
    return None if body is None else {"name": body.get("name")}


# ---------------------------------------------------------------------- what they concern


def keys_of(change: Recorded) -> Iterator[str]:
    """What a change concerns: `device:lamp`, `entity:light.hall`, `variable:x`, `event:door`, `rule:night`.

    `moved:lamp.state` and `moved:$x` stand for values that are other than before.
    """
    match change:
        case Updated():
            yield f"device:{change.device_id}"
            for name in change.new:
                if turned(change, name):
                    yield f"moved:{change.device_id}.{name}"
        case VariableSet():
            yield f"variable:{change.name}"
            if not same(change.old, change.new):
                yield f"moved:${change.name}"
        case Fired():
            yield f"event:{change.event_type}"
            return
        case Defined():
            yield f"{change.kind}:{change.key}"
    for moved in change.states:
        yield f"entity:{moved.entity_id}"


def turned(change: Updated, attribute: str) -> bool:
    """Whether an attribute has another value than before."""
    return attribute in change.new and (
        attribute not in change.old or not same(change.old[attribute], change.new[attribute])
    )
