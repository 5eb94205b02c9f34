"""A history.db that an earlier hub wrote opens in the present one with everything that is in it, and stays as safe."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store.database import open_database, version_of
from hallway.store.history.file import FILE, HISTORY
from hallway.store.history.salvage import salvage
from hallway.store.migrations import newest, schema_files
from tests.faults import beside
from tests.store.history.old_pasts import BEGIN, BESIDE, DATA, FIRST, ROWS, SERIES, value_of
from tests.store.history.pasts import Past, told

OLD = [number for number in schema_files(HISTORY.schema) if (DATA / f"history-{number}.db").exists()]


@pytest.fixture(params=OLD)
def past(request: pytest.FixtureRequest, tmp_path: Path) -> Past:
    """One whose file is of that schema."""
    shutil.copyfile(DATA / f"history-{request.param}.db", tmp_path / FILE)
    return Past(tmp_path, VirtualClock(BEGIN + 10**6))


def test_there_is_a_file_of_each_schema_that_a_hub_has_had() -> None:
    assert list(range(FIRST, newest(HISTORY.schema) + 1)) == OLD
    assert [version_of(DATA / f"history-{number}.db", newest(HISTORY.schema)) for number in OLD] == OLD


async def test_everything_is_there(past: Past) -> None:
    store = await past.open()
    for place, series in enumerate(SERIES):
        samples = await told(store.columns([series]))
        numbers = [number for number in range(1, ROWS + 1) if number % len(SERIES) == place]
        assert [(sample.at, sample.value) for sample in samples] == [(BEGIN + n, value_of(n)) for n in numbers]
        assert {str(sample.more) for sample in samples} == (
            {"{'attributes': {'unit': 'W'}}"} if series.kind == "entity" else {"None"}
        )
    kept = await past.file.read(beside.kept)
    assert kept == {kind: list(range(1, BESIDE + 1)) for kind in beside.KINDS}
    assert await past.archive.check() is None
    await past.close()


async def test_its_names_survive_damage_from_the_first_opening_on(past: Past, tmp_path: Path) -> None:
    await past.open()
    await past.close()
    path = tmp_path / FILE
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'series'").fetchone()
    with path.open("r+b") as file:
        for page in (1, root):
            file.seek((page - 1) * HISTORY.page_bytes)
            file.write(bytes(HISTORY.page_bytes))
    with closing(open_database(tmp_path / "fresh.db", HISTORY)) as fresh:
        salvage(path, fresh, print)
        names = fresh.execute("SELECT kind, owner, name FROM series ORDER BY number").fetchall()
    assert names == [tuple(series) for series in SERIES]
