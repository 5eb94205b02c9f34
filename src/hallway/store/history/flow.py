"""The way of samples: from memory into the tail of history.db, and from there into the archive.

What the disk does not take waits in bounded memory, what the archive does not take waits in the tail; both are tried
again, and what had to be dropped is counted and said. It must not know what is asked of the past.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.home.past import Series
from hallway.home.values import Attributes, Value
from hallway.store.history.archive import Archive, SeriesRow, TailRow, nameless
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.tail import Mirror, Row, Track, rows_for_archive
from hallway.store.history.tail_rows import (
    drop_oldest,
    drop_rows,
    forget_rows,
    put_rows,
    put_series,
    read_rows,
    read_tail,
)
from hallway.store.troubles import SAY_AGAIN_AFTER, Troubles

log = logging.getLogger(__name__)

ARCHIVE: Final = "archive of the past"
LOST: Final = "samples that were lost"
SETTLED_AT_ONCE: Final = 1000
FLUSHED_AT_ONCE: Final = 2048
FOLD_ROWS: Final = 32_768
FOLD_SOONER: Final = 4096
ROWS_IN_A_SERIES: Final = 256
"""So many rows are enough when these are in each series: a fold costs by series, and what waits takes memory.

With 64 a row took nearly twice the time until it was folded; with 512 it takes a fifth less."""
FOLD_AGE: Final = 6 * 3600.0
"""Samples that came longer ago than this are folded, however few there are, unless the archive wants them sooner."""
LOOK_EVERY: Final = 900.0
MOST_MIRRORED: Final = 3 * FOLD_ROWS
MOST_WAITING: Final = 50_000
"""As many samples wait in memory for a disk that refuses."""
SLICE: Final = 20_000
DROPPED_AT_ONCE: Final = 1_000_000
"""Bytes of the tail that go in one transaction, about."""
FIRST_RETRY: Final = 10.0
LAST_RETRY: Final = 300.0
LOSS_SHOWN: Final = 3600.0
"""For so many seconds after samples were dropped this stays a problem, so that somebody sees it."""


class Flow:
    """Takes samples from the start on, and writes them once it is open. spool: bytes that may wait for the archive.

    All methods are for the thread of the loop.
    """

    def __init__(
        self,
        file: HistoryFile,
        archive: Archive,
        clock: Clock,
        write_every: float,
        spool: int,
        fold_after: float = FOLD_AGE,
    ) -> None:
        self._fold_after = fold_after
        self._look_every = min(fold_after, LOOK_EVERY)
        self._file = file
        self._archive = archive
        self._clock = clock
        self._write_every = write_every
        self._spool = spool
        self.troubles = Troubles(clock)
        self.mirror = Mirror()
        self.open = False
        self.archived = False
        """Whether the archive has been opened."""
        self.taken = 0
        """The id up to which the archive has taken rows, as far as is known."""
        self.spooled = 0
        """Rows up to that id which are not taken stand in the file alone: the mirror could not hold them."""
        self.lost = 0
        self.written = 0
        self.last_written: float | None = None
        self._flushed = 0
        self._waiting: list[Row] = []
        self._on_the_way = 0
        self._said: dict[int, bytes] = {}
        self._new: dict[int, Track] = {}
        self._untold: dict[int, Track] = {}
        self._tail_bytes = 0
        self._folded_at = clock.monotonic()
        self._retry = FIRST_RETRY
        self._timer: Cancel | None = None
        self._fold_timer: Cancel | None = None
        self._failing = False
        self._dropped = 0
        self._lost_at = 0.0
        self._loss = ""
        self._loss_told = 0
        self._loss_timer: Cancel | None = None
        self._folder: asyncio.Task[bool] | None = None
        self._flushing = asyncio.Lock()
        self._folding = asyncio.Lock()
        self._turns: set[asyncio.Task[None]] = set()
        self._closed = False
        self.folds = 0

    # ------------------------------------------------------------------ recording

    def track(self, series: Series, value_type: str, discrete: bool) -> Track:
        """The track under which a series is recorded."""
        track = self.mirror.track(series)
        if track is None:
            track = self.mirror.add(series, value_type, discrete)
            if self.open:
                self._number(track)
        elif (track.type, track.discrete) != (value_type, discrete):
            track.type, track.discrete = value_type, discrete
            if track.number:
                self._new[track.number] = self._untold[track.number] = track
        return track

    def known(self, series: Series) -> bool:
        """Whether it was recorded before."""
        return self.mirror.track(series) is not None

    def record(self, track: Track, at: int, value: Value, more: Attributes | None = None) -> None:
        """A sample, in milliseconds since 1970. The value must be storable."""
        pending = self.mirror.pending
        pending.append((track, at, value, more))
        if len(pending) >= SETTLED_AT_ONCE:
            self._much()
        if self._timer is None:
            self._set_timer(self._write_every)

    def _much(self) -> None:
        """Not all at once later: nobody is to wait for it."""
        if self.open:
            self.settle()
            if len(self._waiting) >= FLUSHED_AT_ONCE and not self._flushing.locked():
                self._set_timer(0)
        elif len(self.mirror.pending) > MOST_WAITING:
            self._lose(SETTLED_AT_ONCE)
            del self.mirror.pending[:SETTLED_AT_ONCE]

    @property
    def waiting(self) -> int:
        """How many samples are not on the disk yet."""
        return len(self.mirror.pending) + len(self._waiting) + self._on_the_way

    def settle(self) -> None:
        """Take into the mirror what came lately."""
        if self.open and self.mirror.pending:
            self._waiting += self.mirror.settle()
            if len(self._waiting) > MOST_WAITING:
                self._make_room()

    def _make_room(self) -> None:
        """More has come than the disk took: the oldest goes."""
        dropped = self._waiting[: MOST_WAITING // 10]
        del self._waiting[: len(dropped)]
        last = dropped[-1][0]
        self.spooled = max(self.spooled, last)  # what is on its way to the disk goes from the mirror, too
        self.mirror.drop(last)
        self._lose(len(dropped))

    def _lose(self, count: int, why: str = f"more came than {FILE} took") -> None:
        """So many were dropped: said at once, and once a minute as long as there are more."""
        self.lost += count
        self._lost_at = self._clock.monotonic()
        self._loss = f"samples of the past were dropped since the start: {why}"
        self._tell_loss()
        if self._loss_timer is None:
            self._look_later()

    def _tell_loss(self) -> None:
        if self.troubles.report(LOST, f"{self.lost} {self._loss}"):
            self._loss_told = self.lost

    def _look_later(self) -> None:
        self._loss_timer = None if self._closed else self._clock.call_later(SAY_AGAIN_AFTER, self._look_at_loss)

    def _look_at_loss(self) -> None:
        self._loss_timer = None
        if self.lost > self._loss_told:
            self._tell_loss()
        elif self._clock.monotonic() - self._lost_at >= LOSS_SHOWN:
            self.troubles.forget(LOST)
            return
        self._look_later()

    def _number(self, track: Track) -> None:
        number = self.mirror.highest + 1
        self.mirror.give_number(track, number)
        self._new[number] = self._untold[number] = track

    # ------------------------------------------------------------------ opening

    async def begin(self) -> None:
        """Read what the last run left in the tail, and open the archive. Unavailable: not now; try again later."""
        tail = await self._file.read(partial(read_tail, most=MOST_MIRRORED))
        mirror = self.mirror
        for row in tail.series:
            mirror.add(row.series, row.type, row.discrete, row.number)
        if not self.archived:
            try:
                await self._open_archive()
            except Unavailable as error:
                if not tail.series:  # which numbers there are is for the archive to say; who asked for this tells it
                    raise
                self.troubles.report(ARCHIVE, error.message)
        self._name(tail.nameless)
        for row_id, number, at, value, more in tail.rows:
            track = mirror.numbered(number)
            if track is not None:
                track.put((row_id, track, at, value, more))
                mirror.count += 1
        if tail.length > len(tail.rows) and tail.rows:
            self.spooled = tail.rows[0].id - 1
        mirror.last_id = self._last_id(tail.last_id)
        self._flushed = mirror.last_id
        self.taken = max(self.taken, tail.taken)
        mirror.drop(self.taken)
        self._tail_bytes = tail.size
        self.open = True
        for track in mirror.tracks():
            if not track.number:
                self._number(track)
        self.settle()
        self._set_timer(self._write_every)
        wait = 0 if self.spooled > self.taken else self._look_every  # what only the file has cannot be asked until then
        self._fold_soon(wait if self.archived else FIRST_RETRY)

    def _name(self, numbers: Iterable[int]) -> None:
        """Of these there are rows and no names, so that nothing else may get their numbers."""
        mirror = self.mirror
        for number in numbers:
            mirror.highest = max(mirror.highest, number)
            if self.archived and mirror.numbered(number) is None:  # else the archive may still say what it is
                row = nameless(number)
                track = mirror.add(row.series, row.type, row.discrete, number)
                self._new[number] = self._untold[number] = track

    def _last_id(self, last: int) -> int:
        """Behind which ids are free. An archive that is away may have taken more than an older file knows."""
        last = max(last, self.taken)
        return last if last and self.archived else max(last, int(self._clock.now() * 1000))

    async def _open_archive(self) -> None:
        taken, known = await self._archive.open()
        self.taken = max(self.taken, taken)
        for row in known:
            other = self.mirror.numbered(row.number)
            if other is not None and other.series != row.series:
                name = " ".join(filter(None, row.series))
                raise Unavailable(
                    f"the archive of the past is that of another home, or history.db went another way: {name} is "
                    f"number {row.number} there, which is another series here. If it is this home, stop the hub and "
                    "move history.db away: a new one gets what the archive has"
                )
        for row in known:
            if self.mirror.track(row.series) is None or not self.mirror.numbered(row.number):
                track = self.mirror.add(row.series, row.type, row.discrete, row.number)
                self._new[row.number] = track
        if self.open:
            self.mirror.drop(self.taken)
        told = {row.number for row in known}
        self._untold |= {track.number: track for track in self.mirror.tracks() if track.number not in told | {0}}
        self.archived = True
        self.troubles.over(ARCHIVE)

    # ------------------------------------------------------------------ into the tail

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer()
        if not self._closed:
            self._timer = self._clock.call_later(seconds, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self.open:
            task = asyncio.ensure_future(self._turn())
            self._turns.add(task)
            task.add_done_callback(self._turns.discard)

    async def _turn(self) -> None:
        if not await self.flush() and self._timer is None:
            self._set_timer(self._write_every)
        if self._is_much and not self._failing:
            self._fold_soon(0)

    async def flush(self) -> bool:
        """Write what waits; whether all that was recorded before is on the disk now."""
        async with self._flushing:
            if not self.open:
                return False
            self.settle()
            rows, new, said = self._waiting, self._new, self._said
            if not rows and not new:
                return True
            self._waiting, self._new, self._on_the_way = [], {}, len(rows)
            series = _series_rows(new)
            try:
                size = await asyncio.wrap_future(self._file.submit(lambda c: _write(c, series, rows, said)))
            except Unavailable as error:
                self._said = {}  # what it says was said may not be in the file
                self._waiting, self._new = rows + self._waiting, new | self._new
                self.troubles.report(FILE, error.message)
                return False
            finally:
                self._on_the_way = 0
            self.troubles.over(FILE)
            if rows:
                self._flushed = rows[-1][0]
                self.written += len(rows)
                self._tail_bytes += size
                self.last_written = self._clock.now()
            return True

    # ------------------------------------------------------------------ into the archive

    def _fold_soon(self, seconds: float) -> None:
        """Look after so many seconds whether there is something to fold."""
        if self._fold_timer is not None:
            self._fold_timer()
        if not self._closed:
            self._fold_timer = self._clock.call_later(seconds, self._look)

    @property
    def _is_much(self) -> bool:
        """Whether a fold is worth what it costs."""
        count = self.mirror.count
        return count >= FOLD_ROWS or (count >= FOLD_SOONER and count >= ROWS_IN_A_SERIES * self.mirror.busy)

    def _look(self) -> None:
        self._fold_timer = None
        old = self.mirror.count > 0 and self._clock.monotonic() - self._folded_at >= self._fold_after
        due = old or self._is_much or self._failing or self.spooled > self.taken or not self.archived
        if due and (self._folder is None or self._folder.done()):
            self._folder = asyncio.ensure_future(self.fold())
        else:
            self._fold_soon(self._look_every)

    def hurry(self) -> None:
        """Something makes it likely that the archive takes now what it refused."""
        if self.open and (self._failing or not self.archived):
            self._retry = FIRST_RETRY
            self._fold_soon(0)

    async def fold(self) -> bool:
        """Let the archive take what is in the tail; whether it has everything that was recorded before."""
        async with self._folding:
            if not await self.flush():
                self._fold_soon(self._retry)
                return False
            last, self._said = self._flushed, {}
            try:
                if not self.archived:
                    await self._open_archive()
                await self._fold_up_to(last)
                await self._drop_taken()
            except Unavailable as error:
                self._failing = True
                self._fold_soon(self._retry)
                self._retry = min(2 * self._retry, LAST_RETRY)
                await self._bound()
                said = f"; {self._dropped} samples that waited for it were dropped" if self._dropped else ""
                self.troubles.report(ARCHIVE, error.message + said)
                return False
            self.troubles.over(ARCHIVE)
            self._failing, self._dropped = False, 0
            self._retry, self._folded_at = FIRST_RETRY, self._clock.monotonic()
            self._fold_soon(self._look_every)
            return True

    async def _fold_up_to(self, last: int) -> None:
        """All up to this id, which is on the disk, piece by piece: what is to be written comes in between."""
        said: dict[int, bytes | None] = {}
        while self.taken < last:
            if self.taken < self.spooled:
                await self._fold_spool(min(self.spooled, last), said)
            else:
                await self._fold_mirror(last)

    async def _fold_spool(self, last: int, said: dict[int, bytes | None]) -> None:
        """Some of what the mirror does not hold."""
        after = self.taken
        rows = await self._file.read(lambda c: read_rows(c, after, SLICE, said))
        rows = [row for row in rows if row.id <= last]
        if rows:
            await self._take(rows, rows[-1].id)
        else:
            self.taken = last

    async def _fold_mirror(self, last: int) -> None:
        """Some of what the mirror holds."""
        first = self.mirror.first_id
        if first is None or first > last:
            self.taken = last
            return
        last = min(last, first + FOLD_ROWS - 1)
        shown = [(track.number, track.by_id(last)) for track in self.mirror.tracks() if len(track)]
        rows = await asyncio.to_thread(list, rows_for_archive(shown))
        if rows:
            await self._take(rows, last)

    async def _take(self, rows: list[TailRow], last: int) -> None:
        untold, self._untold = self._untold, {}
        try:
            await self._archive.take(rows, _series_rows(untold))
        except BaseException:
            self._untold = untold | self._untold
            raise
        self.taken = last
        self.folds += 1
        self.mirror.drop(last)

    async def _drop_taken(self) -> None:
        """Not sooner: until all is taken, what rows say once is needed for those that follow, also by the next run."""
        await asyncio.wrap_future(self._file.submit(partial(drop_rows, last=self.taken)))
        self._tail_bytes = 0

    async def _bound(self) -> None:
        """The archive is away: the mirror must not grow for it, nor the tail for ever."""
        mirror = self.mirror
        if mirror.count > MOST_MIRRORED:
            edge = min(self._flushed, mirror.last_id - FOLD_ROWS)
            mirror.drop(edge)
            self.spooled = max(self.spooled, edge)
        while (beyond := self._tail_bytes - self._spool) > 0:
            with contextlib.suppress(Unavailable):
                dropped, last, size = await asyncio.wrap_future(
                    self._file.submit(partial(drop_oldest, least=min(beyond, DROPPED_AT_ONCE)))
                )
                mirror.drop(last)
                self._dropped += dropped
                self._lose(dropped, "what waits for the archive must not be more than history: spool")
                self._tail_bytes = self._tail_bytes - size if size else 0
                continue
            return

    # ------------------------------------------------------------------ forgetting, closing

    async def forget(self, track: Track) -> int:
        """Drop all of a series that the archive has not taken, then what it has: how many were not taken."""
        async with self._folding:
            await self.flush()
            self.settle()
            count = self.mirror.forget(track)
            self._waiting = [row for row in self._waiting if row[1] is not track]
            await asyncio.wrap_future(self._file.submit(partial(forget_rows, number=track.number)))
            await self._archive.forget(track.number)
            return count

    async def replaced(self) -> None:
        """The file is another one, with what could be saved: what is known here is written into it anew."""
        self._said = {}
        self._new = {track.number: track for track in self.mirror.tracks() if track.number}
        if self.open:
            await self.fold()

    async def close(self) -> None:
        """Write what waits and end; what cannot be written is lost."""
        self._closed = True
        for timer in (self._timer, self._fold_timer, self._loss_timer):
            if timer is not None:
                timer()
        if self._folder is not None:
            await asyncio.wait([self._folder])
        written = self.open and await self.flush()
        if not written and self.waiting:
            log.error("%d samples of the past are lost: %s", self.waiting, self.troubles.first)
        if self.lost > self._loss_told:
            log.error("%d %s", self.lost, self._loss)


def _series_rows(tracks: dict[int, Track]) -> list[SeriesRow]:
    return [SeriesRow(number, track.series, track.type, track.discrete) for number, track in tracks.items()]


def _write(connection: sqlite3.Connection, series: list[SeriesRow], rows: Iterable[Row], said: dict[int, bytes]) -> int:
    put_series(connection, series)
    return put_rows(connection, _tail_rows(rows, said))


def _tail_rows(rows: Iterable[Row], said: dict[int, bytes]) -> Iterator[TailRow]:
    """What is said beside the value is written when it is other than the last time."""
    for row_id, track, at, value, more in rows:
        number = track.number
        text = more
        if text is not None:
            if said.get(number) == text:
                text = None
            else:
                said[number] = text
        yield TailRow(row_id, number, at, value, text)
