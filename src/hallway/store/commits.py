"""Batches on their way into home.db, one at a time: what failed is tried again, who waits for a number is told.

It runs in the thread of the home; only what is done right after a commit is called by the writer's thread. It must not
know where rows come from.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import NamedTuple

from hallway.clock import Cancel, Clock
from hallway.errors import HallwayError, Told, Unavailable
from hallway.store.database import FileDamaged
from hallway.store.redo import Redo, Segment
from hallway.store.rows import Batch, DefinitionRow
from hallway.store.syncing import Syncing, Waiter, tell
from hallway.store.tables import Written, write
from hallway.store.troubles import DATABASE, Troubles
from hallway.store.writer import Writer

log = logging.getLogger(__name__)

FIRST_RETRY = 1.0
LAST_RETRY = 60.0


class Disk(NamedTuple):
    """Where things are written, and what is wrong with it."""

    redo: Redo
    writer: Writer
    troubles: Troubles


class Flight:
    """A batch under way, and the segment of the redo log that can be emptied then. commit: None between two tries."""

    def __init__(self, batch: Batch, segment: Segment) -> None:
        self.batch = batch
        self.segment = segment
        self.commit: Future[Written] | None = None


class Commits:
    """Collects rows in `batch` and commits them. left: a batch that could not be committed at start."""

    def __init__(
        self, disk: Disk, loop: asyncio.AbstractEventLoop, clock: Clock, committed: int, left: Batch | None
    ) -> None:
        self._redo, self._writer, self._troubles = disk
        self._loop = loop
        self._clock = clock
        self._committed = committed if left is None else 0
        self._flight = None if left is None else Flight(left, self._redo.idle)
        self._waiters: list[Waiter] = []
        self._syncing = Syncing(self._redo, loop, self._troubles, self._in_vain)
        self._missed = 0
        self._overdue = False
        self._retry: Cancel | None = None
        self._retry_after = FIRST_RETRY
        self._closed = False
        self.followed: Callable[[Batch], None] = _followed_by_nobody
        """Is called with each batch once it is committed."""
        self.damaged: Callable[[str], bool] = _mended_by_nobody
        """Is told what is wrong with home.db; whether it is being made again, so that who waits may go on waiting."""
        self.batch = Batch()
        self.written = Written()

    @property
    def committed(self) -> int:
        """The last change that is known to be committed."""
        return self._committed

    @property
    def under_way(self) -> bool:
        """Whether a commit has been begun of which it is not known yet what becomes of it."""
        return self._flight is not None and self._flight.commit is not None

    @property
    def queued(self) -> int:
        """How many rows are not committed yet."""
        return len(self.batch) + (len(self._flight.batch) if self._flight is not None else 0)

    @property
    def stuck(self) -> bool:
        """Whether the last commit failed."""
        return self._flight is not None and self._flight.commit is None

    def definitions(self) -> list[DefinitionRow]:
        """The definitions that are not known to be committed yet, oldest first."""
        flying = [] if self._flight is None else self._flight.batch.definitions
        return [*flying, *self.batch.definitions]

    def due(self) -> None:
        """The batch is to be committed: now, or once the one before has been."""
        if self._flight is None:
            self._begin()
        else:
            self._overdue = True

    def hurry(self) -> None:
        """As `due`, but what failed is tried again at once."""
        if self._closed:
            return
        if self.stuck:
            self._try_again()
        else:
            self.due()

    def hurry_if_stuck(self) -> None:
        """Something makes it likely that what failed can be written now."""
        if self.stuck:
            self.hurry()

    async def durable(self, seq: int) -> None:
        """Wait until all rows up to that change are on the disk. Unavailable: they cannot be, just now.

        They are when the redo log is synced, or where that cannot be once they are committed.
        """
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(error: HallwayError | None) -> None:
            if waiter.done():  # whoever waited was cancelled
                return
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

        self.when_durable(seq, told)
        await waiter

    def when_durable(self, seq: int, told: Told) -> None:
        """As `durable`, for those who would rather be called, possibly at once."""
        wanted = min(seq, self._newest)
        if wanted <= self._committed:
            told(None)
        elif self._closed:
            told(Unavailable("the store is closed: the hub is going down"))
        elif self.stuck or self._missed > self._committed:
            self._waiters.append((wanted, told))
            self.hurry()
        else:
            self._syncing.wait(wanted, told)

    @property
    def _newest(self) -> int:
        """The last change that has not been committed, 0 if all have."""
        return self.batch.seq or (self._flight.batch.seq if self._flight is not None else 0)

    def missed(self, seq: int) -> None:
        """The redo log does not have that change, so that only a commit keeps it."""
        self._missed = seq

    def _in_vain(self, waiters: list[Waiter]) -> None:
        """What a sync has failed is perhaps not in the log, even if the next one goes well."""
        self._missed = self._newest
        self._waiters += waiters
        if self._newest:
            self.hurry()
        else:  # it was committed meanwhile
            self._serve()

    def _begin(self) -> None:
        if self._closed or self.batch.empty:
            return
        flight = self._flight = Flight(self.batch, self._redo.switch())
        self.batch = Batch()
        self._send(flight)

    def _send(self, flight: Flight) -> None:
        def landed(commit: Future[Written]) -> None:
            """Called by the writer's thread."""
            if commit.exception() is None:
                flight.segment.empty()
            with contextlib.suppress(RuntimeError):  # the loop was closed over it; nobody waits then
                self._loop.call_soon_threadsafe(self._landed, flight, commit)

        flight.commit = self._writer.submit(lambda connection: write(connection, flight.batch))
        flight.commit.add_done_callback(landed)

    def _landed(self, flight: Flight, commit: Future[Written]) -> None:
        if self._closed:
            return
        error = commit.exception()
        if error is None:
            self.followed(flight.batch)
            self._succeeded(flight.batch.seq, commit.result())
        else:
            self._failed(flight, error)

    def _succeeded(self, seq: int, written: Written) -> None:
        self._flight = None
        self._retry_after = FIRST_RETRY
        self._troubles.over(DATABASE)
        self._note(seq, written)
        if self._waiters or self._overdue:
            self._overdue = False
            self._begin()

    def _note(self, seq: int, written: Written) -> None:
        self._committed = seq
        self.written = Written(self.written.rows + written.rows, self.written.bytes + written.bytes)
        self._serve()

    def _serve(self) -> None:
        served = [waiter for waiter in self._waiters if waiter[0] <= self._committed]
        self._waiters = [waiter for waiter in self._waiters if waiter[0] > self._committed]
        tell(served)

    def _failed(self, flight: Flight, error: BaseException) -> None:
        flight.commit = None
        if not (isinstance(error, FileDamaged) and self.damaged(error.why)):
            self.wait_no_longer(str(error))

    def wait_no_longer(self, sentence: str) -> None:
        """Nothing can be committed just now: tell so, and try again after a while."""
        self._troubles.report(DATABASE, sentence)
        self._refuse(sentence)
        if self._retry is not None:
            self._retry()
        self._retry = self._clock.call_later(self._retry_after, self._try_again)
        self._retry_after = min(2 * self._retry_after, LAST_RETRY)

    def _refuse(self, sentence: str) -> None:
        waiters, self._waiters = self._waiters, []
        tell(waiters, sentence)

    def _try_again(self) -> None:
        if self._retry is not None:
            self._retry()
            self._retry = None
        if self._flight is not None and self.stuck:
            self._send(self._flight)

    # ------------------------------------------------------------------ the end

    async def finish(self, seq: int) -> bool:
        """Commit what is left, and that the home has counted so far; whether home.db has everything now."""
        self._closed = True
        if self._retry is not None:
            self._retry()
        self._waiters += self._syncing.close()
        rest = await self._rest(seq)
        if not rest:
            return True
        try:
            written = await asyncio.wrap_future(self._writer.submit(lambda connection: _write_all(connection, rest)))
        except Unavailable as error:
            log.warning("%d rows stand in the redo log only: %s", sum(map(len, rest)), error)
            self._refuse(error.message)
            return False
        for batch in rest:
            self.followed(batch)
        self._note(rest[-1].seq, written)
        return True

    async def _rest(self, seq: int) -> list[Batch]:
        """The batches that no commit has taken, oldest first."""
        flight, rest = self._flight, []
        if flight is not None:
            if flight.commit is not None:
                await asyncio.gather(asyncio.wrap_future(flight.commit), return_exceptions=True)
            if flight.commit is None or flight.commit.exception() is not None:
                rest.append(flight.batch)
            else:
                self.followed(flight.batch)
                self._note(flight.batch.seq, flight.commit.result())
        if not self.batch.empty or seq > self._committed:
            self.batch.put(seq, ())
            rest.append(self.batch)
        return rest


def _mended_by_nobody(_why: str) -> bool:
    """The next start does it."""
    return False


def _followed_by_nobody(_batch: Batch) -> None:
    """What is committed is of interest to nobody."""


def _write_all(connection: sqlite3.Connection, batches: Iterable[Batch]) -> Written:
    parts = [write(connection, batch) for batch in batches]
    return Written(sum(part.rows for part in parts), sum(part.bytes for part in parts))
