"""Who may write to a database, in which form it must be, and what is said when it cannot be used."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.postgres import server as server_module
from hallway.store.postgres.address import read_address
from hallway.store.postgres.archive import PostgresArchive
from hallway.store.postgres.session import open_session, used_by_hand
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.homes import until


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


async def nothing(_connection: object) -> None:
    """To see whether it can be used."""


async def refusal(url: str) -> str:
    with pytest.raises(Unavailable) as error:
        await used_by_hand(read_address(url), nothing)
    assert "ss:word" not in error.value.message
    return error.value.message


async def test_two_hubs_do_not_write_to_the_same_schema(connect: Connect, database: str) -> None:
    first = await connect(database)
    assert "another hub writes to postgresql://ann@127.0.0.1" in await refusal(database)
    await connect(database + "?schema=other")
    await first.close()
    await used_by_hand(read_address(database), nothing)


async def test_a_connection_of_ours_that_the_server_still_takes_for_alive_is_ended(database: str) -> None:
    ghost = await open_session(read_address(database), "hallway 1")
    with pytest.raises(Unavailable, match="another hub writes"):
        await open_session(read_address(database), "hallway 2")
    connection = await open_session(read_address(database), "hallway 1")
    await connection.close()
    await until(ghost.is_closed)
    ghost.terminate()


AT_WORK = """
import asyncio, sys
from hallway.store.postgres.address import read_address
from hallway.store.postgres.session import used_by_hand

async def work(connection):
    print("at work", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return await connection.fetchval("SELECT 5")

sys.exit(asyncio.run(used_by_hand(read_address(sys.argv[1]), work)))
"""


async def test_a_command_is_not_disturbed_by_another_one_which_is_told_to_wait(database: str) -> None:
    pipe = asyncio.subprocess.PIPE
    first = await asyncio.create_subprocess_exec(sys.executable, "-c", AT_WORK, database, stdin=pipe, stdout=pipe)
    assert first.stdin is not None
    assert first.stdout is not None
    assert await first.stdout.readline() == b"at work\n"
    assert "another command moves a home to or from postgresql://ann@127.0.0.1" in await refusal(database)
    first.stdin.write(b"\n")
    assert await first.wait() == 5
    await used_by_hand(read_address(database), nothing)


async def test_a_newer_schema_is_refused_and_left_as_it_is(
    connect: Connect, database: str, postgres_server: PostgresServer
) -> None:
    await (await connect(database)).close()
    postgres_server.sql("UPDATE hallway.version SET number = 99", name_of(database))
    assert "was written by a newer hallway (schema 99, this one knows 2 at most)" in await refusal(database)
    assert postgres_server.sql("SELECT number FROM hallway.version", name_of(database)) == "99"


async def test_a_schema_of_somebody_else_is_left_alone(database: str, postgres_server: PostgresServer) -> None:
    postgres_server.sql("CREATE SCHEMA hallway; CREATE TABLE hallway.sample (x integer)", name_of(database))
    assert "holds tables that are not hallway's" in await refusal(database)


async def test_a_wrong_password_and_a_missing_database_are_told_without_the_password(database: str) -> None:
    assert "password authentication failed" in await refusal(database.replace("ss%3Aword", "").replace("ann:", "bob:"))
    assert "make the database" in await refusal(database.replace(name_of(database), "nowhere"))
    assert "password" not in str(read_address(database))
    assert "word" not in repr(read_address(database))


async def test_tables_that_somebody_drops_are_made_anew(
    connect: Connect, database: str, postgres_server: PostgresServer
) -> None:
    server = await connect(database)
    postgres_server.sql("DROP SCHEMA hallway CASCADE", name_of(database))
    archive = PostgresArchive(server)
    with pytest.raises(Unavailable):
        await archive.take([], [])
    await until(lambda: server.condition.connected)
    assert await archive.open() == (0, [])


async def test_a_table_that_somebody_drops_alone_is_told_and_nothing_goes_on_without_it(
    connect: Connect, database: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "REFUSED_RETRY", 0.05)
    server = await connect(database)
    heard: list[str | None] = []
    server.listen(lambda condition: heard.append(condition.problem))
    postgres_server.sql("DROP TABLE hallway.state, hallway.sample CASCADE", name_of(database))
    with pytest.raises(Unavailable):
        await server.write(lambda link: link.execute("SELECT * FROM state"))
    await until(lambda: server.condition.refused)
    assert "lacks what somebody has dropped: sample, state" in str(server.condition.problem)
    with pytest.raises(Unavailable, match="lacks what somebody has dropped"):
        await server.write(nothing)
    await until(lambda: "lacks what somebody has dropped" in str(heard[-1]))
    postgres_server.sql("DROP SCHEMA hallway CASCADE", name_of(database))
    await until(lambda: server.condition.connected)
    await until(lambda: heard[-1] is None)


async def test_a_command_does_not_go_on_without_a_table_that_somebody_dropped_either(
    connect: Connect, database: str, postgres_server: PostgresServer
) -> None:
    await (await connect(database)).close()
    postgres_server.sql("DROP TABLE hallway.state", name_of(database))
    assert "lacks what somebody has dropped: state" in await refusal(database)


async def test_the_hub_is_told_when_it_goes_and_when_it_is_back(connect: Connect, database: str) -> None:
    server = await connect(database)
    heard: list[bool] = []
    server.listen(lambda condition: heard.append(condition.connected))
    connection = server._connection
    assert connection is not None
    server._loop.call_soon_threadsafe(connection.terminate)
    await until(lambda: heard == [False, True])
    await server.close()
    with pytest.raises(Unavailable, match="closed"):
        await server.write(nothing)


async def test_without_a_url_the_driver_is_not_loaded(tmp_path: Path) -> None:
    program = "import sys, hallway.app, hallway.cli; sys.exit('asyncpg' in sys.modules)"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await child.wait() == 0
