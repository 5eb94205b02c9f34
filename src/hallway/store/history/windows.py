"""Samples of many series in the order of time, window by window of time, so that memory holds one window only.

How long a window is follows from how much there is. It must not know how the archive keeps samples.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from hallway.home.past import Sample, Series
from hallway.store.history.archive import Archive, Holding
from hallway.store.history.merging import PIECE, of_series, samples_of, text_bytes
from hallway.store.history.tail import Rows, Track, page_of

IN_A_WINDOW: Final = 30_000
MOST_IN_A_WINDOW: Final = 5 * IN_A_WINDOW
MOST_BYTES: Final = 32_000_000
"""Of texts, and of what is said beside them, likewise."""
SHORTEST: Final = 1000
"""Milliseconds."""
AT_ONCE: Final = 200
"""Series that are looked at before others get their turn."""

Found = list[tuple[Series, Sample]]
Times = tuple[int | None, int | None]


class Source(msgspec.Struct):
    """A series that has samples in the span: what the mirror showed of it, and what the archive has."""

    track: Track
    rows: Rows
    holding: Holding | None

    @property
    def first(self) -> int:
        """The time of its first sample."""
        held = [self.holding.first] if self.holding is not None else []
        return min([*held, *self.rows.ats[:1]])

    @property
    def last(self) -> int:
        """The time of its last sample."""
        held = [self.holding.last] if self.holding is not None else []
        return max([*held, *self.rows.ats[-1:]])

    def holds(self, begin: int, end: int) -> bool:
        """Whether the archive may have something there."""
        return self.holding is not None and self.holding.first <= end and self.holding.last >= begin


class Windows:
    """One walk through the time. shown: what the mirror has of each series in the span, in the order of time."""

    def __init__(
        self, archive: Archive, shown: Sequence[tuple[Track, Rows]], holdings: Mapping[int, Holding], limit: int | None
    ) -> None:
        self._archive = archive
        self._wanted = min(limit or IN_A_WINDOW, IN_A_WINDOW)
        sources = [Source(track, rows, holdings.get(track.number)) for track, rows in shown]
        self._sources = [source for source in sources if source.rows.ats or source.holding is not None]

    async def pieces(self, span: Times, *, descending: bool) -> AsyncIterator[Found]:
        """All samples between two times, both included."""
        if not self._sources:
            return
        begin = max(min(source.first for source in self._sources), -(2**62) if span[0] is None else span[0])
        end = min(max(source.last for source in self._sources), 2**62 if span[1] is None else span[1])
        length = self._first_length(begin, end, descending=descending)
        while begin <= end:
            window = (max(begin, end - length), end) if descending else (begin, min(end, begin + length))
            found = await self._found(*window)
            if found is None:
                length = max(length // 4, SHORTEST)
                continue
            found.sort(key=lambda sample: sample[1].at, reverse=descending)
            for place in range(0, len(found), PIECE):
                yield found[place : place + PIECE]
            begin, end = (begin, window[0] - 1) if descending else (window[1] + 1, end)
            if len(found) < self._wanted // 4:
                length = length * 4 + SHORTEST
            elif len(found) > 2 * self._wanted:
                length = max(length // 2, SHORTEST)

    def _first_length(self, begin: int, end: int, *, descending: bool) -> int:
        """How long the first window is to be, in milliseconds."""
        shown = sum(len(source.rows.ats) for source in self._sources)
        if descending and shown >= self._wanted:  # so many of the newest may all be in the mirror
            newest = heapq.nlargest(
                self._wanted, (at for source in self._sources for at in source.rows.ats[-self._wanted :])
            )
            return max(end - newest[-1], SHORTEST)
        kept = sum(source.holding.count for source in self._sources if source.holding is not None)
        whole = max(source.last for source in self._sources) - min(source.first for source in self._sources)
        return max(min(int(whole * self._wanted / (shown + kept + 1)), end - begin), SHORTEST)

    async def _found(self, begin: int, end: int) -> Found | None:
        """All of a window; None: it is too much at once."""
        found: Found = []
        size = 0
        for number, source in enumerate(self._sources, 1):
            rows = source.rows.between(begin, end)
            if source.holds(begin, end):
                async for page in of_series(self._archive, source.track.number, rows, (begin, end)):
                    size += 0 if source.track.type != "string" else text_bytes(page)
                    if size > MOST_BYTES and end - begin > SHORTEST:
                        return None
                    found += [(source.track.series, sample) for sample in samples_of(page)]
            elif rows.ids:
                found += [(source.track.series, sample) for sample in samples_of(page_of(rows))]
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            if len(found) > MOST_IN_A_WINDOW and end - begin > SHORTEST:
                return None
        return found
