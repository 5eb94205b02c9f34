"""history.db as a file: written by one thread, read by a few, opened when it is needed, replaced while others wait."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.database import open_database
from hallway.store.history.file import FILE, HISTORY, MOST_WAITING, HistoryFile
from hallway.store.migrations import newest
from tests.store.homes import until

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


class Damage(list[str]):
    """What was said of it."""


@pytest.fixture
def damage() -> Damage:
    return Damage()


@pytest.fixture
def file(tmp_path: Path, damage: Damage) -> Iterator[HistoryFile]:
    before = set(threading.enumerate())
    file = HistoryFile(tmp_path / FILE)
    file.on_damage(damage.append)
    yield file
    file.close()
    assert not [thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("hallway-")]


def put(file: HistoryFile, *values: int) -> Future[None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO tail (length, body) VALUES (?, x'00')", [(value,) for value in values])

    return file.submit(work)


def values(connection: sqlite3.Connection) -> list[int]:
    return [value for (value,) in connection.execute("SELECT length FROM tail ORDER BY last_id")]


def count_forever(connection: sqlite3.Connection) -> int:
    return int(connection.execute(ENDLESS).fetchone()[0])


async def test_the_file_is_made_by_the_first_work_for_its_owner_only(file: HistoryFile) -> None:
    assert not file.path.exists()
    assert await file.read(values) == []
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


async def test_what_was_committed_is_read(file: HistoryFile) -> None:
    put(file, 1, 2)
    await asyncio.wrap_future(put(file, 3))
    assert await file.read(values) == [1, 2, 3]
    assert file.commits == 2


async def test_a_reader_sees_the_file_as_one_commit_left_it_while_others_write(file: HistoryFile) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def twice(connection: sqlite3.Connection) -> tuple[list[int], list[int]]:
        before = values(connection)
        begun.set()
        assert go_on.wait(100)
        return before, values(connection)

    await asyncio.wrap_future(put(file, 1))
    reading = asyncio.create_task(file.read(twice))
    assert await asyncio.to_thread(begun.wait, 100)
    await asyncio.wrap_future(put(file, 2))
    go_on.set()
    assert await reading == ([1], [1])
    assert await file.read(values) == [1, 2]


async def test_a_reader_cannot_write(file: HistoryFile) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await file.read(lambda connection: connection.execute("DELETE FROM tail"))


async def test_the_pages_are_large_each_commit_is_synced_and_the_file_may_shrink(file: HistoryFile) -> None:
    names = ("page_size", "synchronous", "journal_mode", "auto_vacuum")
    pragmas = await asyncio.wrap_future(
        file.submit(lambda connection: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names])
    )
    assert pragmas == [4096, 2, "wal", 2]


async def test_a_newer_file_is_refused_and_left_as_it_is(tmp_path: Path, file: HistoryFile) -> None:
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute(f"PRAGMA user_version = {newest(HISTORY.schema) + 1}")
    connection.execute("CREATE TABLE other (x)")
    connection.close()
    before = file.path.read_bytes()
    with pytest.raises(Unavailable, match=r"history\.db was written by a newer hallway"):
        await file.read(values)
    with pytest.raises(Unavailable, match=r"history\.db was written by a newer hallway"):
        await asyncio.wrap_future(put(file, 1))
    assert file.path.read_bytes() == before


async def test_damage_is_told(tmp_path: Path, file: HistoryFile, damage: Damage) -> None:
    file.path.write_bytes(b"this is a letter to the editor. " * 400)
    with pytest.raises(Unavailable, match=r"history\.db cannot be written"):
        await asyncio.wrap_future(put(file, 1))
    await until(lambda: bool(damage))
    assert "not a database" in damage[0]


async def test_a_file_is_replaced_while_nobody_has_it_open(tmp_path: Path, file: HistoryFile) -> None:
    await asyncio.wrap_future(put(file, 1))
    await file.read(values)

    def move() -> list[str]:
        there = sorted(path.name for path in tmp_path.iterdir())
        file.path.rename(tmp_path / "aside")
        open_database(file.path, HISTORY).close()
        return there

    replacing = asyncio.create_task(file.replace(move))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(file.read(values))
    later = put(file, 2)
    assert await replacing == [FILE]  # no WAL: everybody had closed it
    await asyncio.wrap_future(later)
    await waiting
    assert await file.read(values) == [2]


async def test_whoever_waits_no_longer_ends_the_question(file: HistoryFile) -> None:
    endless = [asyncio.create_task(file.read(count_forever)) for _ in range(5)]
    await asyncio.wait(endless, timeout=0.05)
    for task in endless:
        task.cancel()
    assert await file.read(values) == []


async def test_too_many_questions_are_refused(file: HistoryFile) -> None:
    await file.read(values)
    waiting = [asyncio.create_task(file.read(count_forever)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too many questions"):
        await file.read(values)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert await file.read(values) == []


async def test_closing_ends_what_reads_and_finishes_what_is_to_be_written(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / FILE)
    await file.read(values)
    endless = [asyncio.create_task(file.read(count_forever)) for _ in range(5)]
    await asyncio.wait(endless, timeout=0.05)
    written = put(file, 1)
    await asyncio.to_thread(file.close)
    for task in endless:
        with pytest.raises(Unavailable, match="going down"):
            await task
    written.result(0)
    assert not file.path.with_name(f"{FILE}-wal").exists()
    with pytest.raises(Unavailable, match="going down"):
        await file.read(values)
    with pytest.raises(Unavailable, match="going down"):
        put(file, 2)
