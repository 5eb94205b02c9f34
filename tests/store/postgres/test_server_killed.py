"""A server that is killed at any moment, 20 times, under load: nothing that was taken is lost, nothing stands twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from hallway.errors import Unavailable
from hallway.home.past import Series
from hallway.store.history.archive import SeriesRow, TailRow
from hallway.store.postgres.archive import PostgresArchive
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect, kill_often
from tests.store.homes import HTTP, until
from tests.store.postgres.living import Living, over_there

KILLS = 20
SERIES = [SeriesRow(number, Series("attribute", f"d{number}", "x"), "number", False) for number in range(1, 8)]


class Tail:
    """What waits for the archive: rows go when they were taken, as the tail of history.db does it."""

    def __init__(self, archive: PostgresArchive) -> None:
        self._archive = archive
        self._chance = random.Random(7)
        self.made: list[TailRow] = []
        self.refused = 0
        self.takes = 0

    async def live(self, stop: asyncio.Event) -> None:
        waiting: list[TailRow] = []
        while not stop.is_set() or waiting:
            if not stop.is_set() and len(waiting) < 10_000:
                fresh = [self._row(len(self.made) + number) for number in range(1, self._chance.randrange(2, 2000))]
                self.made += fresh
                waiting += fresh
            try:
                await self._archive.take(waiting[:2000], SERIES)
            except Unavailable:
                self.refused += 1
                await asyncio.sleep(0.02)
            else:
                self.takes += 1
                waiting = waiting[2000:]

    def _row(self, number: int) -> TailRow:
        more = b'{"attributes":{"a":%d}}' % (number // 1000) if number % 7 == 0 else None
        return TailRow(number, number % 7 + 1, 1_800_000_000_000 + number // 3, number / 2, more)

    async def there(self) -> list[tuple[int, object]]:
        found: list[tuple[int, object]] = []
        for series in SERIES:
            async for _taken, page in self._archive.pages(series.number, None, None):
                found += zip(page.ats, page.values, strict=True)
        return sorted(found)


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed_20_times(
    mortal: PostgresServer, connect: Connect, tmp_path: Path
) -> None:
    chance = random.Random(3)
    url = mortal.new_database()
    server = await connect(url)
    tail = Tail(PostgresArchive(server))
    living = Living(tmp_path / "home", server)
    stop = asyncio.Event()
    number = 0

    async def life() -> None:
        nonlocal number
        while not stop.is_set():
            number += 1
            living.home.report(f"sensor.s_{number % 9}", str(number), {"note": "x" * (number % 300)}, HTTP)
            living.home.act("dimmer", "changeDimlevelTo", {"dimlevel": number % 101}, HTTP)
            if number % 10 == 0:
                living.home.set_variable("text", number, HTTP)
                living.home.pages.add({"id": f"page{number}", "name": "0"}, HTTP)
                await living.store.define("user", f"ann{number % 7}", {"x": number}, "ann", "test")
            if number % 30 == 0:
                living.home.pages.remove(f"page{number - 10}", HTTP)
            await living.store.durable(living.home.changes.seq)
            await asyncio.sleep(0.002)

    at_work = [asyncio.create_task(life()), asyncio.create_task(tail.live(stop))]
    await kill_often(mortal, server, KILLS, chance, 0.4, lambda: tail.takes)
    stop.set()
    await asyncio.gather(*at_work)
    assert tail.refused >= KILLS / 2
    assert tail.takes > KILLS / 2
    assert await tail.there() == sorted((row.at, row.value) for row in tail.made)
    assert await PostgresArchive(server).check() is None
    await until(living.in_step)
    here, there = living.here(), await over_there(url)
    assert there["definition"] == here["definition"]
    assert there == here
    assert here["variable"]
    await living.close()
    assert await over_there(url) == living.here()
