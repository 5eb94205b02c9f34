"""The home in PostgreSQL is the one in home.db, without ever holding it up."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hallway.store.contents import tables_of
from hallway.store.database import open_database
from hallway.store.postgres.home_tables import TABLES
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.homes import HTTP, until
from tests.store.postgres.living import Living, over_there


def test_it_knows_every_table_and_column_of_home_db(tmp_path: Path) -> None:
    known = {table.name: set(table.columns) for table in TABLES}
    with closing(open_database(tmp_path / "home.db")) as home:
        found = {table.name: set(table.columns) for table in tables_of(home)}
    assert found.pop("progress") == {"one", "last_seq"}
    assert found == known


async def test_it_has_all_that_home_db_has(connect: Connect, database: str, tmp_path: Path) -> None:
    living = Living(tmp_path / "home", await connect(database))
    living.home.report("sensor.one", "a\0b\u2400", {"text": "\0 \u241b"}, HTTP)
    living.home.set_variable("text", "hello \0", HTTP)
    living.home.pages.add({"id": "it", "name": "0"}, HTTP)
    await living.store.define("user", "ann", {"x": 1}, "ann", "test")
    await until(living.in_step)
    assert await over_there(database) == living.here()
    assert living.replica.standing.behind == 0
    for number in range(30):
        living.home.pages.change("it", {"name": str(number)}, HTTP)
        living.home.act("dimmer", "changeDimlevelTo", {"dimlevel": number}, HTTP)
        await living.store.define("user", "ann", {"x": number}, "ann", "test")
    living.home.remove_device("somebody", HTTP)
    living.home.pages.remove("it", HTTP)
    await until(living.in_step)
    assert await over_there(database) == living.here()
    living.home.report("sensor.one", "last", {}, HTTP)
    assert await living.close()
    assert await over_there(database) == living.here()


async def test_what_happened_while_it_was_away_is_there_when_it_is_back(
    connect: Connect, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    server = await connect(database)
    living = Living(tmp_path / "home", server)
    await until(living.in_step)
    name = database.rpartition("/")[2]
    for number in range(3):
        living.home.report("sensor.one", str(number), {}, HTTP)
        await living.store.define("user", "ann", {"x": number}, "ann", "test")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname"
        postgres_server.sql(f"{cut} = '{name}'")
        living.home.report("sensor.two", str(number), {}, HTTP)
        living.home.set_variable("text", number, HTTP)
        await living.store.durable(living.home.changes.seq)
        await until(living.in_step)
        assert await over_there(database) == living.here()
    await living.close()


async def test_a_directory_that_was_left_behind_does_not_write_over_a_later_home(
    connect: Connect, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = await connect(database)
    living = Living(tmp_path / "home", server)
    for number in range(10):
        living.home.report("sensor.one", str(number), {}, HTTP)
    await living.close()
    kept = await over_there(database)
    await server.close()
    older = Living(tmp_path / "older", await connect(database))
    await until(lambda: older.replica.standing.problem is not None)
    assert "holds a later state of this home" in str(older.replica.standing.problem)
    assert "remove home.db to take the home from the database" in caplog.text
    assert not await older.close()
    assert await over_there(database) == kept
