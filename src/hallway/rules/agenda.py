"""Times on the wall clock at which something is to be done: one timer for all of them, and an eye on the clock.

The clock is looked at at least once a minute, so that one that was put forward or back is noticed. It must not know
what is done, nor calendars.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Final

from hallway.clock import Cancel, Clock

LOOKED_AT_EVERY: Final = 60.0
JUMPED: Final = 2.0
"""Seconds by which the wall clock must go otherwise than time itself to count as put forward or back."""
EARLY: Final = 0.0005


class Agenda:
    """What is to be done at which time. Nothing happens before `start` or after `stop`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._gone: set[int] = set()
        self._on_jump: list[Callable[[float], None]] = []
        self._cancel: Cancel = _nothing
        self._runs = False
        self._looked: tuple[float, float] = (0.0, 0.0)

    def start(self) -> None:
        """From now on things are done at their times."""
        self._runs = True
        self._looked = (self._clock.now(), self._clock.monotonic())
        self._wait()

    def stop(self) -> None:
        self._runs = False
        self._cancel()

    def at(self, when: float, run: Callable[[], None]) -> Cancel:
        """Do something at that time (seconds since 1970), or at once if it is over; the result cancels it."""
        number = next(self._order)
        heapq.heappush(self._entries, (when, number, run))
        if self._runs and self._entries[0][1] == number:
            self._wait()
        return lambda: self._gone.add(number)

    def on_jump(self, heard: Callable[[float], None]) -> Cancel:
        """Be told when the clock was put forward, or back (less than 0), by how many seconds."""
        self._on_jump.append(heard)
        return lambda: self._on_jump.remove(heard) if heard in self._on_jump else None

    def _wait(self) -> None:
        self._cancel()
        if not self._entries and not self._on_jump:
            self._looked = (self._clock.now(), self._clock.monotonic())
        seconds = self._entries[0][0] - self._clock.now() if self._entries else LOOKED_AT_EVERY
        self._cancel = self._clock.call_later(min(max(seconds, 0.0), LOOKED_AT_EVERY), self._look)

    def _look(self) -> None:
        now, elapsed = self._clock.now(), self._clock.monotonic()
        jump = (now - self._looked[0]) - (elapsed - self._looked[1])
        self._looked = (now, elapsed)
        while self._entries and self._entries[0][0] <= now + EARLY:
            _when, number, run = heapq.heappop(self._entries)
            if number in self._gone:
                self._gone.discard(number)
            else:
                run()
        if abs(jump) > JUMPED:
            for heard in tuple(self._on_jump):
                heard(jump)
        if self._runs:
            self._wait()


def _nothing() -> None:
    """There is nothing to end."""
