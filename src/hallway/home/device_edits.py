"""How devices are added, parked, changed and removed, with their entities.

Everything is checked before anything changes; what names a device in a group or on a page goes with it.
It must not know doors, nor what the abilities of a device are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

import msgspec

from hallway.errors import Conflict, InvalidConfiguration
from hallway.home.abilities.base import Ability
from hallway.home.announcing import BUILT_IN, FILE, START, STORE, Announcer, check_definition, check_editable
from hallway.home.changes import Changes, Context, StateChange, Updated
from hallway.home.classes import REPORTED, class_named
from hallway.home.derived import Derived
from hallway.home.devices import Device
from hallway.home.entities import Entities, Owner
from hallway.home.entity_services import LINK, EntityServices
from hallway.home.formulas import Formulas
from hallway.home.groups import Groups
from hallway.home.ids import check_device_id, device_object_id, object_id
from hallway.home.orders import LaterOrder
from hallway.home.pages import Pages
from hallway.home.pending import Pending
from hallway.home.rules import Rules
from hallway.home.values import Attributes, Value

log = logging.getLogger(__name__)


class Furnished(Protocol):
    """What the home does for its devices."""

    announcer: Announcer
    changes: Changes
    trial: bool
    derived: Derived
    devices: dict[str, Device]
    device_order: LaterOrder
    entities: Entities
    entity_ids: dict[str, tuple[str, ...]]
    entity_services: EntityServices
    formulas: Formulas
    groups: Groups
    pages: Pages
    pending: Pending
    rules: Rules

    def device(self, device_id: str) -> Device: ...


class DeviceEdits:
    """What can be done to the devices of a home."""

    def __init__(self, home: Furnished) -> None:
        self._home = home

    def add(self, config: Attributes, source: str, context: Context) -> Device:
        """Take a device into the home. InvalidInput, InvalidConfiguration: it cannot be; Conflict: its id is taken."""
        self._check_free(config.get("id"))
        abilities = self._abilities(config, source)
        check_definition(config)
        device = self._take_in(Device(config, abilities, source), context)
        if source == STORE and self._home.formulas.complete:
            self._settle(device, context)
        return device

    def park(self, config: Attributes, source: str, error: str) -> Device:
        """Keep a device that cannot be used as it stands, and show why. InvalidInput, Conflict: as in add."""
        self._check_free(config.get("id"))
        return self._take_in(Device(config, (), source, error), START)

    def change(self, config: Attributes, context: Context) -> Device:
        """Give a device another config, and make it anew; a parked one comes alive.

        Values of attributes that it still has stay. NotFound: there is none of that id; InvalidConfiguration: it cannot
        be; Conflict: its definition does not stand in the store.
        """
        old = self._home.device(str(config.get("id")))
        check_editable(f"device {old.id}", old.source)
        if old.class_name == REPORTED:
            raise InvalidConfiguration(f"device {old.id} is a reported state and has no config to change")
        device = Device(config, self._abilities(config, old.source), old.source)
        check_definition(config)
        self._home.pending.cancel_all(old.id, context)
        before = self._let_go(old)
        _keep_values(device, old)
        shown = self._show(device)
        gone = self._drop(entity_id for entity_id in before if entity_id not in self._home.entity_ids[device.id])
        bodies = (old.config, config)
        self._home.announcer.tell(("device", device.id), bodies, context, device.source, (*gone, *shown))
        self._settle(device, context)
        return device

    def remove(self, device_id: str, context: Context) -> Device:
        """Take a device out of the home, with its entities and all that it was going to do."""
        device = self._home.device(device_id)
        check_editable(f"device {device_id}", device.source)
        with self._home.announcer.act():
            self._remove(device, context)
        return device

    def _remove(self, device: Device, context: Context) -> None:
        device_id = device.id
        if not device.source.startswith(LINK):
            self._home.groups.forget("device", device_id, context)
            self._home.pages.forget_device(device_id, context)
        self._home.pending.cancel_all(device_id, context)
        states = self._drop(self._let_go(device))
        del self._home.devices[device_id]
        self._home.device_order.forget(device_id)
        self._home.announcer.tell_removed(("device", device_id), device, device.config, context, device.source, states)
        if device.source == STORE:
            self._home.announcer.lasts.take_device(device)
        if device.class_name != REPORTED:
            self._home.rules.read_again(context)

    # ------------------------------------------------------------------ inside

    def _abilities(self, config: Attributes, source: str) -> tuple[Ability, ...]:
        chosen = class_named(config.get("class"))
        if chosen.built_in and source != BUILT_IN:
            raise InvalidConfiguration(f"class {chosen.name} is the hub's own and cannot be used in a definition")
        abilities = chosen.abilities(config, strict=source == FILE)
        for sentence in () if self._home.trial else chosen.unknown(config):
            log.info("device %s: %s; it is kept and not used", config.get("id"), sentence)
        return abilities

    def _check_free(self, wanted: Value) -> None:
        device_id = check_device_id(wanted)
        if device_id in self._home.devices:
            raise Conflict(f"there is a device {device_id} already")

    def _take_in(self, device: Device, context: Context) -> Device:
        self._home.device_order.forget(device.id)
        states = self._show(device)
        self._home.announcer.tell(("device", device.id), (None, device.config), context, device.source, states)
        return device

    def _show(self, device: Device) -> tuple[StateChange, ...]:
        """It stands in the home with its entities from now on: what they show."""
        self._home.devices[device.id] = device
        claimed = [self._claim(device, ability) for ability in device.abilities if ability.domain]
        if device.error is not None:
            parked = Owner("parked", f"parked:{device.id}", device)
            claimed.append(self._home.entities.claim(parked, "problem", device_object_id(device.id)))
        self._home.entity_ids[device.id] = tuple(claimed)
        self._home.derived.watch_fields(device)
        return tuple(self._home.entities.show_device(claimed, self._home.announcer.now()))

    def _claim(self, device: Device, ability: Ability) -> str:
        self._home.entity_services.offer(ability, START)
        suffix = ability.suffix and f"_{object_id(ability.suffix)}"
        owner = Owner("device", f"device:{device.id}:{ability.domain}{ability.suffix}", device, ability)
        wanted = (ability.object_id or device_object_id(device.id)) + suffix
        return self._home.entities.claim(owner, ability.domain, wanted)

    def _let_go(self, device: Device) -> tuple[str, ...]:
        """It computes and shows nothing any more: the entities that it had."""
        self._home.formulas.unbind(device)
        self._home.derived.forget_fields(device)
        return self._home.entity_ids.pop(device.id, ())

    def _drop(self, entity_ids: Iterable[str]) -> tuple[StateChange, ...]:
        return tuple(StateChange(entity_id, self._home.entities.drop(entity_id), None) for entity_id in entity_ids)

    def _settle(self, device: Device, context: Context) -> None:
        """It came while the home was complete: it says what it is, computes, and rules may name it."""
        values = {name: held for name in device.attributes if (held := device.value(name)) is not None}
        if values:
            now = self._home.announcer.now()
            for name, value in values.items():
                device.held(name).take(value, now)
            nothing = dict[str, Value].fromkeys(values)
            self._home.changes.emit(Updated(self._home.changes.next(), now, context, device.id, nothing, values, ()))
        for _device_id, why in self._home.formulas.bind(device, context):
            log.warning("device %s: %s", device.id, why)
        self._home.rules.read_again(context)


def _keep_values(device: Device, old: Device) -> None:
    """What the old one knew of an attribute of that kind, the new one knows too."""
    for name, attribute in device.attributes.items():
        before = old.attributes.get(name)
        if before is None or (before.type, before.enum) != (attribute.type, attribute.enum):
            continue
        known = old.held(name)
        if known.value is not msgspec.UNSET:
            device.held(name).value = known.value
