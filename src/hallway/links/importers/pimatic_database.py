"""The SQLite database of pimatic → the last value of each attribute, and how much else is in it.

The file is opened for reading only. It must not know the home: which of the values it can use is decided elsewhere.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from hallway.errors import InvalidInput
from hallway.home.values import Value

_LAST: Final = "SELECT deviceId, attributeName, type, lastUpdate, lastValue FROM deviceAttribute ORDER BY id"
_COUNTED: Final = ("message", "attributeValueNumber", "attributeValueString")
_TRUE: Final = frozenset({"1", "1.0", "true"})
BUSY_SECONDS: Final = 1.0


class LastValue(msgspec.Struct, frozen=True):
    """The last value of an attribute; at: seconds since 1970."""

    device_id: str
    attribute: str
    value: Value
    at: float


class Remembered(msgspec.Struct, frozen=True):
    """What pimatic's database holds: last values, and how many messages and older values there are beside them."""

    last: tuple[LastValue, ...]
    messages: int
    history: int


def read(path: Path) -> Remembered:
    """Read a pimatic-database.sqlite. InvalidInput says why it cannot be read."""
    if not path.is_file():
        raise InvalidInput(f"{path} is not a file: give the pimatic-database.sqlite that stands beside config.json")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{options_for(path)}", BUSY_SECONDS, uri=True)
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "deviceAttribute" not in tables:
                raise InvalidInput(f"{path} is no database of pimatic: it has no table deviceAttribute")
            counts = {name: _count(connection, name) for name in _COUNTED if name in tables}
            last = tuple(_last(connection.execute(_LAST).fetchall()))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InvalidInput(f"{path} cannot be read: {error}; if pimatic runs, stop it first or take a copy") from None
    return Remembered(last, counts.pop("message", 0), sum(counts.values()))


def options_for(path: Path) -> str:
    """How to open it for reading. Without a WAL nobody writes there, and reading needs no files beside it."""
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"


def _count(connection: sqlite3.Connection, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - one of three names
    return int(count)


def _last(rows: list[tuple[Any, ...]]) -> Iterator[LastValue]:
    for device_id, attribute, kind, updated, text in rows:
        value = value_of(str(kind), text)
        if value is not None and isinstance(updated, int | float) and math.isfinite(updated) and updated > 0:
            yield LastValue(str(device_id), str(attribute), value, updated / 1000)


def value_of(kind: str, text: Any) -> Value:
    """The value of a type from its text; None when it is none."""
    if text is None or isinstance(text, bytes):
        return None
    if kind == "boolean":
        return str(text).lower() in _TRUE
    if kind != "number":
        return str(text)
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
