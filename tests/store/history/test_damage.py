"""A damaged history.db is replaced by a fresh one that holds what could be saved, while the home runs on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.home.past import Sample, Series
from hallway.store.history import damage
from hallway.store.history.damage import NOT_BEFORE, Damage
from hallway.store.history.history import REOPEN_AFTER
from tests.store.history.pasts import Past, told
from tests.store.homes import until

T0 = 1_800_000_000.0
TEMPERATURE = Series("attribute", "outside", "temperature")
LAMP = Series("entity", "light.lamp")


class Watched:
    """A past whose file is watched, and what was said of it."""

    def __init__(self, directory: Path) -> None:
        self.clock = VirtualClock(T0)
        self.past = Past(directory, self.clock)
        self.path = directory / "history.db"
        self.said: list[str] = []

    async def open(self) -> None:
        await self.past.open(ready=False)
        self.damage = Damage(self.past.file, self.clock, self.past.store.replaced, self.said.append)
        self.damage.watch()

    async def mended(self) -> None:
        """Wait until it has been replaced and is open again."""
        await until(lambda: bool(self.said))
        self.clock.advance(REOPEN_AFTER)
        await until(lambda: self.past.store.flow.open)

    async def close(self) -> None:
        await self.damage.close()
        await self.past.close()

    async def samples(self, series: Series) -> list[Sample]:
        return await told(self.past.store.columns([series]))

    def aside(self) -> list[str]:
        return [path.name for path in self.path.parent.iterdir() if ".damaged-" in path.name]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """Something is in the archive, something in the tail."""
    watched = Watched(tmp_path)
    await watched.open()
    await watched.past.store.ready()
    for number in range(3000):
        watched.past.record(TEMPERATURE, T0 + number * 60, float(number % 97))
        watched.past.record(LAMP, T0 + number * 60, "on", {"attributes": {"number": number}})
    await watched.past.store.flow.fold()
    watched.past.record(TEMPERATURE, T0 + 10**6, 1.5)
    yield watched
    await watched.close()


def no_database(data: bytes) -> bytes:
    return b"this is a letter to the editor. " * 200


def no_schema(data: bytes) -> bytes:
    return data[:100] + b"\xa5" * 3996 + data[4096:]


@pytest.mark.parametrize("harm", [no_database, no_schema])
async def test_a_file_that_cannot_be_opened_is_replaced_and_the_home_goes_on(
    watched: Watched, harm: Callable[[bytes], bytes]
) -> None:
    await watched.close()
    watched.path.write_bytes(harm(watched.path.read_bytes()))
    await watched.open()
    watched.past.record(LAMP, T0 + 2 * 10**6, "off", {"attributes": {}})
    await watched.mended()
    assert "history.db was damaged" in watched.said[0]
    assert watched.aside()
    assert (await watched.samples(LAMP))[-1] == Sample(T0 + 2 * 10**6, "off", {"attributes": {}})
    if harm is no_schema:
        assert len(await watched.samples(TEMPERATURE)) > 2900


async def test_what_is_in_memory_is_not_lost_with_the_file_and_old_numbers_keep_their_names(watched: Watched) -> None:
    flow = watched.past.store.flow
    await flow.flush()
    watched.damage._begin("a test says so")
    watched.past.record(TEMPERATURE, T0 + 10**6 + 1, 2.5)
    await watched.mended()
    assert watched.said == [watched.damage.problem]
    assert "none is known to be lost" in watched.said[0]
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)
    assert await watched.samples(LAMP) == watched.past.of(LAMP)
    assert {known.series for known in await watched.past.store.known()} == {TEMPERATURE, LAMP}
    watched.damage._begin("again")  # a disk that damages each new file must not be filled with them
    await asyncio.sleep(0)
    assert len(watched.said) == len(watched.aside()) == 1
    watched.clock.advance(NOT_BEFORE)
    watched.damage._begin("again")
    await watched.damage.close()
    assert len(watched.said) == len(watched.aside()) == 2


async def test_the_whole_file_is_looked_through_when_a_hub_was_killed(watched: Watched, tmp_path: Path) -> None:
    looked: list[bool] = []

    async def look() -> str | None:
        looked.append(True)
        return "a page is torn"

    await watched.damage.check(look)
    assert not looked
    keeper = sqlite3.connect(watched.path)
    keeper.execute("SELECT * FROM series").fetchall()
    watched.past.record(TEMPERATURE, T0 + 10**6 + 5, 3.5)
    await watched.past.store.flow.flush()
    await watched.close()
    keeper.execute("CREATE TABLE left (open)")  # the WAL is there as after a kill
    await watched.open()
    assert watched.past.file.left_open
    keeper.close()
    await watched.past.store.ready()
    await watched.damage.check(look)
    await watched.mended()
    assert looked
    assert "a page is torn" in watched.said[0]
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)


def refuses(*_given: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["open_database", "salvage", "take_place"])
async def test_a_disk_that_refuses_costs_nothing_and_leaves_nothing_behind(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await watched.past.store.flow.flush()
    with monkeypatch.context() as patch:
        patch.setattr(damage, step, lambda *_given, **_more: refuses())
        watched.damage._begin("page 1\nis torn\n" * 50)
        await watched.damage.close()
    assert "cannot be replaced: No space left on device" in watched.said[0]
    assert "\n" not in watched.said[0]
    assert len(watched.said[0]) < 400
    assert {path.suffix for path in watched.path.parent.iterdir()} & {".new", ".next"} == set()
    assert len(watched.aside()) == (step == "take_place")
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)
    watched.clock.advance(NOT_BEFORE)
    watched.damage._begin("again")
    await watched.damage.close()
    assert "none is known to be lost" in watched.said[1]
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)


async def test_a_whole_file_that_waits_takes_the_place_of_the_damaged_one(watched: Watched) -> None:
    await watched.close()
    data = watched.path.read_bytes()
    watched.path.with_name("history.db.next").write_bytes(data)
    watched.path.write_bytes(no_schema(data))
    watched.path.with_name("history.db-wal").write_bytes(b"of the damaged one")
    await watched.open()
    await watched.past.store.ready()
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)
    assert not watched.path.with_name("history.db.next").exists()


async def test_a_file_whose_mending_was_cut_off_is_looked_through_again(watched: Watched) -> None:
    building = damage.building_of(watched.path)
    for found in ("a page is torn", None):
        building.write_bytes(b"half of it")

        async def look(found: str | None = found) -> str | None:
            return found

        await watched.damage.check(look)
        await watched.damage.close()
        assert not building.exists()
    assert len(watched.said) == 1
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)


def spoiled(watched: Watched, statement: str) -> None:
    """The file as after a byte has become another one; its closing folds the WAL."""
    with contextlib.closing(sqlite3.connect(watched.path)) as connection:
        connection.execute(statement)
        connection.commit()


NO_OWNER = "UPDATE {} SET owner = CAST(X'FF75747369646521' AS TEXT) WHERE kind = 'attribute'"
NO_TYPE = "UPDATE {} SET type = CAST(X'FF' AS TEXT) WHERE kind = 'attribute'"


@pytest.mark.parametrize("harm", [NO_OWNER, NO_TYPE])
async def test_a_text_that_is_none_is_damage_and_a_name_stands_once_more_elsewhere(watched: Watched, harm: str) -> None:
    await watched.close()
    spoiled(watched, harm.format("series"))
    await watched.open()
    await watched.mended()
    assert "history.db was damaged" in watched.said[0]
    assert "none is known to be lost" in watched.said[0]
    for series in (TEMPERATURE, LAMP):
        assert await watched.samples(series) == watched.past.of(series)


async def test_the_page_with_the_names_may_be_lost_while_the_hub_is_off(watched: Watched) -> None:
    await watched.close()
    with contextlib.closing(sqlite3.connect(watched.path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'series'").fetchone()
    data = watched.path.read_bytes()
    page = slice((root - 1) * 4096, root * 4096)
    assert b"temperature" in data[page]
    watched.path.write_bytes(data[: page.start] + bytes(4096) + data[page.stop :])
    await watched.open()
    await watched.mended()
    assert "none is known to be lost" in watched.said[0]
    for series in (TEMPERATURE, LAMP):
        assert await watched.samples(series) == watched.past.of(series)
    watched.past.record(TEMPERATURE, T0 + 10**6 + 1, 2.5)
    assert await watched.past.store.flow.flush()
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)


@pytest.mark.parametrize("harm", [NO_OWNER, NO_TYPE])
async def test_where_a_name_is_lost_in_both_places_it_is_said_and_the_rest_is_saved(
    watched: Watched, harm: str
) -> None:
    await watched.close()
    for table in ("series", "series_copy"):
        spoiled(watched, harm.format(table))
    await watched.open()
    await watched.mended()
    assert "history.db was damaged" in watched.said[0]
    assert "outside" not in watched.said[0]
    assert "1 are known to be lost" in watched.said[0]
    assert await watched.samples(LAMP) == watched.past.of(LAMP)
    watched.past.record(TEMPERATURE, T0 + 10**6 + 1, 2.5)
    assert await watched.past.store.flow.flush()
    assert (await watched.samples(TEMPERATURE))[-1].value == 2.5


@pytest.mark.parametrize("column", ["owner", "kind"])
async def test_a_value_of_another_kind_is_damage(watched: Watched, column: str) -> None:
    await watched.close()
    with contextlib.closing(sqlite3.connect(watched.path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = 'series'")
        connection.commit()
    spoiled(watched, f"UPDATE series SET {column} = X'AA' WHERE kind = 'attribute'")
    with contextlib.closing(sqlite3.connect(watched.path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'series'")
        connection.commit()
    await watched.open()
    await watched.mended()
    assert "something in it is not what it should be" in watched.said[0]
    for series in (TEMPERATURE, LAMP):
        assert await watched.samples(series) == watched.past.of(series)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"CREATE TABLE trace", b"CREATE\xc5TABLE trace"),  # what SQLite says of it is no text either
        (b"CREATE TABLE trace", b"CREATE TABXE trace"),
        (b"owner TEXT NOT NULL", b"ownex TEXT NOT NULL"),
    ],
)
async def test_one_letter_of_the_schema_costs_nothing(watched: Watched, right: bytes, wrong: bytes) -> None:
    await watched.close()
    data = watched.path.read_bytes()
    assert right in data[:4096]
    watched.path.write_bytes(data.replace(right, wrong, 1))
    await watched.open()
    await watched.mended()
    assert "history.db was damaged" in watched.said[0]
    for series in (TEMPERATURE, LAMP):
        assert await watched.samples(series) == watched.past.of(series)
    watched.past.record(TEMPERATURE, T0 + 10**6 + 1, 2.5)
    assert await watched.past.store.flow.fold()
    assert await watched.samples(TEMPERATURE) == watched.past.of(TEMPERATURE)


@pytest.mark.parametrize(("table", "column"), [("layer", "upto"), ("strand", "first"), ("strand", "count")])
async def test_nothing_where_a_number_should_be_is_damage(watched: Watched, table: str, column: str) -> None:
    await watched.close()
    with contextlib.closing(sqlite3.connect(watched.path)) as connection:
        (right,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    assert f"{column} INTEGER NOT NULL" in right
    wrong = right.replace(f"{column} INTEGER NOT NULL", f"{column} INTEGER")
    schema_says(watched.path, table, wrong)
    spoiled(watched, f"UPDATE {table} SET {column} = NULL")
    schema_says(watched.path, table, right)
    await watched.open()
    watched.past.record(TEMPERATURE, T0 + 10**6 + 1, 2.5)
    if column == "first":
        await watched.past.store.ready()
        with pytest.raises(Unavailable, match=r"history\.db cannot be read"):
            await watched.past.store.known()
    elif column == "count":
        await watched.past.store.ready()
        assert not await watched.past.store.flow.fold()
    await watched.mended()
    assert "something in it is not what it should be" in watched.said[0]
    for series in (TEMPERATURE, LAMP):
        assert await watched.samples(series) == watched.past.of(series)


def schema_says(path: Path, table: str, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, table))


async def test_a_file_with_nothing_in_it_is_said_but_the_first_start_is_silent(watched: Watched) -> None:
    async def look() -> None:
        return None

    await watched.damage.check(look)
    assert watched.said == []
    await watched.close()
    watched.path.write_bytes(b"")
    await watched.open()
    await watched.past.store.ready()
    await watched.damage.check(look)
    assert watched.said == [watched.damage.problem]
    assert "all that was recorded before is lost" in watched.said[0]


async def test_people_are_not_told_of_pages_and_where_pages_are_torn_no_number_is_said(watched: Watched) -> None:
    await watched.close()
    data = bytearray(watched.path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    watched.path.write_bytes(data)
    await watched.open()
    watched.damage._begin("Tree 5 page 5: btreeInitPage() returns error code 11")
    await watched.mended()
    assert "btreeInitPage" not in watched.said[0]
    assert "nobody knows how many are lost" in watched.said[0]
