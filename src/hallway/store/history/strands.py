"""The tables of packed rows: what comes of a strand waits in small pieces, until there is enough of it for a chunk.

A fold writes its pieces side by side, so that it touches few pages; chunks are written once, and an index says where
they are. All of it happens in a transaction of somebody else. It must not know what the columns after the time mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

import msgspec

from hallway.store.history.codec import Body, Columns, DamagedBody, head, pack, unpack_between

Report = Callable[[str], None]
"""Is told which body is damaged, as a sentence."""

KINDS: Final = 4
"""Of strands in a series: its samples, 5 minutes, hours and days."""
FOLD_BITS: Final = 32
KEPT_FOLDS: Final = 32
"""So many folds have pieces; what is older and still too little for a chunk is written again as one piece."""
LOOK_AT_NEWEST: Final = b""
"""In the column `more` of a strand: the newest body says it."""
_RIPE: Final = (1024, 512, 128, 64)
"""Rows that make a chunk, by kind. Chunks of roll-ups are smaller, since they are so long in coming."""
LARGE: Final = 128 * 1024
"""Bytes of texts, or said beside values, that are much for one chunk, since whoever reads holds a whole one."""
_COLUMNS: Final = "number, count, first, last, bytes, waiting, settled, running, more"


class Strand(msgspec.Struct, array_like=True):
    """A row of the table of that name, whose columns these are. size: bytes of all bodies."""

    number: int
    count: int = 0
    first: int = 0
    last: int = 0
    size: int = 0
    waiting: int = 0
    settled: int = 0
    running: bytes | None = None
    more: bytes | None = None


class Piece(msgspec.Struct, frozen=True):
    """A body that waits, and the fold that it came with."""

    fold: int
    body: Body
    size: int


def load(connection: sqlite3.Connection, number: int) -> Strand | None:
    """None: nothing was ever kept of it."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM strand WHERE number = ?", (number,)).fetchone()  # noqa: S608
    return None if row is None else Strand(*row)


def save(connection: sqlite3.Connection, strand: Strand) -> None:
    """Put its row in the place of the one that was."""
    row = msgspec.structs.astuple(strand)
    connection.execute(f"INSERT OR REPLACE INTO strand ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", row)  # noqa: S608


def read_head(body: bytes, number: int, where: str, report: Report) -> Body | None:
    """None, and a report: it is damaged, or another strand's."""
    try:
        found = head(body)
    except DamagedBody as error:
        report(f"{where} of series {number // KINDS} is left out: {error}")
        return None
    if found.strand != number:
        report(f"{where} of series {number // KINDS} is left out: it belongs to series {found.strand // KINDS}")
        return None
    return found


def read_columns(
    body: Body, where: str, report: Report, after: int | None = None, before: int | None = None
) -> Columns | None:
    """The rows between two times, both included. None, and a report: it cannot be unpacked."""
    try:
        return unpack_between(body, after, before)
    except DamagedBody as error:
        report(f"{where} of series {body.strand // KINDS} is left out: {error}")
        return None


def pieces(connection: sqlite3.Connection, strand: Strand, report: Report) -> Iterator[Piece]:
    """What waits of a strand, in the order in which it came."""
    if not strand.waiting:
        return
    rows = connection.execute(
        "SELECT layer.number, piece.body FROM layer JOIN piece ON piece.id = (layer.number << ?) + ?"
        " WHERE layer.number > ? ORDER BY layer.number",
        (FOLD_BITS, strand.number, strand.settled),
    ).fetchall()
    for fold, data in rows:
        body = read_head(data, strand.number, f"piece {fold}", report)
        if body is not None:
            yield Piece(fold, body, len(data))


def joined(parts: list[Columns]) -> Columns:
    """One table of several that came one after the other, in the order of time; columns that some lack are None."""
    width = max(map(len, parts))
    for part in parts:
        part += [[None] * len(part[0]) for _ in range(width - len(part))]
    table = [list(chain.from_iterable(columns)) for columns in zip(*parts, strict=True)] if parts[1:] else parts[0]
    return in_order(table)


def in_order(table: Columns) -> Columns:
    """The rows in the order of time, those of one time as they came."""
    ats = table[0]
    if ats == sorted(ats):
        return table
    order = sorted(range(len(ats)), key=ats.__getitem__)
    return [list(map(column.__getitem__, order)) for column in table]


