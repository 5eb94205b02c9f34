"""What is too old, or too much, goes: some at a time, so that recording never waits for it.

It must not know why something is kept for so long.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.home.past import Known, Span
from hallway.store.history.file import HistoryFile
from hallway.store.history.history import HistoryStore

log = logging.getLogger(__name__)

FIRST_SWEEP: Final = 600.0
SWEEP_EVERY: Final = 3600.0
AT_ONCE: Final = 5000
"""Samples that go in one transaction, about."""
A_DAY: Final = 86_400.0
SHARE: Final = 0.05
"""Of the whole time that is kept, so much goes at once when there is no room."""

GIVEN_BACK: Final = 16_000_000
"""When more bytes than these are free in the file, the disk gets them back; less will be used again soon."""


class Terms(NamedTuple):
    """For how many seconds roll-ups are kept, and how many bytes the file may have; 0: without limit.

    With such a limit samples make room, for whatever else the file holds; so they must stand in that file.
    """

    five_minutes: float
    hours: float
    days: float
    size: int


class Space(msgspec.Struct, frozen=True):
    """What the file takes on the disk, and what of it is in use."""

    bytes: int
    used: int


class Retention:
    """Sweeps once an hour from `start` to `close`. seconds_for: for how long a series is kept."""

    def __init__(self, store: HistoryStore, clock: Clock, seconds_for: Callable[[Known], float], terms: Terms) -> None:
        self._store = store
        self._clock = clock
        self._seconds_for = seconds_for
        self._terms = terms
        self._timer: Cancel | None = None
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """Samples that went since the start."""
        self.early = 0
        """Samples and roll-ups that went before their time, as there was no room."""

    def start(self) -> None:
        """Sweep in ten minutes for the first time."""
        self._timer = self._clock.call_later(FIRST_SWEEP, self._begin)

    def _begin(self) -> None:
        self._timer = self._clock.call_later(SWEEP_EVERY, self._begin)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._quietly())

    async def _quietly(self) -> None:
        try:
            await self.sweep()
        except Unavailable as error:
            log.info("nothing of the past is dropped now: %s", error)

    async def close(self) -> None:
        """Sweep no more."""
        if self._timer is not None:
            self._timer()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def sweep(self) -> None:
        """Drop what is too old now, then what is too much. Unavailable: not now."""
        now = self._clock.now()
        for known in await self._store.known():
            if known.first is not None:
                before = now - self._seconds_for(known)
                if known.first < before:
                    self.dropped += await self._expire(known.number, before)
        spans: dict[Span, float] = {
            "5min": self._terms.five_minutes,
            "hour": self._terms.hours,
            "day": self._terms.days,
        }
        for span, seconds in spans.items():
            await self._expire_buckets(span, now - seconds)
        if self._terms.size:
            await self._make_room(now)
        room = await space(self._store.file)
        if room.bytes - room.used > min(GIVEN_BACK, self._terms.size / 4 or GIVEN_BACK):
            await self._store.tidy()

    async def _expire(self, number: int, before: float) -> int:
        count = 0
        while dropped := await self._store.archive.expire(number, round(before * 1000), most=AT_ONCE):
            count += dropped
            self._store.changed()
        return count

    async def _expire_buckets(self, span: Span, before: float) -> int:
        count, gone = 0, 1
        while gone:
            gone = await self._store.archive.expire_buckets(span, round(before * 1000), most=AT_ONCE)
            count += gone
        return count

    async def _make_room(self, now: float) -> None:
        """The oldest goes before its time until the file is small enough, but nothing of the last day.

        With samples go their roll-ups of 5 minutes; those of hours and days take little room and stay.
        """
        oldest = min([each.first for each in await self._store.known() if each.first is not None], default=now)
        edge, last = oldest, now - A_DAY
        while (await space(self._store.file)).used > self._terms.size:
            if edge >= last:
                log.error("history.db is larger than history.size allows, and nothing of it is older than a day")
                return
            edge = min(edge + max((now - oldest) * SHARE, A_DAY), last)
            firsts = {each.number: each.first for each in await self._store.known() if each.first is not None}
            gone = sum([await self._expire(number, edge) for number, first in firsts.items() if first < edge])
            gone += await self._expire_buckets("5min", edge)
            self.early += gone
            log.warning("%d samples and roll-ups go early: history.db has no room for more", gone)


async def space(file: HistoryFile) -> Space:
    """How large the file is."""
    return await file.read(_space)


def _space(connection: sqlite3.Connection) -> Space:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return Space(pages * size, (pages - free) * size)
