"""How a result flows out that comes in pieces: a small one as a whole, a large one as fast as the other side reads.

Memory holds one piece, whatever the client does; one that reads nothing for a while is let go. It must not know what
flows, nor which door it leaves by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec

from hallway.api.answer import Headers
from hallway.api.operations.large_results import Flow, close
from hallway.api.protocol import Connection, connection_of
from hallway.errors import HallwayError

log = logging.getLogger(__name__)

Send = Callable[[Any], Awaitable[None]]
WHOLE: Final = 64 * 1024
"""What is not longer than this is answered as a whole."""
PATIENCE: Final = 60.0
"""Seconds without anything being read, after which a client is let go."""
_OLD: Final = "1.0"
"""HTTP that knows no chunks: an answer without a length ends with the connection."""


class Begun(msgspec.Struct, frozen=True):
    """The beginning of a flow; rest: what comes behind it, None when that was all."""

    first: bytes
    rest: AsyncIterator[bytes] | None
    flow: Flow

    @property
    def headers(self) -> Headers:
        """What is said of it beside its length."""
        told: Headers = [(b"content-type", self.flow.content_type.encode())]
        if self.flow.name:
            told.append((b"content-disposition", b'attachment; filename="%b"' % self.flow.name.encode("ascii")))
        return told


async def begin(flow: Flow) -> Begun:
    """Wait for the beginning. HallwayError: there is none, and nothing has been said yet."""
    gathered, size = list[bytes](), 0
    async for piece in flow.pieces:
        gathered.append(piece)
        size += len(piece)
        if size > WHOLE:
            return Begun(b"".join(gathered), flow.pieces, flow)
    return Begun(b"".join(gathered), None, flow)


async def pour(begun: Begun, scope: dict[str, Any], send: Send, headers: Headers) -> None:
    """Answer with a flow that has begun and goes on; headers: beside those of the flow itself."""
    connection = connection_of(scope)
    way: _Way = _Plain(connection) if scope["http_version"] == _OLD else _Chunks(send)
    try:
        await asyncio.wait_for(way.head([*begun.headers, *headers]), PATIENCE)
        if scope["method"] != "HEAD":
            await asyncio.wait_for(way.piece(begun.first), PATIENCE)
            if begun.rest is not None:
                async for piece in begun.rest:
                    if connection.gone:
                        return
                    await asyncio.wait_for(way.piece(piece), PATIENCE)
        await asyncio.wait_for(way.end(), PATIENCE)
    except (TimeoutError, HallwayError) as error:
        # the other side shall see that it has not got everything
        why = error.message if isinstance(error, HallwayError) else f"nothing of it was read for {PATIENCE:g} s"
        log.warning("an answer was cut off: %s", why)
        connection.abort()
    finally:
        await close(begun.flow.pieces)


class _Chunks:
    """By way of ASGI, which waits while the other side does not keep up."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def head(self, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def piece(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})


class _Plain:
    """For clients of HTTP/1.0: straight to the connection, which is closed at the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def head(self, headers: Headers) -> None:
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self._connection.push(b"HTTP/1.0 200 OK\r\n" + lines + b"connection: close\r\n\r\n")

    async def piece(self, data: bytes) -> None:
        self._connection.push(data)
        if self._connection.pushing_paused:
            caught_up = asyncio.Event()
            self._connection.on_writable(caught_up.set)
            try:
                await caught_up.wait()
            finally:
                self._connection.on_writable(None)

    async def end(self) -> None:
        self._connection.close()


_Way = _Chunks | _Plain
