"""The one place where time comes from: wall clock, monotonic clock and timers.

Everything that depends on time gets a Clock; the app gives one bound to the event loop, tests give a VirtualClock.
It must not know what is done with the time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

Cancel = Callable[[], None]


class Clock(Protocol):
    """Seconds since 1970 (wall), seconds that never jump (monotonic), and timers on the latter."""

    def now(self) -> float:
        """Wall-clock time: seconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        """Run callback once after that many elapsed seconds; the result cancels it."""
        ...


async def pause(clock: Clock, seconds: float) -> None:
    """Go on after that many elapsed seconds of a clock."""
    over = asyncio.Event()
    cancel = clock.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        cancel()


class SystemClock:
    """The machine's clock; timers run in the given event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = time.time
        self.monotonic = time.monotonic

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        return self._loop.call_later(max(0.0, seconds), callback).cancel


class VirtualClock:
    """A clock that a test moves by hand: `advance` runs what is due, in order of its time."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._wall = start
        self._elapsed = 0.0
        self._order = itertools.count()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()

    def now(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._elapsed

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        number = next(self._order)
        heapq.heappush(self._timers, (self._elapsed + max(0.0, seconds), number, callback))
        return lambda: self._cancelled.add(number)

    def advance(self, seconds: float) -> None:
        """Let that much time pass; each timer sees the time at which it was due."""
        end = self._elapsed + seconds
        while self._timers and self._timers[0][0] <= end:
            due, number, callback = heapq.heappop(self._timers)
            if number in self._cancelled:
                self._cancelled.discard(number)
                continue
            self._step_to(due)
            callback()
        self._step_to(end)

    def set_wall(self, now: float) -> None:
        """The wall clock is put forward or back; elapsed time does not notice."""
        self._wall = now

    def _step_to(self, elapsed: float) -> None:
        if elapsed > self._elapsed:
            self._wall += elapsed - self._elapsed
            self._elapsed = elapsed
