"""Messages, changes and traces follow history.db into PostgreSQL: when they are looked at, and how far behind they are.

Every few seconds in which history.db was written the end of each is compared and sent, every hour and after each new
connection all of it. Nothing waits for it and nothing is held in memory. It must not know tables.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.store.database import Damaged, open_database
from hallway.store.error_texts import said
from hallway.store.history.file import HISTORY, HistoryFile
from hallway.store.postgres.log_sync import (
    Glance,
    Sides,
    bring,
    count_there,
    glance,
    next_turn,
    send,
    turn_there,
)
from hallway.store.postgres.logs import LOGS, Log, in_words
from hallway.store.postgres.replica import Told, nobody_is_told
from hallway.store.postgres.resting import Resting
from hallway.store.postgres.server import Condition, Server
from hallway.store.postgres.session import Connection
from hallway.store.writer import Work as Local

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0
WHOLE_EVERY: Final = 3600.0
FIRST_RETRY: Final = 5.0
LAST_RETRY: Final = 60.0
NOT_THERE: Final = "messages, changes and traces are not in the database"
ALL_THERE: Final = "the database has all messages, changes and traces again"
MOST_NOTED: Final = 20_000
"""Traces that have become others; beyond that all are compared."""

T = TypeVar("T")


class LogStanding(msgspec.Struct, frozen=True):
    """How the logs do. in_step: the database has all that history.db has; upto: it has what that had at this time.

    behind: for how many seconds it has not all, None: since ever; problem: why.
    """

    in_step: bool
    upto: float | None
    behind: float | None
    problem: str | None


class _Live:
    """Both sides while the hub runs. ended: between two steps it is over."""

    def __init__(self, file: HistoryFile, server: Server) -> None:
        self._file = file
        self._server = server
        self.ended = False

    def _go_on(self) -> None:
        if self.ended:
            raise Unavailable("the hub is going down")

    async def here(self, work: Local[T]) -> T:
        self._go_on()
        return await self._file.read(work)

    async def write_here(self, work: Local[T]) -> T:
        self._go_on()
        return await asyncio.wrap_future(self._file.submit(work))

    async def there(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        self._go_on()
        return await self._server.write(work)


class LogReplica:
    """From `start` until `finish`, in the thread of the hub's loop."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._file: HistoryFile | None = None
        self._live: _Live | None = None
        self._whole = True
        self._wholly_at = 0.0
        self._turn = 0
        self._units: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._hot: dict[str, int] = {}
        self._noted: set[int] = set()
        self._commits = -1
        self._upto: float | None = None
        self._problem: str | None = None
        self._has_told = False
        self.told: Told = nobody_is_told
        self._retry_after = FIRST_RETRY
        self._timer: Cancel | None = None
        self._looking: asyncio.Task[None] | None = None
        self._closed = False
        server.listen(self._heard)

    @property
    def standing(self) -> LogStanding:
        """How they do."""
        condition = self._server.condition
        written = self._file is not None and self._file.commits != self._commits
        in_step = not self._whole and not self._noted and not written and condition.connected
        behind = 0.0 if in_step else None if self._upto is None else max(self._clock.now() - self._upto, 0.0)
        problem = self._problem or (None if condition.connected else condition.problem)
        return LogStanding(in_step, self._upto, behind, problem)

    def start(self, file: HistoryFile) -> None:
        """Follow that file from now on."""
        self._file = file
        self._live = _Live(file, self._server)
        self._look_in(0)

    def noted(self, traces: Iterable[int]) -> None:
        """These traces are in the file, perhaps in another form than before."""
        if not self._whole:
            self._noted.update(traces)
            if len(self._noted) > MOST_NOTED:
                self._compare_all()

    def _compare_all(self) -> None:
        self._whole = True
        self._noted = set()

    # ------------------------------------------------------------------ when

    def _heard(self, condition: Condition) -> None:
        self._compare_all()
        if condition.connected and self._file is not None:
            self._look_in(0)

    def _look_in(self, seconds: float) -> None:
        if self._closed:
            return
        if self._timer is not None:
            self._timer()
        self._timer = self._clock.call_later(seconds, self._time_to_look)

    def _time_to_look(self) -> None:
        self._timer = None
        if self._looking is None and self._server.condition.connected:
            self._looking = asyncio.ensure_future(self._look())
            self._looking.add_done_callback(self._looked)
        elif self._looking is None:
            self._look_in(LOOK_EVERY)

    def _looked(self, done: asyncio.Task[None]) -> None:
        self._looking = None
        if not done.cancelled() and done.exception() is not None:
            log.error("the logs are compared again", exc_info=done.exception())
            self._failed("what happened could not be sent to the database: see the log")
        if self._timer is None and not done.cancelled():
            self._look_in(LOOK_EVERY if self._problem is None else self._retry_after)

    async def _look(self) -> None:
        file, live = self._file, self._live
        if file is None or live is None:
            return
        commits, now = file.commits, self._clock.now()
        if not self._whole and not self._noted and self._is_as_it_was(file):
            self._upto = now
            return
        try:
            await self._follow(live)
        except Unavailable as error:
            self._failed(error.message)
            return
        self._commits = commits
        self._done(now)

    def _is_as_it_was(self, file: HistoryFile) -> bool:
        if self._clock.monotonic() - self._wholly_at >= WHOLE_EVERY:
            self._compare_all()
            return False
        return file.commits == self._commits

    def _done(self, began: float) -> None:
        self._upto = began
        self._retry_after = FIRST_RETRY
        if self._problem is not None:
            log.warning("%s", ALL_THERE)
        self._problem = None
        if self._has_told:
            self._has_told = False
            self.told(ALL_THERE, False)

    def _failed(self, sentence: str) -> None:
        self._compare_all()
        if sentence != self._problem and not self._closed and self._server.condition.connected:
            log.error("%s: %s", NOT_THERE, sentence)
            self._has_told = True
            self.told(f"{NOT_THERE}: {sentence}", True)
        if self._problem is not None:
            self._retry_after = min(2 * self._retry_after, LAST_RETRY)
        self._problem = sentence

    # ------------------------------------------------------------------ what

    async def _follow(self, sides: Sides) -> None:
        seen = await sides.here(glance)
        if seen.turn != self._turn:  # history.db is another one than it was
            self._compare_all()
        if self._whole:
            await self._begin_turn(sides, seen)
        noted, self._noted = self._noted, set()
        for each in LOGS:
            await self._part(sides, each, seen, noted if each.name == "trace" else set())

    async def _begin_turn(self, sides: Sides, seen: Glance) -> None:
        """Everything is compared; first comes what a new or older history.db has lost."""
        if seen.turn < await sides.there(turn_there):
            brought = {each.name: await bring(sides, each, rests=False) for each in LOGS}
            if any(brought.values()):
                log.warning("what history.db had not came back from the database: %s", in_words(brought))
        self._turn = await next_turn(sides)
        self._whole, self._noted = False, set()
        for each in LOGS:
            await send(sides, each)
            self._units[each.name] = await count_there(sides, each)
        self._hot, self._last = seen.hot, seen.last
        self._wholly_at = self._clock.monotonic()

    async def _part(self, sides: Sides, each: Log, seen: Glance, noted: set[int]) -> None:
        name = each.name
        if not noted and (seen.units[name], seen.last[name]) == (self._units[name], self._last[name]):
            return
        self._units[name] += await send(sides, each, min(self._hot[name], seen.hot[name]), noted)
        now = await sides.here(glance)
        if now.units[name] < self._units[name]:  # something went that was not looked at
            self._units[name] += await send(sides, each)
        self._hot[name], self._last[name] = now.hot[name], seen.last[name]

    # ------------------------------------------------------------------ the end

    async def pause(self, patience: float) -> None:
        """Look no more, until `finish`: history.db is about to be closed. What is under way gets so many seconds."""
        self._closed = True
        if self._live is not None:
            self._live.ended = True
        if self._timer is not None:
            self._timer()
            self._timer = None
        looking = self._looking
        if looking is not None:
            await asyncio.wait([looking], timeout=patience)
            if not looking.done():
                looking.cancel()
                await asyncio.wait([looking])

    async def finish(self, patience: float) -> bool:
        """Send what is left, for so many seconds at most, once history.db is closed; whether they are in step then."""
        await self.pause(patience)
        try:
            async with asyncio.timeout(patience):
                if self._file is None or not self._server.condition.connected:
                    return False
                with _closed_file(self._file.path) as connection:
                    await self._follow(Resting(connection, self._server.write))
        except (TimeoutError, Unavailable):
            return False
        return True


@contextmanager
def _closed_file(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(open_database(path, HISTORY, check=False)) as history:
            yield history
    except (sqlite3.Error, Damaged) as error:
        raise Unavailable(f"{path.name} cannot be read: {said(error)}") from None
