"""Messages, changes and traces in PostgreSQL are those in history.db, whatever becomes of either of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.store.history import change_rows, message_rows
from hallway.store.history.change_block import pack
from hallway.store.history.change_reading import unpack
from hallway.store.history.damage import Damage
from hallway.store.postgres import log_replica
from hallway.store.postgres.change_columns import from_row, to_row
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.history.happenings import as_kept, changes
from tests.store.homes import until
from tests.store.postgres.logging_home import LoggingHome, rows_here, rows_there


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked every few milliseconds."""
    monkeypatch.setattr(log_replica, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(log_replica, "FIRST_RETRY", 0.05)


@settings(max_examples=200)
@given(st.data())
def test_every_change_comes_back_as_it_was(data: st.DataObject) -> None:
    kept = as_kept(data.draw(changes(data.draw(st.integers(1, 9)), 1_800_000_000.123)))
    (change,) = unpack(pack([kept])[1])
    assert from_row(to_row(1, 0, change)[2:]) == change


async def test_all_that_is_written_gets_there(connect: Connect, database: str, tmp_path: Path) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.in_step()
    for count in (1, 30, 3000, 40):
        await home.happens(count)
        await home.in_step()
        assert await rows_there(server) == home.here()
    await home.merge()
    await home.in_step()
    there = await rows_there(server)
    assert there == home.here()
    assert len(there["change"]) == 3071
    assert len(there["message"]) == 308
    await home.happens(25)
    assert await home.close()
    assert await rows_there(server) == home.here()


async def test_what_goes_here_goes_there(connect: Connect, database: str, tmp_path: Path) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(6000)
    await home.in_step()
    before = len((await rows_there(server))["change"])
    home.file.submit(lambda link: message_rows.delete(link, [1, 2, 70, 600]))
    home.file.submit(lambda link: link.execute("DELETE FROM trace WHERE id IN (SELECT id FROM trace LIMIT 30)"))
    home.file.submit(lambda link: change_rows.shrink(link, 0, most=1)).result()
    await home.in_step()
    there = await rows_there(server)
    assert there == home.here()
    assert 0 < len(there["change"]) < before
    home.file.submit(lambda link: message_rows.delete(link, list(range(1000)))).result()
    await home.happens(3)
    await home.in_step()
    assert await rows_there(server) == home.here()
    await home.close()


async def test_they_are_looked_at_by_other_programs(
    connect: Connect, database: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(200)
    await home.in_step()

    def asked(statement: str) -> str:
        return postgres_server.sql(statement, database.rpartition("/")[2])

    assert asked("SELECT count(*) FROM hallway.changes WHERE at > now() - interval '100 years'") == "200"
    assert asked("SELECT count(*) FROM hallway.changes WHERE kind = 'updated' AND owner LIKE 'sensor%'") != "0"
    assert (
        asked("SELECT bool_and(new ->> 'temperature' IS NOT NULL) FROM hallway.changes WHERE owner = 'sensor1'") == "t"
    )
    assert asked("SELECT count(*) FROM hallway.messages WHERE 'two words' = ANY (tags)") != "0"
    assert asked("SELECT DISTINCT body ->> 'rule' FROM hallway.traces WHERE at > '2027-01-15'") == "night"
    await home.close()


async def test_a_history_that_is_lost_comes_back(connect: Connect, database: str, tmp_path: Path) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path / "old", server)
    await home.happens(5000)
    await home.close()
    kept = await rows_there(server)
    fresh = LoggingHome(tmp_path / "new", server, seed=2)
    await fresh.happens(500)
    await fresh.in_step()
    there = await rows_there(server)
    assert there == fresh.here()
    for name, place in (("message", 1), ("change", 2), ("trace", 0)):
        assert len(there[name]) > len(kept[name])
        assert {row[place:] for row in kept[name]} <= {row[place:] for row in there[name]}
    found = [change async for piece in fresh.changes.between(["device:sensor1"], 0, 2e9) for change in piece]
    assert found == sorted(found, key=lambda change: change.at < 0)
    assert len(found) == sum(row[6] == "sensor1" for row in there["change"])
    await fresh.close()


async def test_a_history_that_was_put_back_from_a_backup_loses_nothing_of_what_the_database_has(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(500)
    await home.close()
    backup = home.path.read_bytes()
    home = LoggingHome(tmp_path, server, seed=2)
    await home.happens(700)
    await home.close()
    kept = await rows_there(server)
    home.path.write_bytes(backup)
    home = LoggingHome(tmp_path, server, seed=3)
    await home.happens(300)
    await home.in_step()
    assert await rows_there(server) == home.here()
    assert len(home.here()["change"]) == len(kept["change"]) + 300
    assert len(home.here()["message"]) == len(kept["message"]) + 30
    await home.close()
    assert rows_here(home.path) == await rows_there(server)


async def test_a_trace_that_is_no_json_keeps_nothing_else_back(connect: Connect, database: str, tmp_path: Path) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(100)
    await home.written()
    home.file.submit(lambda link: link.execute("UPDATE trace SET body = x'ff00' WHERE id = 1001")).result()
    await home.happens(30)
    await home.in_step()
    there = await rows_there(server)
    assert there == home.here()
    assert [row[-1] for row in there["trace"] if row[0] == 1001] == [None]
    await home.close()


async def test_times_that_the_database_does_not_know_keep_nothing_back(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(100)
    await home.written()
    for column, beyond in (("message", 10**17), ("message", -(10**17)), ("trace", 1e300), ("trace", -1e300)):
        query = f"UPDATE {column} SET at = ? WHERE id = (SELECT max(id) - {beyond < 0} FROM {column})"
        home.file.submit(partial(_execute, query=query, given=(beyond,))).result()
    await home.happens(30)
    await home.in_step()
    assert await rows_there(server) == home.here()
    await home.close()


def _execute(history: sqlite3.Connection, query: str, given: tuple[object, ...]) -> None:
    history.execute(query, given)


async def test_a_block_that_is_broken_keeps_nothing_else_back(connect: Connect, database: str, tmp_path: Path) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(4000)
    await home.written()
    home.file.submit(lambda link: link.execute("UPDATE change_block SET body = x'00' WHERE id = 1")).result()
    await home.happens(30)
    await home.in_step()
    assert await rows_there(server) == home.here()
    await home.close()


async def test_while_the_hub_cannot_read_its_file_it_is_told(connect: Connect, database: str, tmp_path: Path) -> None:
    server = await connect(database)
    with closing(sqlite3.connect(tmp_path / "history.db")) as newer:
        newer.execute("PRAGMA user_version = 99")
    home = LoggingHome(tmp_path, server)
    await until(lambda: home.replica is not None and home.replica.standing.problem is not None)
    assert home.replica is not None
    assert "newer hallway" in str(home.replica.standing.problem)
    assert not home.replica.standing.in_step
    assert not await home.close()


async def test_a_damaged_history_is_mended_and_gets_back_what_was_lost(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    server = await connect(database)
    home = LoggingHome(tmp_path, server)
    await home.happens(6000)
    await home.close()
    kept = await rows_there(server)
    _damage(home.path)
    home = LoggingHome(tmp_path, server, seed=2)
    damage = Damage(home.file, home.clock, _nothing, lambda _sentence: None)
    damage.watch()
    await until(lambda: damage.problem is not None)
    await home.in_step()
    there = await rows_there(server)
    assert there == home.here()
    for name, place in (("message", 1), ("change", 2), ("trace", 0)):
        assert {row[place:] for row in there[name]} == {row[place:] for row in kept[name]}
        assert len(there[name]) == len(kept[name])
    await damage.close()
    await home.close()


def _damage(path: Path) -> None:
    with path.open("r+b") as file:
        for page in range(20, 60):
            file.seek(page * 4096)
            file.write(b"\xaa" * 4096)


async def _nothing() -> None:
    """The past is looked at again."""
