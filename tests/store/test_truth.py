"""What the hub knows of its definitions while it runs: it does not grow with what is made and removed again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.home import Home
from hallway.store import generations
from hallway.store.definitions import MOST_REMOVED
from hallway.store.store import Store
from hallway.store.truth import MOST_GONE
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build_kept, committed, until
from tests.store.test_repair import Spoil, deleted, overwritten

PRESENT = 3


async def attached(store: Store, clock: VirtualClock) -> Home:
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    return home


def come_and_go(home: Home, begin: int, end: int) -> None:
    for number in range(begin, end):
        home.add_variable({"name": f"passing-{number}", "value": number}, HTTP)
        home.remove_variable(f"passing-{number}", HTTP)


def kept_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(DISTINCT id) FROM definition WHERE kind = 'variable'").fetchone()
    return int(count)


async def test_what_comes_and_goes_for_ever_takes_no_more_room(
    open_store: OpenStore, clock: VirtualClock, directory: Path
) -> None:
    store = open_store()
    home = await attached(store, clock)
    for number in range(PRESENT):
        home.add_variable({"name": f"staying-{number}", "value": number}, HTTP)
    counts = []
    for begin in range(0, 5000, 1000):
        come_and_go(home, begin, begin + 1000)
        await committed(store, clock)
        counts.append(len(store._newest))
    assert counts == [PRESENT + each for each in (1000, MOST_GONE, MOST_GONE, MOST_GONE, MOST_GONE)]
    assert kept_in(directory / "home.db") == PRESENT + MOST_REMOVED
    assert store.revisions.present("variable", "passing-0") == 0
    assert store.revisions.present("variable", "passing-4999") == store.revisions.newest()
    assert store.revisions.present("variable", "staying-0") > 0
    home.add_variable({"name": "passing-0", "value": 7}, HTTP)
    assert store.revisions.present("variable", "passing-0") == store.revisions.newest()
    await store.close()

    again = open_store()
    await attached(again, clock)
    assert len(again._newest) == PRESENT + 1 + MOST_REMOVED
    await again.close()


@pytest.mark.parametrize("spoil", [deleted, overwritten])
async def test_what_was_removed_before_all_that_is_known_does_not_come_back_with_an_older_file(
    open_store: OpenStore, clock: VirtualClock, directory: Path, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    monkeypatch.setattr("hallway.store.truth.MOST_GONE", 2)
    store = open_store()
    home = await attached(store, clock)
    for name in ("staying", "gone"):
        home.add_variable({"name": name, "value": 1}, HTTP)
    await committed(store, clock)
    generations.keep(directory / "home.db", clock.now())
    home.remove_variable("gone", HTTP)
    come_and_go(home, 0, 5)
    await committed(store, clock)
    spoil(directory / "home.db")
    home.add_variable({"name": "new", "value": 2}, HTTP)
    clock.advance(5)
    await until(lambda: store.statistics().queued == 0 and store.problem is not None)
    await store.close()
    again = open_store()
    assert again.definitions("variable").keys() == {"staying", "new"}
    await again.close()
