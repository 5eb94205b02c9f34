"""Roles: what the people who have them may do, as pimatic writes it, and which roles every home has.

It must not know who has a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.access.callers import SCOPES, SPECIAL, Permission, granted
from hallway.home.values import Attributes, Value

_READ: Final = ("pages", "rules", "variables", "messages", "events", "devices", "groups")


class Role(msgspec.Struct, frozen=True):
    """A role. permissions: `<scope>: none|read|write` for each, `controlDevices` and `restart`: true or false."""

    name: str
    permissions: Attributes
    granted: frozenset[Permission]

    @classmethod
    def of(cls, name: str, given: Mapping[str, Value]) -> Role:
        """A role by what is written of it; what is not written, or is no permission, gives nothing."""
        permissions: Attributes = {scope: _access(given.get(scope)) for scope in SCOPES}
        permissions |= {special: given.get(special) is True for special in SPECIAL}
        return cls(name, permissions, granted(permissions))


def _access(given: Value) -> str:
    return given if isinstance(given, str) and given in ("read", "write") else "none"


def _built_in() -> dict[str, Role]:
    everything: Attributes = {**dict.fromkeys(SCOPES, "write"), "controlDevices": True, "restart": True}
    resident: Attributes = {**dict.fromkeys(_READ, "read"), "controlDevices": True}
    guest: Attributes = {**dict.fromkeys(("pages", "variables", "devices", "groups"), "read"), "controlDevices": False}
    return {
        name: Role.of(name, given) for name, given in (("admin", everything), ("resident", resident), ("guest", guest))
    }


BUILT_IN: Final[Mapping[str, Role]] = MappingProxyType(_built_in())
"""admin: everything; resident: sees the home and switches devices; guest: sees devices, groups, pages, variables."""
NO_ROLE: Final = Role.of("", {})
"""What a role gives that does not exist."""
