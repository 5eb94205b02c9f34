"""The writer's thread: what waits shares a transaction, and an error costs that transaction only."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.database import connect, open_database
from hallway.store.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "home.db"
    open_database(path).close()
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(partial(connect, path), "home.db")
    yield writer
    writer.close()


def put(name: str) -> Callable[[sqlite3.Connection], str]:
    def work(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO variable VALUES (?, 'null')", (name,))
        return name

    return work


def names(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM variable")}
    finally:
        connection.close()


class Hold:
    """A piece of work that holds the thread up until it is let go."""

    def __init__(self, writer: Writer) -> None:
        self._go, begun = threading.Event(), threading.Event()

        def work(_connection: sqlite3.Connection) -> bool:
            begun.set()
            return self._go.wait(100)

        self.done: Future[bool] = writer.submit(work)
        assert begun.wait(100)

    def let_go(self) -> None:
        self._go.set()
        assert self.done.result(100)


def test_what_is_done_is_committed_and_synced(writer: Writer, path: Path) -> None:
    assert writer.submit(put("a")).result(100) == "a"
    assert names(path) == {"a"}
    pragmas = writer.submit(lambda c: [c.execute(f"PRAGMA {p}").fetchone()[0] for p in ("synchronous", "journal_mode")])
    assert pragmas.result(100) == [2, "wal"]  # 2 is FULL: the WAL is synced with each commit
    assert writer.commits == 2


def test_what_waits_meanwhile_shares_one_commit(writer: Writer, path: Path) -> None:
    hold = Hold(writer)
    waiting = [writer.submit(put(str(number))) for number in range(50)]
    hold.let_go()
    assert [job.result(100) for job in waiting] == [str(number) for number in range(50)]
    assert writer.commits == 2
    assert names(path) == {str(number) for number in range(50)}


def test_an_error_costs_its_transaction_and_says_why(writer: Writer, path: Path) -> None:
    hold = Hold(writer)
    first, twice, again = (writer.submit(put(name)) for name in ("a", "b", "b"))
    hold.let_go()
    for job in (first, twice, again):
        with pytest.raises(Unavailable, match=r"home\.db cannot be written: UNIQUE constraint failed"):
            job.result(100)
    assert writer.submit(put("c")).result(100) == "c"
    assert names(path) == {"c"}
    assert writer.commits == 2


def test_a_file_that_cannot_be_opened_is_opened_for_the_next_work_and_the_error_says_so(path: Path) -> None:
    def open_file() -> sqlite3.Connection:
        return open_database(path, check=False)

    elsewhere = path.rename(path.with_name("elsewhere.db"))
    path.mkdir()
    writer = Writer(open_file, "home.db")
    try:
        with pytest.raises(Unavailable, match=r"^home\.db cannot be written: .*; mend the disk, the hub tries again"):
            writer.submit(put("a")).result(100)
        path.rmdir()
        elsewhere.rename(path)
        assert writer.submit(put("b")).result(100) == "b"
    finally:
        writer.close()
    assert names(path) == {"b"}


def test_a_mistake_in_the_work_does_not_end_the_thread(
    writer: Writer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        writer.submit(lambda _connection: 1 // 0).result(100)
    assert "a transaction was given up" in caplog.text
    assert writer.submit(put("a")).result(100) == "a"
    assert names(path) == {"a"}


def test_what_is_cancelled_before_its_turn_is_not_done(writer: Writer, path: Path) -> None:
    hold = Hold(writer)
    kept, dropped = writer.submit(put("kept")), writer.submit(put("dropped"))
    assert dropped.cancel()
    hold.let_go()
    kept.result(100)
    assert names(path) == {"kept"}


def test_closing_finishes_what_waits_folds_the_wal_in_and_ends_the_thread(path: Path) -> None:
    before = set(threading.enumerate())
    writer = Writer(partial(connect, path), "home.db")
    hold = Hold(writer)
    job = writer.submit(put("last"))
    closing = threading.Thread(target=writer.close)
    closing.start()
    hold.let_go()
    closing.join(100)
    assert job.result(0) == "last"
    assert sorted(each.name for each in path.parent.iterdir()) == ["home.db"]
    assert names(path) == {"last"}
    assert "hallway-writer" not in {thread.name for thread in set(threading.enumerate()) - before}
    with pytest.raises(Unavailable, match="going down"):
        writer.submit(put("too late"))
