"""What a home will make of definitions: they are tried on an empty one in memory, and what does not work is told.

Whatever is told here comes over all the same; it waits until somebody mends it. It must not know where the definitions
came from or are going to.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hallway.clock import VirtualClock
from hallway.errors import HallwayError
from hallway.home.home import Home
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


def tried(items: Iterable[Item], language: Language) -> Tried:
    """Put definitions into a home that nobody sees."""
    home = Home(VirtualClock(), language=language)
    bodies: dict[str, list[Attributes]] = {}
    for item in items:
        bodies.setdefault(item.kind, []).append(item.body)
    parked = [
        *_devices(home, bodies.get("device", [])),
        *_variables(home, bodies.get("variable", [])),
        *(f"device {device_id}: {why}" for device_id, why in home.bind_formulas()),
        *_members(home, bodies),
        *_users(bodies),
    ]
    return Tried(home, tuple(parked))


def _devices(home: Home, configs: list[Attributes]) -> list[str]:
    parked = []
    for config in configs:
        try:
            home.add_device(dict(config), "store")
        except HallwayError as error:
            parked.append(f"device {config.get('id')}: {error.message}")
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


def _members(home: Home, bodies: dict[str, list[Attributes]]) -> list[str]:
    """Pages and groups with members that do not exist."""
    rules = {str(config["id"]) for config in bodies.get("rule", [])}
    variables, devices = home.value_names(), {str(config["id"]) for config in bodies.get("device", [])}
    found = []
    for group in bodies.get("group", []):
        missing = [
            *(f"device {name}" for name in _texts(group.get("devices")) if name not in devices),
            *(f"rule {name}" for name in _texts(group.get("rules")) if name not in rules),
            *(f"variable {name}" for name in _texts(group.get("variables")) if name not in variables),
        ]
        found += [f"group {group['id']}: there is no {', no '.join(missing)}"] if missing else []
    for page in bodies.get("page", []):
        given = page.get("devices")
        entries = given if isinstance(given, list) else []
        shown = [entry.get("deviceId") for entry in entries if isinstance(entry, dict)]
        missing = [f"device {name}" for name in shown if name not in devices]
        found += [f"page {page['id']}: there is no {', no '.join(missing)}"] if missing else []
    return found


def _users(bodies: dict[str, list[Attributes]]) -> list[str]:
    roles = {str(config["name"]) for config in bodies.get("role", [])}
    return [
        f"user {user['username']}: there is no role {user.get('role')}, so they may do nothing"
        for user in bodies.get("user", [])
        if user.get("role") not in roles
    ]


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
