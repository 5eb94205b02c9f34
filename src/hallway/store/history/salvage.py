"""What can still be read of a damaged history.db goes into a fresh one: all rows of all pages that are whole.

It must not know what the tables hold, but that packed rows are found again by what they say of themselves.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Final, NamedTuple

from hallway.store.history.archive import nameless
from hallway.store.history.file import HISTORY
from hallway.store.history.leaves import Leaves
from hallway.store.history.mending import mend
from hallway.store.history.strands import KINDS, Report
from hallway.store.history.tail_rows import put_series

_PAGES_AT_ONCE: Final = 500
_NOT_COPIED: Final = ("place", "sqlite_%")
"""What is made anew."""
_NAMES: Final = "series"
_COPY: Final = "series_copy"
_COLUMNS: Final = "number, kind, owner, name, type, discrete"
"""Of both."""


class Salvaged(NamedTuple):
    """What became of a table. rows: that were saved; lost: rows, and whole pages of them, that could not be read.

    counted: these are rows alone, as far as is known.
    """

    table: str
    rows: int
    lost: int
    counted: bool = True


class Table(NamedTuple):
    """A table of the fresh file. key: the place of the column that is the number of the row, if one is."""

    root: int
    columns: list[str]
    key: int | None


def salvage(damaged: Path, fresh: sqlite3.Connection, report: Report) -> list[Salvaged]:
    """Fill a database in the present schema that has nothing in it yet; nobody else may have either of them open.

    The damaged file is changed in so far as what waits in its WAL is put in its place. report: is told what is lost.
    """
    _fold_wal(damaged)
    tables = _tables(fresh)
    leaves = Leaves(damaged, HISTORY.page_bytes)
    rows, lost = dict.fromkeys(tables, 0), dict.fromkeys(tables, 0)
    torn: set[str] = set()
    try:
        roots, whole = leaves.schema()
        if not whole:  # tables that were made in the same order begin at the same pages
            guessed = {name: table.root for name, table in tables.items() if leaves.may_begin(table.root)}
            roots = guessed | roots
        fresh.execute("BEGIN IMMEDIATE")
        for number, (name, leaf) in enumerate(leaves.tables({name: roots[name] for name in tables if name in roots})):
            saved = _put(fresh, name, tables[name], leaf.rows, "IGNORE" if leaf.orphan else "REPLACE")
            rows[name] += saved
            lost[name] += leaf.lost + len(leaf.rows) - saved
            if leaf.torn:
                torn.add(name)
            if number % _PAGES_AT_ONCE == _PAGES_AT_ONCE - 1:
                fresh.execute("COMMIT")
                fresh.execute("BEGIN IMMEDIATE")
        mend(fresh, report)
        rows[_NAMES] += _take_names(fresh)
        fresh.execute("COMMIT")
    finally:
        leaves.close()
    found = {
        name: Salvaged(name, rows[name], lost[name], counted=whole and name in roots and name not in torn)
        for name in tables
    }
    copy = found.pop(_COPY)
    if copy.counted and not copy.lost:  # every name is in it
        found[_NAMES] = Salvaged(_NAMES, rows[_NAMES], 0)
    return list(found.values())


def _fold_wal(path: Path) -> None:
    """What stands in the WAL beside the file is taken as far as SQLite takes it."""
    if not path.with_name(f"{path.name}-wal").exists():
        return
    with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):  # whose own words quote what may be no text
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
        with contextlib.closing(connection):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _tables(fresh: sqlite3.Connection) -> dict[str, Table]:
    names = fresh.execute(
        "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table' AND name <> ? AND name NOT LIKE ?", _NOT_COPIED
    ).fetchall()
    found = {}
    for name, root in names:
        columns = fresh.execute("SELECT name, type, pk FROM pragma_table_info(?)", (name,)).fetchall()
        keys = [place for place, (_, kind, key) in enumerate(columns) if key and kind == "INTEGER"]
        found[name] = Table(root, [column for column, _, _ in columns], keys[0] if keys else None)
    return found


def _put(fresh: sqlite3.Connection, name: str, table: Table, rows: list[tuple[int, list[Any]]], how: str) -> int:
    """How many of the rows, as they stood in a page, the table takes."""
    width = len(table.columns)
    marks = ", ".join("?" * width)
    statement = f"INSERT OR {how} INTO {name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608
    taken = 0
    for number, values in rows:
        row = values[:width] + [None] * (width - len(values))
        if table.key is not None:
            row[table.key] = number
        with contextlib.suppress(sqlite3.IntegrityError):
            taken += fresh.execute(statement, row).rowcount
    return taken


def _take_names(fresh: sqlite3.Connection) -> int:
    """Names that only the copy has: how many; series whose names are lost get one, and the copy is one again."""
    taken = fresh.execute(f"INSERT OR IGNORE INTO {_NAMES} SELECT {_COLUMNS} FROM {_COPY}").rowcount  # noqa: S608
    fresh.execute(f"INSERT OR REPLACE INTO {_COPY} SELECT {_COLUMNS} FROM {_NAMES}")  # noqa: S608
    numbers = fresh.execute(
        "SELECT DISTINCT number / ? FROM strand WHERE number / ? NOT IN (SELECT number FROM series)", (KINDS, KINDS)
    )
    put_series(fresh, [nameless(number) for (number,) in numbers.fetchall()])
    return taken
