"""What stands in a home.db, row by row: for comparing two of them, and for naming what is wrong in one.

It works with every schema, since it asks the file which tables and keys it has. It must not know backups.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from hallway.store.database import Damaged, is_damage
from hallway.store.error_texts import said

JSON: Final = {
    "definition": "body",
    "note": "body",
    "state": "attributes",
    "value": "value",
    "variable": "value",
}
"""The column of each table that holds JSON."""
KNOWN_BY: Final = {"state": ("entity_id",)}
"""Tables whose rows have a name beside their key."""
_decode = msgspec.json.Decoder(Any).decode
_encode = msgspec.json.Encoder().encode


TYPES: Final[dict[str, tuple[type, ...]]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (float,)}


CHECKED: Final = ("kind", "id", "at", "author", "door", "body", "seq", "act")
"""What the checksum of a definition is about."""


class Table(NamedTuple):
    """A table as the file has it. key: the columns by which a row is known; order: those in whose order rows stand.

    types: of each column, NoneType among them where there may be nothing.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]
    types: tuple[tuple[type, ...], ...]

    def part(self, columns: tuple[str, ...], row: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a row has in these columns."""
        return tuple(row[self.columns.index(column)] for column in columns)


class Kept(NamedTuple):
    """A row: where it stands, what it is called there, and all of it."""

    table: str
    key: tuple[Any, ...]
    row: tuple[Any, ...]

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.table} {' '.join(str(part) for part in self.key)}"

    @property
    def checksum(self) -> str:
        """Of all that stands in the row."""
        return hashlib.sha256(_encode([self.table, *self.row])).hexdigest()[:16]


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; what is no UTF-8 can be read with it too."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.text_factory = as_text
    return connection


def as_text(data: bytes) -> str:
    """What cannot be read as UTF-8 becomes something that is no JSON either."""
    return data.decode("utf-8", "surrogateescape")


def tables_of(connection: sqlite3.Connection) -> list[Table]:
    """The tables of a file, by name."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [_table(connection, name) for (name,) in sorted(names.fetchall())]


def _table(connection: sqlite3.Connection, name: str) -> Table:
    found = connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (name,)).fetchall()
    order = tuple(column for pk, column in sorted((pk, column) for column, _type, _full, pk in found if pk))
    types = tuple(TYPES.get(kind, (object,)) + (() if full or pk else (type(None),)) for _c, kind, full, pk in found)
    return Table(name, tuple(column for column, *_ in found), KNOWN_BY.get(name, order), order, types)


def selected(table: Table) -> str:
    """The rows of a table as `Kept` wants them."""
    return f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 - names from the file's schema


def kept(table: Table, row: tuple[Any, ...]) -> Kept:
    """A row with its name."""
    return Kept(table.name, table.part(table.key, row), row)


def rows(connection: sqlite3.Connection) -> Iterator[Kept]:
    """All rows of all tables, in the order of their keys. sqlite3.Error: the file is damaged."""
    for table in tables_of(connection):
        for row in connection.execute(f"{selected(table)} ORDER BY {', '.join(table.order)}"):
            yield kept(table, row)


def wrong_with(table: Table, row: tuple[Any, ...]) -> str | None:
    """What is wrong with a row, if anything is: a column of another type, no UTF-8, or no JSON where it should be."""
    for column, types, value in zip(table.columns, table.types, row, strict=True):
        if not isinstance(value, types):
            return f"its {column} is {type(value).__name__}"
        if isinstance(value, str):
            try:
                data = value.encode()
                if column == JSON.get(table.name):
                    _decode(data)
            except (ValueError, RecursionError) as error:  # a DecodeError is a ValueError
                return f"its {column} cannot be read: {error}"
    if {"checksum", *CHECKED} <= set(table.columns):
        (written,) = table.part(("checksum",), row)
        if written is not None and written != checksum(table.part(CHECKED, row)):
            return "it is not what was written: its checksum differs"
    return None


def checksum(checked: tuple[Any, ...]) -> int:
    """Of what a definition has in the columns CHECKED."""
    return crc32(_encode(checked))


def check(connection: sqlite3.Connection) -> int:
    """Whether a home.db is whole: its pages, its indexes and each of its rows; the number of its last change.

    Damaged: what is wrong with it.
    """
    try:
        findings = [text for (text,) in connection.execute("PRAGMA integrity_check(3)")]
        if findings != ["ok"]:
            raise Damaged("; ".join(findings))
        for table in tables_of(connection):
            for row in connection.execute(selected(table)):
                problem = wrong_with(table, row)
                if problem is not None:
                    raise Damaged(f"{kept(table, row).name}: {problem}")
        return int(connection.execute("SELECT last_seq FROM progress").fetchone()[0])
    except (sqlite3.Error, TypeError, UnicodeDecodeError) as error:
        refused = isinstance(error, sqlite3.Error) and not is_damage(error)
        if refused and getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_ERROR:
            raise
        raise Damaged(said(error)) from None
