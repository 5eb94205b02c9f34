"""How a link gets on, for everybody to see: an entity `link.<host>_<port>`.

It must not know what a link does.
"""

from __future__ import annotations

from typing import Literal

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.ids import object_id
from hallway.home.values import Attributes

DOMAIN = "link"
LinkState = Literal["connecting", "connected", "lagging", "retrying"]
LONGEST_NAME = 200
_LINKS = Context("links")


class LinkStatus:
    """The entity of one link. beside: the plain id is that of a link in the other direction."""

    def __init__(
        self, home: Home, host: str, port: int, direction: Literal["to", "from"], *, beside: bool = False
    ) -> None:
        name = f"{object_id(host)[:LONGEST_NAME]}_{port}"
        self.entity_id = f"{DOMAIN}.{name}_{direction}" if beside else f"{DOMAIN}.{name}"
        self._home = home
        self._fixed: Attributes = {"friendly_name": f"{host}:{port}", "direction": direction}
        self.state: LinkState = "connecting"

    def show(self, state: LinkState, **details: str | int | None) -> None:
        """The link is like this now. Nothing happens when nothing differs."""
        self.state = state
        told: Attributes = {name: value for name, value in details.items() if value is not None}
        self._home.report(self.entity_id, state, {**self._fixed, **told}, _LINKS)

    def remove(self) -> None:
        """There is no such link any more."""
        _remove(self._home, self.entity_id)


def forget_links(home: Home) -> None:
    """Remove what links showed before the start: each that there still is will show itself anew."""
    for entity_id in home.entities.of_domain(DOMAIN):
        _remove(home, entity_id)


def _remove(home: Home, entity_id: str) -> None:
    owner = home.entities.owners.get(entity_id)
    if owner is not None and owner.kind == "reported":
        home.remove_device(owner.key, _LINKS)
