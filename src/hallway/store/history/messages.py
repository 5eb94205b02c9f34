"""Messages in history.db: each is kept for as long as the settings say, and is found from the moment it was said.

What is not written yet stands in memory, which is bounded; an error is written at once, everything else together with
what came in the same seconds. It must not know who asks, nor what the settings look like.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.home.changes import AnyChange, Said
from hallway.home.home import Home
from hallway.home.messages import LEVELS, MOST_MESSAGES, LastMessages, Level, Message, Wanted
from hallway.store.history import message_rows as rows
from hallway.store.history.file import HistoryFile
from hallway.store.history.message_rows import Row

log = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
MOST_WAITING_BYTES: Final = 8_000_000
"""More than this is not held in memory while the disk takes nothing: the oldest are dropped, and counted."""
AT_ONCE: Final = 1000
"""Messages that are written, read or deleted in one go: others get their turn in between."""
HURRY: Final = 1.0
"""Errors are written at once, but not more often than every so many seconds."""
SWEEP_FIRST: Final = 60.0
SWEEP_EVERY: Final = 600.0
MOST_KEPT: Final = 1_000_000
"""However long they are to be kept: a rule that says something ten times a second must not fill the disk."""

Lifetime = Callable[[Level, Sequence[str]], float]
"""For how many seconds messages of a level and with these tags are kept; infinite: for ever, 0: not at all."""


class _Now(msgspec.Struct, frozen=True):
    """What the messages are at a moment: all below a number are in the file, these are not.

    before: the number before those of this run.
    """

    before: int
    below: int
    waiting: list[Message]


class _Numbers:
    """Numbers messages on from those in the file, whatever becomes of it later. Its methods are for the writer."""

    def __init__(self) -> None:
        self.before: int | None = None

    def find_out(self, connection: sqlite3.Connection) -> int:
        """The number before those of this run."""
        if self.before is None:
            self.before = rows.last_number(connection)
        return self.before

    def insert(self, connection: sqlite3.Connection, batch: Sequence[Row]) -> None:
        rows.insert(connection, self.find_out(connection), batch)


class KeptMessages:
    """The messages of a home, from here until `close`. To be used in the thread of the loop.

    changed: what to watch for changes of `lifetime`: a key of the home's changes; most_bytes: of messages, 0: whatever
    they take.
    """

    def __init__(
        self,
        home: Home,
        file: HistoryFile,
        clock: Clock,
        lifetime: Lifetime,
        *,
        changed: str,
        write_every: float = 10.0,
        most_bytes: int = 0,
    ) -> None:
        self._most_bytes = most_bytes
        self._last = LastMessages(home.messages)
        self._file = file
        self._clock = clock
        self._lifetime = lifetime
        self._write_every = write_every
        self._waiting: deque[Row] = deque()
        self._waiting_bytes = 0
        self._next = 1
        self._numbers = _Numbers()
        self._writing: Future[None] | None = None
        self._failing = False
        self._dropped = 0
        self._written_at = -HURRY
        self._timer: Cancel | None = None
        self._due = 0.0
        self._sweeping: asyncio.Task[None] | None = None
        self._again = False
        self._closed = False
        self._unsubscribe = [home.changes.watch(f"message:{level}", self._take) for level in LEVELS]
        self._unsubscribe.append(home.changes.watch(changed, self._rules_changed))
        self._cancel_sweep = clock.call_later(SWEEP_FIRST, self._time_to_sweep)

    # ------------------------------------------------------------------ keeping

    def _take(self, change: AnyChange) -> None:
        if not isinstance(change, Said):
            return
        said = change.message
        if self._lifetime(said.level, said.tags) <= 0:
            return
        row = rows.row_of(self._next, said, change.context)
        self._next += 1
        self._waiting.append(row)
        self._waiting_bytes += row.size
        while len(self._waiting) > MOST_WAITING or self._waiting_bytes > MOST_WAITING_BYTES:
            self._waiting_bytes -= self._waiting.popleft().size
            self._dropped += 1
        soon = max(0.0, self._written_at + HURRY - self._clock.monotonic())
        self._write_in(soon if said.level == "error" and not self._failing else self._write_every)

    def _write_in(self, seconds: float) -> None:
        due = self._clock.monotonic() + seconds
        if self._closed:
            return
        if self._timer is not None and self._due <= due:
            return
        if self._timer is not None:
            self._timer()
        self._due = due
        self._timer = self._clock.call_later(seconds, self._time_to_write)

    def _time_to_write(self) -> None:
        self._timer = None
        if self._writing is None and self._waiting:
            self._write()

    def _write(self) -> None:
        batch = list(islice(self._waiting, AT_ONCE))
        self._written_at = self._clock.monotonic()
        try:
            self._writing = self._file.submit(partial(self._numbers.insert, batch=batch))
        except Unavailable as error:
            self._failed(error)
            return
        loop = asyncio.get_running_loop()
        self._writing.add_done_callback(lambda done: loop.call_soon_threadsafe(self._written, batch, done))

    def _written(self, batch: list[Row], done: Future[None]) -> None:
        self._writing = None
        error = done.exception()
        if error is not None:
            self._failed(error)
            return
        if self._failing:
            self._failing = False
            log.warning("messages are written again; %d had to be dropped since the start", self._dropped)
        while self._waiting and self._waiting[0].number <= batch[-1].number:
            self._waiting_bytes -= self._waiting.popleft().size
        if self._waiting and len(batch) == AT_ONCE:
            self._write()
        elif self._waiting:
            self._write_in(self._write_every)

    def _failed(self, error: BaseException) -> None:
        if not self._failing:
            self._failing = True
            log.warning("messages cannot be written: %s; the last %d are held in memory", error, MOST_WAITING)
        self._numbers = _Numbers()  # it may be another file by now, with other numbers in it
        self._write_in(self._write_every)

    async def close(self) -> None:
        """Take no more, and write what waits."""
        if self._closed:
            return
        self._closed = True
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._cancel_sweep()
        if self._timer is not None:
            self._timer()
        if self._sweeping is not None:
            self._sweeping.cancel()
        while self._waiting:
            left = len(self._waiting)
            if self._writing is None:
                self._write()
            while self._writing is not None:
                await asyncio.wait([asyncio.wrap_future(self._writing)])
                await asyncio.sleep(0)
            if len(self._waiting) >= left:
                break

    # ------------------------------------------------------------------ asked

    async def find(self, wanted: Wanted) -> list[Message]:
        most = MOST_MESSAGES if wanted.limit is None else min(wanted.limit, MOST_MESSAGES)
        try:
            now = await self._now(wanted)
            return await self._file.read(
                partial(rows.find, wanted=wanted, below=now.below, waiting=now.waiting, most=most)
            )
        except Unavailable:
            return await self._last.find(wanted)

    async def count(self, wanted: Wanted) -> int:
        try:
            now = await self._now(wanted)
            return len(now.waiting) + await self._file.read(partial(rows.count, wanted=wanted, below=now.below))
        except Unavailable:
            return await self._last.count(wanted)

    async def tags(self, wanted: Wanted) -> list[str]:
        try:
            now = await self._now(wanted)
            written = await self._file.read(partial(rows.tags, wanted=wanted, below=now.below))
        except Unavailable:
            return await self._last.tags(wanted)
        return list(dict.fromkeys((*(tag for each in reversed(now.waiting) for tag in each.tags), *written)))

    async def pages(self, wanted: Wanted) -> AsyncIterator[list[Message]]:
        now = await self._now(wanted)
        waiting, place, complete = now.waiting, rows.BEGINNING, False
        while not complete:
            page = await self._file.read(partial(rows.page, wanted=wanted, below=now.below, place=place, most=AT_ONCE))
            complete = len(page) < AT_ONCE
            place = (math.inf, 0) if complete else rows.in_time(page[-1])
            page += [message for message in waiting if rows.in_time(message) <= place]
            waiting = [message for message in waiting if rows.in_time(message) > place]
            if page:
                yield sorted(page, key=rows.in_time)

    async def forget(self, wanted: Wanted) -> int:
        now = await self._now(wanted)
        chosen = await self._file.read(partial(rows.numbers, wanted=wanted, below=now.below, waiting=now.waiting))
        numbers = {number - now.before for number in chosen}
        self._waiting = deque(row for row in self._waiting if row.number not in numbers)
        self._waiting_bytes = sum(row.size for row in self._waiting)
        await self._delete(chosen)
        await self._last.forget(wanted)
        return len(chosen)

    async def _now(self, wanted: Wanted) -> _Now:
        """What waits as of the moment of the call. Unavailable: history.db cannot be used."""
        first = self._waiting[0].number if self._waiting else self._next
        fitting = [row for row in self._waiting if wanted.fits(row.message)]
        before = self._numbers.before
        if before is None:
            before = await asyncio.wrap_future(self._file.submit(self._numbers.find_out))
        waiting = [msgspec.structs.replace(row.message, id=before + row.number) for row in fitting]
        return _Now(before, before + first, waiting)

    # ------------------------------------------------------------------ letting go

    def _rules_changed(self, _change: AnyChange) -> None:
        self._sweep()

    def _time_to_sweep(self) -> None:
        self._cancel_sweep = self._clock.call_later(SWEEP_EVERY, self._time_to_sweep)
        self._sweep()

    def _sweep(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.ensure_future(self._swept())
        else:
            self._again = True

    async def _swept(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                await self.expire()
        except Unavailable as error:
            log.info("messages could not be tidied up: %s", error)
        finally:
            self._sweeping = None

    async def expire(self) -> int:
        """Let go of what was kept for long enough, some at a time: how many that were."""
        gone = 0
        for kind in await self._file.read(rows.kinds):
            lifetime = self._lifetime(kind.level, kind.tags)
            before = rows.time_before(self._clock.now(), lifetime)
            if before is not None and kind.first < before:
                gone += await self._delete_all(partial(rows.expired, kind=kind, before=before, most=AT_ONCE))
        gone += await self._delete_all(partial(rows.too_many, keep=MOST_KEPT, most=AT_ONCE))
        if self._most_bytes:
            gone += await self._delete(await self._file.read(partial(rows.too_much, keep=self._most_bytes)))
        return gone

    async def _delete_all(self, some: Callable[[sqlite3.Connection], list[int]]) -> int:
        gone = 0
        while numbers := await self._file.read(some):
            gone += await self._delete(numbers)
        return gone

    async def _delete(self, numbers: Sequence[int]) -> int:
        for start in range(0, len(numbers), AT_ONCE):
            part = numbers[start : start + AT_ONCE]
            await asyncio.wrap_future(self._file.submit(partial(rows.delete, numbers=part)))
        return len(numbers)
