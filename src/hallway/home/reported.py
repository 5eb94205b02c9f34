"""Reported states as devices: a state that somebody posts has the attribute `state` and one per scalar attribute.

So it can be read as `$weather-sun.state` like every device. It must not know how states are posted.
"""

from __future__ import annotations

from hallway.errors import NotFound
from hallway.home.changes import State
from hallway.home.devices import Attribute
from hallway.home.values import Value

STATE = "state"


def reported_attributes(state: State) -> dict[str, Attribute]:
    """The attributes that a reported state has as a device, in order; nested values are none."""
    unit = state.attributes.get("unit_of_measurement")
    first = Attribute(
        name=STATE,
        type="string",
        label="State",
        description="The state that was reported",
        unit=unit if isinstance(unit, str) else None,
    )
    named = {name: value for name, value in state.attributes.items() if _is_scalar(value) and name != STATE}
    return {STATE: first} | {name: reported_attribute(name, value) for name, value in named.items()}


def reported_values(state: State) -> dict[str, Value]:
    """The values of all these attributes."""
    named = {name: value for name, value in state.attributes.items() if _is_scalar(value) and name != STATE}
    return {STATE: state.state} | named


def reported_value(state: State, attribute: str) -> Value:
    """The value of one of these attributes; NotFound when the state has none of that name."""
    if attribute == STATE:
        return state.state
    if attribute not in state.attributes or not _is_scalar(state.attributes[attribute]):
        raise NotFound(f"{state.entity_id} was reported without {attribute}")
    return state.attributes[attribute]


def _is_scalar(value: Value) -> bool:
    return not isinstance(value, list | dict)


def reported_attribute(name: str, value: Value) -> Attribute:
    """One of them, as its value is."""
    boolean, number = isinstance(value, bool), isinstance(value, int | float)
    return Attribute(
        name=name,
        type="boolean" if boolean else "number" if number else "string",
        label=name.replace("_", " ").capitalize(),
        description="Reported with the state",
        discrete=boolean or not number,
        labels=("true", "false") if boolean else (),
    )
