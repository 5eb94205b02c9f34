"""What can still be read of a damaged home.db, row by row.

Each table is read from its beginning and from its end up to what is damaged, and between by the keys that an older copy
knows. It must not know what is done with the rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from hallway.store.contents import Kept, Table, kept, selected, tables_of, wrong_with

Row = tuple[Any, ...]


class Salvaged(NamedTuple):
    """A table as far as it can be read. whole: nothing in it is damaged, so that what is not there never was."""

    table: Table
    rows: list[Row]
    whole: bool


def salvaged(connection: sqlite3.Connection, known: Mapping[str, Iterable[Row]] | None = None) -> list[Salvaged]:
    """All tables that can be found; known: by table, rows of an older copy in the same columns."""
    try:
        tables = tables_of(connection)
    except (sqlite3.Error, ValueError, TypeError):
        return []
    return [_table(connection, table, (known or {}).get(table.name, ())) for table in tables if table.order]


def readable(connection: sqlite3.Connection) -> Iterator[Kept]:
    """All rows that can be read and make sense."""
    for found in salvaged(connection):
        for row in found.rows:
            yield kept(found.table, row)


def _table(connection: sqlite3.Connection, table: Table, known: Iterable[Row]) -> Salvaged:
    reading = _Reading(connection, table)
    order = ", ".join(table.order)
    backwards = ", ".join(f"{column} DESC" for column in table.order)
    whole = reading.read(f"{selected(table)} ORDER BY {order}") and _is_whole(connection, table)
    if not whole:
        reading.read(f"{selected(table)} ORDER BY {backwards}", step=-1)
        marks = ", ".join("?" * len(table.order))
        onwards = f"{selected(table)} WHERE ({order}) >= ({marks}) ORDER BY {order}"
        for row in known:
            place = table.part(table.order, row)
            if place not in reading.found:
                reading.read(onwards, place)
    good = [row for _place, row in sorted(reading.found.items()) if wrong_with(table, row) is None]
    return Salvaged(table, good, whole and len(good) == len(reading.found))


def _is_whole(connection: sqlite3.Connection, table: Table) -> bool:
    """Whether the pages of a table are: a damaged one may hide others without an error."""
    try:
        return connection.execute(f"PRAGMA integrity_check({table.name})").fetchall() == [("ok",)]
    except (sqlite3.Error, ValueError):
        return False


class _Reading:
    """The rows of one table by their place in it, as more and more of them are found."""

    def __init__(self, connection: sqlite3.Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self.found: dict[Row, Row] = {}

    def read(self, query: str, given: Row = (), step: int = 1) -> bool:
        """Read on until there is no more, or something is damaged, or known; whether there was nothing damaged."""
        last: Row | None = None
        sense = True
        try:
            for row in self._connection.execute(query, given):
                place = self._table.part(self._table.order, row)
                if place in self.found:
                    return False
                if not _fits(self._table, place):
                    sense = False
                    continue
                if last is not None and (place > last) != (step > 0):
                    return False  # a damaged page leads in a circle
                self.found[place] = row
                last = place
        except (sqlite3.Error, ValueError, TypeError, OverflowError):
            return False
        return sense


def _fits(table: Table, place: Row) -> bool:
    """Whether a place is one at all; nonsense could not be put in order."""
    types = (table.types[table.columns.index(column)] for column in table.order)
    return all(isinstance(each, kind) for each, kind in zip(place, types, strict=True))
