"""What each attribute was lately: the last 30 values of a device, the one that it began with among them.

A home notes a value when it is set; what a new device begins with is set at the moment it comes.
It must not know how values are shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hallway.home.changes import AnyChange, Defined
from hallway.home.classes import COMPUTED, REPORTED
from hallway.home.devices import HISTORY_LENGTH, Attribute, Device
from hallway.home.home import Home
from hallway.home.reported import reported_attributes, reported_value
from hallway.home.values import Value


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A value at a time in seconds since 1970; unset: there was none."""

    at: float
    value: Value | msgspec.UnsetType


class Recent:
    """Reads the short history of every attribute of a home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        now = home.clock.now()
        self._since: dict[str, float] = dict.fromkeys(home.devices, now)
        home.changes.subscribe(self._follow, Defined)

    def _follow(self, change: AnyChange) -> None:
        if isinstance(change, Defined) and change.kind == "device":
            if change.new is None:
                self._since.pop(change.key, None)
            else:
                self._since[change.key] = change.at

    def attributes(self, device: Device) -> Mapping[str, Attribute]:
        """The attributes of a device; those of a reported state follow from what it says now."""
        if device.class_name != REPORTED:
            return device.attributes
        entity_ids = self._home.entities_of(device.id)
        state = self._home.entities.states.get(entity_ids[0]) if entity_ids else None
        return reported_attributes(state) if state is not None else {}

    def value(self, device: Device, name: str) -> Value | msgspec.UnsetType:
        """What the attribute is now; unset while there is no value."""
        if device.class_name != REPORTED:
            return device.held(name).value
        return reported_value(self._home.entities.states[self._home.entities_of(device.id)[0]], name)

    def moments(self, device: Device, name: str) -> list[Moment]:
        """The last values, oldest first."""
        if device.class_name == REPORTED:
            state = self._home.entities.states[self._home.entities_of(device.id)[0]]
            return [Moment(state.last_updated, reported_value(state, name))]
        held = device.held(name)
        moments = [Moment(entry.at, entry.value) for entry in held.history]
        if device.class_name == COMPUTED or len(moments) == HISTORY_LENGTH:
            return moments
        since = self._since.get(device.id)
        if since is not None and (not moments or moments[0].at >= since):
            return [Moment(since, device.attributes[name].initial), *moments]
        return moments
