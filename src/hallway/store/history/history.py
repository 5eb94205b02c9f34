"""What was, as it can be asked: the mirror of the tail and the archive, put together for each question.

It implements `home.past.Past`. It must not know what is recorded, nor which archive it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Final

from hallway.clock import Clock, pause
from hallway.errors import HallwayError, InvalidInput, Unavailable
from hallway.home.past import MOST_BYTES, SECONDS_OF, Bucket, Columns, Known, Sample, Series, SeriesKind, Span
from hallway.store.history import courses
from hallway.store.history.archive import Archive, Holding, Page
from hallway.store.history.file import UNREADABLE, HistoryFile
from hallway.store.history.flow import FOLD_AGE, Flow
from hallway.store.history.merging import columns_of, of_series, sample_of, samples_of, text_bytes
from hallway.store.history.rollups import RollingUp
from hallway.store.history.tail import Rows, Track, page_of
from hallway.store.history.windows import Windows

REOPEN_AFTER: Final = 10.0
FARTHEST: Final = 2**53
"""Milliseconds: times beyond are as good as without end."""
RAW_AT_MOST: Final = 20_000
"""More samples than these are not looked through for a course that roll-ups can show, nor held for any."""
HELD_BYTES: Final = 4_000_000
"""Nor is more text held than this."""
BUCKETS_PER_POINT: Final = 4
PAGES_AT_ONCE: Final = 2000
SPANS: Final[tuple[Span, ...]] = ("5min", "hour", "day")


class HistoryStore:
    """The past of a home, from `start` until `close`; it records from the beginning, and answers once it is open.

    All methods are for the thread of the loop.
    """

    def __init__(
        self,
        file: HistoryFile,
        archive: Archive,
        clock: Clock,
        write_every: float = 10.0,
        spool: int = 10**9,
        fold_after: float = FOLD_AGE,
    ) -> None:
        self.file = file
        self.archive = archive
        self._clock = clock
        self.flow = Flow(file, archive, clock, write_every, spool, fold_after)
        self._opening: asyncio.Task[None] | None = None
        self._refused: str | None = None
        self._holdings: tuple[int, Mapping[int, Holding]] | None = None
        self._closed = False

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Open the file in the background; when that cannot be done, again and again."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        while not self.flow.open:
            try:
                await self._begin()
            except HallwayError as error:
                self._refused = error.message
                self.flow.troubles.report("history", error.message)
                await pause(self._clock, REOPEN_AFTER)
        self._refused = None
        self.flow.troubles.over("history")

    async def _begin(self) -> None:
        try:
            await self.flow.begin()
        except UNREADABLE as error:
            raise await self.file.unreadable(error) from None

    async def ready(self) -> None:
        """Wait until it is open. Unavailable: it cannot be opened now, or is closed."""
        if self.flow.open and not self._closed:
            return
        if self._closed or self._opening is None:
            raise Unavailable("the past is not open")
        while not self.flow.open:
            if self._refused is not None:
                raise Unavailable(self._refused)
            await asyncio.wait([self._opening], timeout=0.05)

    async def opened(self) -> None:
        """Wait until it is open, however long that takes."""
        if self._opening is not None:
            await asyncio.shield(self._opening)

    async def tidy(self) -> None:
        """Give back to the disk what is not in use any more, some pages at a time."""
        await self.ready()
        while await asyncio.wrap_future(self.file.submit(_shrink)):
            pass

    @property
    def problem(self) -> str | None:
        """What is wrong with it now, as a sentence."""
        return self.flow.troubles.first

    async def close(self) -> None:
        """Write what waits, and end."""
        if self._closed:
            return
        if self._opening is not None:
            while not self._opening.done() and self._refused is None:  # what was recorded already is to be written
                await asyncio.wait([self._opening], timeout=0.05)
            self._opening.cancel()
            await asyncio.wait([self._opening])
            if not self.flow.open:
                with contextlib.suppress(HallwayError):
                    await self.flow.begin()  # what kept it from being opened may be over by now
        self._closed = True
        await self.flow.close()
        await self.archive.close()

    # ------------------------------------------------------------------ asked

    async def columns(
        self, series: Sequence[Series], after: float | None = None, before: float | None = None
    ) -> AsyncIterator[Columns]:
        await self.ready()
        span = _span(after, before)
        for each in series:
            track = self.flow.mirror.track(each)
            if track is not None and track.number:
                async for page in self.pages(track, span):
                    yield columns_of(each, page)

    async def pages(
        self, track: Track, span: tuple[int | None, int | None], *, descending: bool = False
    ) -> AsyncIterator[Page]:
        """All samples of a series, piece by piece. Unavailable: the archive is away."""
        rows = self.shown(track, span)
        async for page in of_series(self.archive, track.number, rows, span, descending=descending):
            yield page

    def shown(self, track: Track, span: tuple[int | None, int | None]) -> Rows:
        """What the mirror has of a series. Unavailable: it does not have all that the archive lacks."""
        self.flow.settle()
        if self.flow.spooled > self.flow.taken:
            raise Unavailable("what was recorded lately is on its way into the archive: ask again later")
        return track.rows(*span)

    async def merged(
        self,
        series: Sequence[Series] | None,
        after: float | None = None,
        before: float | None = None,
        *,
        descending: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[list[tuple[Series, Sample]]]:
        await self.ready()
        wanted = self._tracks_of(series)
        span = _span(after, before)
        if len(wanted) == 1:
            pieces = self._one(wanted[0], span, descending=descending)
        else:
            holdings = await self.holdings()
            shown = [(track, self.shown(track, span)) for track in wanted]
            pieces = Windows(self.archive, shown, holdings, limit).pieces(span, descending=descending)
        left = math.inf if limit is None else limit
        async for piece in pieces:
            if left <= 0:
                return
            yield piece if len(piece) <= left else piece[: int(left)]
            left -= len(piece)
            if left <= 0:
                return

    def _tracks_of(self, series: Sequence[Series] | None) -> list[Track]:
        mirror = self.flow.mirror
        if series is None:
            return [track for track in mirror.tracks() if track.series.kind == "attribute"]
        found = (mirror.track(each) for each in dict.fromkeys(series))
        return [track for track in found if track is not None]

    async def _one(
        self, track: Track, span: tuple[int | None, int | None], *, descending: bool
    ) -> AsyncIterator[list[tuple[Series, Sample]]]:
        async for page in self.pages(track, span, descending=descending):
            samples = samples_of(page)
            yield [(track.series, sample) for sample in (reversed(samples) if descending else samples)]

    async def at(self, series: Sequence[Series], moment: float) -> dict[Series, Sample]:
        await self.ready()
        _, edge = _span(None, moment)
        tracks = self._tracks_of(series)
        newest = {track.number: self.shown(track, (None, edge)) for track in tracks}
        found = await self.archive.at([track.number for track in tracks], edge if edge is not None else FARTHEST)
        answer: dict[Series, Sample] = {}
        for track in tracks:
            rows, kept = newest[track.number], found.get(track.number)
            if rows.ids and (kept is None or rows.ats[-1] / 1000 >= kept.at):
                (kept,) = samples_of(page_of(rows.part(-1)))
            if kept is not None:
                answer[track.series] = kept
        return answer

    async def points(self, series: Series, after: float, before: float, count: int) -> list[Sample]:
        await self.ready()
        track = self.flow.mirror.track(series)
        if track is None or count <= 0 or before < after:
            return []
        span = self._span_for(track, (await self.holdings()).get(track.number), (after, before), count)
        if span is None:
            return await self._thinned(track, _span(after, before), count)
        found = await self.buckets(series, span, after, before)
        return courses.course(found, SECONDS_OF[span], count)

    async def _thinned(self, track: Track, span: tuple[int | None, int | None], count: int) -> list[Sample]:
        """Of much, only how much it is can be seen at first: it is read once more then."""
        rows = self.shown(track, span)
        held: list[Page] = []
        length = size = 0
        async for page in of_series(self.archive, track.number, rows, span):
            length += len(page.ats)
            size += text_bytes(page) if track.type == "string" else 0
            if length <= RAW_AT_MOST and size <= HELD_BYTES:
                held.append(page)
            else:
                held.clear()
        while True:
            thinning = courses.Thinning(length, count)
            if length and not held:
                async for page in of_series(self.archive, track.number, rows, span):
                    thinning.add(page.values, partial(sample_of, page))
                    if thinning.size > MOST_BYTES:
                        break
            for page in held:
                thinning.add(page.values, partial(sample_of, page))
            if thinning.size <= MOST_BYTES or count == 1:
                return thinning.chosen()
            count //= 2

    def _span_for(self, track: Track, holding: Holding | None, wanted: tuple[float, float], count: int) -> Span | None:
        """The roll-ups that show the course well enough; None: the samples themselves."""
        if holding is None or track.type == "string":
            return None
        begin, end = max(wanted[0], holding.first / 1000), min(wanted[1], holding.last / 1000)
        share = (end - begin) / max((holding.last - holding.first) / 1000, 1.0)
        if holding.count * share <= max(RAW_AT_MOST / 4, count):
            return None
        fine = [span for span in SPANS if (end - begin) / SECONDS_OF[span] <= BUCKETS_PER_POINT * count]
        return fine[0] if fine else "day"

    async def buckets(self, series: Series, span: Span, after: float, before: float) -> list[Bucket]:
        await self.ready()
        track = self.flow.mirror.track(series)
        if track is None or track.type == "string":
            return []
        length = SECONDS_OF[span]
        begin = int(after // length) * length
        newest = self.shown(track, (None, None))
        rolled = await self.archive.buckets(track.number, span, begin * 1000, _span(None, before)[1] or FARTHEST)
        if newest.ats:  # what begins later is not complete in the archive
            edge = newest.ats[0] // 1000 // length * length
            rolled = [bucket for bucket in rolled if bucket.at < edge]
        since = rolled[-1].at + length if rolled else begin
        held = (await self.at([series], since - 0.001)).get(series)
        rolling = RollingUp(span)
        if held is not None:
            rolling.add([round(held.at * 1000)], [held.value])
        async for page in self.pages(track, _span(since, before)):
            rolling.add(page.ats, page.values)
        fresh = rolling.ended(round(min(before, self._clock.now()) * 1000))
        return [*rolled, *(bucket for bucket in fresh if since <= bucket.at <= before)]

    async def known(self, kind: SeriesKind | None = None) -> list[Known]:
        await self.ready()
        self.flow.settle()
        holdings = await self.holdings()
        found = []
        for track in self.flow.mirror.tracks():
            if (kind is None or track.series.kind == kind) and track.number:
                known = _known(track, holdings.get(track.number))
                if known is not None:
                    found.append(known)
        return found

    async def holdings(self) -> Mapping[int, Holding]:
        """What the archive has, as of the last fold."""
        folds = self.flow.folds
        if self._holdings is None or self._holdings[0] != folds:
            self._holdings = (folds, await self.archive.holdings())
        return self._holdings[1]

    async def replaced(self) -> None:
        """The file is another one."""
        self.changed()
        await self.flow.replaced()

    def changed(self) -> None:
        """Something went from the archive."""
        self._holdings = None

    async def forget(self, number: int) -> int | None:
        await self.ready()
        track = self.flow.mirror.numbered(number)
        if track is None:
            return None
        holding = (await self.holdings()).get(number)
        count = await self.flow.forget(track)
        self.changed()
        return count + (holding.count if holding is not None else 0)


def _shrink(connection: sqlite3.Connection) -> int:
    """Some pages that are free go: how many are left."""
    connection.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def _span(after: float | None, before: float | None) -> tuple[int | None, int | None]:
    """Milliseconds; times that are too far away are none. InvalidInput: one is no number."""
    if any(time is not None and math.isnan(time) for time in (after, before)):
        raise InvalidInput("a time must be a number of seconds since 1970")
    begin = None if after is None or after * 1000 <= -FARTHEST else math.ceil(round(min(after * 1000, FARTHEST), 3))
    end = None if before is None or before * 1000 >= FARTHEST else math.floor(round(max(before * 1000, -FARTHEST), 3))
    return begin, end


def _known(track: Track, holding: Holding | None) -> Known | None:
    times = list(track.times()) if len(track) else []
    if holding is not None:
        times += (holding.first, holding.last)
    if not times:
        return None
    count, size = (holding.count, holding.bytes) if holding is not None else (0, 0)
    name, kind, discrete = track.series, track.type, track.discrete
    return Known(track.number, name, kind, discrete, count + len(track), min(times) / 1000, max(times) / 1000, size)
