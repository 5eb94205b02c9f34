"""Definitions that pimatic has and the home itself does not use: plugins, and the settings of its config.json.

They stand here while the hub runs, the store keeps them. It must not know what a plugin does or a setting means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from hallway.home.announcing import check_definition
from hallway.home.changes import AnyChange, Context, Defined
from hallway.home.home import Home
from hallway.home.values import Attributes

KeptKind = Literal["plugin", "setting"]
PIMATIC: Final = "pimatic"
"""The setting that holds all of config.json's settings but those of the login."""
AUTHENTICATION: Final = "authentication"
"""The setting that holds those of the login."""
_NONE: Final[Attributes] = {}


class Kept:
    """Plugins and settings by name."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._all: dict[str, dict[str, Attributes]] = {"plugin": {}, "setting": {}}
        self.installation = "idle"
        """How far the last installation of plugins is: idle, or done."""
        home.changes.subscribe(self._follow, Defined)

    def load(self, kind: KeptKind, bodies: Mapping[str, Attributes]) -> None:
        """At start: what the store has."""
        self._all[kind] = dict(bodies)

    def _follow(self, change: AnyChange) -> None:
        if isinstance(change, Defined) and change.kind in self._all:
            known = self._all[change.kind]
            if change.new is None:
                known.pop(change.key, None)
            else:
                known[change.key] = change.new

    def all(self, kind: KeptKind) -> Mapping[str, Attributes]:
        """All of a kind by name, in the order in which they came."""
        return self._all[kind]

    def get(self, kind: KeptKind, key: str) -> Attributes | None:
        """One of them; None when there is none of that name."""
        return self._all[kind].get(key)

    def setting(self, key: str) -> Attributes:
        """A setting; an empty one when nobody set it."""
        return self._all["setting"].get(key, _NONE)

    def put(self, kind: KeptKind, key: str, body: Attributes, context: Context) -> None:
        """Add one, or take it in place of the one of that name. CannotStore, TooLarge: it cannot be kept."""
        check_definition(body)
        self._home.announcer.tell((kind, key), (self._all[kind].get(key), body), context, "store")

    def remove(self, kind: KeptKind, key: str, context: Context) -> bool:
        """Remove one; whether there was one."""
        old = self._all[kind].get(key)
        if old is not None:
            self._home.announcer.tell_removed((kind, key), old, old, context, "store")
        return old is not None
