"""Pressable: a row of buttons. Shows as `buttons.<id>`, its state is the last button pressed.

Attribute and action names are pimatic's (ButtonsDevice).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hallway.errors import InvalidInput
from hallway.home.abilities.base import UNKNOWN, Ability, Field, Invocation, Service
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter
from hallway.home.values import Attributes, Value, python_text


def _press(_device: Device, data: Attributes) -> Invocation | None:
    if data.get("button") is None:
        raise InvalidInput("press needs the field button: the id of a button")
    return Invocation("buttonPressed", {"buttonId": data["button"]})


class Pressable(Ability):
    """One attribute `button`; each press is an event, also of the same button."""

    domain = "buttons"
    services = MappingProxyType(
        {"press": Service("Press a button", _press, (Field("button", "id of the button", required=True),))}
    )

    def __init__(self, buttons: tuple[str, ...]) -> None:
        self._buttons = buttons

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="button",
                type="string",
                label="Button",
                description="The button that was pressed last",
                always=True,
                initial=None,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        return (Action("buttonPressed", self._pressed, (Parameter("buttonId", "string"),), "Press a button"),)

    def _pressed(self, device: Device, arguments: Mapping[str, Value]) -> Effects:
        button = python_text(arguments["buttonId"])
        if button not in self._buttons:
            known = ", ".join(self._buttons) or "none"
            raise InvalidInput(f"device {device.id} has no button {button[:40]!r}; it has: {known}")
        return Effects({"button": button})

    def show(self, device: Device) -> tuple[str, Attributes]:
        pressed = device.value("button")
        return UNKNOWN if pressed is None else python_text(pressed), {"buttons": list(self._buttons)}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        return {"button": state if state in self._buttons else None}
