"""The load client: a few connections that each carry one request at a time, as lean as Python allows.

Requests are bytes made beforehand; of an answer only status, length and one expected piece of text are looked at.
The first wrong answer or lost connection ends the run: rates of a server that errs mean nothing.
It must not know which server it talks to.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, Self, TypeVar, cast

import uvloop

from benchmarks.errors import BenchmarkError
from benchmarks.servers import Server

ANSWER_TIMEOUT: Final = 60.0
LAST: Final = 4096

Work = Callable[[int], tuple[bytes, bytes]]
"""Given the number of a connection: the next request, and a text that must stand in its answer."""

Result = TypeVar("Result")


def run_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on a new uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


class Pool:
    """Connections to one server that send what a Work gives them.

    Everything that waits raises BenchmarkError as soon as one answer is wrong.
    """

    def __init__(self, server: Server) -> None:
        self.answered = 0
        self._server = server
        self._connections: list[_Connection] = []
        self._work: Work | None = None
        self._again = False
        self._busy = 0
        self._failed: asyncio.Future[BenchmarkError] = asyncio.get_running_loop().create_future()
        self._idle: asyncio.Future[None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, server: Server, size: int) -> AsyncIterator[Self]:
        """Connect `size` times, and close at the end. Raises OSError when the server does not listen."""
        pool = cls(server)
        try:
            for number in range(size):
                connection = _Connection(number, pool, server)
                pool._connections.append(connection)
                await connection.connect()
            yield pool
        finally:
            for connection in pool._connections:
                await connection.close()

    def start(self, work: Work) -> None:
        """Keep every connection busy from now on."""
        self._begin(work, again=True)

    async def run_for(self, seconds: float) -> None:
        """Let the load go on for a while."""
        done, _ = await asyncio.wait({self._failed}, timeout=seconds)
        if done:
            raise self._failed.result()

    async def stop(self) -> None:
        """Send nothing more and wait for the answers that are due."""
        self._again = False
        await self._wait_until_idle()

    async def once(self, work: Work) -> None:
        """Send one request on every connection at the same moment and wait for all answers."""
        self._begin(work, again=False)
        await self._wait_until_idle()

    def answer(self, connection: "_Connection", status: int, body: bytes) -> None:
        """Take an answer; called by a connection."""
        if status != 200 or connection.expected not in body:
            self.fail(f"answered {status} without {connection.expected!r}: {body[:300]!r}")
            return
        self.answered += 1
        if self._again and self._work is not None:
            connection.send(*self._work(connection.number))
            return
        self._busy -= 1
        if self._busy == 0 and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def fail(self, reason: str) -> None:
        """Note the first error; whoever waits will raise it."""
        if not self._failed.done():
            self._failed.set_result(BenchmarkError(f"{self._server.name}: {reason}"))

    def _begin(self, work: Work, *, again: bool) -> None:
        self._work = work
        self._again = again
        self._busy = len(self._connections)
        for connection in self._connections:
            connection.send(*work(connection.number))

    async def _wait_until_idle(self) -> None:
        if self._busy and not self._failed.done():
            self._idle = asyncio.get_running_loop().create_future()
            either: set[asyncio.Future[Any]] = {self._idle, self._failed}
            await asyncio.wait(either, timeout=ANSWER_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            raise self._failed.result()
        if self._busy:
            raise BenchmarkError(
                f"{self._server.name}: {self._busy} requests without answer for {ANSWER_TIMEOUT:.0f} s"
            )


class _Connection(asyncio.Protocol):
    """One connection. A server that closes after each answer (HTTP/1.0) is connected again."""

    def __init__(self, number: int, pool: Pool, server: Server) -> None:
        self.number = number
        self.expected = b""
        self._pool = pool
        self._server = server
        self._transport: asyncio.WriteTransport | None = None
        self._waiting: bytes | None = None
        self._pieces: list[bytes] = []
        self._missing = 0
        self._pending = False
        self._closing = False
        self._connecting: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def connect(self) -> None:
        """Open the connection. Raises OSError."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self._server.host, self._server.port)

    async def close(self) -> None:
        """Close for good and wait until it is done."""
        self._closing = True
        if self._connecting is not None:
            # A loop that is closed in the midst of a connect never ends (uvloop 0.23).
            await self._connecting
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()

    def send(self, request: bytes, expected: bytes) -> None:
        """Send a request, at once or as soon as the connection is open again."""
        self.expected = expected
        self._pending = True
        if self._transport is None:
            self._waiting = request
        else:
            self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports are such transports without being registered as such.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._collected()
        if self._waiting is not None:
            self._transport.write(self._waiting)
            self._waiting = None

    def data_received(self, data: bytes) -> None:
        if self._missing > len(data):
            self._pieces.append(data)
            self._missing -= len(data)
            return
        if self._missing == len(data) and self._is_told_by_its_end(data):
            return
        if self._pieces:
            data = self._collected() + data
        end = data.find(b"\r\n\r\n")
        length = None if end < 0 else content_length(data[:end])
        if length is None or len(data) < end + 4 + length:
            # Joined once, when everything is here: a long answer comes in many pieces.
            self._pieces = [data]
            self._missing = 0 if length is None else end + 4 + length - len(data)
            return
        self._finish(data, end, end + 4 + length)

    def _is_told_by_its_end(self, last: bytes) -> bool:
        """Whether the expected text stands at the end of a long answer; joining the pieces takes as long as sending."""
        end = self._pieces[-1][-LAST:] + last
        if self._pieces[0][9:12] != b"200" or self.expected not in end[-LAST:]:
            return False
        self._pieces = []
        self._missing = 0
        self._pending = False
        self._pool.answer(self, 200, end)
        return True

    def _collected(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces = []
        self._missing = 0
        return data

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._closing:
            self._closed.set()
            return
        data = self._collected()
        end = data.find(b"\r\n\r\n")
        if self._pending and self._waiting is None:
            if end < 0 or content_length(data[:end]) is not None:
                self._pool.fail(f"closed the connection in the midst of an answer ({exc}): {data[:200]!r}")
                return
            self._finish(data, end, len(data))
        self._connecting = asyncio.get_running_loop().create_task(self._reconnect())

    async def _reconnect(self) -> None:
        try:
            await self.connect()
        except OSError as error:
            self._pool.fail(f"cannot be reached any more: {error}")

    def _finish(self, data: bytes, end: int, stop: int) -> None:
        self._pending = False
        if len(data) > stop:
            self._pool.fail(f"sent more than one answer: {data[stop : stop + 200]!r}")
            return
        self._pool.answer(self, int(data[9:12]), data[end + 4 : stop])


def content_length(head: bytes) -> int | None:
    """The number in the Content-Length header of an answer's head, None if there is none."""
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        at = head.find(b"\r\nContent-Length:")
    if at < 0:
        at = head.lower().find(b"\r\ncontent-length:")
    if at < 0:
        return None
    stop = head.find(b"\r", at + 17)
    return int(head[at + 17 :] if stop < 0 else head[at + 17 : stop])
