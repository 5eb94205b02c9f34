"""When generations are made, and how many are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.home import Home
from hallway.store import generations
from hallway.store.database import Damaged
from hallway.store.generation_times import Keeping
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build_kept, committed, until

DAY = 86400


class Kept:
    """A home that is kept safe."""

    def __init__(self, store: Store, clock: VirtualClock, directory: Path) -> None:
        self.store, self.clock, self.directory = store, clock, directory
        self.home: Home = build_kept(clock, store)
        store.attach(self.home, asyncio.get_running_loop())
        self.damage: list[str] = []
        self.keeping = Keeping(self.home.changes, clock, directory / "home.db", self.damage.append)
        self.keeping.start()
        self._edits = 0

    async def edit(self) -> None:
        self._edits += 1
        self.home.add_device({"id": f"d{self._edits}", "class": "DummySwitch"}, "store", HTTP)
        self.clock.advance(5)
        await until(lambda: self.store.statistics().queued == 0)

    async def wait(self, seconds: float) -> int:
        """How many there are then, with the one that is being made."""
        self.clock.advance(seconds)
        if self.keeping._task is not None:
            await self.keeping._task
            await asyncio.sleep(0)  # who waits for it hears of it, and so does the keeping itself
        return self.count()

    async def settled(self) -> int:
        """The one after the start is made and long ago."""
        await self.wait(30)
        return await self.wait(700)

    def count(self) -> int:
        return len(generations.listed(self.directory))


@pytest.fixture
async def kept(open_store: OpenStore, clock: VirtualClock, directory: Path) -> Kept:
    return Kept(open_store(), clock, directory)


async def test_one_is_made_soon_after_the_start_if_there_is_none_of_it(kept: Kept, open_store: OpenStore) -> None:
    assert await kept.wait(29) == 0
    assert await kept.wait(1) == 1
    await kept.store.close()
    await kept.keeping.finish()
    again = Kept(open_store(), kept.clock, kept.directory)
    assert await again.wait(1000) == 1
    await again.keeping.finish()


async def test_one_is_made_when_nobody_has_edited_for_a_minute(kept: Kept) -> None:
    assert await kept.settled() == 1
    await kept.edit()
    assert await kept.wait(30) == 1
    await kept.edit()
    assert await kept.wait(50) == 1
    assert await kept.wait(10) == 2
    assert await kept.wait(5000) == 2


async def test_edits_that_do_not_end_wait_ten_minutes_at_most(kept: Kept) -> None:
    await kept.settled()
    for _ in range(24):
        await kept.edit()
        await kept.wait(25)
    assert kept.count() == 2


async def test_no_two_are_made_in_ten_minutes(kept: Kept) -> None:
    await kept.settled()
    for _ in range(3):
        await kept.edit()
        await kept.wait(100)
    assert kept.count() == 2


async def test_values_make_none(kept: Kept) -> None:
    await kept.edit()
    assert await kept.wait(700) == 1
    kept.home.act("d1", "turnOn", {}, HTTP)
    assert await kept.wait(5000) == 1


async def test_the_last_edits_are_kept_at_the_end(kept: Kept) -> None:
    await kept.settled()
    await kept.edit()
    await kept.store.close()
    await kept.keeping.finish()
    assert kept.count() == 2


async def test_damage_that_is_found_over_it_is_told_and_nothing_is_kept(kept: Kept) -> None:
    await kept.edit()
    await kept.store.close()
    data = bytearray((kept.directory / "home.db").read_bytes())
    data[2048:] = b"\xa5" * (len(data) - 2048)
    (kept.directory / "home.db").write_bytes(data)
    await kept.keeping.finish()
    assert kept.damage
    assert kept.count() == 0


def test_the_newest_ten_and_one_of_each_day_are_kept_and_those_before_upgrades(
    open_store: OpenStore, clock: VirtualClock, directory: Path
) -> None:
    async def fill() -> None:
        store = Store.open(directory, clock)
        await store.close()

    asyncio.run(fill())
    for number in range(60):
        upgrade = 3 if number in (1, 2, 3, 4) else None
        generations.keep(directory / "home.db", 1_800_000_000 + number * DAY / 4, upgrade_from=upgrade)
    found = [path.name for path in generations.listed(directory)]
    assert len([name for name in found if "schema" in name]) == 3
    plain = [name for name in found if "schema" not in name]
    assert len(plain) <= 10 + 7
    assert len({name[5:13] for name in plain}) == 7
    assert plain[0] == "home-20270130T020000Z.db"
    assert not list((directory / "generations").glob("*.new"))
    assert len(list(generations.good(directory))) == len(found)


def test_a_generation_of_what_is_no_home_is_none(tmp_path: Path) -> None:
    (tmp_path / "home.db").write_bytes(b"a letter to the editor" * 100)
    with pytest.raises(Damaged):
        generations.keep(tmp_path / "home.db", 1.0)
    assert generations.listed(tmp_path) == []


async def test_a_generation_has_what_was_committed(kept: Kept) -> None:
    await kept.edit()
    await committed(kept.store, kept.clock)
    path = await asyncio.to_thread(generations.keep, kept.directory / "home.db", kept.clock.now())
    (found,) = generations.good(kept.directory)
    assert found == (path, kept.home.changes.seq)
    assert generations.newest_seq(kept.directory) == found.seq
