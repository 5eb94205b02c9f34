"""The writer's thread: what waits shares a transaction, and an error costs that transaction only."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.database import open_database
from hallway.store.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "home.db"
    open_database(path).close()
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(path, lambda: 77.0)
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
            return self._go.wait(10)

        self.done: Future[bool] = writer.submit(work)
        assert begun.wait(10)

    def let_go(self) -> None:
        self._go.set()
        assert self.done.result(10)


def test_what_is_done_is_committed_and_synced(writer: Writer, path: Path) -> None:
    assert writer.submit(put("a")).result(10) == "a"
    assert names(path) == {"a"}
    pragmas = writer.submit(lambda c: [c.execute(f"PRAGMA {p}").fetchone()[0] for p in ("synchronous", "journal_mode")])
    assert pragmas.result(10) == [2, "wal"]  # 2 is FULL: the WAL is synced with each commit
    assert (writer.counts.commits, writer.counts.last_at) == (2, 77.0)


def test_what_waits_meanwhile_shares_one_commit(writer: Writer, path: Path) -> None:
    hold = Hold(writer)
    waiting = [writer.submit(put(str(number))) for number in range(50)]
    hold.let_go()
    assert [job.result(10) for job in waiting] == [str(number) for number in range(50)]
    assert writer.counts.commits == 2
    assert names(path) == {str(number) for number in range(50)}


def test_an_error_costs_its_transaction_and_says_why(writer: Writer, path: Path) -> None:
    hold = Hold(writer)
    first, twice, again = (writer.submit(put(name)) for name in ("a", "b", "b"))
    hold.let_go()
    for job in (first, twice, again):
        with pytest.raises(Unavailable, match=r"home\.db cannot be written: UNIQUE constraint failed"):
            job.result(10)
    assert writer.submit(put("c")).result(10) == "c"
    assert names(path) == {"c"}
    assert writer.counts.commits == 2


def test_a_mistake_in_the_work_does_not_end_the_thread(
    writer: Writer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        writer.submit(lambda _connection: 1 // 0).result(10)
    assert "a transaction was given up" in caplog.text
    assert writer.submit(put("a")).result(10) == "a"
    assert names(path) == {"a"}


def test_what_is_cancelled_before_its_turn_is_not_done(writer: Writer, path: Path) -> None:
    hold = Hold(writer)
    kept, dropped = writer.submit(put("kept")), writer.submit(put("dropped"))
    assert dropped.cancel()
    hold.let_go()
    kept.result(10)
    assert names(path) == {"kept"}


def test_closing_finishes_what_waits_folds_the_wal_in_and_ends_the_thread(path: Path) -> None:
    writer = Writer(path, lambda: 0.0)
    hold = Hold(writer)
    job = writer.submit(put("last"))
    closing = threading.Thread(target=writer.close)
    closing.start()
    hold.let_go()
    closing.join(10)
    assert job.result(0) == "last"
    assert sorted(each.name for each in path.parent.iterdir()) == ["home.db"]
    assert names(path) == {"last"}
    assert "hallway-writer" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(Unavailable, match="going down"):
        writer.submit(put("too late"))
