"""A directory without a home takes it from the database, and the one that had it before may write no more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.store.database import DATABASE_FILE
from hallway.store.postgres.fetching import ARRIVING, fetch_home
from hallway.store.postgres.home_tables import DEFINITION, TABLES, snapshot
from hallway.store.postgres.identity import KEY, KIND, Claim
from hallway.store.redo import read_segments
from hallway.store.store import Store
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.homes import HTTP, build, differences, look, until
from tests.store.postgres.living import Living


async def kept_elsewhere(connect: Connect, url: str, directory: Path) -> Living:
    server = await connect(url)
    living = Living(directory, server)
    living.home.report("sensor.one", "a\0b\u2400", {"text": "\0 \u241b"}, HTTP)
    living.home.set_variable("text", "hello \0", HTTP)
    living.home.act("dimmer", "changeDimlevelTo", {"dimlevel": 40}, HTTP)
    for number in range(5):
        living.home.pages.add({"id": f"page{number}", "name": str(number)}, HTTP)
        await living.store.define("user", "ann", {"x": number}, "ann", "test")
    await until(living.in_step)
    assert await living.close()
    await server.close()
    return living


async def test_a_new_machine_takes_the_home_with_all_its_versions(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    living = await kept_elsewhere(connect, database, tmp_path / "old")
    told = fetch_home(tmp_path / "new", database, living.clock)
    assert "the home was taken from postgresql://ann@127.0.0.1" in str(told)
    assert "ss:word" not in str(told)
    with snapshot(tmp_path / "new" / DATABASE_FILE) as new, snapshot(living.path) as old:
        assert new.seq == old.seq
        for table in TABLES:
            here, there = (set(home.connection.execute(table.everything)) for home in (old, new))
            assert {row for row in there - here if row[:2] != (KIND, KEY)} == set()
            assert here <= there
    store = Store.open(tmp_path / "new", VirtualClock())
    assert differences(look(living.home), look(build(VirtualClock(), store))) == []
    assert len(store.history("user", "ann")) == 5
    await store.close()
    assert fetch_home(tmp_path / "new", database, living.clock) is None


async def test_the_directory_that_had_it_before_is_refused_from_then_on(
    connect: Connect, database: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    living = await kept_elsewhere(connect, database, tmp_path / "old")
    fetch_home(tmp_path / "new", database, living.clock)
    old = await connect(database, wait=False)
    await until(lambda: "taken over by another directory" in str(old.condition.problem))
    await old.close()
    store = Store.open(tmp_path / "new", VirtualClock())
    known = store.definitions(KIND)[KEY].body
    await store.close()
    await connect(database, Claim("hub", str((known or {})["incarnation"])))
    other = await connect(database + "?schema=another", Claim("another", "x"))
    assert other.condition.connected


async def test_another_home_is_not_written_over(connect: Connect, database: str, tmp_path: Path) -> None:
    living = await kept_elsewhere(connect, database, tmp_path / "old")
    other = await connect(database, Claim("another hub", "first"), wait=False)
    await until(lambda: "holds another home (hub hub, this is another hub)" in str(other.condition.problem))
    with pytest.raises(Unavailable, match="holds another home"):
        await other.read(lambda link: link.fetch(DEFINITION.everything))
    assert living.here()


async def test_an_empty_database_holds_no_home(database: str, tmp_path: Path) -> None:
    assert fetch_home(tmp_path / "new", database, VirtualClock()) is None
    assert not (tmp_path / "new" / DATABASE_FILE).exists()


async def test_nothing_begins_anew_while_the_database_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"there is no home.db in .*cannot be asked") as error:
        fetch_home(tmp_path / "new", "postgresql://ann:ss%3Aword@127.0.0.1:1/home", VirtualClock())
    assert "ss:word" not in error.value.message
    assert not (tmp_path / "new" / DATABASE_FILE).exists()


async def test_a_copy_that_was_cut_short_is_begun_anew(connect: Connect, database: str, tmp_path: Path) -> None:
    living = await kept_elsewhere(connect, database, tmp_path / "old")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ARRIVING).write_bytes(b"SQLite format 3\0 half")
    assert fetch_home(tmp_path / "new", database, living.clock) is not None
    assert not (tmp_path / "new" / ARRIVING).exists()


def as_killed(directory: Path, living: Living) -> None:
    """The files of a home as they are while it runs, in another directory, without its home.db."""
    directory.mkdir()
    for name in (f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", "redo.0", "redo.1", "hub.lock"):
        shutil.copy(living.path.with_name(name), directory / name)


async def test_what_a_killed_hub_left_of_a_home_that_was_removed_is_kept_out_of_the_one_that_comes(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    await kept_elsewhere(connect, database, tmp_path / "old")
    shutil.copytree(tmp_path / "old", tmp_path / "own_way")
    apart = Living(tmp_path / "own_way", await connect(database + "?schema=other"))
    for number in range(5):
        apart.home.report("sensor.one", f"gone {number}", {}, HTTP)
        apart.home.pages.add({"id": f"gone{number}", "name": "gone"}, HTTP)
    await until(lambda: apart.store.statistics().queued == 0)
    apart.home.pages.add({"id": "last", "name": "gone"}, HTTP)
    as_killed(tmp_path / "new", apart)
    await apart.close()
    assert read_segments(tmp_path / "new")
    assert fetch_home(tmp_path / "new", database, apart.clock) is not None
    store = Store.open(tmp_path / "new", VirtualClock())
    assert store.problem is None
    came = build(VirtualClock(), store)
    assert came.entities.states["sensor.one"].state == "a\0b\u2400"
    assert sorted(store.definitions("page")) == [f"page{number}" for number in range(5)]
    await store.close()
    kept = {path.name.partition(".left-")[0] for path in (tmp_path / "new").glob("*.left-*")}
    assert f"{DATABASE_FILE}-wal" in kept
    assert kept & {"redo.0", "redo.1"}
