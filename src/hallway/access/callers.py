"""Callers: whoever asks something of the hub, with what they may do.

It must not know how they proved who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from hallway.home.changes import Context

Scope = Literal[
    "pages",
    "rules",
    "variables",
    "messages",
    "config",
    "events",
    "devices",
    "groups",
    "plugins",
    "updates",
    "database",
]
Permission = str
"""`<scope>:read`, `<scope>:write`, `controlDevices` or `restart`; empty: everybody who is known may."""
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
SPECIAL: Final = ("controlDevices", "restart")
EVERYTHING: Final[frozenset[Permission]] = frozenset(
    (*(f"{scope}:{access}" for scope in SCOPES for access in ("read", "write")), *SPECIAL)
)
LINK_ONLY: Final[frozenset[Permission]] = frozenset(("events:read", "events:write"))


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the person or link, what they may do, and the context that their changes carry.

    link: the name of the hub that is calling, when it is one whose states we mirror; role: a person's role.
    """

    name: str
    permissions: frozenset[Permission]
    context: Context
    link: str = ""
    role: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether they have that permission."""
        return not permission or permission in self.permissions

    def may_all(self, permissions: frozenset[Permission]) -> bool:
        """Whether they have all of these permissions."""
        return permissions <= self.permissions


def granted(permissions: Mapping[str, object]) -> frozenset[Permission]:
    """What a role gives: `{scope: none|read|write, controlDevices: bool, restart: bool}`; write includes read."""
    names = {name for name in SPECIAL if permissions.get(name) is True}
    for scope in SCOPES:
        access = permissions.get(scope)
        if access in ("read", "write"):
            names.add(f"{scope}:read")
        if access == "write":
            names.add(f"{scope}:write")
    return frozenset(names)
