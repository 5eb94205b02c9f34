"""Messages as rows of history.db: how they are written, found, counted and deleted, on a connection that is given.

Everything that somebody asks with is a bound parameter. It must not know threads, nor for how long messages are kept.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from hallway.home.changes import Context
from hallway.home.messages import Level, Message, Wanted

Place = tuple[float, int]
"""Where a message stands in time: seconds since 1970, and its number among those of one moment."""
BEGINNING: Final[Place] = (-math.inf, 0)
MOST_BYTES: Final = 16_000_000
"""Texts that are told at once are not longer than this together; the newest come first."""
ROW_BYTES: Final = 120
"""What a message takes beside its text and its tags, with its places in the indexes; tags stand there twice."""
_SOME: Final = 500
_MANY_TAGS: Final = 100
"""A statement that names too many things is refused by SQLite."""
_SIZES: Final = (
    "SELECT id, length(CAST(text AS BLOB)) + 2 * length(CAST(tags AS BLOB)) + ? FROM message ORDER BY at DESC, id DESC"
)
_COLUMNS: Final = "id, at, level, text, tags"


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message on its way; number: grows by one from message to message of this run."""

    number: int
    message: Message
    origin: str
    who: str | None
    cause: int | None

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 300 + 4 * len(self.message.text)


class Kind(msgspec.Struct, frozen=True):
    """Messages of a level with the same tags; packed: the tags as they are written; first: time of the oldest in ms."""

    level: Level
    tags: tuple[str, ...]
    packed: str
    first: int


def row_of(number: int, message: Message, context: Context) -> Row:
    """A message with why it was said."""
    return Row(number, message, context.origin, context.user, context.cause)


def in_time(message: Message) -> Place:
    """Where it stands in time."""
    return message.at, message.id


def packed(tags: Sequence[str]) -> str:
    """Tags as one text, in which each can be found as a whole."""
    return "".join(f"\n{tag.replace(chr(10), ' ')}" for tag in tags) + "\n" if tags else ""


def _unpacked(tags: str) -> tuple[str, ...]:
    return tuple(tags.strip("\n").split("\n")) if tags else ()


def time_before(now: float, lifetime: float) -> int | None:
    """Messages that are older than this (milliseconds since 1970) have been kept for long enough; None: none has."""
    return None if math.isinf(lifetime) else round((now - lifetime) * 1000)


# ---------------------------------------------------------------------- writing


def last_number(connection: sqlite3.Connection) -> int:
    """The number of the last message that there is."""
    (number,) = connection.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()
    return int(number)


def insert(connection: sqlite3.Connection, before: int, batch: Sequence[Row]) -> None:
    """Write messages; before: the number before those of this run."""
    connection.executemany(
        "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                before + row.number,
                round(row.message.at * 1000),
                row.message.level,
                row.message.text,
                packed(row.message.tags),
                row.origin,
                row.who,
                row.cause,
            )
            for row in batch
        ),
    )


def put_new(connection: sqlite3.Connection, messages: Sequence[Message]) -> int:
    """Write messages of elsewhere, which are in the order of time: how many were not there yet."""
    span = (round(messages[0].at * 1000), round(messages[-1].at * 1000)) if messages else (0, -1)
    there = set(connection.execute("SELECT at, level, text, tags FROM message WHERE at BETWEEN ? AND ?", span))
    fresh = dict[tuple[Any, ...], Message]()
    for message in messages:
        key = (round(message.at * 1000), message.level, message.text, packed(message.tags))
        if key not in there:
            fresh.setdefault(key, message)
    rows = [row_of(number, message, Context("import")) for number, message in enumerate(fresh.values(), 1)]
    insert(connection, last_number(connection), rows)
    return len(rows)


def delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Delete messages, those that are still there."""
    connection.executemany("DELETE FROM message WHERE id = ?", ((number,) for number in numbers))


# ---------------------------------------------------------------------- reading


def find(
    connection: sqlite3.Connection, wanted: Wanted, below: int, waiting: Sequence[Message], most: int
) -> list[Message]:
    """Those that are wanted, newest first: at most so many, among them those that wait to be written."""
    places = _newest(connection, wanted, below, waiting, most)
    waits = {message.id: message for message in waiting}
    found, size = list[Message](), 0
    for start in range(0, len(places), _SOME):
        numbers = [number for _at, number in places[start : start + _SOME]]
        read = _by_number(connection, [number for number in numbers if number not in waits]) | waits
        for message in (read[number] for number in numbers):
            found.append(message)
            size += len(message.text)
            if size > MOST_BYTES:
                return found
    return found


def numbers(connection: sqlite3.Connection, wanted: Wanted, below: int, waiting: Sequence[Message]) -> list[int]:
    """The numbers of all that are wanted."""
    return [number for _at, number in _newest(connection, wanted, below, waiting, wanted.limit)]


def _newest(
    connection: sqlite3.Connection, wanted: Wanted, below: int, waiting: Sequence[Message], most: int | None
) -> list[tuple[int, int]]:
    """Time and number of those that are wanted, newest first."""
    where, values = _condition(connection, wanted, below)
    limit = -1 if most is None else wanted.offset + most
    written = connection.execute(
        f"SELECT at, id FROM message WHERE {where} ORDER BY at DESC, id DESC LIMIT ?",  # noqa: S608 - bound values
        (*values, limit),
    ).fetchall()
    places = sorted([*written, *((round(each.at * 1000), each.id) for each in waiting)], reverse=True)
    return places[wanted.offset :][:most]


def _by_number(connection: sqlite3.Connection, wanted: Sequence[int]) -> dict[int, Message]:
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f"SELECT {_COLUMNS} FROM message WHERE id IN ({marks})", tuple(wanted))  # noqa: S608
    return {row[0]: _message(row) for row in rows}


def count(connection: sqlite3.Connection, wanted: Wanted, below: int) -> int:
    """How many fit."""
    where, values = _condition(connection, wanted, below)
    (number,) = connection.execute(f"SELECT count(*) FROM message WHERE {where}", values).fetchone()  # noqa: S608
    return int(number)


def tags(connection: sqlite3.Connection, wanted: Wanted, below: int) -> list[str]:
    """All tags of those that fit, the newest first."""
    where, values = _condition(connection, wanted, below)
    found = connection.execute(
        f"SELECT tags FROM message WHERE {where} GROUP BY tags ORDER BY max(at) DESC",  # noqa: S608 - bound values
        values,
    )
    return list(dict.fromkeys(tag for (text,) in found for tag in _unpacked(text)))


def page(connection: sqlite3.Connection, wanted: Wanted, below: int, place: Place, most: int) -> list[Message]:
    """The next ones that fit after a place in time, oldest first."""
    where, values = _condition(connection, wanted, below)
    at = place[0] if math.isinf(place[0]) else round(place[0] * 1000)
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM message WHERE {where} AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?",  # noqa: S608
        (*values, at, place[1], most),
    )
    return [_message(row) for row in found]


def _condition(connection: sqlite3.Connection, wanted: Wanted, below: int) -> tuple[str, tuple[Any, ...]]:
    """What is wanted as a condition, and the values in it. A time that is none is NULL in SQL, and fits nothing."""
    parts, values = ["id < ?"], list[Any]([below])
    if wanted.levels is not None:
        parts.append(f"level IN ({', '.join('?' * len(wanted.levels))})")
        values += sorted(wanted.levels)
    tags = [packed((tag,)) for tag in sorted(wanted.tags)]
    if len(tags) > _MANY_TAGS:
        connection.create_function("tagged", 1, lambda text: all(tag in text for tag in tags), deterministic=True)
        parts.append("tagged(tags)")
    else:
        parts += ["instr(tags, ?) > 0"] * len(tags)
        values += tags
    if wanted.after is not None:
        parts.append("at >= ?")
        values.append(wanted.after * 1000)
    if wanted.before is not None:
        parts.append("at <= ?")
        values.append(wanted.before * 1000)
    if wanted.text:
        connection.create_function("folded", 1, str.casefold, deterministic=True)
        parts.append("instr(folded(text), ?) > 0")
        values.append(wanted.text.casefold())
    return " AND ".join(parts), tuple(values)


def _message(row: tuple[Any, ...]) -> Message:
    number, at, level, text, packed_tags = row
    return Message(number, at / 1000, cast("Level", level), text, _unpacked(packed_tags))


# ---------------------------------------------------------------------- what may go


def kinds(connection: sqlite3.Connection) -> list[Kind]:
    """Which levels and tags there are."""
    found = connection.execute("SELECT level, tags, min(at) FROM message GROUP BY level, tags")
    return [Kind(cast("Level", level), _unpacked(text), text, first) for level, text, first in found]


def expired(connection: sqlite3.Connection, kind: Kind, before: int, most: int) -> list[int]:
    """Numbers of messages of a kind that are older than that."""
    found = connection.execute(
        "SELECT id FROM message WHERE level = ? AND tags = ? AND at < ? LIMIT ?",
        (kind.level, kind.packed, before, most),
    )
    return [number for (number,) in found]


def too_many(connection: sqlite3.Connection, keep: int, most: int) -> list[int]:
    """Numbers of the oldest messages beyond so many."""
    (there,) = connection.execute("SELECT count(*) FROM message").fetchone()
    surplus = max(0, there - keep)
    found = connection.execute("SELECT id FROM message ORDER BY at, id LIMIT ?", (min(surplus, most),))
    return [number for (number,) in found]


def too_much(connection: sqlite3.Connection, keep: int) -> list[int]:
    """Numbers of the oldest messages, without which the others take no more than so many bytes."""
    left, found = 0, []
    for number, size in connection.execute(_SIZES, (ROW_BYTES,)):
        left += size
        if left > keep:
            found.append(number)
    return found
