"""The first packets: who the client is, and everything of the home that it may see, in pimatic's order.

Each packet is written once for all who come before the home changes. It must not know sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hallway.access.callers import SCOPES, SPECIAL, Caller
from hallway.api.operations.pimatic.forms import Forms, group_form, page_form, rule_form
from hallway.api.pimatic.live import DEVICES, GROUPS, PAGES, RULES, VARIABLES
from hallway.api.pimatic.packets import event
from hallway.api.sockets import Packet
from hallway.home.home import Home
from hallway.home.values import Value, encode

Write = Callable[[], object]


class Greeting:
    """Writes what a client is told when it comes."""

    def __init__(self, home: Home, forms: Forms) -> None:
        self._home = home
        self._forms = forms
        self._seq = -1
        self._written: dict[str, Packet] = {}

    def of(self, caller: Caller) -> tuple[Packet, ...]:
        """The packets for that caller."""
        if self._home.changes.seq != self._seq:
            self._seq = self._home.changes.seq
            self._written.clear()
        home, forms = self._home, self._forms
        return (
            event("hello", encode(_hello(caller))),
            self._list(caller, DEVICES, "devices", forms.devices),
            self._list(caller, RULES, "rules", lambda: [rule_form(rule) for rule in home.rules.all()]),
            self._list(caller, VARIABLES, "variables", forms.variables),
            self._list(caller, PAGES, "pages", lambda: self._pages(caller.role), caller.role),
            self._list(caller, GROUPS, "groups", lambda: [group_form(group) for group in home.groups.all()]),
        )

    def _list(self, caller: Caller, permission: str, name: str, write: Write, role: str = "") -> Packet:
        if not caller.may(permission):
            return _EMPTY[name]
        key = f"{name}:{role}"
        packet = self._written.get(key)
        if packet is None:
            packet = self._written[key] = event(name, encode(write()))
        return packet

    def _pages(self, role: str) -> list[Value]:
        """The pages that are for people of that role."""
        return [
            page_form(page)
            for page in self._home.pages.all()
            if page.allowed_roles is None or role in page.allowed_roles
        ]


def _hello(caller: Caller) -> dict[str, object]:
    permissions: dict[str, object] = {scope: _access(caller, scope) for scope in SCOPES}
    permissions |= {special: caller.may(special) for special in SPECIAL}
    return {"username": caller.name, "role": caller.role, "permissions": permissions}


def _access(caller: Caller, scope: str) -> str:
    return "write" if caller.may(f"{scope}:write") else "read" if caller.may(f"{scope}:read") else "none"


_EMPTY: Final = {name: event(name, b"[]") for name in ("devices", "rules", "variables", "pages", "groups")}
