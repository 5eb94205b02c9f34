"""Times on the wall clock at which something is to be done: one timer for all of them, and an eye on the clock.

The clock is looked at at least once a minute, so that one that was put forward or back is noticed. It must not know
what is done, nor calendars.
"""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from hallway.clock import Cancel, Clock

log = logging.getLogger(__name__)

LOOKED_AT_EVERY: Final = 60.0
JUMPED: Final = 2.0
"""Seconds by which the wall clock must go otherwise than time itself to count as put forward or back."""
EARLY: Final = 0.0005
FEW: Final = 64
"""Entries of what was cancelled that do no harm: they go when their time comes, or when they are most of all."""


class Agenda:
    """What is to be done at which time. Nothing happens before `start` or after `stop`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[float, int]] = []
        self._to_do: dict[int, Callable[[], None]] = {}
        self._order = itertools.count()
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
        if len(self._entries) > FEW + 2 * len(self._to_do):
            self._clear_out()
        self._to_do[number] = run
        heapq.heappush(self._entries, (when, number))
        if self._runs and self._entries[0][1] == number:
            self._wait()

        def cancel() -> None:
            self._to_do.pop(number, None)

        return cancel

    def _clear_out(self) -> None:
        """A time that is put off all the time must not leave its former ones behind."""
        self._entries = [entry for entry in self._entries if entry[1] in self._to_do]
        heapq.heapify(self._entries)

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
            _when, number = heapq.heappop(self._entries)
            run = self._to_do.pop(number, None)
            if run is not None:
                _do(run)
        if abs(jump) > JUMPED:
            for heard in tuple(self._on_jump):
                _do(partial(heard, jump))
        if self._runs:
            self._wait()


def _do(run: Callable[[], None]) -> None:
    """What has a fault must not end the time of all others."""
    try:
        run()
    except Exception:
        log.exception("something that was to be done at its time has a fault")


def _nothing() -> None:
    """There is nothing to end."""
