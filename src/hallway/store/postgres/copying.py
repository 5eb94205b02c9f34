"""Samples in the binary form of COPY, as fast as Python can write them, and with a pause after some hundred.

Whoever else wants the interpreter gets it then. It must not know where samples come from nor when they are sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from struct import Struct
from typing import Final, NamedTuple

from hallway.store.postgres.session import EARLIEST, EPOCH_MICROSECONDS, LATEST, microseconds
from hallway.store.postgres.values import FLOAT, to_columns

COLUMNS: Final = ("series", "at", "id", "number", "kind", "text", "more")
_BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_NONE: Final = b"\xff\xff\xff\xff"
_HEAD: Final = Struct("!hiiiqiq")
_FLOAT_ROW: Final = Struct("!hiiiqiqidicii")
_NUMBER: Final = Struct("!id")
_LONG: Final = Struct("!iq")
_SHORT: Final = Struct("!i")
PIECE: Final = 250
"""Rows that are written in one go."""


class Copied(NamedTuple):
    """A sample as its row. at: milliseconds since 1970; more: the id of the row of table more that it has."""

    series: int
    at: int
    id: int
    value: object
    more: int | None


async def in_binary(rows: Iterable[Copied]) -> AsyncIterator[bytes]:
    """The data of a COPY of these rows."""
    parts = [_BEGIN]
    for row in rows:
        parts.append(_row(row))
        if len(parts) >= PIECE:
            yield b"".join(parts)
            parts = []
            await asyncio.sleep(0)
    parts.append(_END)
    yield b"".join(parts)


def _row(row: Copied) -> bytes:
    series, at, number, value, more = row
    at = at * 1000 - EPOCH_MICROSECONDS if EARLIEST <= at <= LATEST else microseconds(at)
    if value.__class__ is float and more is None:
        return _FLOAT_ROW.pack(7, 4, series, 8, at, 8, number, 8, value, 1, FLOAT, -1, -1)
    columns = to_columns(value)  # type: ignore[arg-type]
    text = None if columns.text is None else columns.text.encode()
    return b"".join(
        (
            _HEAD.pack(7, 4, series, 8, at, 8, number),
            _NONE if columns.number is None else _NUMBER.pack(8, columns.number),
            _SHORT.pack(1),
            columns.kind,
            _NONE if text is None else _SHORT.pack(len(text)) + text,
            _NONE if more is None else _LONG.pack(8, more),
        )
    )
