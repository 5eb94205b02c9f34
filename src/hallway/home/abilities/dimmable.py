"""Dimmable: a light with a level of 0 to 100 %. Shows as `light.<id>` with brightness 0 to 255 while it is on.

Attribute and action names are pimatic's (DimmerActuator); the brightness scale is Home Assistant's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hallway.errors import InvalidInput
from hallway.home.abilities.base import Ability, Field, Invocation, Service, boolean_of, number_of, on_off, runs
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter, as_number
from hallway.home.values import Attributes, Value

FULL = 255
FULL_LEVEL = 100


def _level(level: float) -> Effects:
    return Effects({"dimlevel": level, "state": level > 0})


def level_of(brightness: float) -> int | float:
    """Brightness 0…255 → level 0…100, exact enough that the way back gives the same brightness."""
    level = round(min(max(brightness, 0), FULL) * 100 / FULL, 1)
    return int(level) if level == int(level) else level


def _change_level(_device: Device, arguments: Mapping[str, Value]) -> Effects:
    level = as_number(arguments["dimlevel"], "changeDimlevelTo: dimlevel")
    if not 0 <= level <= FULL_LEVEL:
        raise InvalidInput(f"changeDimlevelTo: dimlevel must be 0 to 100, not {level}")
    return _level(level)


def _turn_on(device: Device, data: Attributes) -> Invocation | None:
    brightness = data.get("brightness")
    if brightness is not None:
        level = level_of(int(as_number(brightness, "brightness")))
        return Invocation("changeDimlevelTo", {"dimlevel": level})
    return None if device.value("state") else Invocation("turnOn")


class Dimmable(Ability):
    """Attributes `dimlevel` and `state`."""

    domain = "light"
    services = MappingProxyType(
        {
            "turn_on": Service(
                "Turn a light on, or change its brightness",
                _turn_on,
                (Field("brightness", "0 to 255; without it a light that is off goes to full", example=120),),
            ),
            "turn_off": runs("turnOff", "Turn a light off"),
            "toggle": runs("toggle", "Turn a light on if it is off, off if it is on"),
        }
    )

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="dimlevel",
                type="number",
                label="Dimlevel",
                description="How bright it is",
                unit="%",
                discrete=False,
                initial=0,
            ),
            Attribute(
                name="state",
                type="boolean",
                label="State",
                description="Whether it is on",
                labels=("on", "off"),
                initial=False,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        def change_state(device: Device, arguments: Mapping[str, Value]) -> Effects:
            if not arguments["state"]:
                return _level(0)
            return Effects() if device.value("state") else _level(100)

        return (
            Action("changeDimlevelTo", _change_level, (Parameter("dimlevel", "number"),), "Set the level"),
            Action("changeStateTo", change_state, (Parameter("state", "boolean"),), "Turn it on or off"),
            Action("turnOn", lambda _device, _arguments: _level(100), (), "Turn it to 100 %"),
            Action("turnOff", lambda _device, _arguments: _level(0), (), "Turn it to 0 %"),
            Action(
                "toggle", lambda device, _arguments: _level(0 if device.value("state") else 100), (), "Turn it over"
            ),
        )

    def show(self, device: Device) -> tuple[str, Attributes]:
        state = on_off(device.value("state"))
        level = device.value("dimlevel")
        if state != "on" or not isinstance(level, int | float):
            return state, {}
        return state, {"brightness": round(level * FULL / 100)}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        on = boolean_of(state)
        if not on:
            return {"state": on, "dimlevel": None if on is None else 0}
        brightness = attributes.get("brightness")
        told = number_of(str(brightness)) if brightness is not None else None
        if told is not None:
            return {"state": True, "dimlevel": level_of(told)}
        return {"state": True, "dimlevel": device.value("dimlevel") or 100}
