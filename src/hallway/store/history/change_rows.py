"""The change log in SQL: blocks of changes go in, are merged, read and dropped.

A block that is not whole is left out, and told. It must not know when any of that happens, nor in which thread.
"""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Callable, Collection, Sequence
from threading import Event
from typing import Final, NamedTuple

import msgspec

from hallway.home.recorded import Recorded
from hallway.store.history.change_block import Broken, may_have, pack
from hallway.store.history.change_reading import unpack, unpack_one

log = logging.getLogger(__name__)

FULL: Final = 2000
"""Changes in a block that is not merged with others."""
MOST_BYTES: Final = 256 * 1024
"""A block that is longer is cut in two."""
REST: Final = 0.001
"""Seconds after each block that is read: who reads many in his thread leaves the processor to the hub in between."""
LOWEST: Final = -(2**62)
"""Blocks that came back from elsewhere may have numbers below 0: they are older than all that were there."""
_NOTHING_COMES: Final = Event()
_SAME_SEQ: Final = 8
_SELECT: Final = "SELECT id, prints, body, crc FROM change_block"
_ONE: Final = f"{_SELECT} WHERE id = ?"
_WITH_SEQ: Final = f"{_SELECT} WHERE last_seq >= ? AND first_seq <= ? ORDER BY last_seq LIMIT ?"


class Small(msgspec.Struct, frozen=True):
    """A block that may be merged with others."""

    id: int
    count: int


class Piece(NamedTuple):
    """Changes, and the block from which on there may be more; None: there is none."""

    changes: list[Recorded]
    after: int | None


# ---------------------------------------------------------------------- writing


def put(connection: sqlite3.Connection, changes: Sequence[Recorded]) -> list[Small]:
    """Write changes as a block, or as several if they are heavy; the blocks that were made."""
    try:
        prints, body = pack(changes)
    except (ValueError, TypeError, RecursionError):
        fitting = [change for change in changes if _can_be_kept(change)]
        log.warning("%d changes are not kept, since JSON cannot carry them", len(changes) - len(fitting))
        return put(connection, fitting) if fitting else []
    if len(body) > MOST_BYTES and len(changes) > 1:
        half = len(changes) // 2
        return put(connection, changes[:half]) + put(connection, changes[half:])
    number = _insert(connection, None, changes, prints, body)
    return [Small(number, len(changes))]


def put_as(connection: sqlite3.Connection, number: int, changes: Sequence[Recorded]) -> None:
    """Write changes that were in a block before as a block with a number that is free."""
    _insert(connection, number, changes, *pack(changes))


def _can_be_kept(change: Recorded) -> bool:
    try:
        pack([change])
    except (ValueError, TypeError, RecursionError) as error:
        log.debug("change %d: %s", change.seq, error)
        return False
    return True


