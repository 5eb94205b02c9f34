"""The SQLite database of pimatic → what its attributes were and what it said, piece by piece, oldest first.

The file is opened for reading only, and never more than a piece of it is in memory. It must not know the home.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from hallway.errors import InvalidInput
from hallway.home.messages import LEVELS, MAX_TEXT, Level, Message
from hallway.home.values import Value
from hallway.links.importers.pimatic_database import BUSY_SECONDS, options_for, value_of

PIECE: Final = 5000
_TABLES: Final = {"number": "attributeValueNumber", "boolean": "attributeValueNumber", "string": "attributeValueString"}
_LATEST: Final = 4_102_444_800_000
"""Milliseconds of the year 2100: a time behind it is none."""


class OldAttribute(msgspec.Struct, frozen=True):
    """An attribute of which pimatic kept values. table: where; count: how many there are."""

    number: int
    device_id: str
    name: str
    type: str
    discrete: bool
    table: str
    count: int


class OldPast:
    """An open database. unreadable: rows that were left out so far, as their time or value is none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self.unreadable = 0

    def attributes(self) -> list[OldAttribute]:
        """All attributes that have values, in their order."""
        columns = {row[1] for row in self._connection.execute("PRAGMA table_info(deviceAttribute)")}
        discrete = "discrete" if "discrete" in columns else "type <> 'number'"
        counts = {table: self._counts(table) for table in set(_TABLES.values())}
        found = []
        for number, device_id, name, kind, steps in self._connection.execute(
            f"SELECT id, deviceId, attributeName, type, {discrete} FROM deviceAttribute ORDER BY id"  # noqa: S608
        ):
            table = _TABLES.get(str(kind), "attributeValueString")
            count = counts[table].get(number, 0)
            if count:
                found.append(OldAttribute(number, str(device_id), str(name), str(kind), bool(steps), table, count))
        return found

    def _counts(self, table: str) -> dict[int, int]:
        if table not in self._tables:
            return {}
        known = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
        if not {"time", "deviceAttributeId", "value"} <= known:
            return {}
        counted = f"SELECT deviceAttributeId, count(*) FROM {table} GROUP BY deviceAttributeId"  # noqa: S608
        return dict(self._connection.execute(counted))

    def values(self, attribute: OldAttribute) -> Iterator[list[tuple[int, Value]]]:
        """Its values with their times in milliseconds since 1970, oldest first."""
        rows = self._connection.execute(
            f"SELECT time, value FROM {attribute.table} WHERE deviceAttributeId = ? ORDER BY time, id",  # noqa: S608
            (attribute.number,),
        )
        while some := rows.fetchmany(PIECE):
            read = [(_time(at), value_of(attribute.type, value)) for at, value in some]
            good: list[tuple[int, Value]] = [(at, value) for at, value in read if at is not None and value is not None]
            self.unreadable += len(some) - len(good)
            yield good

    def messages(self) -> Iterator[list[Message]]:
        """What it said, oldest first."""
        if "message" not in self._tables:
            return
        columns = {row[1] for row in self._connection.execute("PRAGMA table_info(message)")}
        if not {"time", "level", "tags", "text"} <= columns:
            return
        rows = self._connection.execute("SELECT id, time, level, tags, text FROM message ORDER BY time, id")
        while some := rows.fetchmany(PIECE):
            read = [_message(*row) for row in some]
            good = [message for message in read if message is not None]
            self.unreadable += len(some) - len(good)
            yield good


@contextmanager
def old_past(path: Path) -> Iterator[OldPast]:
    """Open a pimatic-database.sqlite. InvalidInput: it cannot be read any further."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{options_for(path)}", BUSY_SECONDS, uri=True)
        try:
            yield OldPast(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InvalidInput(
            f"{path} cannot be read to its end: {error}; what was read is kept, and doing it again goes on from there"
        ) from None


def _time(at: Any) -> int | None:
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at) or not 0 < at < _LATEST:
        return None
    return round(at)


def _message(number: int, at: Any, level: Any, tags: Any, text: Any) -> Message | None:
    time = _time(at)
    if time is None or not isinstance(text, str):
        return None
    return Message(number, time / 1000, _level(level), text[:MAX_TEXT], tuple(_tags(tags)))


def _level(level: Any) -> Level:
    """pimatic keeps the place of a level, from error on; elsewhere its name may stand."""
    if isinstance(level, int) and 0 <= level < len(LEVELS):
        return LEVELS[level]
    return next((each for each in LEVELS if each == level), "info")


def _tags(tags: Any) -> list[str]:
    try:
        read = json.loads(tags) if isinstance(tags, str) and tags else []
    except ValueError:
        read = [tags]
    return [str(tag) for tag in (read if isinstance(read, list) else [read])]
