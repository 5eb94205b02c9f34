"""A home that is kept and has a replica, and what stands on both sides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from hallway.clock import SystemClock
from hallway.home.home import Home
from hallway.store.database import DATABASE_FILE
from hallway.store.postgres.home_tables import TABLES, inwards, snapshot
from hallway.store.postgres.replica import Replica
from hallway.store.postgres.server import Server
from hallway.store.store import Store
from tests.store.homes import build

Rows = dict[str, list[tuple[object, ...]]]


class Living:
    """A home that is kept, and its replica."""

    def __init__(self, directory: Path, server: Server) -> None:
        loop = asyncio.get_running_loop()
        self.clock = SystemClock(loop)
        self.path = directory / DATABASE_FILE
        self.store = Store.open(directory, self.clock, 0.01)
        self.home: Home = build(self.clock, self.store)
        self.store.attach(self.home, loop)
        self.replica = Replica(server, self.path, self.clock, self.store.saved.seq)
        self.store.follow(self.replica)

    def in_step(self) -> bool:
        return self.store.statistics().queued == 0 and self.replica.standing.in_step

    def here(self) -> Rows:
        with snapshot(self.path) as home:
            return {table.name: sorted(home.connection.execute(table.everything), key=repr) for table in TABLES}

    async def close(self) -> bool:
        await self.store.close()
        return await self.replica.finish(100)


async def over_there(url: str) -> Rows:
    connection = await asyncpg.connect(url, server_settings={"search_path": "hallway"})
    try:
        rows = {table.name: await connection.fetch(table.everything) for table in TABLES}
        return {name: sorted((inwards(tuple(row)) for row in found), key=repr) for name, found in rows.items()}
    finally:
        await connection.close()