def _insert(
    connection: sqlite3.Connection, number: int | None, changes: Sequence[Recorded], prints: bytes, body: bytes
) -> int:
    seqs, ats = [change.seq for change in changes], [change.at for change in changes]
    times = round(min(ats) * 1000), round(max(ats) * 1000)
    row = (number, min(seqs), max(seqs), *times, len(changes), _crc(prints, body), prints, body)
    cursor = connection.execute(
        "INSERT INTO change_block (id, first_seq, last_seq, first_at, last_at, count, crc, prints, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return int(cursor.lastrowid or 0)


def _crc(prints: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(prints))


def merge(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Small]:
    """Make one of several blocks, with the number of the last; one that is not whole stays as it is."""
    changes: list[Recorded] = []
    merged: list[int] = []
    for number in numbers:
        row = connection.execute(_ONE, (number,)).fetchone()
        if row is not None:
            try:
                changes += opened(row, unpack)
            except Broken:
                continue
            merged.append(number)
    if not merged:
        return []
    prints, body = pack(changes)
    if len(body) > MOST_BYTES:
        return []
    connection.executemany("DELETE FROM change_block WHERE id = ?", [(number,) for number in merged])
    _insert(connection, merged[-1], changes, prints, body)
    return [Small(merged[-1], len(changes))]


def smalls(connection: sqlite3.Connection) -> list[Small]:
    """The newest blocks that are not full."""
    found = []
    for number, count in connection.execute("SELECT id, count FROM change_block ORDER BY id DESC LIMIT ?", (FULL,)):
        if count >= FULL // 2:
            break
        found.append(Small(number, count))
    return found[::-1]


# ---------------------------------------------------------------------- dropping


def expire(connection: sqlite3.Connection, before: float, *, most: int) -> int:
    """Drop blocks that are older all through, some at a time; how many went."""
    rows = connection.execute("SELECT id, last_at FROM change_block ORDER BY id LIMIT ?", (most,)).fetchall()
    old = [(number,) for number, last_at in rows if last_at < before * 1000]
    connection.executemany("DELETE FROM change_block WHERE id = ?", old)
    return len(old)


def shrink(connection: sqlite3.Connection, most_bytes: float, *, most: int) -> int:
    """Drop the oldest blocks while there are more bytes than that, some at a time; how many went."""
    if size(connection) <= most_bytes:
        return 0
    cursor = connection.execute(
        "DELETE FROM change_block WHERE id IN (SELECT id FROM change_block ORDER BY id LIMIT ?)", (most,)
    )
    return cursor.rowcount


def size(connection: sqlite3.Connection) -> int:
    """The bytes of all blocks."""
    (total,) = connection.execute("SELECT total(length(prints) + length(body) + 64) FROM change_block").fetchone()
    return int(total)


# ---------------------------------------------------------------------- reading


def newest_id(connection: sqlite3.Connection) -> int:
    """The number of the last block, 0 while there is none."""
    (number,) = connection.execute("SELECT max(id) FROM change_block").fetchone()
    return int(number or 0)


def since(connection: sqlite3.Connection) -> float | None:
    """When the first change was that is kept."""
    row = connection.execute("SELECT first_at FROM change_block ORDER BY id LIMIT 1").fetchone()
    return None if row is None else row[0] / 1000


def get(connection: sqlite3.Connection, seq: int, before: float) -> Recorded | None:
    """The change of a number, the last one up to a time where there are several."""
    rows = connection.execute(_WITH_SEQ, (seq, seq, _SAME_SEQ))
    found: list[Recorded] = []
    for row in sorted(rows.fetchall(), key=lambda row: row[0]):
        found += _or_nothing(row, lambda body: unpack_one(body, seq))
    in_time = [change for change in found if change.at <= before]
    return in_time[-1] if in_time else found[0] if len(found) == 1 else None


def newest(
    connection: sqlite3.Connection, key: str, concerns: Callable[[Recorded], bool], upto: int
) -> Recorded | None:
    """The newest change that has a key and concerns something, in blocks up to a number."""
    prints = connection.execute("SELECT id, prints FROM change_block WHERE id <= ? ORDER BY id DESC", (upto,))
    for number, known in prints:
        if may_have(known, (key,)):
            for row in connection.execute(_ONE, (number,)):
                found = _or_nothing(row, lambda body: unpack(body, (key,)))
                change = next(filter(concerns, reversed(found)), None)
                if change is not None:
                    return change
                _NOTHING_COMES.wait(REST)
    return None


def between(
    connection: sqlite3.Connection, keys: Collection[str], span: tuple[float, float], ids: tuple[int, int], most: int
) -> Piece:
    """Changes with one of these keys from a span of time, oldest first: at least `most` if there are so many.

    ids: of the block after which it begins, and of the last one.
    """
    after, before = span
    found: list[Recorded] = []
    rows = connection.execute(
        "SELECT id, prints FROM change_block WHERE id > ? AND id <= ? AND last_at >= ? AND first_at <= ? ORDER BY id",
        (*ids, after * 1000, before * 1000),
    )
    for number, known in rows:
        if may_have(known, keys):
            for row in connection.execute(_ONE, (number,)):
                changes = _or_nothing(row, lambda body: unpack(body, keys))
                _NOTHING_COMES.wait(REST)
                found += [change for change in changes if after <= change.at <= before]
            if len(found) >= most:
                return Piece(found, number)
    return Piece(found, None)


_Row = tuple[int, bytes, bytes, int]
_Open = Callable[[bytes], list[Recorded]]


def _or_nothing(row: _Row, open_it: _Open) -> list[Recorded]:
    try:
        return opened(row, open_it)
    except Broken as error:
        log.warning("block %d of the change log cannot be read and is left out: %s", row[0], error)
        return []


def opened(row: _Row, open_it: _Open = unpack) -> list[Recorded]:
    """The changes of a row of number, fingerprints, body and checksum. Broken: it is not whole."""
    _number, prints, body, crc = row
    if _crc(prints, body) != crc:
        raise Broken("its sum is wrong")
    return open_it(body)
