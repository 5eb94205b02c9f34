"""Clients that count the events which a server tells them and take the time of each.

It must not know how events come, nor write anything; whoever does says so beforehand with `note_write`.
"""

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Self, cast

from benchmarks.errors import BenchmarkError
from benchmarks.servers import Server

EVENT_TIMEOUT: Final = 60.0


class Audience:
    """A number of clients of one server.

    timed: whether the time of each event is taken.
    """

    def __init__(self, server: Server, *, timed: bool = True) -> None:
        self.server = server
        self.arrived = 0
        self.written = 0
        self.latencies: array[float] = array("d")
        self._timed = timed
        self._listeners: list[Listener] = []
        self._written_at: list[float] = []
        self._goal = 0
        self._reached: asyncio.Future[None] | None = None
        self._failed: asyncio.Future[BenchmarkError] = asyncio.get_running_loop().create_future()

    @classmethod
    @asynccontextmanager
    async def open(cls, server: Server, size: int, join: "Join", *, timed: bool = True) -> AsyncIterator[Self]:
        """Connect `size` clients, wait until each has been greeted, and leave them at the end."""
        audience = cls(server, timed=timed)
        try:
            for _ in range(size):
                listener = join(audience)
                audience._listeners.append(listener)
                await listener.connect()
            await audience._wait(asyncio.gather(*(listener.open for listener in audience._listeners)), "greetings")
            yield audience
        finally:
            for listener in audience._listeners:
                await listener.close()

    def note_write(self, events: int = 1) -> None:
        """Something is about to be written; its events are the next that each client gets."""
        self.written += events
        self._written_at += [time.perf_counter()] * events

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
            raise BenchmarkError(f"{self.server.name}: {self.written} events were due, some clients got {wrong}")
        for listener in self._listeners:
            listener.check()

    def take(self, listener: "Listener", events: int) -> None:
        """Events have arrived; called by a listener."""
        seen = listener.seen
        listener.seen += events
        self.arrived += events
        if self._timed:
            now = time.perf_counter()
            for number in range(seen, min(listener.seen, self.written)):
                self.latencies.append(now - self._written_at[number])
        if self._reached is not None and self.arrived >= self._goal and not self._reached.done():
            self._reached.set_result(None)

    def fail(self, reason: str) -> None:
        """Note the first error; whoever waits will raise it."""
        if not self._failed.done():
            self._failed.set_result(BenchmarkError(f"{self.server.name}: {reason}"))

    async def _wait(self, future: asyncio.Future[None] | asyncio.Future[list[None]], what: str) -> None:
        await asyncio.wait({future, self._failed}, timeout=EVENT_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            raise self._failed.result()
        if not future.done():
            counts = sorted({listener.seen for listener in self._listeners})
            raise BenchmarkError(
                f"{self.server.name}: waited {EVENT_TIMEOUT:.0f} s for {what}, "
                f"{self.arrived} arrived (by client: {counts})"
            )


class Listener(asyncio.Protocol):
    """One client; `open` is done when it has been greeted, and from then on it hands its events to the audience."""

    def __init__(self, audience: Audience) -> None:
        self.seen = 0
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.audience = audience
        self._transport: asyncio.WriteTransport | None = None
        self._closing = False
        self._closed = asyncio.Event()

    async def connect(self) -> None:
        """Connect and ask to be told. Raises OSError when the server does not listen."""
        server = self.audience.server
        await asyncio.get_running_loop().create_connection(lambda: self, server.host, server.port)
        self.write(self.opening())

    def opening(self) -> bytes:
        """What the client says first."""
        raise NotImplementedError

    def hear(self, data: bytes) -> None:
        """Take what arrived."""
        raise NotImplementedError

    def check(self) -> None:
        """Raises BenchmarkError when the events that came cannot be the ones that were due."""

    def write(self, data: bytes) -> None:
        """Send bytes; nothing when the connection is gone already."""
        if self._transport is not None:
            self._transport.write(data)

    async def close(self) -> None:
        """Leave and wait until the connection is closed."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports are such transports without being registered as such.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self.hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed.set()
        if not self._closing:
            self.audience.fail(f"closed a connection after {self.seen} events ({exc})")


Join = Callable[[Audience], Listener]
"""Makes a client of an audience that is not connected yet."""
