"""When what has gathered is written to history.db: every so often, at once when it is much, again after it was refused.

It must not know what is gathered.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from typing import Any, Final, Generic, Protocol, TypeVar

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.store.history.file import HistoryFile
from hallway.store.writer import Work

log = logging.getLogger(__name__)

T = TypeVar("T")
SWEEP_FIRST: Final = 120.0
SWEEP_EVERY: Final = 3600.0


class Gathering(Protocol[T]):
    """What gathers. One batch at a time is on its way. dropped: how much never got to the disk."""

    dropped: int

    def next_batch(self) -> Work[T] | None:
        """Begin with a batch: the work that writes it; None: there is nothing to write."""
        ...

    def written(self, result: T) -> None:
        """The batch is on the disk."""
        ...

    def refused(self) -> None:
        """It is not, and waits again."""
        ...

    async def sweep(self) -> None:
        """Drop what is too old or too much. Unavailable: not now."""
        ...


class Flushing(Generic[T]):
    """From the first `soon` until `close`, in the thread of the loop."""

    def __init__(self, gathering: Gathering[T], file: HistoryFile, clock: Clock, every: float) -> None:
        self._gathering = gathering
        self._file = file
        self._clock = clock
        self._every = every
        self._loop = asyncio.get_running_loop()
        self._timer: Cancel | None = None
        self._future: Future[T] | None = None
        self._failing = False
        self._told = 0
        self._closed = False
        self._sweeping: asyncio.Task[None] | None = None
        self._cancel_sweep = clock.call_later(SWEEP_FIRST, self._sweep_soon)

    def soon(self) -> None:
        """Something waits: it is written with the next batch."""
        if self._timer is None and not self._closed:
            self._timer = self._clock.call_later(self._every, self._due)

    def now(self) -> None:
        """Much waits: write it at once, unless a batch is under way or the disk refuses."""
        if not self._failing:
            self._write()

    def _due(self) -> None:
        self._timer = None
        self._write()

    def _write(self) -> None:
        if self._future is not None:
            return
        work = self._gathering.next_batch()
        if work is None:
            return
        if self._timer is not None:
            self._timer()
            self._timer = None
        try:
            self._future = self._file.submit(work)
        except Unavailable:
            self._refuse()
            return
        self._future.add_done_callback(self._done)

    def _done(self, future: Future[T]) -> None:
        self._loop.call_soon_threadsafe(self._ended, future)

    def _ended(self, future: Future[T]) -> None:
        if self._future is not future:
            return  # whoever closes has seen it
        self._future = None
        try:
            result = future.result()
        except Unavailable as error:
            if not self._failing:
                log.warning("what happened is kept in memory for now: %s", error)
            self._refuse()
        else:
            self._tell_what_was_dropped()
            self._failing = False
            self._gathering.written(result)

    def _tell_what_was_dropped(self) -> None:
        dropped = self._gathering.dropped
        if self._failing:
            log.warning("what happened is written again; %d had to be dropped", dropped)
        elif dropped > 2 * self._told:  # a disk that stays too slow says so a few times, not with each batch
            log.warning("more happens than the disk takes: %d had to be dropped since the start", dropped)
        else:
            return
        self._told = dropped

    def _refuse(self) -> None:
        self._failing = True
        self._gathering.refused()
        self.soon()

    # ------------------------------------------------------------------ dropping

    def _sweep_soon(self) -> None:
        self._cancel_sweep = self._clock.call_later(SWEEP_EVERY, self._sweep_soon)
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = self._loop.create_task(self._sweep())

    async def _sweep(self) -> None:
        try:
            await self._gathering.sweep()
        except Unavailable as error:
            log.debug("nothing is dropped now: %s", error)

    async def do(self, work: Work[Any]) -> Any:
        """The result of a work beside the batches. Unavailable: it was not done."""
        return await asyncio.wrap_future(self._file.submit(work))

    # ------------------------------------------------------------------ the end

    async def close(self) -> None:
        """Write what is left, if that can be done."""
        self._closed = True
        self._cancel_sweep()
        if self._timer is not None:
            self._timer()
            self._timer = None
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        for _ in range(2):  # what is under way, and what came meanwhile
            if self._future is None:
                self._write()
            future = self._future
            if future is not None:
                await asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)
                self._ended(future)
