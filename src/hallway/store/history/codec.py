"""Columns of equal length as one body of bytes: with a head that says whose they are, and a sum that shows damage.

The first column holds times that never fall. It must not know what stands in the others, nor where bodies are kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from hallway.store.history import columns

Columns = list[list[Any]]
"""Lists of equal length."""

_SUM_BYTES: Final = 4
_LEVEL: Final = 6
_RAW: Final = -15
"""Deflate without a head and a sum of its own."""


class DamagedBody(Exception):
    """Its sum is not right, or it is none."""


class Body(msgspec.Struct, frozen=True, array_like=True):
    """What is read of a body without its values. size: of the data before it was deflated, 0: it was not.

    settled: what the pieces of folds up to this one held of the strand is in this body, or was in those before it.
    """

    strand: int
    settled: int
    count: int
    first: int
    last: int
    forms: list[list[Any]]
    size: int
    data: bytes


_decoder = msgspec.msgpack.Decoder(Body)
_encode = msgspec.msgpack.Encoder().encode


def pack(strand: int, settled: int, table: Sequence[Sequence[Any]]) -> bytes:
    """The body of columns that hold one row at least."""
    encoded = [columns.encode(column) for column in table]
    plain = b"".join(data for _, data in encoded)
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    deflated = deflate.compress(plain) + deflate.flush()
    size, data = (len(plain), deflated) if len(deflated) < len(plain) else (0, plain)
    ats = table[0]
    body = _encode(Body(strand, settled, len(ats), ats[0], ats[-1], [form for form, _ in encoded], size, data))
    return zlib.crc32(body).to_bytes(_SUM_BYTES, "big") + body


def head(body: bytes) -> Body:
    """What it says of itself; DamagedBody: it is not as it was written."""
    rest = memoryview(body)[_SUM_BYTES:]
    if zlib.crc32(rest) != int.from_bytes(body[:_SUM_BYTES], "big"):
        raise DamagedBody("its sum is not right")
    try:
        return _decoder.decode(rest)
    except msgspec.MsgspecError as error:
        raise DamagedBody(str(error)) from None


def unpack(body: bytes | Body) -> Columns:
    """The columns; DamagedBody as for `head`."""
    return unpack_between(body, None, None)


def unpack_between(body: bytes | Body, after: int | None, before: int | None) -> Columns:
    """Of the columns the rows between two times, both included, None: without end."""
    if not isinstance(body, Body):
        body = head(body)
    try:
        plain = memoryview(zlib.decompress(body.data, _RAW, body.size) if body.size else body.data)
        begin = body.first if after is None else after
        end = body.last if before is None else before
        if begin > body.first or end < body.last:
            return _part(body, plain, begin, end)
        return [columns.decode(form, data, body.count) for form, data in _parted(body, plain)]
    except (zlib.error, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise DamagedBody(f"{type(error).__name__}: {error}") from None


def _part(body: Body, plain: memoryview, after: int, before: int) -> Columns:
    begin, end = places = columns.places_between(body.forms[0], plain, body.count, after, before)
    if begin >= end:
        return [[] for _ in body.forms]
    return [columns.decode_part(form, data, body.count, places) for form, data in _parted(body, plain)]


def _parted(body: Body, plain: memoryview) -> Iterator[tuple[columns.Form, memoryview]]:
    """Each form, and the data that begins with its bytes."""
    for form in body.forms:
        yield form, plain
        plain = plain[form[1] :]
