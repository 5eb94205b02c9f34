"""A database that an earlier hallway has written is brought to the present schema with everything that is in it.

tests/store/data/postgres-<schema>.sql is what pg_dump made of a home with samples in that schema.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hallway.store.migrations import newest
from hallway.store.postgres.archive import PostgresArchive
from hallway.store.postgres.session import SCHEMA_FILES
from tests.postgres_server import PostgresServer
from tests.store.databases import Connect
from tests.store.postgres.logging_home import LoggingHome, rows_there
from tests.store.postgres.test_archives_agree import SERIES

DATA = Path(__file__).parents[1] / "data"
OLD = sorted(DATA.glob("postgres-*.sql"))


def load(server: PostgresServer, path: Path, database: str) -> None:
    """Make what was dumped."""
    server.sql(path.read_text("utf-8"), database)


def test_there_is_one_of_each_schema() -> None:
    assert [path.stem for path in OLD] == [f"postgres-{number}" for number in range(1, newest(SCHEMA_FILES))]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
async def test_a_database_of_an_earlier_schema_is_used_as_it_is(
    path: Path, connect: Connect, database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    name = database.rpartition("/")[2]
    load(postgres_server, path, name)
    tables = ("home", "definition", "state", "value", "variable", "series", "sample", "bucket", "more")

    def counts() -> list[str]:
        return [postgres_server.sql(f"SELECT count(*) FROM hallway.{table}", name) for table in tables]

    before = counts()
    server = await connect(database)
    assert int(postgres_server.sql("SELECT number FROM hallway.version", name)) == newest(SCHEMA_FILES)
    assert counts() == before
    assert before[tables.index("sample")] == "60"
    assert before.count("0") <= 2
    archive = PostgresArchive(server)
    assert await archive.open() == (60, SERIES)
    assert await archive.check() is None
    home = LoggingHome(tmp_path, server)
    await home.happens(50)
    await home.in_step()
    assert await rows_there(server) == home.here()
    await home.close()