def add(connection: sqlite3.Connection, strand: Strand, fold: int, table: Columns, report: Report) -> Columns:
    """Keep rows, in the order of time, that came with a fold; what was written at last. The strand is not saved."""
    rows = len(table[0])
    strand.first = min(strand.first, table[0][0]) if strand.count else table[0][0]
    strand.last = max(strand.last, table[0][-1]) if strand.count else table[0][-1]
    strand.count += rows
    if strand.waiting + rows >= _RIPE[strand.number % KINDS]:
        table = _gathered(connection, strand, table, report)
        strand.settled, strand.waiting = fold, 0
        _put_chunks(connection, strand, table)
    elif strand.waiting and (fold + strand.number // KINDS) % KEPT_FOLDS == 0:
        table = _gathered(connection, strand, table, report)
        put_piece(connection, strand, fold, table)
    else:
        strand.waiting += rows
        _write_piece(connection, strand, fold, pack(strand.number, 0, table))
    return table


def put_piece(connection: sqlite3.Connection, strand: Strand, fold: int, table: Columns) -> None:
    """Let this be all that waits of a strand; the sizes of what waited before have been taken off."""
    strand.settled, strand.waiting = fold - 1, len(table[0])
    _write_piece(connection, strand, fold, pack(strand.number, strand.settled, table))


def retire(connection: sqlite3.Connection, fold: int, report: Report) -> None:
    """With this fold, end the folds that are too old: what waits in them comes along."""
    oldest = fold - KEPT_FOLDS
    ids = connection.execute("SELECT id FROM piece WHERE id < ? ORDER BY id", ((oldest + 1) << FOLD_BITS,)).fetchall()
    for number in dict.fromkeys(piece & ((1 << FOLD_BITS) - 1) for (piece,) in ids):
        strand = load(connection, number)
        if strand is None or not strand.waiting or strand.settled >= oldest:
            continue
        more = newest_more(connection, strand, report)
        table = _gathered(connection, strand, [], report)
        if table:
            put_piece(connection, strand, fold, table)
        if strand.more == LOOK_AT_NEWEST and newest_more(connection, strand, report) != more:
            strand.more = more
        save(connection, strand)
    connection.execute("DELETE FROM piece WHERE id < ?", ((oldest + 1) << FOLD_BITS,))
    connection.execute("DELETE FROM layer WHERE number <= ?", (oldest,))


def newest_more(connection: sqlite3.Connection, strand: Strand, report: Report) -> bytes | None:
    """What the newest row of samples has of `more`."""
    if strand.more != LOOK_AT_NEWEST:
        return strand.more
    body = _newest_body(connection, strand, report)
    table = None if body is None else read_columns(body, "the newest body", report)
    return None if table is None or not table[2:] else table[2][-1]


def _newest_body(connection: sqlite3.Connection, strand: Strand, report: Report) -> Body | None:
    """The one that was written last; None: there is none, or it is damaged."""
    waiting = list(pieces(connection, strand, report))
    if waiting:
        return waiting[-1].body
    row = connection.execute(
        "SELECT chunk.id, chunk.body FROM place JOIN chunk ON chunk.id = place.chunk"
        " WHERE place.strand = ? ORDER BY chunk.id DESC LIMIT 1",
        (strand.number,),
    ).fetchone()
    return None if row is None else read_head(row[1], strand.number, f"chunk {row[0]}", report)


def _gathered(connection: sqlite3.Connection, strand: Strand, table: Columns, report: Report) -> Columns:
    """All that waits, and these rows after it. What is damaged is lost here, and not counted any more."""
    parts: list[Columns] = []
    lost = strand.waiting
    for piece in pieces(connection, strand, report):
        found = read_columns(piece.body, f"piece {piece.fold}", report)
        if found is not None:
            parts.append(found)
            lost -= len(found[0])
        strand.size -= piece.size
    strand.count -= lost
    strand.waiting = 0
    if table:
        parts.append(table)
    return joined(parts) if parts else []


def _write_piece(connection: sqlite3.Connection, strand: Strand, fold: int, body: bytes) -> None:
    strand.size += len(body)
    connection.execute(
        "INSERT OR REPLACE INTO piece (id, body) VALUES (?, ?)", ((fold << FOLD_BITS) + strand.number, body)
    )


def said_beside(table: Columns) -> int:
    """How many bytes are said beside the values of samples, each text counted once; roll-ups have numbers there."""
    return sum(map(len, {more for more in table[2] if isinstance(more, bytes)})) if table[2:] else 0


def _text_bytes(table: Columns) -> int:
    """How many bytes the values have that are texts, each counted once."""
    return sum(map(len, {value for value in table[1] if isinstance(value, str)}))


def _put_chunks(connection: sqlite3.Connection, strand: Strand, table: Columns) -> None:
    rows = len(table[0])
    parts = min(rows, max(1, rows // _RIPE[strand.number % KINDS], (said_beside(table) + _text_bytes(table)) // LARGE))
    for part in range(parts):
        begin, end = rows * part // parts, rows * (part + 1) // parts
        columns = [column[begin:end] for column in table]
        body = pack(strand.number, strand.settled, columns)
        chunk = connection.execute("INSERT INTO chunk (body) VALUES (?)", (body,)).lastrowid
        ats = columns[0]
        connection.execute(
            "INSERT INTO place (strand, last, chunk, first, count, bytes) VALUES (?, ?, ?, ?, ?, ?)",
            (strand.number, ats[-1], chunk, ats[0], len(ats), len(body)),
        )
        strand.size += len(body)
