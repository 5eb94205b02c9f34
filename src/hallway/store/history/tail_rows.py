"""The tables `series` and `tail` of history.db in SQL: what is recorded goes in, and comes out after a start.

It must not know who records, nor when it is written.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, islice
from operator import not_
from sys import intern
from typing import Final, NamedTuple

from hallway.home.past import Series
from hallway.store.history.archive import SeriesRow, TailRow
from hallway.store.history.codec import Columns, DamagedBody, pack, unpack

log = logging.getLogger(__name__)

_SIZE: Final = "SELECT coalesce(sum(length(body)), 0) FROM tail WHERE last_id > ?"
IN_A_BLOCK: Final = 1024
_PUT_SERIES: Final = """
    INSERT INTO {} (number, kind, owner, name, type, discrete) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET kind = excluded.kind, owner = excluded.owner, name = excluded.name,
        type = excluded.type, discrete = excluded.discrete
"""


class Tail(NamedTuple):
    """What stands in the file at a start. last_id: of the last row that ever was, 0: there was none yet.

    rows: the newest that the archive has not taken, as far as the file knows; their `more` says all, also where it is
    as before. length: how many there are of all of those, size: how many bytes they take; taken: up to where it has;
    nameless: the numbers in them that are of no series.
    """

    series: list[SeriesRow]
    rows: list[TailRow]
    length: int
    last_id: int
    taken: int
    nameless: frozenset[int] = frozenset()
    size: int = 0


def read_tail(connection: sqlite3.Connection, most: int) -> Tail:
    """All series, and the newest rows of the tail."""
    known = connection.execute("SELECT number, kind, owner, name, type, discrete FROM series").fetchall()
    series = [
        SeriesRow(number, Series(intern(kind), intern(owner), intern(name)), intern(value_type), bool(discrete))  # type: ignore[arg-type]
        for number, kind, owner, name, value_type, discrete in known
    ]
    (taken,) = connection.execute("SELECT last_id FROM fold").fetchone()
    blocks = connection.execute("SELECT last_id, length FROM tail WHERE last_id > ? ORDER BY last_id DESC", (taken,))
    length, begin = 0, taken
    for last_id, rows_there in blocks:
        if length >= most and begin == taken:
            begin = last_id
        length += rows_there
    said: dict[int, bytes | None] = {}
    numbers = {row.series for row in _told(_blocks(connection, taken, begin), said)}  # and for what it says once
    rows = list(_told(_blocks(connection, begin, None), said))
    rows = [row for row in rows if row.id > taken]
    (last_id,) = connection.execute("SELECT coalesce(max(last_id), 0) FROM tail").fetchone()
    (size,) = connection.execute(_SIZE, (taken,)).fetchone()
    numbers.update(row.series for row in rows)
    nameless = frozenset(numbers.difference(row.number for row in series))
    return Tail(series, rows, length if begin > taken else len(rows), max(last_id, taken), taken, nameless, size)


def read_rows(connection: sqlite3.Connection, after: int, most: int, said: dict[int, bytes | None]) -> list[TailRow]:
    """The next rows after an id. said: what was said last of each series, which is noted there for the next time."""
    found: list[TailRow] = []
    for block in _blocks(connection, after, None):
        found += [row for row in _told([block], said) if row.id > after]
        if len(found) >= most:
            break
    return found


def _blocks(connection: sqlite3.Connection, after: int, upto: int | None) -> Iterator[Columns]:
    """The columns of the blocks that have something after an id, and nothing after another one."""
    while True:
        row = connection.execute(
            "SELECT last_id, body FROM tail WHERE last_id > ? ORDER BY last_id LIMIT 1", (after,)
        ).fetchone()
        if row is None or (upto is not None and row[0] > upto):
            return
        after = row[0]
        try:
            yield unpack(row[1])
        except DamagedBody as error:
            log.warning("samples that were not folded yet are lost, up to number %d: %s", after, error)


def _told(blocks: Iterable[Columns], said: dict[int, bytes | None]) -> Iterator[TailRow]:
    for ids, ats, numbers, values, *others in blocks:
        mores = others[0] if others else [None] * len(ids)
        for row_id, at, number, value, more in zip(ids, ats, numbers, values, mores, strict=True):
            if more is not None:
                said[number] = more
            yield TailRow(row_id, number, at, value, said.get(number))


def put_series(connection: sqlite3.Connection, series: Sequence[SeriesRow]) -> None:
    """Keep what was not known yet, inside the transaction that is open."""
    rows = [(row.number, *row.series, row.type, int(row.discrete)) for row in series]
    for table in ("series", "series_copy"):  # one after the other, so that they come to stand apart
        connection.executemany(_PUT_SERIES.format(table), rows)


def put_rows(connection: sqlite3.Connection, rows: Iterable[TailRow]) -> int:
    """Likewise samples in the order of their ids, without those that are there already: how many bytes they take."""
    (last,) = connection.execute("SELECT coalesce(max(last_id), 0) FROM tail").fetchone()
    coming, size = iter(rows), 0
    while block := list(islice(coming, IN_A_BLOCK)):
        new = block if block[0].id > last else [row for row in block if row.id > last]
        size += _put_block(connection, new) if new else 0
        time.sleep(0)  # lets the thread of the loop go on
    return size


def _put_block(connection: sqlite3.Connection, rows: Sequence[TailRow]) -> int:
    ids, numbers, ats, values, mores = map(list, zip(*rows, strict=True))
    body = pack(0, 0, [ids, ats, numbers, values, *([mores] if any(mores) else [])])
    connection.execute("INSERT INTO tail (last_id, length, body) VALUES (?, ?, ?)", (ids[-1], len(ids), body))
    return len(body)


def drop_rows(connection: sqlite3.Connection, last: int) -> int:
    """Drop the rows up to an id, which the archive has taken: how many went. Some may stay, which count no more."""
    connection.execute("UPDATE fold SET last_id = max(last_id, ?)", (last,))
    return _drop(connection, last)


def drop_oldest(connection: sqlite3.Connection, least: int) -> tuple[int, int, int]:
    """Drop the oldest rows, which nobody has taken, until so many bytes are free.

    How many went, the id of the last of them, and how many bytes they took.
    """
    size, last = 0, 0
    for last, its in connection.execute("SELECT last_id, length(body) FROM tail ORDER BY last_id"):  # noqa: B007
        size += its
        if size >= least:
            break
    return _drop(connection, last), last, size


def _drop(connection: sqlite3.Connection, last: int) -> int:
    (length,) = connection.execute("SELECT coalesce(sum(length), 0) FROM tail WHERE last_id <= ?", (last,)).fetchone()
    connection.execute("DELETE FROM tail WHERE last_id <= ?", (last,))
    return int(length)


def forget_rows(connection: sqlite3.Connection, number: int) -> int:
    """Drop the rows of a series: how many went. Their blocks are written again without them."""
    gone = 0
    for table in _blocks(connection, 0, None):
        there = [of_series == number for of_series in table[2]]
        if not any(there):
            continue
        last, left = table[0][-1], [list(compress(column, map(not_, there))) for column in table]
        gone += sum(there)
        connection.execute("DELETE FROM tail WHERE last_id = ?", (last,))
        if left[0]:
            connection.execute(
                "INSERT INTO tail (last_id, length, body) VALUES (?, ?, ?)", (last, len(left[0]), pack(0, 0, left))
            )
    return gone
