"""A server and a history.db that are killed under load: each message, change and trace is in the database once."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.history import change_rows, message_rows
from hallway.store.postgres import log_replica
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect, kill_often
from tests.store.homes import until
from tests.store.postgres.logging_home import LoggingHome, rows_there

KILLS = 12


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed(
    mortal: PostgresServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_replica, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(log_replica, "FIRST_RETRY", 0.05)
    chance = random.Random(3)
    server = await connect(mortal.new_database())
    home = LoggingHome(tmp_path, server)
    stop = asyncio.Event()
    doubled: list[str] = []

    async def life() -> None:
        while not stop.is_set():
            await home.happens(chance.randrange(1, 400))
            if chance.random() < 0.2:
                await home.merge()
            if chance.random() < 0.1:
                gone = [chance.randrange(1, 3000) for _ in range(20)]
                home.file.submit(partial(message_rows.delete, numbers=gone))
                home.file.submit(lambda link: change_rows.shrink(link, 500_000, most=2))
            await asyncio.sleep(0.01)

    async def watch() -> None:
        """Other programs never see a change twice."""
        while not stop.is_set():
            await asyncio.sleep(0.02)
            try:
                found = await server.read(
                    lambda link: link.fetch("SELECT seq FROM change GROUP BY seq, at HAVING count(*) > 1")
                )
            except Unavailable:  # it is away
                continue
            doubled.extend(str(row) for row in found)

    at_work = [asyncio.create_task(life()), asyncio.create_task(watch())]
    await kill_often(mortal, server, KILLS, chance, 0.5)
    stop.set()
    await asyncio.gather(*at_work)
    await until(lambda: server.condition.connected)
    await home.in_step()
    there = await rows_there(server)
    assert there == home.here()
    assert min(map(len, there.values())) > 50
    assert doubled == []
    await home.close()


class Ending:
    """Ends what sends before one of its steps, as a kill would."""

    def __init__(self, home: LoggingHome, steps: int) -> None:
        assert home.replica is not None
        self._live = home.replica._live
        self.left = steps

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            assert self._live is not None
            self._live.ended = True
            raise Unavailable("killed")


async def test_what_was_cut_off_at_any_step_goes_on_where_it_was(
    connect: Connect, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_replica, "LOOK_EVERY", 0.01)
    server = await connect(database)
    steps = range(1, 26, 2)
    for number in steps:
        home = LoggingHome(tmp_path, server, seed=number)
        ending = Ending(home, number)
        assert home.replica is not None
        monkeypatch.setattr(home.replica._live, "_go_on", ending)
        await home.happens(60)
        await until(partial(_is_over, ending))
        await home.close(0)
    home = LoggingHome(tmp_path, server, seed=100)
    await home.in_step()
    there = await rows_there(server)
    assert there == home.here()
    assert len({row[2] for row in there["change"]}) == len(there["change"]) == len(steps) * 60
    await home.close()


def _is_over(ending: Ending) -> bool:
    return ending.left <= 0
