"""A walk through the rows of a strand in the order of time, some chunks at a step, forwards or backwards.

What lies where is looked up once, at the first step; so the walk sees one moment of the strand, whatever is folded
meanwhile. Chunks whose times overlap, since a clock was set back, are merged on the way. It must not know columns.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from typing import Final

import msgspec

from hallway.store.history.breath import Breath
from hallway.store.history.codec import Body, Columns
from hallway.store.history.folding import taken
from hallway.store.history.strands import LARGE, Report, Strand, load, pieces, read_columns, read_head, said_beside

ROWS: Final = 1024
"""So many make a table, more or less."""
TABLES: Final = 12
"""So many are taken along at a step: going there and back takes as long as unpacking one of them."""
UNPACKED: Final = 1024 * 1024
"""Nor are more bytes than these, more or less: of long texts a single chunk may be as much."""
_FOREVER: Final = (1 << 63) - 1
_PIECE: Final = 1 << 62
"""Added to the number of a fold it says that a piece came after all chunks."""


class Source(msgspec.Struct, frozen=True):
    """Where rows are. came: grows with the time of writing, and is the number of a chunk where there is no body."""

    first: int
    last: int
    came: int
    body: Body | None = None


class Walk:
    """Rows from `after` to `before` (milliseconds, both included, None: all); each step in a transaction that reads.

    breath: of the thread that walks, where it walks through several strands.
    """

    def __init__(
        self,
        number: int,
        after: int | None,
        before: int | None,
        report: Report,
        *,
        descending: bool = False,
        breath: Breath | None = None,
    ) -> None:
        self._number = number
        self._after = -_FOREVER if after is None else max(after, -_FOREVER)
        self._before = _FOREVER if before is None else min(before, _FOREVER)
        self._report = report
        self._breath = breath or Breath()
        self._descending = descending
        self._sources: list[Source] | None = None
        self._next = 0
        self._unpacked = 0
        self._held: Columns = [[]]
        self._came: list[int] = []
        self.strand: Strand | None = None
        self.upto = 0
        self.newest = 0

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more."""
        return self._sources is not None and self._next == len(self._sources)

    def step(self, connection: sqlite3.Connection, tables: int = TABLES) -> list[Columns]:
        """The next tables, as many as were asked for or fewer; within each the oldest row comes first."""
        if self._sources is None:
            self._sources = self._look_up(connection)
        found: list[Columns] = []
        self._unpacked = 0
        while self._next < len(self._sources) and len(found) < tables:
            rows = self._rows_of_next(connection, self._sources)
            if not rows[0]:
                continue
            if found and len(found[-1][0]) + len(rows[0]) <= ROWS:
                before, after = (rows, found[-1]) if self._descending else (found[-1], rows)
                found[-1] = _one_after_the_other(before, after)
            else:
                found.append(rows)
            if self._unpacked > UNPACKED or said_beside(found[-1]) > LARGE:
                break
        return found

    def _look_up(self, connection: sqlite3.Connection) -> list[Source]:
        _, self.upto, self.newest = taken(connection)
        self.strand = load(connection, self._number)
        if self.strand is None:
            return []
        sources = [
            Source(first, last, chunk)
            for first, last, chunk in connection.execute(
                "SELECT first, last, chunk FROM place WHERE strand = ? AND last >= ? AND first <= ?",
                (self._number, self._after, self._before),
            )
        ]
        sources += [
            Source(piece.body.first, piece.body.last, _PIECE + piece.fold, piece.body)
            for piece in pieces(connection, self.strand, self._report)
            if piece.body.last >= self._after and piece.body.first <= self._before
        ]
        if self._descending:
            sources.sort(key=lambda source: (source.last, source.came), reverse=True)
        else:
            sources.sort(key=lambda source: (source.first, source.came))
        return sources

    def _rows_of_next(self, connection: sqlite3.Connection, sources: list[Source]) -> Columns:
        """Rows of the next source, and such as were held back, but for those that later sources may stand between."""
        source = sources[self._next]
        self._next += 1
        rows = self._read(connection, source)
        following = sources[self._next] if self._next < len(sources) else None
        if not self._held[0] and self._is_apart(rows[0], following):
            return rows
        if self._held[0]:
            rows, came = _merged(self._held, self._came, rows, source.came)
        else:
            came = [source.came] * len(rows[0])
        if following is None:
            self._held = [[]]
            return rows
        ats = rows[0]
        if self._descending:
            cut = bisect_right(ats, following.last)
            self._held, self._came = [column[:cut] for column in rows], came[:cut]
            return [column[cut:] for column in rows] if cut else rows
        cut = bisect_left(ats, following.first)
        self._held, self._came = [column[cut:] for column in rows], came[cut:]
        return [column[:cut] for column in rows] if cut < len(ats) else rows

    def _is_apart(self, ats: list[int], following: Source | None) -> bool:
        """Whether nothing of what follows stands between these, or at the same time."""
        if following is None or not ats:
            return True
        return ats[0] > following.last if self._descending else ats[-1] < following.first

    def _read(self, connection: sqlite3.Connection, source: Source) -> Columns:
        body, where = source.body, f"chunk {source.came}"
        if body is None:
            row = connection.execute("SELECT body FROM chunk WHERE id = ?", (source.came,)).fetchone()
            body = None if row is None else read_head(row[0], self._number, where, self._report)
            if row is None:
                return [[]]  # dropped since the first step
        if body is None or body.last != source.last:
            return [[]]
        size = body.size or len(body.data)
        self._unpacked += size
        self._breath.spend(size)
        return read_columns(body, where, self._report, self._after, self._before) or [[]]


def _one_after_the_other(before: Columns, after: Columns) -> Columns:
    _pad(before, after)
    for column, others in zip(before, after, strict=True):
        column.extend(others)
    return before


def _pad(one: Columns, other: Columns) -> None:
    """A column that one of them lacks is None there."""
    if len(one) == len(other):
        return
    width = max(len(one), len(other))
    for table in (one, other):
        table += [[None] * len(table[0]) for _ in range(width - len(table))]


def _merged(held: Columns, held_came: list[int], rows: Columns, came: int) -> tuple[Columns, list[int]]:
    """In the order of time, those of one time as they came."""
    _pad(held, rows)
    table = [one + other for one, other in zip(held, rows, strict=True)]
    all_came = held_came + [came] * len(rows[0])
    ats = table[0]
    order = sorted(range(len(ats)), key=lambda place: (ats[place], all_came[place]))
    return [list(map(column.__getitem__, order)) for column in table], [all_came[place] for place in order]
