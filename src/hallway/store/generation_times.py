"""When a generation of home.db is made: some time after an edit, soon after the start and at the end.

It listens to a home and works in a thread; whoever builds it is told when home.db turns out to be damaged. It must not
know what a generation is good for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.home.changes import AnyChange, Changes, Defined, Ordered
from hallway.store import generations
from hallway.store.database import Damaged

log = logging.getLogger(__name__)

AFTER_START: Final = 30.0
QUIET: Final = 60.0
"""Seconds after the last edit."""
AT_MOST_EVERY: Final = 600.0
"""While edits go on, they wait no longer than that, and no two generations are made in less."""


class Keeping:
    """Makes generations from `start` on."""

    def __init__(self, changes: Changes, clock: Clock, database: Path, damaged: Callable[[str], None]) -> None:
        self._changes = changes
        self._clock = clock
        self._database = database
        self._damaged = damaged
        self._first_edit: float | None = None
        self._last_edit = 0.0
        self._kept: float | None = None
        self._cancel: Cancel | None = None
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Listen from now on, and see soon whether there is a generation of what is there."""
        self._unsubscribe = self._changes.subscribe(self._take, Defined, Ordered)
        self._cancel = self._clock.call_later(AFTER_START, self._begin)

    async def finish(self) -> None:
        """Listen no more and make the last one, if it is missing; to be called when the store is closed."""
        self._unsubscribe()
        if self._cancel is not None:
            self._cancel()
        if self._task is not None:
            await self._task
        if self._first_edit is not None:
            await self._make()

    def _take(self, change: AnyChange) -> None:
        if not isinstance(change, Defined | Ordered):
            return
        self._last_edit = self._clock.monotonic()
        if self._first_edit is None:
            self._first_edit = self._last_edit
            if self._cancel is None and self._task is None:
                self._wait()

    def _wait(self) -> None:
        self._cancel = self._clock.call_later(self._missing(), self._look)

    def _missing(self) -> float:
        """Seconds until the next one is due."""
        now = self._clock.monotonic()
        due = min(self._last_edit + QUIET, (self._first_edit or now) + AT_MOST_EVERY)
        return max(due, -AT_MOST_EVERY if self._kept is None else self._kept + AT_MOST_EVERY) - now

    def _look(self) -> None:
        if self._missing() > 0:
            self._wait()
        else:
            self._begin()

    def _begin(self) -> None:
        self._cancel, self._first_edit = None, None
        self._task = asyncio.ensure_future(self._make())
        self._task.add_done_callback(self._done)

    def _done(self, _task: asyncio.Task[None]) -> None:
        self._task = None
        if self._first_edit is not None:
            self._wait()

    async def _make(self) -> None:
        try:
            if await asyncio.to_thread(self._make_there, self._clock.now()):
                self._kept = self._clock.monotonic()
        except Damaged as damaged:
            self._damaged(str(damaged))
        except (Unavailable, OSError) as error:
            log.warning("no generation of home.db is made: %s", error)

    def _make_there(self, now: float) -> bool:
        """Whether one was missing."""
        if generations.is_up_to_date(self._database):
            return False
        generations.keep(self._database, now)
        return True
