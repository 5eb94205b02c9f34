"""The tables of home.db and their like in PostgreSQL: names, columns, and the statements that compare and fill them.

Both have the same columns. It must not know when they are filled.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from hallway.errors import Unavailable
from hallway.store.error_texts import said
from hallway.store.postgres.texts import from_postgres, to_postgres
from hallway.store.tables import last_seq

Row = tuple[Any, ...]


class Table(NamedTuple):
    """A table. key: the columns by which a row is known; large: one that is compared by its checksum."""

    name: str
    key: tuple[str, ...]
    rest: tuple[str, ...]
    large: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.key, *self.rest)

    # ------------------------------------------------------------------ in PostgreSQL

    @property
    def put(self) -> str:
        """Put a row, over one that is there."""
        marks = ", ".join(f"${number}" for number in range(1, len(self.columns) + 1))
        fresh = ", ".join(f"{name} = excluded.{name}" for name in self.rest)
        into = f"{self.name} ({', '.join(self.columns)})"
        known = ", ".join(self.key)
        return f"INSERT INTO {into} VALUES ({marks}) ON CONFLICT ({known}) DO UPDATE SET {fresh}"  # noqa: S608 - likewise

    def drop(self, length: int) -> str:
        """Drop the rows whose keys begin with so many values."""
        where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(self.key[:length], 1))
        return f"DELETE FROM {self.name} WHERE {where}"  # noqa: S608 - names that stand below

    @property
    def compared(self) -> str:
        """All rows as `print_of` compares them."""
        columns = (f"md5({name})" if name == self.large else name for name in self.columns)
        return f"SELECT {', '.join(columns)} FROM {self.name}"  # noqa: S608 - likewise

    # ------------------------------------------------------------------ in both

    @property
    def everything(self) -> str:
        """All rows."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"  # noqa: S608 - likewise

    def some(self, length: int) -> str:
        """In SQLite: the rows whose keys begin with so many values."""
        return f"{self.everything} WHERE {' AND '.join(f'{name} = ?' for name in self.key[:length])}"

    def print_of(self, row: Row) -> int:
        """What tells a row from another one with the same key: of one in the form that PostgreSQL has it."""
        if self.large:
            place = self.columns.index(self.large)
            row = (*row[:place], _md5(row[place]), *row[place + 1 :])
        return hash(row[len(self.key) :])


DEFINITION: Final = Table(
    "definition", ("kind", "id", "version"), ("at", "author", "door", "body", "seq", "act", "checksum"), large="body"
)
STATE: Final = Table(
    "state", ("entity_id",), ("number", "state", "attributes", "last_changed", "last_updated", "told_by")
)
VALUE: Final = Table("value", ("device_id", "attribute"), ("value", "updated", "changed"))
VARIABLE: Final = Table("variable", ("name",), ("value",))
PLAN: Final = Table("plan", ("device_id", "name"), ("due",))
NOTE: Final = Table("note", ("owner", "name"), ("body",))
KEPT_ID: Final = Table("kept_id", ("owner",), ("entity_id",))
TABLES: Final = (DEFINITION, STATE, VALUE, VARIABLE, PLAN, NOTE, KEPT_ID)


def _md5(text: str | None) -> str | None:
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def outwards(row: Sequence[Any]) -> Row:
    """A row of home.db as PostgreSQL takes it."""
    return tuple(to_postgres(value) if value.__class__ is str else value for value in row)


def inwards(row: Sequence[Any]) -> Row:
    """A row of PostgreSQL as it was in home.db."""
    return tuple(from_postgres(value) if value.__class__ is str else value for value in row)


class Snapshot(NamedTuple):
    """home.db as one commit left it: the number of its last change, and a connection that sees that."""

    seq: int
    connection: sqlite3.Connection


@contextmanager
def snapshot(path: Path) -> Iterator[Snapshot]:
    """A look at home.db, beside whoever writes it. Unavailable: it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", 5, uri=True, isolation_level=None)) as home:
            home.execute("PRAGMA query_only = ON")
            home.execute("BEGIN")
            yield Snapshot(last_seq(home), home)
            home.execute("COMMIT")
    except sqlite3.Error as error:
        raise Unavailable(
            f"home.db cannot be read for the database: {said(error)}; the hub tries again by itself"
        ) from None
