"""A damaged home.db is mended: the newest good generation, what can still be read of the damaged file, the redo log.

The new file is whole before it takes the place of the old one, which is kept beside it. It must not know the home.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from hallway import durable
from hallway.errors import Unavailable
from hallway.store import contents, definitions, generations, tables
from hallway.store.contents import Table
from hallway.store.database import HOME, Damaged, clear, keep_aside, open_database
from hallway.store.error_texts import said
from hallway.store.generations import Generation
from hallway.store.pending_files import take_place
from hallway.store.rows import Batch, DefinitionRow, Record
from hallway.store.salvage import Row, Salvaged, salvaged

_TIMES: Final = {"state": "last_updated", "value": "updated"}
"""Where a row says when it was written."""
_MODE, _CHANGES, _PAGES, _PAGES_VALID_FOR = slice(18, 20), slice(24, 28), slice(28, 32), slice(92, 96)
"""Fields of the header of a database file."""


class Mended(NamedTuple):
    """What a home.db was mended from. rows: those that only the damaged file had; torn: tables that miss something.

    aside: the damaged file, if there was one.
    """

    aside: Path | None
    generation: Path | None
    rows: int
    torn: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        base = "without a generation" if self.generation is None else f"from {self.generation.parent.name}/"
        name = "" if self.generation is None else self.generation.name
        lost = f"; what was written last to {', '.join(self.torn)} may be missing" if self.torn else ""
        return (
            f"it was mended {base}{name}, {self.rows} rows that could still be read, and the redo log{lost}. "
            + ("" if self.aside is None else f"The damaged file is kept as {self.aside.name}: ")
            + "check the home, then the disk, which may be failing"
        )


def mend(path: Path, records: list[Record], now: float) -> Mended:
    """Put a whole home.db in the place of a damaged one. Unavailable: the disk refuses; nothing was lost then."""
    try:
        aside = keep_aside(path, now)
        building = path.with_name(f"{path.name}.new")
        mended = build_of_best(building, aside, records)
        durable.move(building, path.with_name(f"{path.name}.next"))
        take_place(path)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{path} is damaged and cannot be mended: {said(error)}") from None
    return mended


def build_of_best(building: Path, aside: Path, records: list[Record]) -> Mended:
    """Make a whole file of the newest good generation, what can be read of the damaged one, and these records."""
    for generation in generations.good(building.parent):
        with contextlib.suppress(Damaged):
            return _build(building, aside, generation, records)
    return _build(building, aside, None, records)


def _build(building: Path, aside: Path, generation: Generation | None, records: list[Record]) -> Mended:
    clear(building)  # of a try that was cut off: its journal would be read into this one
    if generation is not None:
        durable.copy(generation.path, building)
    with closing(open_database(building)) as connection:
        known = dict(_rows_of(connection))
        ours = {table.name: table for table in contents.tables_of(connection)}
        found = [each for each in _salvaged(aside, generation, known) if _fits(each.table, ours.get(each.table.name))]
        connection.execute("BEGIN IMMEDIATE")
        taken = _merge(connection, found, records, generation)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
        contents.check(connection)
    whole = {each.table.name for each in found if each.whole}
    torn = tuple(name for name in known if name not in whole and name != "progress")
    return Mended(aside if aside.exists() else None, None if generation is None else generation.path, taken, torn)


def _rows_of(connection: sqlite3.Connection) -> Iterable[tuple[str, list[Row]]]:
    for table in contents.tables_of(connection):
        yield table.name, connection.execute(contents.selected(table)).fetchall()


# ---------------------------------------------------------------------- out of the damaged file


def _salvaged(aside: Path, generation: Generation | None, known: dict[str, list[Row]]) -> list[Salvaged]:
    found = _read(aside, known)
    if found or generation is None or not aside.exists():
        return found
    scratch = aside.with_name("home.db.scratch")
    try:  # its first page is of no use: perhaps the one of the generation fits, since tables stay where they are
        _with_first_page(aside, generation.path, scratch)
        return _read(scratch, known)
    finally:
        clear(scratch)


def _fits(table: Table, ours: Table | None) -> bool:
    """Whether a table is one of ours; the damage may have gone through what it and its columns are called."""
    return ours is not None and table.order == ours.order and set(table.key) | set(table.columns) <= set(ours.columns)


def _read(path: Path, known: dict[str, list[Row]]) -> list[Salvaged]:
    try:
        with closing(contents.read_only(path)) as connection:
            connection.execute("PRAGMA writable_schema = ON")  # a table that is not understood hides no other one
            return salvaged(connection, known)
    except sqlite3.Error:
        return []
    finally:
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


def _with_first_page(aside: Path, generation: Path, scratch: Path) -> None:
    with generation.open("rb") as file:
        first = bytearray(file.read(HOME.page_bytes))
    wal = aside.with_name(f"{aside.name}-wal")
    if wal.exists():
        durable.copy(wal, scratch.with_name(f"{scratch.name}-wal"))
        first[_MODE] = b"\2\2"
    first[_PAGES] = (aside.stat().st_size // HOME.page_bytes).to_bytes(4, "big")
    first[_PAGES_VALID_FOR] = first[_CHANGES]
    durable.write(scratch, bytes(first) + aside.read_bytes()[HOME.page_bytes :])


# ---------------------------------------------------------------------- into the new one


def _merge(
    connection: sqlite3.Connection, found: list[Salvaged], records: list[Record], generation: Generation | None
) -> int:
    """The generation stands there; over it goes what is newer. How many rows only the damaged file had."""
    base = 0 if generation is None else generation.seq
    seq = max(
        [
            base,
            *(
                row[each.table.columns.index("last_seq")]
                for each in found
                if each.table.name == "progress"
                for row in each.rows
            ),
        ]
    )
    _write(connection, [record for record in records if base < record.seq <= seq])
    taken = 0
    for each in found:
        if each.table.name == "definition":
            taken += _put_definitions(connection, each, base)
        elif each.table.name != "progress":
            taken += _put(connection, each)
    _write(connection, [record for record in records if record.seq > seq])
    for record in records:
        if record.seq > base:
            for row in record.rows:
                if isinstance(row, DefinitionRow):
                    _define(connection, row)
    (defined,) = connection.execute("SELECT coalesce(max(seq), 0) FROM definition").fetchone()
    newest = max([seq, defined, *(record.seq for record in records)])
    connection.execute("UPDATE progress SET last_seq = ?", (newest,))
    return taken


def _write(connection: sqlite3.Connection, records: list[Record]) -> None:
    """All but definitions."""
    batch = Batch()
    for record in records:
        batch.put(record.seq, [row for row in record.rows if not isinstance(row, DefinitionRow)])
    if not batch.empty:
        tables.write(connection, batch)


def _put_definitions(connection: sqlite3.Connection, found: Salvaged, base: int) -> int:
    """Versions that came after the generation; those that were written beside the changes have their time only."""
    (latest,) = connection.execute("SELECT coalesce(max(at), 0) FROM definition").fetchone()
    table = found.table
    order = ("seq", "at") if "seq" in table.columns else ("at", "at")
    newer = [row for row in found.rows if _is_newer(table.part(order, row), base, latest)]
    return _insert(connection, table, table.columns, newer, "INSERT OR IGNORE")


def _is_newer(place: Row, base: int, latest: float) -> bool:
    seq, at = place
    return bool(seq > base if seq and seq != at else at > latest)


def _put(connection: sqlite3.Connection, found: Salvaged) -> int:
    """Values: a table that is whole is as it was; of one that is torn the rows that are newer."""
    table = found.table
    if found.whole:
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - a name of the schema
        return _insert(connection, table, table.columns, found.rows, "INSERT OR REPLACE")
    columns = tuple(column for column in table.columns if column in table.key or column not in table.order)
    time = _TIMES.get(table.name)
    changed = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in table.key)
    newer = f" WHERE excluded.{time} >= {table.name}.{time}" if time else ""
    over = f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changed}{newer}"
    return _insert(connection, table, columns, [table.part(columns, row) for row in found.rows], "INSERT", over)


def _insert(
    connection: sqlite3.Connection, table: Table, columns: tuple[str, ...], rows: list[Row], verb: str, over: str = ""
) -> int:
    """How many rows are there now that were not, or were otherwise."""
    marks = ", ".join("?" * len(columns))
    statement = f"{verb} INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) {over}"
    taken = 0
    for row in rows:
        with contextlib.suppress(sqlite3.IntegrityError, sqlite3.OperationalError):  # nonsense that looked like a row
            taken += connection.execute(statement, row).rowcount
    return taken


def _define(connection: sqlite3.Connection, row: DefinitionRow) -> None:
    """A version that only the redo log has; behind those that came before it, if nothing stands there."""
    which = (row.kind, row.key)
    known = connection.execute("SELECT version, seq FROM definition WHERE kind = ? AND id = ?", which).fetchall()
    version = 1 + max((version for version, seq in known if seq < row.seq), default=0)
    if all(seq != row.seq and version != taken for taken, seq in known):
        put = definitions.put(connection, definitions.definition_of(row))
        connection.execute(
            "UPDATE definition SET version = ? WHERE kind = ? AND id = ? AND version = ?",
            (version, *which, put.version),
        )
