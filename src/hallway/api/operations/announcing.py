"""What operations tell live beside the changes of the home: that devices are looked for, how an installation gets on.

It must not know who hears it.
"""

from __future__ import annotations

from collections.abc import Callable

from hallway.access.callers import Permission
from hallway.home.values import Value

Hear = Callable[[str, Value, Permission], None]
"""Takes the name of what happened, what is to say about it, and which permission it needs to be told."""


class Announcements:
    """Hands what operations tell to those who listen."""

    def __init__(self) -> None:
        self._listeners: tuple[Hear, ...] = ()

    def subscribe(self, listener: Hear) -> Callable[[], None]:
        """Be told from now on; the result unsubscribes."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe

    def announce(self, name: str, payload: Value, permission: Permission) -> None:
        """Tell it."""
        for listener in self._listeners:
            listener(name, payload, permission)
