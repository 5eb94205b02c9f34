"""What becomes too old goes out of the archive, and so does what is to be forgotten.

A chunk goes when all of it is too old. One of which a quarter of its time, and more than a day of it, is too old is
cut: so nothing stays much longer than it should, and little is written twice. It must not know who decides what is old.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from typing import Final, NamedTuple

from hallway.store.history.codec import pack
from hallway.store.history.strands import (
    FOLD_BITS,
    KINDS,
    LOOK_AT_NEWEST,
    Report,
    Strand,
    joined,
    load,
    newest_more,
    pieces,
    put_piece,
    read_columns,
    read_head,
    save,
)

_DAY: Final = 86_400_000
_OF_SPAN: Final = 4
_AT_ONCE: Final = 64


def drop(connection: sqlite3.Connection, number: int, before: int, most: int, report: Report) -> int:
    """Drop rows of a strand that are older, whole chunks first, until it were so many: how many went."""
    strand = load(connection, number)
    if strand is None or not strand.count or strand.first >= before:
        return 0
    more = newest_more(connection, strand, report)
    gone = _drop_chunks(connection, strand, before, most)
    if gone < most:
        gone += _cut_chunks(connection, strand, before, report)
        gone += _drop_pieces(connection, strand, before, report)
    if not gone:
        return 0
    strand.count -= gone
    strand.first = _first(connection, strand, report)
    if strand.more == LOOK_AT_NEWEST and newest_more(connection, strand, report) != more:
        strand.more = more
    save(connection, strand)
    return gone


def drop_spans(connection: sqlite3.Connection, kind: int, before: int, most: int, report: Report) -> int:
    """The same for the strands of a kind of all series."""
    numbers = connection.execute(
        "SELECT number FROM strand WHERE number % ? = ? AND count > 0 AND first < ?", (KINDS, kind, before)
    ).fetchall()
    gone = 0
    for (number,) in numbers:
        gone += drop(connection, number, before, most - gone, report)
        if gone >= most:
            break
    return gone


def forget(connection: sqlite3.Connection, series: int) -> None:
    """Keep nothing of a series: samples and roll-ups."""
    for number in range(series * KINDS, (series + 1) * KINDS):
        connection.execute("DELETE FROM chunk WHERE id IN (SELECT chunk FROM place WHERE strand = ?)", (number,))
        connection.execute("DELETE FROM place WHERE strand = ?", (number,))
        connection.execute("DELETE FROM piece WHERE id IN (SELECT (number << ?) + ? FROM layer)", (FOLD_BITS, number))
        connection.execute("DELETE FROM strand WHERE number = ?", (number,))


def _drop_chunks(connection: sqlite3.Connection, strand: Strand, before: int, most: int) -> int:
    gone = 0
    while gone < most:
        rows = connection.execute(
            "SELECT chunk, last, count, bytes FROM place WHERE strand = ? AND last < ? ORDER BY last, chunk LIMIT ?",
            (strand.number, before, _AT_ONCE),
        ).fetchall()
        for chunk, last, count, size in rows:
            connection.execute("DELETE FROM chunk WHERE id = ?", (chunk,))
            connection.execute(
                "DELETE FROM place WHERE strand = ? AND last = ? AND chunk = ?", (strand.number, last, chunk)
            )
            strand.size -= size
            gone += count
            if gone >= most:
                break
        if len(rows) < _AT_ONCE:
            break
    return gone


def _is_to_be_cut(first: int, last: int, before: int) -> bool:
    old = before - first
    return last < before or (old > _DAY and old * _OF_SPAN > last - first)


def _cut_chunks(connection: sqlite3.Connection, strand: Strand, before: int, report: Report) -> int:
    rows = connection.execute(
        "SELECT chunk, first, last, bytes FROM place WHERE strand = ? AND last >= ? AND first < ?",
        (strand.number, before, before - _DAY),
    ).fetchall()
    gone = 0
    for chunk, first, last, size in rows:
        if _is_to_be_cut(first, last, before):
            gone += _cut(connection, strand, Cut(chunk, last, size, before), report)
    return gone


class Cut(NamedTuple):
    """Where a chunk is, and what of it is to go."""

    chunk: int
    last: int
    size: int
    before: int


def _cut(connection: sqlite3.Connection, strand: Strand, cut: Cut, report: Report) -> int:
    data = connection.execute("SELECT body FROM chunk WHERE id = ?", (cut.chunk,)).fetchone()
    where = f"chunk {cut.chunk}"
    body = None if data is None else read_head(data[0], strand.number, where, report)
    table = None if body is None else read_columns(body, where, report)
    if body is None or table is None:
        return 0
    begin = bisect_left(table[0], cut.before)
    table = [column[begin:] for column in table]
    rest = pack(strand.number, body.settled, table)
    connection.execute("UPDATE chunk SET body = ? WHERE id = ?", (rest, cut.chunk))
    connection.execute(
        "UPDATE place SET first = ?, count = ?, bytes = ? WHERE strand = ? AND last = ? AND chunk = ?",
        (table[0][0], len(table[0]), len(rest), strand.number, cut.last, cut.chunk),
    )
    strand.size += len(rest) - cut.size
    return begin


def _drop_pieces(connection: sqlite3.Connection, strand: Strand, before: int, report: Report) -> int:
    """What waits is one thing here: it goes, is cut, or stays."""
    waiting = list(pieces(connection, strand, report))
    if not waiting:
        return 0
    first, last = min(piece.body.first for piece in waiting), max(piece.body.last for piece in waiting)
    if first >= before or not _is_to_be_cut(first, last, before):
        return 0
    before_that = strand.waiting
    strand.size -= sum(piece.size for piece in waiting)
    parts = [read_columns(piece.body, f"piece {piece.fold}", report) for piece in waiting]
    table = joined([part for part in parts if part is not None] or [[[]]])
    begin = bisect_left(table[0], before)
    if begin == len(table[0]):
        strand.settled, strand.waiting = waiting[-1].fold, 0
    else:
        put_piece(connection, strand, waiting[-1].fold, [column[begin:] for column in table])
    return before_that - strand.waiting


def _first(connection: sqlite3.Connection, strand: Strand, report: Report) -> int:
    (least,) = connection.execute("SELECT min(first) FROM place WHERE strand = ?", (strand.number,)).fetchone()
    firsts = [piece.body.first for piece in pieces(connection, strand, report)]
    return min([*firsts, least] if least is not None else firsts, default=strand.last)
