"""A config.json of pimatic 0.9 → definitions of a home, passwords apart, and what could not be taken over.

Each entry is taken as it was written; whether the home can use it is seen elsewhere. Secrets (passwords, the key of the
cookies) never get into a definition. It must not know files, the store or how a password is hashed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.errors import HallwayError, InvalidConfiguration
from hallway.home.announcing import check_definition
from hallway.home.ids import check_device_id, check_id, check_rule_id
from hallway.home.values import Attributes, Value, decode, encode, kind_of
from hallway.home.variables import as_value
from hallway.links.importers.json_comments import without_comments

LISTS: Final = (
    ("devices", "device", "id"),
    ("variables", "variable", "name"),
    ("rules", "rule", "id"),
    ("pages", "page", "id"),
    ("groups", "group", "id"),
    ("users", "user", "username"),
    ("roles", "role", "name"),
    ("plugins", "plugin", "plugin"),
)
"""Lists of config.json: their names, the kinds that they become, and the property that names an entry."""
_IDS: Final[Mapping[str, Callable[[str], object]]] = MappingProxyType(
    {
        "device": check_device_id,
        "rule": check_rule_id,
        "page": partial(check_id, "page"),
        "group": partial(check_id, "group"),
    }
)
"""What an id must be, of those kinds where not every text is one."""
SETTINGS, AUTHENTICATION = "pimatic", "authentication"
"""Keys of the two definitions of kind setting: all settings without those of the login, and those."""
_SECRETS: Final = ("password", "password_hash", "stamp")
_READ: Final = ("pages", "rules", "variables", "messages", "events")
_HIDDEN: Final = ("devices", "groups", "plugins", "updates", "config")
MAX_NAME: Final = 255
MAX_LATITUDE, MAX_LONGITUDE = 90.0, 180.0


class Item(msgspec.Struct, frozen=True):
    """A definition to keep."""

    kind: str
    key: str
    body: Attributes


class Place(msgspec.Struct, frozen=True):
    """Where the home stands, in degrees, and the plugin that said so."""

    latitude: float
    longitude: float
    told_by: str


@dataclass(frozen=True, slots=True)
class Moving:
    """What a config.json holds: definitions, the order of each kind, passwords by user, and remarks for people.

    left_out: entries that cannot be kept; a user without a password (or with an empty one) stands in no passwords.
    """

    items: tuple[Item, ...]
    orders: dict[str, tuple[str, ...]]
    passwords: dict[str, str] = field(repr=False)
    authentication: bool
    place: Place | None
    left_out: tuple[str, ...]

    def count(self, kind: str) -> int:
        """How many there are of a kind."""
        return len(self.orders.get(kind, ()))


def read(text: str) -> Moving:
    """Read a config.json. InvalidInput: it is not JSON; InvalidConfiguration: it is no configuration of pimatic."""
    config = decode(without_comments(text.removeprefix("\ufeff")).encode("utf-8", "surrogatepass"))
    if not isinstance(config, dict):
        raise InvalidConfiguration(
            f"a config.json of pimatic is an object with settings, devices …, not {kind_of(config)}"
        )
    known = {"settings", *(name for name, _kind, _key in LISTS)}
    if not known & config.keys():
        raise InvalidConfiguration("this is no config.json of pimatic: it has no settings, plugins, devices or rules")
    left_out: list[str] = [f"{_shown(name)}: pimatic has no such section" for name in config if name not in known]
    settings = _settings(config.get("settings"))
    _check_settings(settings)
    authentication = settings.pop("authentication", None)
    login: Attributes = dict(authentication) if isinstance(authentication, dict) else {}
    config = {"roles": _default_roles(), "users": _early_users(login), **config}
    items: list[Item] = []
    orders: dict[str, tuple[str, ...]] = {}
    passwords: dict[str, str] = {}
    for name, kind, named_by in LISTS:
        found = list(_items(config.get(name), name, kind, named_by, left_out.append))
        orders[kind] = tuple(item.key for item in found)
        items += [_without_password(item, passwords) if kind == "user" else item for item in found]
    enabled = login.get("enabled") is not False
    kept_login: Attributes = {"enabled": enabled}
    if isinstance(login.get("loginTime"), int | float):
        kept_login["loginTime"] = login["loginTime"]
    items += [Item("setting", SETTINGS, settings), Item("setting", AUTHENTICATION, kept_login)]
    return Moving(tuple(items), orders, passwords, enabled, _place(items), tuple(left_out))


def _items(entries: Value, name: str, kind: str, named_by: str, leave_out: Callable[[str], None]) -> Iterator[Item]:
    if entries is None:
        return
    if not isinstance(entries, list):
        raise InvalidConfiguration(f"{name} must be a list, not {kind_of(entries)}")
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        place = f"{name}, entry {number}"
        if not isinstance(entry, dict):
            leave_out(f"{place}: it is {kind_of(entry)}, not an object")
            continue
        key = entry.get(named_by)
        if not isinstance(key, str) or not key or len(key) > MAX_NAME:
            leave_out(f"{place}: {named_by} must be a text of 1 to {MAX_NAME} signs")
        elif key in seen:
            leave_out(f"{place}: {named_by} {key} stands there twice, the first one counts")
        elif (why := _unusable(kind, key, entry)) is not None:
            leave_out(f"{place}: {why}")
        else:
            seen.add(key)
            yield Item(kind, key, _AS_NOW.get(kind, dict)(entry))


def _unusable(kind: str, key: str, entry: Attributes) -> str | None:
    """Why it can never be kept: nobody could mend it under that id, or it cannot be written."""
    try:
        check_definition(_beside_value(entry) if kind == "variable" else entry)
        encode(entry)
        if kind in _IDS:
            _IDS[kind](key)
    except HallwayError as error:
        return error.message
    return None


def _beside_value(entry: Attributes) -> Attributes:
    return {name: value for name, value in entry.items() if name != "value"}


def _variable(entry: Attributes) -> Attributes:
    """A variable's value as pimatic holds it: a plain number as number."""
    if entry.get("expression") is not None or "value" not in entry:
        return {name: value for name, value in entry.items() if name != "value" or value is not None}
    return {**entry, "value": as_value(entry["value"])}


