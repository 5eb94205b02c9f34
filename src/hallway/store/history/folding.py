"""Rows of the tail go into the archive: sorted by series, packed, rolled up. Once each, whatever comes twice.

All of it happens in a transaction of somebody else. It must not know how strands are kept.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from hallway.store.history.archive import TailRow
from hallway.store.history.codec import Columns
from hallway.store.history.rollups import Row, roll, running_bytes, running_of
from hallway.store.history.strands import (
    KINDS,
    LOOK_AT_NEWEST,
    Report,
    Strand,
    add,
    in_order,
    load,
    newest_more,
    retire,
    save,
)

_SORTED_AT_ONCE: Final = 2000
_NUMBERS: Final = frozenset({bool, int, float})
"""What is rolled up. A series of texts, as all entities have one, is not looked through for them value by value."""


def taken(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """The number of the last fold, the id up to which rows were taken, and the latest time among the last ones."""
    row = connection.execute("SELECT number, upto, newest FROM layer ORDER BY number DESC LIMIT 1").fetchone()
    return (0, 0, 0) if row is None else (row[0], row[1], row[2])


def take(connection: sqlite3.Connection, rows: Sequence[TailRow], report: Report) -> None:
    """Keep the rows that were not taken yet, and up to where that is. Those of a series come in the order of ids."""
    fold, upto, _ = taken(connection)
    by_series = _by_series(rows, upto)
    if not by_series:
        return
    fold += 1
    last = max(its[-1].id for its in by_series.values())
    newest = max(its[-1].at for its in by_series.values())
    connection.execute("INSERT INTO layer (number, upto, newest) VALUES (?, ?, ?)", (fold, last, newest))
    for series, its in sorted(by_series.items()):
        time.sleep(0)
        _take_series(connection, series, fold, its, report)
    retire(connection, fold, report)


def _by_series(rows: Sequence[TailRow], upto: int) -> dict[int, list[TailRow]]:
    found: defaultdict[int, list[TailRow]] = defaultdict(list)
    for begin in range(0, len(rows), _SORTED_AT_ONCE):
        time.sleep(0)  # lets the thread of the loop go on, which would have to wait for some milliseconds otherwise
        for row in rows[begin : begin + _SORTED_AT_ONCE]:
            if row.id > upto:
                found[row.series].append(row)
    return found


def _take_series(connection: sqlite3.Connection, series: int, fold: int, rows: list[TailRow], report: Report) -> None:
    strand = load(connection, series * KINDS) or Strand(series * KINDS)
    mores = [row.more for row in rows]
    table: Columns = [[row.at for row in rows], [row.value for row in rows]]
    has_more = strand.more is not None or any(more is not None for more in mores)
    if has_more:
        table.append(_said(mores, newest_more(connection, strand, report) if mores[0] is None else None))
    newest = table[2][-1] if has_more else None
    table = in_order(table)
    done = _rolled(strand, table) if strand.running is not None or not _NUMBERS.isdisjoint(map(type, table[1])) else []
    written = add(connection, strand, fold, table, report)
    if has_more:
        strand.more = LOOK_AT_NEWEST if written[2:] and written[2][-1] == newest else newest
    save(connection, strand)
    for kind, buckets in enumerate(done, start=1):
        if buckets:
            rolled = load(connection, series * KINDS + kind) or Strand(series * KINDS + kind)
            columns = in_order(list(map(list, zip(*buckets, strict=True))))
            add(connection, rolled, fold, columns, report)
            save(connection, rolled)


def _rolled(strand: Strand, table: Columns) -> list[list[Row]]:
    """Go on with the roll-ups of a series: what became complete of each span."""
    running, done = roll(running_of(strand.running), table[0], table[1])
    strand.running = None if running is None else running_bytes(running)
    return done


def _said(mores: list[bytes | None], before: bytes | None) -> list[bytes | None]:
    """Each as it is, not only where it differs from the one before."""
    said: list[bytes | None] = []
    for more in mores:
        if more is not None:
            before = more
        said.append(before)
    return said
