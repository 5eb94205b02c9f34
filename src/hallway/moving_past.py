"""Moving in with a past: values of attributes and messages of pimatic come into the history of a home at rest.

Used by the command line. It must not know how either of the two keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from hallway.clock import SystemClock
from hallway.home.past import Series
from hallway.links.importers.pimatic_past import old_past
from hallway.store.history.bringing import Brought, bringing

STEP: Final = 250_000
"""After so many values it is told how far it has come."""
Told = Callable[[str], None]
CanUse = Callable[[str, str, str], bool]
"""Whether the home has an attribute: device, name, type."""


class Arrived(msgspec.Struct):
    """What became of the past. unused: values of attributes that the home has not."""

    values: Brought = msgspec.field(default_factory=Brought)
    messages: Brought = msgspec.field(default_factory=Brought)
    series: int = 0
    unused: int = 0
    unreadable: int = 0

    def sentences(self) -> Iterator[str]:
        """It, for whoever asked for the import."""
        if self.values.new or self.values.known:
            yield f"{self.values.new} older values of {self.series} attributes came into the history"
        if self.messages.new or self.messages.known:
            yield f"{self.messages.new} messages came over"
        known = self.values.known + self.messages.known
        if known:
            yield f"{known} values and messages were in the history already"
        if self.unused:
            yield f"{self.unused} older values did not come: there is no such attribute here"
        if self.unreadable:
            yield f"{self.unreadable} rows of the database could not be read"


def bring_past(database: Path, home: Path | None, can_use: CanUse, progress: Told) -> Iterator[str]:
    """Bring everything, attribute by attribute, and say what came; the caller holds the lock of the home.

    home: None only tells what would come. InvalidInput: the database cannot be read to its end; Unavailable: the disk
    refuses. What came until then stays, and the next attempt goes on from there.
    """
    if home is None:
        yield from _expected(database, can_use)
    else:
        yield from asyncio.run(_brought(database, home, can_use, progress)).sentences()


async def _brought(database: Path, home: Path, can_use: CanUse, progress: Told) -> Arrived:
    arrived, told = Arrived(), 0
    clock = SystemClock(asyncio.get_running_loop())
    with old_past(database) as old:
        attributes = old.attributes()
        wanted = [each for each in attributes if can_use(each.device_id, each.name, each.type)]
        arrived.unused = sum(each.count for each in attributes if each not in wanted)
        whole = sum(each.count for each in wanted)
        async with bringing(home, clock) as history:
            for attribute in wanted:
                series = Series("attribute", attribute.device_id, attribute.name)
                came = await history.samples(series, attribute.type, attribute.discrete, old.values(attribute))
                arrived.series += 1
                _add(arrived.values, came)
                done = arrived.values.new + arrived.values.known
                if done - told >= STEP:
                    told = done
                    progress(f"{done} of {whole} older values")
            _add(arrived.messages, await history.messages(old.messages()))
        arrived.unreadable = old.unreadable
    return arrived


def _add(total: Brought, came: Brought) -> None:
    total.new += came.new
    total.known += came.known


def _expected(database: Path, can_use: CanUse) -> Iterator[str]:
    with old_past(database) as old:
        attributes = old.attributes()
    usable = sum(each.count for each in attributes if can_use(each.device_id, each.name, each.type))
    unused = sum(each.count for each in attributes) - usable
    if usable:
        yield f"{usable} older values and all messages would come into the history"
    if unused:
        yield f"{unused} older values would not: there is no such attribute here"
