"""How an entity is brought to a state that it once had: which services have to be called, with which data.

One row a domain; a domain that has none is turned on or off if it can be. It must not know scenes, nor call anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Final, NamedTuple

from hallway.home.ids import split_entity_id
from hallway.home.values import Attributes, Value


class Wish(NamedTuple):
    """A service with its data."""

    domain: str
    service: str
    data: Attributes


def wishes(entity_id: str, wanted: Attributes) -> list[Wish]:
    """What to call so that the entity shows `wanted["state"]` with the other attributes; empty: nobody can do that."""
    domain, _ = split_entity_id(entity_id)
    state = str(wanted.get("state"))
    found = _BY_DOMAIN.get(domain, _switched)(state, wanted)
    group = domain == "group"
    return [
        Wish("homeassistant" if group else domain, service, {**data, "entity_id": entity_id}) for service, data in found
    ]


def worth_keeping(entity_id: str, state: str, attributes: Attributes) -> Attributes:
    """What a scene keeps of what an entity shows now: its state and those attributes that can be wished for again."""
    names = _ATTRIBUTES.get(split_entity_id(entity_id)[0], ())
    return {"state": state, **{name: attributes[name] for name in names if attributes.get(name) is not None}}


Found = Iterator[tuple[str, Attributes]]


def _switched(state: str, _wanted: Attributes) -> Found:
    if state in ("on", "off"):
        yield f"turn_{state}", {}


def _light(state: str, wanted: Attributes) -> Found:
    given = {name: wanted[name] for name in _ATTRIBUTES["light"] if name in wanted}
    if state in ("on", "off"):
        yield f"turn_{state}", given if state == "on" else {}


def _cover(state: str, _wanted: Attributes) -> Found:
    service = {"open": "open_cover", "closed": "close_cover", "stopped": "stop_cover"}.get(state)
    if service:
        yield service, {}


def _thermostat(state: str, wanted: Attributes) -> Found:
    if "mode" in wanted:
        yield "set_mode", {"mode": wanted["mode"]}
    temperature = wanted.get("temperature", _number(state))
    if temperature is not None:
        yield "set_temperature", {"temperature": temperature}


def _player(state: str, wanted: Attributes) -> Found:
    if "volume_level" in wanted:
        yield "volume_set", {"volume_level": wanted["volume_level"]}
    service = {"playing": "media_play", "on": "turn_on", "paused": "media_pause", "off": "turn_off"}.get(state)
    yield service or "media_stop", {}


def _timer(state: str, _wanted: Attributes) -> Found:
    yield ("start" if state in ("running", "on") else "stop"), {}


def _field(state: str, wanted: Attributes) -> Found:
    yield "set_value", {"value": wanted.get("value", state)}


def _variable(state: str, wanted: Attributes) -> Found:
    number = _number(state)
    yield "set", {"value": wanted.get("value", state if number is None else number)}


def _none(_state: str, _wanted: Attributes) -> Found:
    yield from ()


def _number(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        return None
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number


_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "light": ("brightness", "rgb_color", "xy_color", "color_temp"),
        "thermostat": ("temperature", "mode"),
        "media_player": ("volume_level",),
    }
)
_BY_DOMAIN: Final[Mapping[str, Callable[[str, Attributes], Found]]] = MappingProxyType(
    {
        "light": _light,
        "cover": _cover,
        "thermostat": _thermostat,
        "media_player": _player,
        "timer": _timer,
        "input": _field,
        "variable": _variable,
        "sensor": _none,
        "binary_sensor": _none,
        "buttons": _none,
        "scene": _none,
        "sun": _none,
    }
)
