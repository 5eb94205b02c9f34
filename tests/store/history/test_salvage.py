"""What a salvage promises: a fresh file that is whole, and in it every row that a page of the damaged one holds."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hallway.home.past import Series
from hallway.store.database import open_database
from hallway.store.history.archive import SeriesRow, TailRow
from hallway.store.history.file import FILE, HISTORY
from hallway.store.history.folding import take
from hallway.store.history.leaves import Leaves
from hallway.store.history.salvage import Salvaged, salvage
from hallway.store.history.strands import KINDS
from hallway.store.history.tail_rows import put_rows, put_series
from hallway.store.history.walking import Walk

PAGE = HISTORY.page_bytes
MINUTE = 60_000
SERIES = 12
TABLES = ("series", "tail", "fold", "layer", "piece", "chunk", "message", "trace")
Rows = dict[str, dict[int, tuple[Any, ...]]]


def quiet(_sentence: str) -> None:
    """What is lost is looked at otherwise."""


def fill(connection: sqlite3.Connection) -> None:
    dice = random.Random(5)
    series = [SeriesRow(n, Series("attribute", f"device-{n}", "power"), "number", False) for n in range(1, SERIES + 1)]
    ids = iter(range(1, 10**6))
    connection.execute("BEGIN")
    put_series(connection, series)
    for fold in range(12):
        rows = [
            TailRow(
                next(ids),
                1 + n % SERIES,
                (fold * 4000 + n) * MINUTE,
                dice.random() if n % 2 else dice.randrange(99) / 10,
            )
            for n in range(4000)
        ]
        take(connection, rows, quiet)
    for flush in range(40):
        put_rows(connection, [TailRow(next(ids), 1, (10**6 + flush) * MINUTE, dice.random()) for _ in range(150)])
    for n in range(3000):
        text = "a message " * dice.randrange(1, 9)
        connection.execute("INSERT INTO message VALUES (?, ?, 'info', ?, '', 'test', NULL, ?)", (n + 1, n, text, n))
    for n in range(60):
        body = dice.randbytes(dice.randrange(10, 9000))
        connection.execute("INSERT INTO trace VALUES (?, 'rule', 1.5, 'ok', 1, ?, ?)", (n * 7 + 1, n, body))
    connection.execute("COMMIT")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / FILE
    with closing(open_database(path, HISTORY)) as connection:
        fill(connection)
    return path


@pytest.fixture
def damaged(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "damaged.db"))


@pytest.fixture
def saved(damaged: Path, tmp_path: Path) -> Iterator[Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]]:
    opened: list[sqlite3.Connection] = []

    def save() -> tuple[sqlite3.Connection, list[Salvaged]]:
        path = tmp_path / f"fresh-{len(opened)}.db"
        fresh = open_database(path, HISTORY)
        opened.append(fresh)
        found = salvage(damaged, fresh, quiet)
        assert [text for (text,) in fresh.execute("PRAGMA integrity_check")] == ["ok"]
        return fresh, found

    yield save
    for fresh in opened:
        fresh.close()


def rows_of(connection: sqlite3.Connection) -> Rows:
    return {table: {row[0]: row[1:] for row in connection.execute(f"SELECT rowid, * FROM {table}")} for table in TABLES}


def still_readable(path: Path, known: Rows) -> Rows:
    """What SQLite itself finds in a damaged file, if each row is asked for by its number."""
    found: Rows = {table: {} for table in known}
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    connection.text_factory = bytes
    for table, rows in known.items():
        for number, row in rows.items():
            try:
                answer = connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,)).fetchone()
            except sqlite3.DatabaseError:
                continue
            plain = tuple(value.encode() if isinstance(value, str) else value for value in row)
            if answer == plain:
                found[table][number] = row
    connection.close()
    return found


def spoil(path: Path, pages: list[int], dice: random.Random) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(dice.choice((dice.randbytes(PAGE), bytes(PAGE), dice.randbytes(64))))


def missing(expected: Rows, fresh: sqlite3.Connection) -> list[tuple[str, int]]:
    there = rows_of(fresh)
    return [
        (table, number)
        for table, rows in expected.items()
        for number, row in rows.items()
        if there[table].get(number) != row
    ]


def test_of_a_whole_file_everything_is_saved(
    damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with closing(sqlite3.connect(damaged)) as connection:
        known = rows_of(connection)
        strands = connection.execute("SELECT * FROM strand ORDER BY number").fetchall()
        places = connection.execute("SELECT * FROM place ORDER BY strand, last").fetchall()
    fresh, found = saved()
    assert missing(known, fresh) == []
    assert fresh.execute("SELECT * FROM strand ORDER BY number").fetchall() == strands
    assert fresh.execute("SELECT * FROM place ORDER BY strand, last").fetchall() == places
    assert {table.table: (table.rows, table.lost) for table in found if table.table in known} == {
        table: (len(rows), 0) for table, rows in known.items()
    }


@pytest.mark.parametrize("seed", range(12))
def test_every_row_that_can_be_read_at_all_is_saved(
    seed: int, damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    dice = random.Random(seed)
    with closing(sqlite3.connect(damaged)) as connection:
        known = rows_of(connection)
    pages = damaged.stat().st_size // PAGE
    spoil(damaged, dice.sample(range(2, pages + 1), dice.randrange(1, 30)), dice)
    expected = still_readable(damaged, known)
    fresh, _ = saved()
    assert missing(expected, fresh) == []
    for number in range(SERIES * KINDS + KINDS):
        walk = Walk(number, None, None, quiet)
        rows = 0
        while not walk.is_over:
            rows += sum(len(table[0]) for table in walk.step(fresh))
        (count,) = fresh.execute("SELECT coalesce(sum(count), 0) FROM strand WHERE number = ?", (number,)).fetchone()
        assert rows == count


@pytest.mark.parametrize("table", ["chunk", "message", "trace", "piece"])
def test_where_a_table_begins_may_be_lost(
    table: str, damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with closing(sqlite3.connect(damaged)) as connection:
        known = rows_of(connection)
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    spoil(damaged, [root], random.Random(1))
    fresh, found = saved()
    assert missing(known, fresh) == []
    assert next(one.lost for one in found if one.table == table) == 1


def test_the_first_page_may_be_lost(
    damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with closing(sqlite3.connect(damaged)) as connection:
        known = rows_of(connection)
    spoil(damaged, [1], random.Random(2))
    fresh, _ = saved()
    assert missing(known, fresh) == []


def pages_of(path: Path, *tables: str) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        found = dict(connection.execute("SELECT rootpage, name FROM sqlite_schema WHERE type = 'table'"))
    leaves = Leaves(path, PAGE)
    pages = range(2, path.stat().st_size // PAGE + 1)
    chosen = [page for page in pages if found.get(leaves._root_of(page)) in tables]
    leaves.close()
    return chosen


def with_many_names(path: Path) -> list[tuple[Any, ...]]:
    """So many that each table of them has many pages."""
    more = [SeriesRow(n, Series("entity", f"sensor.number_{n}"), "string", True) for n in range(SERIES + 1, 2000)]
    with closing(sqlite3.connect(path)) as connection, connection:
        put_series(connection, more)
        names = connection.execute("SELECT * FROM series ORDER BY number").fetchall()
    assert min(len(pages_of(path, table)) for table in ("series", "series_copy")) > 10
    return names


@pytest.mark.parametrize("first_page_too", [False, True])
@pytest.mark.parametrize("table", ["series", "series_copy"])
def test_every_name_is_saved_where_all_pages_of_either_table_of_names_are_lost(
    table: str,
    first_page_too: bool,
    damaged: Path,
    saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]],
) -> None:
    names = with_many_names(damaged)
    with closing(sqlite3.connect(damaged)) as connection:
        known = rows_of(connection)
    spoil(damaged, pages_of(damaged, table) + [1] * first_page_too, random.Random(3))
    fresh, found = saved()
    assert fresh.execute("SELECT * FROM series ORDER BY number").fetchall() == names
    assert fresh.execute("SELECT * FROM series_copy ORDER BY number").fetchall() == names
    assert missing(known, fresh) == []
    if not first_page_too:
        assert [one.table for one in found if one.lost or not one.counted] == []


@pytest.mark.parametrize("seed", range(4))
def test_a_name_is_lost_only_where_both_of_its_places_are(
    seed: int, damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    dice = random.Random(seed)
    names = with_many_names(damaged)
    pages = pages_of(damaged, "series", "series_copy")
    zero(damaged, dice.sample(pages, len(pages) // 3))
    left = damaged.read_bytes()
    expected = [row for row in names if row[1].encode() + row[2].encode() + b"string" in left]
    fresh, _ = saved()
    there = {row[0]: row for row in fresh.execute("SELECT * FROM series")}
    assert len(names) // 2 < len(expected) < len(names)
    assert [row for row in expected if there.get(row[0]) != row] == []


def zero(path: Path, pages: list[int]) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(bytes(PAGE))


def test_series_without_a_name_get_one_and_keep_their_number(
    damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with closing(sqlite3.connect(damaged)) as connection, connection:
        connection.execute("DELETE FROM series WHERE number = 7")
        connection.execute("DELETE FROM series_copy WHERE number = 7")
    fresh, _ = saved()
    for table in ("series", "series_copy"):
        names = fresh.execute(f"SELECT number, kind, owner, name FROM {table} WHERE number = 7").fetchall()
        assert names == [(7, "attribute", "salvaged", "7")]


def test_a_file_without_a_copy_of_names_is_saved_as_far_as_it_goes(
    damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with closing(sqlite3.connect(damaged)) as connection, connection:
        connection.execute("DROP TABLE series_copy")
        known = rows_of(connection)
    spoil(damaged, [1], random.Random(2))
    fresh, _ = saved()
    assert missing(known, fresh) == []
    names = fresh.execute("SELECT * FROM series ORDER BY number").fetchall()
    assert fresh.execute("SELECT * FROM series_copy ORDER BY number").fetchall() == names


def test_what_stands_in_the_wal_is_saved_too(
    whole: Path, tmp_path: Path, damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO message VALUES (99999, 1, 'info', 'newest', '', 'test', NULL, NULL)")
        for part in ("", "-wal"):
            shutil.copy(tmp_path / f"damaged.db{part}", tmp_path / f"kept{part}")
    for part in ("", "-wal"):
        shutil.move(tmp_path / f"kept{part}", tmp_path / f"damaged.db{part}")
    fresh, _ = saved()
    assert fresh.execute("SELECT text FROM message WHERE id = 99999").fetchall() == [("newest",)]


@pytest.mark.parametrize("content", [b"", b"no database", bytes(3 * PAGE), random.Random(1).randbytes(9 * PAGE)])
def test_a_file_that_is_none_gives_an_empty_one(
    content: bytes, damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    damaged.write_bytes(content)
    fresh, found = saved()
    assert sum(table.rows for table in found) == 0
    assert fresh.execute("SELECT * FROM fold").fetchall() == [(1, 0)]


def test_a_file_that_was_cut_off_gives_what_is_left(
    damaged: Path, saved: Callable[[], tuple[sqlite3.Connection, list[Salvaged]]]
) -> None:
    with damaged.open("r+b") as file:
        file.truncate(damaged.stat().st_size // 2 + 100)
    fresh, found = saved()
    assert next(table.rows for table in found if table.table == "chunk") > 0
    assert fresh.execute("SELECT count(*) FROM series").fetchone() == (SERIES,)
