"""The part of the composition root that keeps a home in a PostgreSQL database too, where `store: url` is set.

It is imported only then. It must not hold logic of what it connects.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hallway.clock import Clock, pause
from hallway.errors import HallwayError
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.store.database import DATABASE_FILE
from hallway.store.history.file import HistoryFile
from hallway.store.history.traces import TraceRows
from hallway.store.postgres.address import read_address
from hallway.store.postgres.archive import PostgresArchive
from hallway.store.postgres.fetching import fetch_home, this_one
from hallway.store.postgres.identity import KEY, KIND, Claim, check, is_nobodys
from hallway.store.postgres.log_replica import LogReplica
from hallway.store.postgres.replica import Replica
from hallway.store.postgres.replicating import refuse_later
from hallway.store.postgres.server import Condition, Server
from hallway.store.postgres.session import Connection, Refused
from hallway.store.store import Store

log = logging.getLogger(__name__)

CONTEXT: Final = Context("store")
TAGS: Final = ("store",)
PATIENCE: Final = 5.0
"""Seconds that the end of the hub waits for the database."""
AGAIN_AFTER: Final = 5.0
"""Seconds until it is tried again to keep the incarnation, while home.db cannot be written."""
BEGINS: Final = 5.0
"""Seconds from the start in which somebody asks for the past, and tells why that cannot be."""
EMPTY: Final = (
    ", but somebody has dropped what it held: samples that stood there alone are lost, unless a backup of the database "
    "has them; all else is sent to it again"
)
SOON: Final = 15.0
"""Logs that are no more seconds behind are in step: they are sent every few seconds."""


class Elsewhere:
    """From `start` to `finish`. archive: where samples come to rest."""

    def __init__(
        self, url: str, directory: Path, home: Home, store: Store, clock: Clock, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._home = home
        self._store = store
        self._clock = clock
        self._loop = loop
        self._path = directory / DATABASE_FILE
        self._claim = Claim(home.hub_id, "")
        self.server = Server(read_address(url), self._check, loop, clock.now)
        self.archive = PostgresArchive(self.server)
        self._replica = Replica(self.server, self._path, clock, store.saved.seq)
        self._logs = LogReplica(self.server, clock)
        self._replica.told = self._logs.told = self._tell
        self._back: Callable[[], None] = _nobody_waits
        self._beginning: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._said: str | None = None
        self._was_there = False
        self._is_empty = False
        self._started = clock.monotonic()

    @staticmethod
    def fetch(directory: Path, url: str, clock: Clock) -> None:
        """Take the home of a directory that has none out of the database. Unavailable: that cannot be asked."""
        told = fetch_home(directory, url, clock)
        if told is not None:
            log.warning("%s", told)

    @property
    def problem(self) -> str | None:
        """What is wrong with it, until it is there again and takes what it is sent."""
        if self._said is not None or not self.server.condition.connected:
            return self._said
        return self._replica.standing.problem or self._logs.standing.problem

    def status(self) -> Attributes:
        """How it does, as it is told: times in milliseconds since 1970, `behind` in changes, of logs in seconds."""
        condition, standing, logs = self.server.condition, self._replica.standing, self._logs.standing
        return {
            "address": str(self.server.address),
            "connected": condition.connected,
            "since": round(condition.since * 1000),
            "problem": standing.problem,
            "inStep": standing.in_step,
            "behind": standing.behind,
            "lastChange": standing.seq,
            "lastSent": None if standing.at is None else round(standing.at * 1000),
            "logs": {
                "inStep": logs.problem is None and logs.behind is not None and logs.behind <= SOON,
                "upTo": None if logs.upto is None else round(logs.upto * 1000),
                "behind": None if logs.behind is None else round(logs.behind, 1),
                "problem": logs.problem,
            },
        }

    def start(self, history: HistoryFile, traces: TraceRows, back: Callable[[], None]) -> None:
        """Connect, in the background. To be called once the store is attached. back: hears when the server is there."""
        self._back = back
        self._store.follow(self._replica)
        traces.when_written(self._logs.noted)
        self._logs.start(history)
        self.server.listen(self._say)
        self._beginning = asyncio.ensure_future(self._begin())

    async def _begin(self) -> None:
        """The directory must know which one it is before the database does."""
        kept = self._store.definitions(KIND).get(KEY)
        incarnation = None if kept is None or kept.body is None else kept.body.get("incarnation")
        if not isinstance(incarnation, str):
            incarnation = await self._made()
        self._claim = Claim(self._home.hub_id, incarnation)
        self.server.start()

    async def _made(self) -> str:
        """An incarnation that nobody else is, kept in home.db."""
        while True:
            incarnation = secrets.token_hex(8)
            made = this_one(incarnation, self._clock.now)
            try:
                await self._store.define(made.kind, made.id, made.body, made.author, made.door)
            except HallwayError as error:
                log.warning("the database waits for home.db: %s", error)
                await pause(self._clock, AGAIN_AFTER)
            else:
                return incarnation

    async def _check(self, connection: Connection) -> None:
        self._is_empty = self._is_empty or await is_nobodys(connection)
        await check(connection, self._claim, self.server.address)
        try:
            await refuse_later(connection, self._path, self.server.address)
        except Refused:
            self._loop.call_soon_threadsafe(self._leave)
            raise

    def _leave(self) -> None:
        """This directory went another way than the home in the database; that is known when it has counted on, too."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._become_another())

    async def _become_another(self) -> None:
        self._claim = Claim(self._home.hub_id, await self._made())

    def _say(self, condition: Condition) -> None:
        """Tell people that it is away or must not be used, and that it is back; at the start the past tells that."""
        begins = not self._was_there and self._clock.monotonic() - self._started < BEGINS
        if condition.problem is None:
            lost, self._is_empty = self._was_there and self._is_empty, False
            self._was_there = True
            if self._said is not None or lost:
                told = f"the database {self.server.address} is there again{EMPTY if lost else ''}"
                self._home.messages.say("error" if lost else "info", told, TAGS, CONTEXT)
            self._said = None
            self._back()
        elif not begins and condition.problem != self._said:
            self._said = condition.problem
            self._home.messages.say("error", condition.problem, TAGS, CONTEXT)

    def _tell(self, sentence: str, holds: bool) -> None:
        """Tell people what it does not take, though it is there, and that it takes it again."""
        self._home.messages.say("error" if holds else "info", sentence, TAGS, CONTEXT)

    async def pause(self) -> None:
        """Leave history.db alone: it is about to be closed."""
        await self._logs.pause(PATIENCE)

    async def finish(self) -> None:
        """Send what is left, if the database is there; to be called when the store and history.db are closed."""
        for task in (self._beginning, self._leaving):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        done = [await self._replica.finish(PATIENCE), await self._logs.finish(PATIENCE)]
        if not all(done):
            log.warning(
                "the database has not got the last changes: it gets them at the next start, unless it refuses this one"
            )
        await self.server.close()


def _nobody_waits() -> None:
    """Before the start."""
