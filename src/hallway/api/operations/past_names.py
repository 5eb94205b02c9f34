"""The names by which people ask for what was: `lamp.state`, `$x`, `light.hall`, and who may read it.

It must not know what is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hallway.access.callers import Caller
from hallway.api.operations.base import Hub
from hallway.api.operations.entity_scopes import may_see
from hallway.api.operations.export_lines import name_of
from hallway.errors import Forbidden, NotFound, Unavailable
from hallway.home.past import Known, Past, Series

NOTHING_KEPT: Final = "this hub keeps nothing of the past"


class Names:
    """What is kept, by what people call it."""

    def __init__(self, known: Iterable[Series]) -> None:
        self._entities: dict[str, Series] = {}
        self._others: dict[str, Series] = {}
        for series in known:
            (self._entities if series.kind == "entity" else self._others)[name_of(series)] = series

    def find(self, name: str) -> Series:
        """What is called so: before an entity the attribute of a device. NotFound: nothing is kept of it."""
        found = self._others.get(name) or self._entities.get(name) or self._entities.get(name.lower())
        if found is None:
            raise NotFound(
                f"nothing is kept of {name[:60]}: give lamp.state for an attribute, $x for a variable, light.hall for "
                "an entity"
            )
        return found


def past_of(hub: Hub) -> Past:
    """The past of a hub. Unavailable: it keeps none."""
    if hub.past is None:
        raise Unavailable(NOTHING_KEPT)
    return hub.past


def may_read(caller: Caller, series: Series) -> bool:
    """Whether the caller may read what it was: as far as they may read what it is."""
    if series.kind == "entity":
        return may_see(caller, series.owner)
    return caller.may("variables:read" if series.kind == "variable" else "devices:read")


async def readable(past: Past, caller: Caller, name: str) -> Known:
    """What is called so. NotFound: nothing is kept of it; Forbidden: the caller may not read it."""
    known = {each.series: each for each in await past.known("variable" if name.startswith("$") else None)}
    series = Names(known).find(name)
    if not may_read(caller, series):
        raise Forbidden(f"{caller.name} may not read what {name[:60]} was")
    return known[series]
