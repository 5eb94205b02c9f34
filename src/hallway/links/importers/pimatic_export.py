"""Definitions of a home → a config.json of pimatic 0.9.

What pimatic has no words for stays behind and is named. Passwords are hashed and cannot be written: each user gets an
empty one, which no login accepts and which an import reads as "keep the one you have". It must not know files or the
store.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from hallway.home.values import Attributes, Value
from hallway.links.importers.pimatic_config import AUTHENTICATION, LISTS, SETTINGS, Item

_PROPERTIES: Final = {
    "variable": ("name", "value", "expression", "unit"),
    "rule": ("id", "name", "rule", "active", "logging"),
    "page": ("id", "name", "devices", "allowedRoles"),
    "group": ("id", "name", "devices", "rules", "variables"),
    "user": ("username", "password", "role"),
    "role": ("name", "permissions"),
}
"""What pimatic knows of these kinds, in the order in which it writes it; devices and plugins have more of their own."""
KINDS: Final = (*(kind for _name, kind, _key in LISTS), "setting", "order")
SECTIONS: Final = ("settings", "plugins", "devices", "rules", "variables", "pages", "groups", "users", "roles")


class Exported(msgspec.Struct, frozen=True):
    """A config.json as a value, and what did not get into it, one sentence each."""

    config: Attributes
    left_out: tuple[str, ...]


def config_of(items: Iterable[Item], values: Mapping[str, Value]) -> Exported:
    """The configuration of these definitions, the first of a name counts. values: what the variables hold by now."""
    by_kind: dict[str, dict[str, Attributes]] = {kind: {} for kind in KINDS}
    found = tuple(items)
    for item in found:
        by_kind.get(item.kind, {}).setdefault(item.key, item.body)
    sections: Attributes = {"settings": _settings(by_kind["setting"])}
    left_out = [f"scene {item.key}: pimatic has no scenes" for item in found if item.kind == "scene"]
    for name, kind, named_by in LISTS:
        bodies = in_order(by_kind[kind], by_kind["order"].get(kind))
        sections[name] = [_entry(kind, named_by, key, body, values) for key, body in bodies]
        left_out += _unknown(kind, bodies)
    return Exported({name: sections[name] for name in SECTIONS}, tuple(left_out))


def in_order(bodies: Mapping[str, Attributes], kept: Attributes | None) -> list[tuple[str, Attributes]]:
    """Definitions as the home orders them; those that no order names come last."""
    order = kept.get("order") if kept is not None else None
    wanted = [key for key in order if isinstance(key, str)] if isinstance(order, list) else []
    named = [key for key in dict.fromkeys(wanted) if key in bodies]
    return [(key, bodies[key]) for key in (*named, *(key for key in bodies if key not in set(named)))]


def _settings(kept: Mapping[str, Attributes]) -> Attributes:
    settings = copy.deepcopy(dict(kept.get(SETTINGS, {})))
    return {**settings, "authentication": dict(kept.get(AUTHENTICATION, {"enabled": True}))}


def _entry(kind: str, named_by: str, key: str, body: Attributes, values: Mapping[str, Value]) -> Attributes:
    entry: Attributes = {named_by: key, **body}
    if kind == "user":
        entry["password"] = ""
    if kind == "variable" and body.get("expression") is None and key in values:
        entry["value"] = values[key]
    known = _PROPERTIES.get(kind)
    if known is None:
        return entry
    return {name: entry[name] for name in known if name in entry and not (name == "unit" and entry[name] == "")}


def _unknown(kind: str, found: Iterable[tuple[str, Attributes]]) -> list[str]:
    known = {*_PROPERTIES.get(kind, ()), "password_hash", "stamp"}
    if kind not in _PROPERTIES:
        return []
    return [
        f"{kind} {key}: pimatic does not know {', '.join(more)}"
        for key, body in found
        if (more := [name for name in body if name not in known])
    ]
