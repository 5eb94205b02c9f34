"""Watching: something the hub itself observes, with one state text and attributes of its own: the sun, a process.

Shows as `<domain>.<id>`. The source that feeds it sets `state` and `details`; people cannot.
"""

from __future__ import annotations

from hallway.home.abilities.base import UNKNOWN, Ability
from hallway.home.devices import Attribute, Device
from hallway.home.values import Attributes, Value, python_text


class Watching(Ability):
    """Attribute `state` and the further attributes named; each shows under its own name at the entity."""

    def __init__(
        self, domain: str, states: tuple[str, ...], details: tuple[Attribute, ...] = (), object_id: str = ""
    ) -> None:
        self.domain = domain
        self.object_id = object_id
        self._states = states
        self._details = details

    def attributes(self) -> tuple[Attribute, ...]:
        state = Attribute(
            name="state", type="string", label="State", description="What is seen", enum=self._states, initial=None
        )
        return (state, *self._details)

    def show(self, device: Device) -> tuple[str, Attributes]:
        seen = device.value("state")
        told = {a.name: device.value(a.name) for a in self._details}
        return UNKNOWN if seen is None else python_text(seen), {k: v for k, v in told.items() if v is not None}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        told: dict[str, Value] = {"state": state}
        return told | {a.name: attributes[a.name] for a in self._details if a.name in attributes}
