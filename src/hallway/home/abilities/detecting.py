"""Detecting: one yes-or-no observation, a contact or somebody's presence. Shows as `binary_sensor.<id>`.

Attribute and action names are pimatic's (ContactSensor, PresenceSensor). A contact that is true is closed, so its
entity is off: on means open, as everywhere at that door.
"""

from __future__ import annotations

from collections.abc import Mapping

from hallway.home.abilities.base import Ability, boolean_of, on_off
from hallway.home.devices import Action, Attribute, Device, Effects, Later, Parameter
from hallway.home.values import Attributes, Value


class Contact(Ability):
    """One attribute `contact`: true while closed."""

    domain = "binary_sensor"

    def __init__(self, labels: tuple[str, str] = ("closed", "opened")) -> None:
        self._labels = labels

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="contact",
                type="boolean",
                label="Contact",
                description="Whether it is closed",
                labels=self._labels,
                initial=False,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        def change(_device: Device, arguments: Mapping[str, Value]) -> Effects:
            return Effects({"contact": arguments["contact"]})

        return (Action("changeContactTo", change, (Parameter("contact", "boolean"),), "Report it closed or open"),)

    def show(self, device: Device) -> tuple[str, Attributes]:
        closed = device.value("contact")
        return on_off(None if closed is None else not closed), {"device_class": "opening"}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        opened = boolean_of(state)
        return {"contact": None if opened is None else not opened}


_RESET = "reset"


class Presence(Ability):
    """One attribute `presence`; with `reset_after` seconds it becomes false again by itself."""

    domain = "binary_sensor"

    def __init__(self, reset_after: float | None, labels: tuple[str, str] = ("present", "absent")) -> None:
        self._reset_after = reset_after
        self._labels = labels

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="presence",
                type="boolean",
                label="Presence",
                description="Whether somebody is there",
                labels=self._labels,
                initial=False,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        parameters = (Parameter("presence", "boolean"),)
        return (Action("changePresenceTo", self._change, parameters, "Report somebody there or gone"),)

    def _change(self, _device: Device, arguments: Mapping[str, Value]) -> Effects:
        present = bool(arguments["presence"])
        if present and self._reset_after is not None:
            return Effects({"presence": True}, later=(Later(_RESET, self._reset_after),))
        return Effects({"presence": present}, cancel=(_RESET,))

    def owns(self, later: str) -> bool:
        return later == _RESET

    def due(self, device: Device, name: str) -> Effects:
        return Effects({"presence": False})

    def show(self, device: Device) -> tuple[str, Attributes]:
        return on_off(device.value("presence")), {"device_class": "presence"}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        return {"presence": boolean_of(state)}
