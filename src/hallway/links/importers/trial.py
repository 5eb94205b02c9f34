"""What a home will make of definitions: they are tried on an empty one in memory, and what does not work is told.

Whatever is told here comes over all the same; what is parked waits until somebody mends it. It must not know where the
definitions came from or are going to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from hallway.clock import VirtualClock
from hallway.errors import HallwayError
from hallway.home.announcing import STORE
from hallway.home.home import Home
from hallway.home.rules import RuleLanguage
from hallway.home.values import Attributes, kind_of
from hallway.home.variables import Language
from hallway.links.importers.pimatic_config import Item
from hallway.links.importers.pimatic_database import LastValue


class Tried(msgspec.Struct, frozen=True):
    """A home with these definitions. One sentence each: parked, what does not work; remarks, what misses something."""

    home: Home
    parked: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def can_use(self, last: LastValue) -> bool:
        """Whether a device has that attribute and takes such a value."""
        device = self.home.devices.get(last.device_id)
        attribute = device.attributes.get(last.attribute) if device is not None else None
        return attribute is not None and attribute.type in ("", kind_of(last.value))

    def has(self, device_id: str, name: str, value_type: str) -> bool:
        """Whether a device has an attribute of that name and type."""
        device = self.home.devices.get(device_id)
        attribute = device.attributes.get(name) if device is not None else None
        return attribute is not None and attribute.type in ("", value_type)


def tried(items: Iterable[Item], language: Language, rule_language: RuleLanguage | None = None) -> Tried:
    """Put definitions into a home that nobody sees. rule_language: what reads rules; without it their form is seen."""
    home = Home(VirtualClock(), language=language)
    home.trial = True
    home.rules.language = rule_language
    bodies: dict[str, list[Attributes]] = {}
    for item in items:
        bodies.setdefault(item.kind, []).append(item.body)
    parked = [
        *_devices(home, bodies.get("device", [])),
        *_variables(home, bodies.get("variable", [])),
    ]
    unbound = [f"device {device_id}: {why}" for device_id, why in home.bind_formulas()]
    parked += [
        *_rules(home, bodies.get("rule", [])),
        *_each("page", bodies.get("page", []), home.pages.add),
        *_each("group", bodies.get("group", []), home.groups.add),
    ]
    remarks = (*_sources(home, bodies), *unbound, *_members(home), *_users(bodies))
    return Tried(home, tuple(parked), remarks)


def _rules(home: Home, configs: list[Attributes]) -> list[str]:
    found = []

    def add(config: Attributes) -> None:
        rule = home.rules.add(config, force=True)
        if rule.error is not None:
            found.append(f"rule {rule.id}: {rule.error}")

    return [*_each("rule", configs, add), *found]


def _each(kind: str, configs: list[Attributes], add: Callable[[Attributes], object]) -> list[str]:
    parked = []
    for config in configs:
        try:
            add(dict(config))
        except HallwayError as error:
            name = f"{kind} {config['id']}: "
            parked.append(name + error.message.removeprefix(name))
    return parked


def _devices(home: Home, configs: list[Attributes]) -> list[str]:
    """One that cannot be used is there all the same, for pages and groups; unless its id cannot be either."""
    parked = []
    for config in configs:
        try:
            home.add_device(dict(config), STORE)
        except HallwayError as error:
            parked.append(f"device {config['id']}: {error.message}")
            with suppress(HallwayError):
                home.park_device(dict(config), STORE, error.message)
    return parked


def _variables(home: Home, configs: list[Attributes]) -> list[str]:
    """As at a start: variables may use each other in any order; those that cannot be read are left aside."""
    refused = home.keep_variables(tuple(dict(config) for config in configs))
    return [f"variable {name}: {error.message}" for name, error in refused]


def _sources(home: Home, bodies: dict[str, list[Attributes]]) -> list[str]:
    """Variables that are computed from what is not there, and have no value until it is."""
    there, coming = home.value_names(), {str(config["name"]) for config in bodies.get("variable", [])}
    found = []
    for variable in home.variables:
        used = variable.formula.variables if variable.formula is not None else frozenset()
        missing = [
            f"${name} does not work" if name in coming else f"there is no ${name}" for name in sorted(used - there)
        ]
        found += [f"variable {variable.name}: {', '.join(missing)}, so it is not computed"] if missing else []
    return found


def _members(home: Home) -> list[str]:
    """Pages and groups with members that do not exist."""
    variables, found = home.value_names(), []
    for group in home.groups.all():
        missing = [
            *(f"device {name}" for name in group.devices if name not in home.devices),
            *(f"rule {name}" for name in group.rules if name not in home.rules),
            *(f"variable {name}" for name in group.variables if name not in variables),
        ]
        found += [f"group {group.id}: there is no {', no '.join(missing)}"] if missing else []
    for page in home.pages.all():
        shown = [str(entry["deviceId"]) for entry in page.devices]
        missing = [f"device {name}" for name in shown if name not in home.devices]
        found += [f"page {page.id}: there is no {', no '.join(missing)}"] if missing else []
    return found


def _users(bodies: dict[str, list[Attributes]]) -> list[str]:
    roles = {str(config["name"]) for config in bodies.get("role", [])}
    return [
        f"user {user['username']}: there is no role {user.get('role')}, so they may do nothing"
        for user in bodies.get("user", [])
        if user.get("role") not in roles
    ]
