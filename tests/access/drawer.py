"""What sessions need in a test: somewhere to keep things, and a browser that sends back what it got.

It must not know what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from hallway.access.cookies import Cookies
from hallway.access.people import People
from hallway.home.values import Attributes, Value


class Drawer:
    """Keeps things in memory, as JSON would."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def kept(self, name: str) -> Mapping[str, Value]:
        found: Mapping[str, Value] = json.loads(self.held.get(name, "{}"))
        return found

    async def keep(self, name: str, body: Attributes) -> None:
        self.held[name] = json.dumps(body)


def sent_back(values: tuple[bytes, ...]) -> bytes:
    """The Cookie header of a browser that got these Set-Cookie values."""
    return b"; ".join(value.partition(b";")[0] for value in values)


def opened(cookies: Cookies, people: People, name: str = "anna", *, remember: bool = False) -> bytes:
    caller = people.caller(name)
    assert caller is not None
    return sent_back(cookies.open(caller, remember=remember))
