"""Entities: the second view of a home, `domain.object_id` with a state text and an attribute object.

Each belongs to something: an ability of a device, a reported state, a variable, a group. The id that something got
once is kept, so an id never moves. It must not know how a state comes about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from hallway.home.abilities.base import Ability
from hallway.home.changes import State, StateChange
from hallway.home.devices import Device
from hallway.home.ids import split_entity_id
from hallway.home.values import Attributes, same

OwnerKind = Literal["device", "reported", "variable", "rule", "group", "scene", "parked"]


class Owner(msgspec.Struct, frozen=True):
    """What an entity belongs to. told_by: who tells its state, if nobody here works it out (`reported`, `link:…`)."""

    kind: OwnerKind
    key: str
    device: Device | None = None
    ability: Ability | None = None
    told_by: str = ""


class Entities:
    """All entities: who owns them and what they show now; `kept` maps an owner's key to the id that it once got."""

    def __init__(self, kept: dict[str, str] | None = None) -> None:
        self.states: dict[str, State] = {}
        self.owners: dict[str, Owner] = {}
        self.kept: dict[str, str] = dict(kept or {})
        self._taken = {entity_id: key for key, entity_id in self.kept.items()}
        self._claimed: dict[str, str] = {}
        self._domains: dict[str, dict[str, None]] = {}

    def claim(self, owner: Owner, domain: str, object_id: str) -> str:
        """The id of an owner's entity: the one it had, else `domain.object_id`, with _2, _3 … when that is taken.

        Who was away finds its id taken when somebody reported a state of that name meanwhile.
        """
        entity_id = self.kept.get(owner.key, "")
        holder = self.owners.get(entity_id, owner)
        if split_entity_id(entity_id)[0] != domain or holder.key != owner.key:
            entity_id = self._free(f"{domain}.{object_id}")
            self.kept[owner.key] = self._claimed[owner.key] = entity_id
            self._taken[entity_id] = owner.key
        self.own(entity_id, owner)
        return entity_id

    def newly_claimed(self) -> dict[str, str]:
        """Of `kept` what came since this was asked the last time: whoever keeps it need not look through all of it."""
        claimed, self._claimed = self._claimed, {}
        return claimed

    def _free(self, wanted: str) -> str:
        entity_id, number = wanted, 1
        while entity_id in self._taken or entity_id in self.owners:
            number += 1
            entity_id = f"{wanted}_{number}"
        return entity_id

    def own(self, entity_id: str, owner: Owner) -> None:
        """Note who the entity belongs to."""
        self.owners[entity_id] = owner
        self._domains.setdefault(split_entity_id(entity_id)[0], {})[entity_id] = None

    def drop(self, entity_id: str) -> State | None:
        """The entity is gone; its id stays kept for the same owner. The state that it showed."""
        self.owners.pop(entity_id, None)
        self._domains.get(split_entity_id(entity_id)[0], {}).pop(entity_id, None)
        return self.states.pop(entity_id, None)

    def of_domain(self, domain: str) -> tuple[str, ...]:
        """The ids of a domain's entities, in the order in which they came."""
        return tuple(self._domains.get(domain, ()))

    def owned(self, entity_ids: Iterable[str]) -> Iterator[tuple[str, Owner]]:
        """Those of the ids that exist, with their owners."""
        for entity_id in entity_ids:
            owner = self.owners.get(entity_id)
            if owner is not None:
                yield entity_id, owner

    def show(self, owner_key: str, state: str, attributes: Attributes, now: float) -> tuple[StateChange, ...]:
        """The owner's entity shows this now: the change, if it is one."""
        entity_id = self.kept[owner_key]
        old = self.states.get(entity_id)
        changed = now
        if old is not None and same(old.attributes, attributes):
            if old.state == state:
                return ()
            attributes = old.attributes  # the same one: it takes no memory of its own, and is known to be as before
        elif old is not None and old.state == state:
            changed = old.last_changed
        new = self.states[entity_id] = State(entity_id, state, attributes, changed, now)
        return (StateChange(entity_id, old, new),)

    def show_device(self, entity_ids: Iterable[str], now: float, but: str = "") -> Iterator[StateChange]:
        """The entities of a device show what it is now: what moved, leaving one out."""
        for entity_id, owner in self.owned(entity_ids):
            if entity_id != but and owner.kind != "reported":
                yield from self.show(owner.key, *_shown(owner), now)


def _shown(owner: Owner) -> tuple[str, Attributes]:
    device, ability = owner.device, owner.ability
    if device is None:
        raise TypeError(f"{owner.key} is no device")
    if ability is None:
        return "parked", {"error": device.error, "friendly_name": device.name}
    state, attributes = ability.show(device)
    label = f" {ability.attributes()[0].label}" if ability.suffix else ""
    return state, {**attributes, "friendly_name": f"{device.name}{label}"}
