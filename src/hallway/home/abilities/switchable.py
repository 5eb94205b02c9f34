"""Switchable: on or off. Shows as `switch.<id>` with turn_on, turn_off, toggle.

Attribute and action names are pimatic's (SwitchActuator).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hallway.home.abilities.base import Ability, boolean_of, on_off, runs
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter
from hallway.home.values import Attributes, Value


def _set(state: bool) -> Effects:
    return Effects({"state": state})


class Switchable(Ability):
    """One attribute `state`; labels are the words for on and off."""

    domain = "switch"
    services = MappingProxyType(
        {
            "turn_on": runs("turnOn", "Turn a switch on"),
            "turn_off": runs("turnOff", "Turn a switch off"),
            "toggle": runs("toggle", "Turn a switch on if it is off, off if it is on"),
        }
    )

    def __init__(self, labels: tuple[str, str] = ("on", "off")) -> None:
        self._labels = labels

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="state",
                type="boolean",
                label="State",
                description="Whether it is on",
                labels=self._labels,
                initial=False,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        def change(_device: Device, arguments: Mapping[str, Value]) -> Effects:
            return _set(bool(arguments["state"]))

        return (
            Action("turnOn", lambda _device, _arguments: _set(True), (), "Turn it on"),
            Action("turnOff", lambda _device, _arguments: _set(False), (), "Turn it off"),
            Action("changeStateTo", change, (Parameter("state", "boolean"),), "Turn it on or off"),
            Action("toggle", lambda device, _arguments: _set(not device.value("state")), (), "Turn it over"),
            Action(
                "getState",
                lambda device, _arguments: Effects(result=device.value("state")),
                (),
                "Tell whether it is on",
                "boolean",
            ),
        )

    def show(self, device: Device) -> tuple[str, Attributes]:
        return on_off(device.value("state")), {}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        return {"state": boolean_of(state)}
