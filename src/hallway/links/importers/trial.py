"""What a home will make of definitions: they are tried on an empty one in memory, and what does not work is told.

Whatever is told here comes over all the same; it waits until somebody mends it. It must not know where the definitions
came from or are going to.
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
from hallway.home.variables import Formula, Language
from hallway.links.importers.pimatic_config import Item
from hallway.links.importers.pimatic_database import LastValue


class Tried(msgspec.Struct, frozen=True):
    """A home with these definitions, and what does not work in it, one sentence each."""

    home: Home
    parked: tuple[str, ...]

    def can_use(self, last: LastValue) -> bool:
        """Whether a device has that attribute and takes such a value."""
        device = self.home.devices.get(last.device_id)
        attribute = device.attributes.get(last.attribute) if device is not None else None
        return attribute is not None and attribute.type in ("", kind_of(last.value))


def tried(items: Iterable[Item], language: Language, rule_language: RuleLanguage | None = None) -> Tried:
    """Put definitions into a home that nobody sees. rule_language: what reads rules; without it their form is seen."""
    home = Home(VirtualClock(), language=language)
    home.rules.language = rule_language
    bodies: dict[str, list[Attributes]] = {}
    for item in items:
        bodies.setdefault(item.kind, []).append(item.body)
    parked = [
        *_devices(home, bodies.get("device", [])),
        *_variables(home, bodies.get("variable", [])),
        *(f"device {device_id}: {why}" for device_id, why in home.bind_formulas()),
        *_rules(home, bodies.get("rule", [])),
        *_each("page", bodies.get("page", []), home.pages.add),
        *_each("group", bodies.get("group", []), home.groups.add),
        *_members(home),
        *_users(bodies),
    ]
    return Tried(home, tuple(parked))


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
    """Variables may use each other in any order; one that cannot be parsed is no source for others."""
    parked, good = list[str](), list[Attributes]()
    names = home.value_names().union(str(config["name"]) for config in configs)
    beside = dict[str, Formula | None].fromkeys(str(config["name"]) for config in configs)
    for config in configs:
        try:
            variable = home.check_variable(dict(config), names, beside)
        except HallwayError as error:
            parked.append(f"variable {config['name']}: {error.message}")
        else:
            beside[variable.name] = variable.formula
            good.append(dict(config))
    home.add_variables(tuple(good))
    return parked


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
