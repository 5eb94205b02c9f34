"""Values as columns and back: `number` and `text` for people and their charts, `kind` so that each comes back exactly.

It must not know tables nor times.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from hallway.home.values import Value
from hallway.store.postgres.texts import from_postgres, to_postgres

FLOAT: Final = b"f"
INTEGER: Final = b"i"
BOOLEAN: Final = b"b"
TEXT: Final = b"s"
NOTHING: Final = b"n"
JSON: Final = b"j"
"""Lists and objects, as JSON in ASCII."""
BROKEN: Final = b"u"
"""Texts that UTF-8 cannot carry (half surrogate pairs), with escapes as in Python."""
_EXACT: Final = 2**53
_NUMERIC: Final = frozenset("0123456789.+-")
_MOST_DIGITS: Final = 30


class Columns(NamedTuple):
    """A value in the columns of a row."""

    kind: bytes
    number: float | None
    text: str | None


def to_columns(value: Value) -> Columns:
    """The columns of a value."""
    kind: type[Any] = value.__class__
    if kind is float:
        return Columns(FLOAT, value, None)  # type: ignore[arg-type]
    if kind is bool:
        return Columns(BOOLEAN, 1.0 if value else 0.0, None)
    if isinstance(value, int):
        return _of_integer(value)
    if isinstance(value, str):
        return _of_text(value)
    if value is None:
        return Columns(NOTHING, None, None)
    return Columns(JSON, None, json.dumps(value))


def _of_integer(value: int) -> Columns:
    if -_EXACT <= value <= _EXACT:
        return Columns(INTEGER, float(value), None)
    try:
        number: float | None = float(value)
    except OverflowError:
        number = None
    return Columns(INTEGER, number, hex(value))


def _of_text(value: str) -> Columns:
    try:
        value.encode()
    except UnicodeEncodeError:
        return Columns(BROKEN, None, value.encode("unicode_escape").decode("ascii"))
    return Columns(TEXT, number_in(value), to_postgres(value))


def number_in(text: str) -> float | None:
    """The number that a text says, such as the state of a sensor; it is for charts only."""
    if not text or len(text) > _MOST_DIGITS or text[0] not in _NUMERIC or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0 else None


def from_columns(kind: bytes, number: float | None, text: str | None) -> Value:
    """The value of a row."""
    if kind == FLOAT:
        return number
    if kind == INTEGER and text is None:
        return int(number or 0)
    return _READ[kind](number, text or "")


def _json(_number: float | None, text: str) -> Value:
    value: Value = json.loads(text)
    return value


_READ: Final[dict[bytes, Callable[[float | None, str], Value]]] = {
    INTEGER: lambda _number, text: int(text, 16),
    TEXT: lambda _number, text: from_postgres(text),
    BOOLEAN: lambda number, _text: number == 1,
    JSON: _json,
    BROKEN: lambda _number, text: text.encode("ascii").decode("unicode_escape"),
    NOTHING: lambda _number, _text: None,
}
