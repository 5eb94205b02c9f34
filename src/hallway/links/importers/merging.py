"""What of a configuration is new to a home, what the home has already, and what it has otherwise.

Nothing that a home has is ever removed. It must not know how the home keeps it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

import msgspec

from hallway.access.passwords import hash_password, is_password
from hallway.home.values import Attributes, Value, same
from hallway.links.importers.pimatic_config import Item, Moving

_OF_LOGIN: Final = frozenset({"password_hash", "stamp"})
There = Mapping[tuple[str, str], Attributes]
"""What the home has: bodies by kind and key."""


class Compared(msgspec.Struct, frozen=True):
    """Definitions that the home does not have, and those that it has otherwise."""

    new: tuple[Item, ...]
    different: tuple[Item, ...]


def compared(moving: Moving, there: There) -> Compared:
    """Compare with what the home has. A user without a password is like the one there with any."""
    new, different = [], []
    for item in moving.items:
        known = there.get((item.kind, item.key))
        if known is None:
            new.append(item)
        elif not _is_same(item, known, moving.passwords.get(item.key)):
            different.append(item)
    return Compared(tuple(new), tuple(different))


def _is_same(item: Item, known: Attributes, password: str | None) -> bool:
    if item.kind != "user":
        return same(item.body, known)
    beside = {name: value for name, value in known.items() if name not in _OF_LOGIN}
    if not same(item.body, beside):
        return False
    return password is None or is_password(_bytes(password), hash_there(item.key, {("user", item.key): known}))


def hash_there(username: str, there: There) -> str:
    """The hash of a user's password; empty: none, and no password fits."""
    return str(there.get(("user", username), {}).get("password_hash") or "")


def with_hash(user: Item, moving: Moving, there: There) -> Item:
    """A user with the hash of the password that came, or else with the one that is there. Sessions end with it."""
    password = moving.passwords.get(user.key)
    kept = hash_password(_bytes(password)) if password else hash_there(user.key, there)
    return Item("user", user.key, {**user.body, "password_hash": kept, "stamp": secrets.token_urlsafe(12)})


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def orders(moving: Moving, there: There, *, replace: bool) -> list[Item]:
    """The orders that change: what comes stands behind what is there, or before it when it takes its place."""
    items = []
    for kind, coming in moving.orders.items():
        kept = there.get(("order", kind), {}).get("order")
        before = [str(key) for key in kept] if isinstance(kept, list) else []
        order = list(dict.fromkeys((*coming, *before) if replace else (*before, *coming)))
        if order != before:
            items.append(Item("order", kind, {"order": list[Value](order)}))
    return items
