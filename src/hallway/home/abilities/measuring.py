"""Measuring: one attribute that is read, not set: a temperature, a humidity, a computed value. Shows as `sensor.<id>`.

A device with several of them shows `sensor.<id>_<attribute>` for each.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hallway.home.abilities.base import UNKNOWN, Ability, number_of
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter
from hallway.home.values import Attributes, Value, python_text


class Measuring(Ability):
    """Shows one attribute; with `settable_by` it also has the action of that name, for sensors without hardware."""

    domain = "sensor"

    def __init__(self, attribute: Attribute, *, alone: bool = True, settable_by: str = "") -> None:
        self._attribute = attribute
        self._settable_by = settable_by
        self.suffix = "" if alone else f"_{attribute.name}"

    def attributes(self) -> tuple[Attribute, ...]:
        return (self._attribute,)

    def actions(self) -> tuple[Action, ...]:
        if not self._settable_by:
            return ()
        name = self._attribute.name

        def change(_device: Device, arguments: Mapping[str, Value]) -> Effects:
            return Effects({name: arguments[name]})

        parameters = (Parameter(name, self._attribute.type),)
        return (Action(self._settable_by, change, parameters, f"Report the {self._attribute.label.lower()}"),)

    def show(self, device: Device) -> tuple[str, Attributes]:
        value = device.value(self._attribute.name)
        unit = self._attribute.unit
        return UNKNOWN if value is None else python_text(value), {"unit_of_measurement": unit} if unit else {}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        value = number_of(state) if self._attribute.type == "number" else None if state == UNKNOWN else state
        return {self._attribute.name: value}


def measured(name: str, label: str, description: str, unit: str, acronym: str | None = None) -> Attribute:
    """A number that flows, without a value until the first report; each report is an event."""
    return Attribute(
        name=name,
        type="number",
        label=label,
        description=description,
        unit=unit,
        acronym=acronym,
        discrete=False,
        always=True,
        initial=msgspec.UNSET,
    )
