"""Services of entities: `light.turn_on` and its like, made from what the abilities of devices offer.

A call finds its entities, checks the data against each of them, and only then lets the devices act; entities that are
mirrored from another hub are called there. It must not know how a call came in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from hallway.errors import InvalidInput, NotFound
from hallway.home.abilities.base import Ability, Field, Invocation
from hallway.home.calls import Call, all_of, done
from hallway.home.changes import Context
from hallway.home.devices import Device, Effects
from hallway.home.entities import Entities, Owner
from hallway.home.groups import Group, Groups
from hallway.home.ids import split_entity_id
from hallway.home.services import Asked, Offered, Services
from hallway.home.values import Attributes, Value
from hallway.home.variables import Variables

log = logging.getLogger(__name__)

LINK = "link:"
_ENTITIES = Field("entity_id", "one entity id or a list; without it all of the domain")


class Mirror(Protocol):
    """A hub whose states we mirror: writes and calls to its entities go there."""

    def call(self, domain: str, service: str, data: Attributes) -> Call:
        """Let that hub run a service; done when it says that it has."""
        ...

    def write(self, entity_id: str, state: str, attributes: Attributes) -> Call:
        """Let that hub keep a state; done when it has."""
        ...


class Acts(Protocol):
    """What the home does for its services."""

    services: Services
    entities: Entities
    groups: Groups
    variables: Variables
    mirrors: dict[str, Mirror]

    def act(self, device_id: str, action: str, arguments: Mapping[str, Value], context: Context) -> Value: ...
    def effects_of(self, device_id: str, action: str, arguments: Mapping[str, Value]) -> Effects: ...
    def set_variable(self, name: str, value: Value, context: Context) -> None: ...
    def call_service(self, domain: str, service: str, data: Attributes, context: Context) -> Call: ...
    def entities_of(self, device_id: str) -> tuple[str, ...]: ...


class EntityServices:
    """Offers the services of each domain once its first entity is there."""

    def __init__(self, home: Acts) -> None:
        self._home = home

    def offer_general(self, context: Context) -> None:
        """The services that reach entities of every domain, and those of variables."""
        for service, text in (
            ("turn_off", "Turn entities off, whatever they are; groups with all members"),
            ("turn_on", "Turn entities on, whatever they are; groups with all members"),
            ("toggle", "Turn entities over, whatever they are; groups with all members"),
        ):
            offered = Offered(text, (_ENTITIES,), self._general_checker(service), self._run_general)
            self._home.services.register("homeassistant", service, offered, context)

    def offer_variables(self, context: Context) -> None:
        """`variable.set`."""
        if not self._home.services.has("variable", "set"):
            fields = (_ENTITIES, Field("name", "the variable, instead of entity_id"), Field("value", "its new value"))
            offered = Offered("Set a variable", fields, self._check_variable, self._set_variable)
            self._home.services.register("variable", "set", offered, context)

    def offer(self, ability: Ability, context: Context) -> None:
        """The services of an ability's domain, if they are not offered yet."""
        for name, service in ability.services.items():
            if not self._home.services.has(ability.domain, name):
                fields = (_ENTITIES, *service.fields)
                offered = Offered(service.description, fields, self._checker(ability.domain, name), self._run)
                self._home.services.register(ability.domain, name, offered, context)

    def _checker(self, domain: str, service: str) -> Callable[[Attributes], None]:
        return lambda data: self._check(domain, service, data)

    def _check(self, domain: str, service: str, data: Attributes) -> None:
        for device_id, invocation in self._planned(domain, service, data):
            self._home.effects_of(device_id, invocation.action, invocation.arguments)

    def _planned(self, domain: str, service: str, data: Attributes) -> list[tuple[str, Invocation]]:
        """What the devices named would do."""
        planned = [
            (device.id, ability.services[service].plan(device, data))
            for device, ability in self._devices(domain, service, data)
        ]
        return [(device_id, invocation) for device_id, invocation in planned if invocation is not None]

    def _devices(self, domain: str, service: str, data: Attributes) -> list[tuple[Device, Ability]]:
        wanted = entity_ids_in(data)
        ids = self._home.entities.of_domain(domain) if wanted is None else wanted
        return [
            (owner.device, owner.ability)
            for entity_id, owner in self._home.entities.owned(ids)
            if split_entity_id(entity_id)[0] == domain
            and owner.device is not None
            and owner.ability is not None
            and service in owner.ability.services
        ]

    def _run(self, asked: Asked) -> Call:
        self._check(asked.domain, asked.service, asked.data)
        for device_id, invocation in self._planned(asked.domain, asked.service, asked.data):
            self._home.act(device_id, invocation.action, invocation.arguments, asked.context)
        return all_of(self._call_mirrors(asked))

    def _call_mirrors(self, asked: Asked) -> list[Call]:
        wanted = entity_ids_in(asked.data)
        ids = self._home.entities.of_domain(asked.domain) if wanted is None else wanted
        by_link: dict[str, list[Value]] = {}
        for entity_id, owner in self._home.entities.owned(ids):
            named_group = wanted is not None and split_entity_id(entity_id)[0] == "group"
            if owner.told_by.startswith(LINK) and (named_group or split_entity_id(entity_id)[0] == asked.domain):
                by_link.setdefault(owner.told_by.removeprefix(LINK), []).append(entity_id)
        return [
            self._home.mirrors[link].call(asked.domain, asked.service, {**asked.data, "entity_id": ids})
            for link, ids in by_link.items()
            if link in self._home.mirrors
        ]

    def _general_checker(self, service: str) -> Callable[[Attributes], None]:
        return lambda data: self._check_general(service, self._by_domain(service, entity_ids_in(data) or []), data)

    def _check_general(self, service: str, by_domain: Mapping[str, list[Value]], data: Attributes) -> None:
        for domain, ids in by_domain.items():
            self._check(domain, service, {**data, "entity_id": ids})

    def _by_domain(self, service: str, wanted: list[str]) -> dict[str, list[Value]]:
        """The entities named that have the service; groups are taken apart."""
        by_domain: dict[str, list[Value]] = {}
        for entity_id, owner in self._home.entities.owned(self._members(wanted)):
            if _can(owner, service):
                by_domain.setdefault(split_entity_id(entity_id)[0], []).append(entity_id)
        return by_domain

    def _run_general(self, asked: Asked) -> Call:
        wanted = entity_ids_in(asked.data)
        if wanted is None:
            log.warning("homeassistant.%s was called without entity_id and did nothing", asked.service)
            return done()
        by_domain = self._by_domain(asked.service, wanted)
        self._check_general(asked.service, by_domain, asked.data)
        return all_of([self._one_domain(domain, ids, asked) for domain, ids in by_domain.items()])

    def _one_domain(self, domain: str, entity_ids: list[Value], asked: Asked) -> Call:
        data = {**asked.data, "entity_id": entity_ids}
        if self._home.services.has(domain, asked.service):
            return self._home.call_service(domain, asked.service, data, asked.context)
        return all_of(self._call_mirrors(Asked(domain, asked.service, data, asked.context)))

    def _members(self, entity_ids: list[str]) -> list[str]:
        """Groups are taken apart into the entities of their devices; each stands once."""
        found: dict[str, None] = {}
        for entity_id in entity_ids:
            owner = self._home.entities.owners.get(entity_id)
            if owner is not None and owner.kind == "group":
                group: Group = self._home.groups.get(owner.key.removeprefix("group:"))
                for device_id in group.devices:
                    found |= dict.fromkeys(self._home.entities_of(device_id))
            else:
                found[entity_id] = None
        return list(found)

    def _variables(self, data: Attributes) -> list[str]:
        name = data.get("name")
        if isinstance(name, str):
            return [name.removeprefix("$")]
        owners = self._home.entities.owned(entity_ids_in(data) or [])
        return [owner.key.removeprefix("variable:") for _entity_id, owner in owners if owner.kind == "variable"]

    def _check_variable(self, data: Attributes) -> None:
        if "value" not in data:
            raise InvalidInput("variable.set needs the field value")
        names = self._variables(data)
        if not names:
            raise NotFound("variable.set needs the field entity_id (variable.<name>) or name of a variable that exists")
        for name in names:
            if self._home.variables.get(name).formula is not None:
                raise InvalidInput(f"${name} is computed by an expression and cannot be set")

    def _set_variable(self, asked: Asked) -> Call:
        self._check_variable(asked.data)
        for name in self._variables(asked.data):
            self._home.set_variable(name, asked.data["value"], asked.context)
        return done()


def _can(owner: Owner, service: str) -> bool:
    """Whether it can be asked by way of its domain's service; rules have all three, scenes are only turned on."""
    if owner.kind == "rule" or owner.told_by.startswith(LINK):
        return True
    if owner.kind == "scene":
        return service == "turn_on"
    return owner.ability is not None and service in owner.ability.services


def entity_ids_in(data: Attributes) -> list[str] | None:
    """The entities that service data names, in lower case; None when it names none. InvalidInput: not ids."""
    given = data.get("entity_id")
    if given is None:
        return None
    if isinstance(given, str):
        return [given.lower()]
    if isinstance(given, list) and all(isinstance(item, str) for item in given):
        return [str(item).lower() for item in given]
    raise InvalidInput("entity_id must be an entity id like light.hall, or a list of them")
