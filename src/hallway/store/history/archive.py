"""What an archive is: where samples come to rest that the tail of history.db has gathered.

There are two: packed chunks in history.db itself, and tables of PostgreSQL. It must not know which one is used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from hallway.home.past import Bucket, Sample, Series, Span
from hallway.home.values import Value


class TailRow(NamedTuple):
    """A sample on its way. id: grows by one from row to row; series: its number; at: milliseconds since 1970.

    more: JSON of Sample.more; None: as it was in the row of that series before (the first one of a series says it).
    """

    id: int
    series: int
    at: int
    value: Value
    more: bytes | None = None


class SeriesRow(NamedTuple):
    """A series with its number."""

    number: int
    series: Series
    type: str
    discrete: bool


def nameless(number: int) -> SeriesRow:
    """A series whose name is lost: it gets one, so that it can be looked at, and nothing else joins it."""
    return SeriesRow(number, Series("attribute", "salvaged", str(number)), "number", discrete=False)


class Page(msgspec.Struct, frozen=True):
    """Samples of one series, oldest first: times in milliseconds, values, and `more` as JSON.

    mores: empty when no sample has any.
    """

    ats: Sequence[int]
    values: Sequence[Value]
    mores: Sequence[bytes | None] = ()


class Holding(msgspec.Struct, frozen=True, gc=False):
    """What an archive has of a series: samples, first and last time in milliseconds, bytes."""

    count: int
    first: int
    last: int
    bytes: int


class Archive(Protocol):
    """Takes rows out of the tail, once and for all, and reads them again. All methods are called in the loop's thread.

    Any of them may raise Unavailable: it cannot be reached or written just now, and nothing was changed. Rows of one
    series come in the order of their ids; their times mostly grow, but need not (a clock was set back).
    """

    async def open(self) -> tuple[int, list[SeriesRow]]:
        """Make it ready: the id of the last tail row that it has taken (0: none), and the series that it knows."""
        ...

    async def take(self, rows: Sequence[TailRow], series: Sequence[SeriesRow]) -> None:
        """Keep the rows, and that all up to the last of their ids are taken: both or nothing.

        series: those that came or were changed since the last time.
        """
        ...

    def pages(
        self, series: int, after: int | None, before: int | None, *, descending: bool = False
    ) -> AsyncIterator[tuple[int, Page]]:
        """Samples between two times (milliseconds, both included), in pieces, the newest piece first if descending.

        With each piece the id up to which the archive had taken rows when it was read. Within a page oldest first.
        """
        ...

    async def at(self, series: Sequence[int], moment: int) -> Mapping[int, Sample]:
        """The last sample of each series at or before a moment in milliseconds."""
        ...

    async def buckets(self, series: int, span: Span, after: int, before: int) -> list[Bucket]:
        """Roll-ups that are complete; times in milliseconds."""
        ...

    async def holdings(self) -> Mapping[int, Holding]:
        """What there is, by series."""
        ...

    async def forget(self, series: int) -> None:
        """Keep nothing of a series."""
        ...

    async def expire(self, series: int, before: int, *, most: int) -> int:
        """Drop samples (not roll-ups) older than that, some at a time: how many went, 0 when nothing is left."""
        ...

    async def expire_buckets(self, span: Span, before: int, *, most: int) -> int:
        """Drop roll-ups older than that, likewise."""
        ...

    async def check(self) -> str | None:
        """What is wrong with it, as a sentence; None: nothing."""
        ...

    async def close(self) -> None: ...
