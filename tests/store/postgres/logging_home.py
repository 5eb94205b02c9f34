"""A history.db that is written as a hub does it, its logs in PostgreSQL, and what stands on both sides."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import asyncpg
import msgspec

from hallway.clock import SystemClock
from hallway.home.changes import Context
from hallway.home.chronicle import TraceRow
from hallway.home.messages import Level, Message
from hallway.store.database import open_database
from hallway.store.history import message_rows
from hallway.store.history.changelog import ChangeLog
from hallway.store.history.file import FILE, HISTORY, HistoryFile
from hallway.store.history.traces import TraceRows
from hallway.store.postgres.log_replica import LogReplica
from hallway.store.postgres.logs import HIGHEST, LOGS, LOWEST, Row
from hallway.store.postgres.server import Server
from tests.store.history.happenings import a_week
from tests.store.homes import until

Rows = dict[str, list[Row]]
NOW = 1_800_000_000.0
LEVELS: tuple[Level, ...] = ("error", "warn", "info", "debug")


class Body(msgspec.Struct):
    """What a trace may hold."""

    rule: str
    text: str
    times: int


class LoggingHome:
    """A history.db in use; server: None for one that is nowhere else."""

    def __init__(self, directory: Path, server: Server | None, seed: int = 1) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = SystemClock(asyncio.get_running_loop())
        self.path = directory / FILE
        self.file = HistoryFile(self.path)
        self.changes = ChangeLog(self.file, self.clock, write_every=0.02)
        self.traces = TraceRows(self.file, self.clock, write_every=0.02)
        self.replica = None if server is None else LogReplica(server, self.clock)
        self._seed = seed
        self._chance = random.Random(seed)
        self._happening = a_week(10**6, 7 * 86_400, seed)
        self._trace = 1000 * seed
        self.messages = 0
        if self.replica is not None:
            self.traces.when_written(self.replica.noted)
            self.replica.start(self.file)

    async def happens(self, count: int) -> None:
        """So many changes, a tenth of that messages and traces, some of which were there before."""
        said = []
        for number in range(count):
            change = next(self._happening)
            self.changes.take(msgspec.structs.replace(change, seq=self._seed * 10**6 + change.seq))
            if number % 10 == 0:
                said.append(self._next_message())
                self.traces.keep(self._next_trace())

        await asyncio.wrap_future(self.file.submit(partial(_say, said=said)))

    def _next_message(self) -> message_rows.Row:
        self.messages += 1
        text = self._chance.choice(["it rains", "a\0b\u2400 \u241b", "ü 漢 😀", "x" * 300, ""])
        tags = self._chance.choice([(), ("rule",), ("rule", "two words"), ("",)])
        at = NOW + self._chance.randrange(10**6) / 1000
        said = Message(0, at, self._chance.choice(LEVELS), f"{self.messages} {text}", tags)
        return message_rows.row_of(0, said, Context("rule:a", self._chance.choice([None, "ann\0"]), 7))

    def _next_trace(self) -> TraceRow:
        again = self._chance.random() < 0.4
        self._trace += not again
        number = self._trace - self._chance.randrange(50) * again
        body = Body(
            "night",
            self._chance.choice(["\0", "ü 😀", "x" * 3000]),
            number,
        )
        at = NOW + self._chance.random() * 1000
        return TraceRow(max(number, 1), f"night{number % 3}", at, "did", number % 2 == 0, number or None, body)

    async def written(self) -> None:
        """Until nothing waits in memory."""
        await until(lambda: not self.changes._in_memory() and not self.traces._in_memory())

    async def in_step(self) -> None:
        await self.written()
        replica = self.replica
        assert replica is not None
        await until(lambda: replica.standing.in_step)

    async def merge(self) -> None:
        """As it is done while nobody reads."""
        await self.written()
        await self.changes._merge([small.id for small in self.changes._smalls or []])

    def here(self) -> Rows:
        return rows_here(self.path)

    async def close(self, patience: float = 100) -> bool | None:
        if self.replica is not None:
            await self.replica.pause(patience)
        await asyncio.gather(self.changes.close(), self.traces.close())
        await asyncio.to_thread(self.file.close)
        return None if self.replica is None else await self.replica.finish(patience)


def _say(history: sqlite3.Connection, said: Sequence[message_rows.Row]) -> None:
    numbered = [msgspec.structs.replace(row, number=number) for number, row in enumerate(said, 1)]
    message_rows.insert(history, message_rows.last_number(history), numbered)


def rows_here(path: Path) -> Rows:
    """All rows of the logs, as PostgreSQL has them."""
    found: Rows = {}
    with closing(open_database(path, HISTORY)) as history:
        for each in LOGS:
            units = history.execute(each.prints_here, (LOWEST, HIGHEST)).fetchall()
            found[each.name] = []
            for begin in range(0, len(units), 200):
                wanted = {number: print_ for number, print_, _weight in units[begin : begin + 200]}
                found[each.name] += each.flat(each.read(history, wanted))
    return found


async def rows_there(server: Server) -> Rows:
    """Likewise, from there."""

    async def fetched(link: asyncpg.Connection) -> Rows:
        return {each.name: [tuple(row) for row in await link.fetch(each.exact)] for each in LOGS}

    return await server.write(fetched)