def _rule(entry: Attributes) -> Attributes:
    """Rules of early versions begin with `if`, which pimatic reads as `when`."""
    text = entry.get("rule")
    if not isinstance(text, str) or not text.startswith("if "):
        return dict(entry)
    return {**entry, "rule": f"when {text.removeprefix('if ')}"}


_AS_NOW: Final[Mapping[str, Callable[[Attributes], Attributes]]] = MappingProxyType(
    {"variable": _variable, "rule": _rule}
)


def _without_password(user: Item, passwords: dict[str, str]) -> Item:
    body = {name: value for name, value in user.body.items() if name not in _SECRETS}
    password = user.body.get("password")
    if isinstance(password, str) and password:
        passwords[user.key] = password
    return Item("user", user.key, body)


def _settings(given: Value) -> Attributes:
    """The settings without the password of the database."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidConfiguration(f"settings must be an object, not {kind_of(given)}")
    settings = copy.deepcopy(given)
    database = settings.get("database")
    if isinstance(database, dict):
        connection = database.get("connection")
        if isinstance(connection, dict):
            connection.pop("password", None)
        elif isinstance(connection, str):  # an address, in which the password may stand
            database.pop("connection")
    return settings


def _check_settings(settings: Attributes) -> None:
    try:
        check_definition(settings)
    except HallwayError as error:
        raise InvalidConfiguration(f"the settings cannot be kept: {error.message}") from None


def _shown(name: str) -> str:
    """A name from the file as it can be printed, whatever stands in it."""
    return name.encode("utf-8", "backslashreplace").decode()


def _default_roles() -> list[Value]:
    """The roles that pimatic has when a config.json names none."""
    everything: Attributes = dict.fromkeys((*_READ, *_HIDDEN), "write")
    resident: Attributes = {**dict.fromkeys(_READ, "read"), **dict.fromkeys(_HIDDEN, "none")}
    return [
        {"name": "admin", "permissions": {**everything, "controlDevices": True, "restart": True}},
        {"name": "resident", "permissions": {**resident, "controlDevices": True, "restart": False}},
    ]


def _early_users(login: Attributes) -> list[Value]:
    """Before it knew users, pimatic had one, in the settings of the login."""
    if login.get("username") and login.get("password"):
        return [{"username": login["username"], "password": login["password"], "role": "admin"}]
    return []


def _place(items: list[Item]) -> Place | None:
    """Where the home stands; plugins for the sun and the weather know it."""
    for item in items:
        if item.kind == "plugin":
            latitude = _degrees(item.body.get("latitude"), MAX_LATITUDE)
            longitude = _degrees(item.body.get("longitude"), MAX_LONGITUDE)
            if latitude is not None and longitude is not None:
                return Place(latitude, longitude, item.key)
    return None


def _degrees(value: Value, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        degrees = float(value)
    except ValueError:
        return None
    return degrees if abs(degrees) <= most else None
