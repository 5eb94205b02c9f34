"""Messages, changes and traces move with a home, both ways, and come back with one that was lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.store.database import DATABASE_FILE
from hallway.store.history.file import FILE
from hallway.store.postgres.address import read_address
from hallway.store.postgres.fetching import fetch_home
from hallway.store.postgres.moving import to_files, to_postgres
from hallway.store.postgres.session import used_by_hand
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.postgres.logging_home import LoggingHome, Rows, rows_here, rows_there
from tests.store.postgres.test_moving import claim_of, furnished, move


async def lived_in(directory: Path, seed: int, count: int = 1500) -> Rows:
    """More happens there while it is nowhere else."""
    home = LoggingHome(directory, None, seed)
    await home.happens(count)
    await home.close()
    return rows_here(home.path)


async def nothing(_connection: object) -> None:
    """The tables are made."""


def without_numbers(rows: Rows, name: str) -> Sequence[str]:
    place = {"message": 1, "change": 2, "trace": 0}[name]
    return sorted(repr(row[place:]) for row in rows[name])


def same_but_for_numbers(one: Rows, other: Rows) -> bool:
    return all(without_numbers(one, name) == without_numbers(other, name) for name in one)


async def test_there_and_back(connect: Connect, database: str, tmp_path: Path) -> None:
    here = tmp_path / "home"
    await furnished(here)
    first = await lived_in(here, 1)
    assert "150 messages, 1500 changes, " in "\n".join(await to_postgres(move(here, database, dry_run=True)))
    told = "\n".join(await to_postgres(move(here, database)))
    assert "150 messages, 1500 changes, " in told
    server = await connect(database, await claim_of(here))
    assert await rows_there(server) == first
    home = LoggingHome(here, server, seed=2)
    await home.happens(700)
    assert await home.close()
    both = await rows_there(server)
    assert len(both["change"]) == 2200
    await server.close()
    assert "220 messages, 2200 changes" in "\n".join(await to_files(move(here, database)))
    assert rows_here(here / FILE) == both
    (here / FILE).unlink()
    assert "220 messages, 2200 changes" in "\n".join(await to_files(move(here, database)))
    assert rows_here(here / FILE) == both
    assert "220 messages, 2200 changes" in "\n".join(await to_files(move(tmp_path / "new", database)))
    assert rows_here(tmp_path / "new" / FILE) == both


async def test_a_lost_directory_gets_them_back_with_their_numbers(
    connect: Connect, database: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    await furnished(tmp_path / "old")
    kept = await lived_in(tmp_path / "old", 1, 5000)
    await to_postgres(move(tmp_path / "old", database))
    assert fetch_home(tmp_path / "new", database, VirtualClock()) is not None
    assert rows_here(tmp_path / "new" / FILE) == kept
    name = database.rpartition("/")[2]
    written = "SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE relname IN ('message', 'change', 'trace')"
    before = postgres_server.sql(written, name)
    server = await connect(database, await claim_of(tmp_path / "new"))
    home = LoggingHome(tmp_path / "new", server, seed=3)
    await home.in_step()
    assert await rows_there(server) == kept
    assert postgres_server.sql(written, name) == before
    await home.happens(20)
    await home.in_step()
    assert await rows_there(server) == home.here()
    await home.close()


async def test_a_history_that_is_there_is_added_to(connect: Connect, database: str, tmp_path: Path) -> None:
    """home.db alone was removed, from a directory whose history.db is older than the database."""
    here = tmp_path / "home"
    await furnished(here)
    await lived_in(here, 1)
    backup = (here / FILE).read_bytes()
    kept = await lived_in(here, 2, 300)
    await to_postgres(move(here, database))
    (here / DATABASE_FILE).unlink()
    (here / FILE).write_bytes(backup)
    own = await lived_in(here, 3, 200)
    assert fetch_home(here, database, VirtualClock()) is not None
    rows = rows_here(here / FILE)
    for name in rows:
        assert set(without_numbers(rows, name)) >= {*without_numbers(kept, name), *without_numbers(own, name)}
        assert len(set(without_numbers(rows, name))) == len(rows[name])
    server = await connect(database, await claim_of(here))
    home = LoggingHome(here, server, seed=4)
    await home.in_step()
    assert await rows_there(server) == rows
    await home.close()


async def test_replace_says_that_the_directory_is_right(connect: Connect, database: str, tmp_path: Path) -> None:
    here = tmp_path / "home"
    await furnished(here)
    first = await lived_in(here, 1)
    backup = (here / FILE).read_bytes()
    await lived_in(here, 2, 300)
    await to_postgres(move(here, database))
    (here / FILE).write_bytes(backup)
    await to_postgres(move(here, database, replace=True))
    server = await connect(database, await claim_of(here))
    assert await rows_there(server) == first
    await server.close()
    assert rows_here(here / FILE) == first


async def test_a_move_that_cannot_bring_all_of_them_says_so(
    database: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    here = tmp_path / "home"
    await furnished(here)
    await lived_in(here, 1)
    await used_by_hand(read_address(database), nothing)
    refuse = """
        CREATE FUNCTION hallway.drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER drop_it BEFORE INSERT ON hallway.message FOR EACH ROW WHEN (new.id = 3)
            EXECUTE FUNCTION hallway.drop_it();
    """
    postgres_server.sql(refuse, database.rpartition("/")[2])
    with pytest.raises(Unavailable, match="messages are not the same in the database"):
        await to_postgres(move(here, database))
