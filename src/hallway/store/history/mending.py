"""What says where packed rows are is made anew from the rows themselves, when a damaged file has been salvaged.

All of it happens in a transaction of somebody else. It must not know how a file is salvaged.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from hallway.store.history.codec import Body, DamagedBody, head
from hallway.store.history.strands import FOLD_BITS, Report, Strand, load, pieces, save

_AT_ONCE: Final = 200


def mend(connection: sqlite3.Connection, report: Report) -> None:
    """Put right which folds there are, where chunks are, and what each strand has; damaged bodies are taken out."""
    connection.execute("DELETE FROM place")
    settled: defaultdict[int, int] = defaultdict(int)
    for chunk, body, size in _bodies(connection, "chunk", report):
        settled[body.strand] = max(settled[body.strand], body.settled)
        connection.execute(
            "INSERT INTO place (strand, last, chunk, first, count, bytes) VALUES (?, ?, ?, ?, ?, ?)",
            (body.strand, body.last, chunk, body.first, body.count, size),
        )
    folds = {number for (number,) in connection.execute("SELECT number FROM layer")}
    for piece, body, _ in _bodies(connection, "piece", report):
        settled[body.strand] = max(settled[body.strand], body.settled)
        if piece >> FOLD_BITS not in folds:
            folds.add(piece >> FOLD_BITS)
            _put_fold(connection, piece >> FOLD_BITS)
    known = {number for (number,) in connection.execute("SELECT number FROM strand")}
    for number in sorted(known | settled.keys()):
        _mend_strand(connection, number, settled[number], report)


def _put_fold(connection: sqlite3.Connection, number: int) -> None:
    """One of which nothing is known but that there was one: it took what the one before it had taken, and more."""
    connection.execute(
        "INSERT INTO layer (number, upto, newest) SELECT ?, coalesce(max(upto), 0), coalesce(max(newest), 0)"
        " FROM layer WHERE number < ?",
        (number, number),
    )


def _mend_strand(connection: sqlite3.Connection, number: int, settled: int, report: Report) -> None:
    strand = load(connection, number) or Strand(number)
    count, first, last, size = connection.execute(
        "SELECT coalesce(sum(count), 0), min(first), max(last), coalesce(sum(bytes), 0) FROM place WHERE strand = ?",
        (number,),
    ).fetchone()
    strand.settled = max(strand.settled, settled)
    strand.waiting = 1  # so that pieces are looked for
    waiting = list(pieces(connection, strand, report))
    strand.waiting = sum(piece.body.count for piece in waiting)
    strand.count = count + strand.waiting
    strand.size = size + sum(piece.size for piece in waiting)
    if strand.count:
        strand.first = min(one for one in (first, *(piece.body.first for piece in waiting)) if one is not None)
        strand.last = max(one for one in (last, *(piece.body.last for piece in waiting)) if one is not None)
    save(connection, strand)


def _bodies(connection: sqlite3.Connection, table: str, report: Report) -> Iterator[tuple[int, Body, int]]:
    """Number, head and size of each; those that are damaged are deleted."""
    after = -1
    while True:
        query = f"SELECT id, body FROM {table} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        rows = connection.execute(query, (after, _AT_ONCE)).fetchall()
        for number, data in rows:
            body = _sound(table, number, data, report)
            if body is None:
                connection.execute(f"DELETE FROM {table} WHERE id = ?", (number,))  # noqa: S608
            else:
                yield number, body, len(data)
        if not rows:
            return
        after = rows[-1][0]


def _sound(table: str, number: int, data: bytes, report: Report) -> Body | None:
    try:
        body = head(data)
    except DamagedBody as error:
        report(f"{table} {number} is lost: {error}")
        return None
    if table == "piece" and number & ((1 << FOLD_BITS) - 1) != body.strand:
        report(f"{table} {number} is lost: it stands under another number than it says")
        return None
    return body
