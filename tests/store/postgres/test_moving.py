"""A home and its past move from files into a database and back, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hallway.clock import SystemClock
from hallway.errors import Conflict, InvalidInput, Unavailable
from hallway.home.past import Bucket, Series
from hallway.store.database import DATABASE_FILE, open_database
from hallway.store.history.archive import Archive, SeriesRow, TailRow
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HISTORY, HistoryFile
from hallway.store.history.tail_rows import put_rows, put_series
from hallway.store.postgres.address import read_address
from hallway.store.postgres.archive import PostgresArchive
from hallway.store.postgres.home_tables import TABLES, snapshot
from hallway.store.postgres.identity import KEY, KIND, Claim
from hallway.store.postgres.moving import Move, to_files, to_postgres
from hallway.store.store import Store
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.homes import HTTP, build
from tests.store.postgres.living import over_there
from tests.store.postgres.test_archives_agree import SERIES, SPANS, pages, some_rows

NOON = 1_800_000_000_000


async def furnished(directory: Path) -> tuple[Store, list[TailRow]]:
    """A home at rest, with a past in history.db."""
    clock = SystemClock(asyncio.get_running_loop())
    store = Store.open(directory, clock, 0.01)
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await store.define(KIND, "id", {"id": "hub"}, "hallway", "start")
    for number in range(5):
        home.pages.add({"id": f"page{number}", "name": str(number)}, HTTP)
    home.report("sensor.one", "a\0b", {"x": "\0"}, HTTP)
    await store.close()
    connection = open_database(directory / FILE, HISTORY)
    put_series(connection, SERIES)
    connection.close()
    file = HistoryFile(directory / FILE)
    archive = ChunkArchive(file)
    rows = some_rows(random.Random(1), NOON, 1, 9000)
    for begin in range(0, len(rows), 700):
        await archive.take(rows[begin : begin + 700], [])
    await asyncio.to_thread(file.close)
    return store, rows


def move(directory: Path, url: str, **how: bool) -> Move:
    return Move(directory, read_address(url), SystemClock(asyncio.get_running_loop()), **how)


async def all_of(archive: Archive) -> dict[int, object]:
    return {row.number: await pages(archive, row.number, None, None, descending=False) for row in SERIES}


async def rolled(archive: Archive) -> list[list[Bucket]]:
    return [await archive.buckets(row.number, span, 0, 2 * NOON) for row in SERIES for span in SPANS]


async def claim_of(directory: Path) -> Claim:
    store = Store.open(directory, SystemClock(asyncio.get_running_loop()))
    body = store.definitions(KIND)[KEY].body or {}
    await store.close()
    return Claim("hub", str(body["incarnation"]))


async def test_there_and_back(connect: Connect, database: str, tmp_path: Path) -> None:
    here = tmp_path / "home"
    await furnished(here)
    assert "9000 would be written" in "\n".join(await to_postgres(move(here, database, dry_run=True)))
    told = "\n".join(await to_postgres(move(here, database)))
    assert "9000 samples, the same on both sides by count and checksum" in told
    assert "store: {url: !secret database_url}" in told
    assert "ss:word" not in told
    with snapshot(here / DATABASE_FILE) as home:
        rows = {table.name: sorted(home.connection.execute(table.everything), key=repr) for table in TABLES}
    assert await over_there(database) == rows
    assert "already, and the same" in "\n".join(await to_postgres(move(here, database)))
    file = HistoryFile(here / FILE)
    server = await connect(database, await claim_of(here))
    chunks, tables = ChunkArchive(file), PostgresArchive(server)
    assert await all_of(tables) == await all_of(chunks)
    assert await rolled(tables) == await rolled(chunks)
    assert (await tables.open())[0] == (await chunks.open())[0] == 9000
    assert await tables.check() is None
    more = some_rows(random.Random(2), NOON + 10**9, 9001, 3000)
    await tables.take(more, [])
    kept, kept_rolled = await all_of(tables), await rolled(tables)
    await server.close()
    file.close()
    with pytest.raises(Unavailable):
        await to_files(move(here, database.replace("ann:", "bob:")))
    assert "12000 samples" in "\n".join(await to_files(move(here, database)))
    file = HistoryFile(here / FILE)
    chunks = ChunkArchive(file)
    assert await all_of(chunks) == kept
    assert await rolled(chunks) == kept_rolled
    assert (await chunks.open())[0] == 12_000
    assert await chunks.check() is None
    await chunks.take(some_rows(random.Random(3), NOON + 2 * 10**9, 12_001, 3000), [])
    assert await chunks.check() is None
    file.close()


async def test_a_home_that_lived_in_files_again_moves_back_without_a_word(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    """history.db has all that the database has, and what came since: nothing is given up."""
    here = tmp_path / "home"
    await furnished(here)
    await to_postgres(move(here, database))
    server = await connect(database, await claim_of(here))
    tables = PostgresArchive(server)
    await tables.take(some_rows(random.Random(2), NOON + 10**9, 9001, 3000), [])
    await server.close()
    await to_files(move(here, database))
    file = HistoryFile(here / FILE)
    chunks = ChunkArchive(file)
    await chunks.take(some_rows(random.Random(3), NOON + 2 * 10**9, 12_001, 3000), [])
    kept, kept_rolled = await all_of(chunks), await rolled(chunks)
    await asyncio.to_thread(file.close)
    assert "samples: 0 would be written" in "\n".join(await to_files(move(here, database, dry_run=True)))
    assert "history.db has all samples of the database, and more" in await to_files(move(here, database))
    assert "15000 would be written" in "\n".join(await to_postgres(move(here, database, dry_run=True)))
    assert "15000 samples, the same on both sides" in "\n".join(await to_postgres(move(here, database)))
    server = await connect(database, await claim_of(here))
    tables = PostgresArchive(server)
    assert await all_of(tables) == kept
    assert await rolled(tables) == kept_rolled
    assert (await tables.open())[0] == 15_000
    assert await tables.check() is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sample SET number = number + 1 WHERE id = (SELECT max(id) FROM sample WHERE series = 1)",
        "UPDATE series SET name = 'y' WHERE number = 3",
        "INSERT INTO bucket SELECT series, seconds, at - interval '1 day', 0, 0, 0, 0, 1, 0 FROM bucket LIMIT 1",
    ],
    ids=("a sample", "what a series is", "a roll-up"),
)
async def test_what_the_database_alone_has_is_not_given_up_without_a_word(
    connect: Connect, database: str, tmp_path: Path, postgres_server: PostgresServer, statement: str
) -> None:
    here = tmp_path / "home"
    await furnished(here)
    await to_postgres(move(here, database))
    file = HistoryFile(here / FILE)
    await ChunkArchive(file).take(some_rows(random.Random(3), NOON + 2 * 10**9, 9001, 100), [])
    await asyncio.to_thread(file.close)
    postgres_server.sql(f"SET search_path = hallway; {statement}", database.rpartition("/")[2])
    with pytest.raises(Conflict, match="the database has other samples of the same time: --replace"):
        await to_postgres(move(here, database))


async def test_what_the_database_has_got_meanwhile_stays(connect: Connect, database: str, tmp_path: Path) -> None:
    """A URL was set first, and the past moved later."""
    here = tmp_path / "home"
    await furnished(here)
    store = Store.open(here, SystemClock(asyncio.get_running_loop()))
    await store.define(KIND, KEY, {"incarnation": "first"}, "hallway", "start")
    await store.close()
    server = await connect(database)
    later = [TailRow(9000 + number, 1, NOON + 10**9 + number, float(number)) for number in range(1, 100)]
    await PostgresArchive(server).take(later, [SERIES[0]])
    await server.close()
    assert "9000 samples" in "\n".join(await to_postgres(move(here, database)))
    server = await connect(database)
    tables = PostgresArchive(server)
    assert sum(holding.count for holding in (await tables.holdings()).values()) == 9099
    assert (await tables.open())[0] == 9099
    assert await tables.check() is None


async def test_samples_that_history_db_has_not_packed_yet_come_along(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    here = tmp_path / "home"
    await furnished(here)
    last = some_rows(random.Random(4), NOON + 10**9, 9001, 500)
    first = next(place for place, row in enumerate(last) if row.series == 3)
    last[first] = last[first]._replace(more=b'{"attributes":{"a":5}}')  # each series in the tail says it at first
    with closing(open_database(here / FILE, HISTORY)) as history:
        put_rows(history, last)
    assert "samples: 9500 would be written" in "\n".join(await to_postgres(move(here, database, dry_run=True)))
    told = "\n".join(await to_postgres(move(here, database)))
    assert "9000 samples, the same on both sides by count and checksum; 500 more that came last" in told
    told = "\n".join(await to_postgres(move(here, database)))
    assert "the samples of history.db are in the database already, and the same\n" in told
    tables = PostgresArchive(await connect(database, await claim_of(here)))
    file = HistoryFile(here / FILE)
    chunks = ChunkArchive(file)
    await chunks.take(last, [])
    assert await all_of(tables) == await all_of(chunks)
    assert await rolled(tables) == await rolled(chunks)
    assert (await tables.open())[0] == (await chunks.open())[0] == 9500
    assert await tables.check() is None
    file.close()


async def test_a_dry_run_leaves_nothing_behind(database: str, tmp_path: Path, postgres_server: PostgresServer) -> None:
    here = tmp_path / "home"
    await furnished(here)
    assert "nothing was changed" in await to_postgres(move(here, database, dry_run=True))
    assert postgres_server.sql("SELECT to_regnamespace('hallway')", database.rpartition("/")[2]) == ""
    with pytest.raises(InvalidInput, match="holds no home"):
        await to_files(move(tmp_path / "new", database, dry_run=True))
    await to_postgres(move(here, database))
    assert "would be taken into" in "\n".join(await to_files(move(tmp_path / "new", database, dry_run=True)))
    assert not (tmp_path / "new").exists()


async def test_what_is_to_be_written_down_leads_to_where_the_home_was_moved(database: str, tmp_path: Path) -> None:
    await furnished(tmp_path / "home")
    url = f"{database}?schema=second&sslmode=prefer"
    told = await to_postgres(move(tmp_path / "home", url))
    (line,) = [line for line in told if "database_url: " in line]
    written = read_address(line.partition("database_url: ")[2].partition(" ")[0])
    assert written == replace(read_address(url), password=None)


async def test_nothing_moves_over_another_home(connect: Connect, database: str, tmp_path: Path) -> None:
    here = tmp_path / "home"
    with pytest.raises(InvalidInput, match=r"there is no home\.db"):
        await to_postgres(move(here, database))
    await furnished(here)
    await (await connect(database, Claim("another hub", "x"))).close()
    with pytest.raises(Conflict, match="holds another home"):
        await to_postgres(move(here, database, replace=True))
    with pytest.raises(Conflict, match="holds another home"):
        await to_files(move(here, database, replace=True))


async def test_a_home_that_another_directory_took_over_moves_only_when_told_to(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    here = tmp_path / "home"
    await furnished(here)
    server = await connect(database, Claim("hub", "another"))
    other = SeriesRow(2, Series("variable", "x"), "number", False)
    await PostgresArchive(server).take([TailRow(1, 2, NOON, 1.0)], [other])
    await server.close()
    with pytest.raises(Conflict, match="put back from a backup: --replace"):
        await to_postgres(move(here, database))
    with pytest.raises(Conflict, match=r"put back from a backup: remove home\.db"):
        await to_files(move(here, database, replace=True))
    assert "9000 samples" in "\n".join(await to_postgres(move(here, database, replace=True)))
    await connect(database, await claim_of(here))


async def test_a_directory_without_a_home_gets_it_with_its_past(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    here = tmp_path / "home"
    await furnished(here)
    await to_postgres(move(here, database))
    told = "\n".join(await to_files(move(tmp_path / "new", database)))
    assert "9000 samples" in told
    assert "take `url` out of `store`" in told
    files = [HistoryFile(directory / FILE) for directory in (here, tmp_path / "new")]
    old, new = map(ChunkArchive, files)
    assert await all_of(old) == await all_of(new)
    assert await rolled(old) == await rolled(new)
    for file in files:
        file.close()
