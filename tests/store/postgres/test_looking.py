"""How a directory and its database stand to each other, told without a hub."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

from hallway.store.database import open_database
from hallway.store.history.archive import TailRow
from hallway.store.history.file import FILE, HISTORY
from hallway.store.history.tail_rows import put_rows
from hallway.store.postgres.address import read_address
from hallway.store.postgres.archive import PostgresArchive
from hallway.store.postgres.looking import look
from tests.store.databases import Connect
from tests.store.postgres.test_archives_agree import SERIES, some_rows

NOON = 1_800_000_000_000


async def test_samples_that_wait_are_counted_whatever_their_numbers(
    connect: Connect, database: str, tmp_path: Path
) -> None:
    """The first number of a history.db is the time at which it began."""
    rows: list[TailRow] = some_rows(random.Random(1), NOON, NOON, 100)
    with closing(open_database(tmp_path / FILE, HISTORY)) as history:
        put_rows(history, rows[:60])
        put_rows(history, rows[60:])
    archive = PostgresArchive(await connect(database))
    assert "samples: 0 there; 100 wait in history.db" in await look(tmp_path, read_address(database))
    await archive.take(rows[:60], SERIES)
    assert "samples: 60 there; 40 wait in history.db" in await look(tmp_path, read_address(database))
    await archive.take(rows[60:], SERIES)
    assert "samples: 100 there; 0 wait in history.db" in await look(tmp_path, read_address(database))
