"""Clients of an event stream that count the events of some entities and take the time of each.

It must not write states; whoever does says so beforehand with `note_write`.
"""

import asyncio
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self, cast

from benchmarks.errors import BenchmarkError
from benchmarks.servers import Server

EVENT_TIMEOUT: Final = 15.0


class Audience:
    """A number of stream clients of one server; counts events whose entity ids begin with `entity`."""

    def __init__(self, server: Server, entity: str) -> None:
        self.arrived = 0
        self.written = 0
        self.latencies: array[float] = array("d")
        self.mark = f'"{entity}'.encode()
        self._server = server
        self._listeners: list[_Listener] = []
        self._written_at: list[float] = []
        self._goal = 0
        self._reached: asyncio.Future[None] | None = None
        self._failed: asyncio.Future[BenchmarkError] = asyncio.get_running_loop().create_future()

    @classmethod
    @asynccontextmanager
    async def open(cls, server: Server, size: int, entity: str) -> AsyncIterator[Self]:
        """Connect `size` clients, wait until each has got the first words of its stream, and leave them at the end."""
        audience = cls(server, entity)
        try:
            for _ in range(size):
                listener = _Listener(audience)
                audience._listeners.append(listener)
                await listener.connect(server)
            await audience._wait(asyncio.gather(*(listener.open for listener in audience._listeners)), "open streams")
            yield audience
        finally:
            for listener in audience._listeners:
                await listener.close()

    def note_write(self) -> None:
        """A state is about to be written; its event is the next that each client gets."""
        self.written += 1
        self._written_at.append(time.perf_counter())

    def forget_latencies(self) -> None:
        """Begin to take times anew, after a warm-up."""
        self.latencies = array("d")

    async def wait_for(self, events: int) -> None:
        """Wait until the clients together have got so many events each. Raises BenchmarkError after a time-out."""
        self._goal = events * len(self._listeners)
        if self.arrived >= self._goal:
            return
        self._reached = asyncio.get_running_loop().create_future()
        await self._wait(self._reached, f"{self._goal} events")

    def check(self) -> None:
        """Raises BenchmarkError unless each client has got each event once."""
        wrong = {listener.seen for listener in self._listeners} - {self.written}
        if wrong:
            raise BenchmarkError(f"{self._server.name}: {self.written} events were due, some clients got {wrong}")

    def take(self, listener: "_Listener", events: int) -> None:
        """Events have arrived; called by a listener that has counted them already."""
        now = time.perf_counter()
        for number in range(listener.seen - events, min(listener.seen, self.written)):
            self.latencies.append(now - self._written_at[number])
        self.arrived += events
        if self._reached is not None and self.arrived >= self._goal and not self._reached.done():
            self._reached.set_result(None)

    def fail(self, reason: str) -> None:
        """Note the first error; whoever waits will raise it."""
        if not self._failed.done():
            self._failed.set_result(BenchmarkError(f"{self._server.name}: {reason}"))

    async def _wait(self, future: asyncio.Future[None] | asyncio.Future[list[None]], what: str) -> None:
        await asyncio.wait({future, self._failed}, timeout=EVENT_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            raise self._failed.result()
        if not future.done():
            counts = sorted({listener.seen for listener in self._listeners})
            raise BenchmarkError(
                f"{self._server.name}: waited {EVENT_TIMEOUT:.0f} s for {what}, "
                f"{self.arrived} arrived (by client: {counts})"
            )


class _Listener(asyncio.Protocol):
    """One client of the stream; works on plain and on chunked bodies, whose frames cannot look like an event's end."""

    def __init__(self, audience: Audience) -> None:
        self.seen = 0
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._audience = audience
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""
        self._closing = False
        self._closed = asyncio.Event()

    async def connect(self, server: Server) -> None:
        """Connect and ask for the stream. Raises OSError when the server does not listen."""
        await asyncio.get_running_loop().create_connection(lambda: self, server.host, server.port)
        assert self._transport is not None
        self._transport.write(server.request("GET", "/api/stream"))

    async def close(self) -> None:
        """Leave the stream and wait until it is closed."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports are such transports without being registered as such.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        if not self.open.done():
            self._read_head(self._rest + data)
            return
        *messages, self._rest = (self._rest + data).split(b"\n\n")
        mark = self._audience.mark
        events = sum(mark in message for message in messages)
        if events:
            self.seen += events
            self._audience.take(self, events)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed.set()
        if not self._closing:
            self._audience.fail(f"closed a stream after {self.seen} events ({exc})")

    def _read_head(self, data: bytes) -> None:
        head, end, body = data.partition(b"\r\n\r\n")
        if end and head[9:12] != b"200":
            self._audience.fail(f"GET /api/stream answered {head[:200]!r}")
        elif b"\n\n" in body:
            self._rest = body.rpartition(b"\n\n")[2]
            self.open.set_result(None)
        else:
            self._rest = data
