"""Answers in pieces, over real connections: none is held back in memory, whoever reads them or does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from hallway.api import large_results
from hallway.api.large_results import begin, pour
from hallway.api.operations.large_results import Flow
from hallway.api.protocol import CONNECTION
from hallway.api.server import Receive, Scope, Send, Server, ServerLimits
from hallway.clock import VirtualClock
from hallway.errors import InvalidInput, Unavailable

PIECE = b"x" * 100_000


class Source:
    """Pieces, how many of them were taken, and whether somebody said that no more are wanted."""

    def __init__(self, count: int, fails_at: int = -1) -> None:
        self.count, self.fails_at = count, fails_at
        self.taken = 0
        self.ended = asyncio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            while self.taken < self.count:
                if self.taken == self.fails_at:
                    raise Unavailable("the archive is away")
                self.taken += 1
                yield PIECE
        finally:
            self.ended.set()


class Serving:
    """A server that answers everything with the source."""

    def __init__(self, source: Source) -> None:
        self.source = source

    async def app(self, scope: Scope, _receive: Receive, send: Send) -> None:
        beginning = await begin(Flow(self.source.pieces(), "text/plain", "some.txt"))
        await pour(beginning, scope, send, [(b"x-more", b"1")])

    async def __aenter__(self) -> Self:
        def nothing_at_once(_scope: dict[str, Any], _body: bytes) -> None:
            """Every request goes to the app."""

        self.server = Server(self.app, nothing_at_once, VirtualClock(), ServerLimits())
        self.port = await self.server.start("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.server.stop(0.1)

    async def ask(self, request: bytes = b"GET / HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n") -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            return await reader.read()
        finally:
            writer.close()


def unchunked(body: bytes) -> tuple[bytes, bool]:
    """The content of a chunked body, and whether it is complete."""
    content, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            return content, True
        content, rest = content + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return content, False


async def test_a_large_answer_arrives_as_a_whole() -> None:
    async with Serving(Source(20)) as serving:
        head, _, body = (await serving.ask()).partition(b"\r\n\r\n")
        assert b'content-disposition: attachment; filename="some.txt"\r\nx-more: 1' in head
        assert unchunked(body) == (PIECE * 20, True)


async def test_clients_of_http_1_0_get_it_without_chunks() -> None:
    async with Serving(Source(20)) as serving:
        head, _, body = (await serving.ask(b"GET / HTTP/1.0\r\n\r\n")).partition(b"\r\n\r\n")
        assert (b"chunked" in head, body == PIECE * 20) == (False, True)


async def test_a_head_takes_nothing_more_from_the_source() -> None:
    source = Source(20)
    async with Serving(source) as serving:
        answer = await serving.ask(b"HEAD / HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n")
        await source.ended.wait()
        assert source.taken == 1


async def test_a_failure_on_the_way_is_seen_by_the_other_side(caplog: pytest.LogCaptureFixture) -> None:
    async with Serving(Source(20, fails_at=5)) as serving:
        try:
            answer = await serving.ask()
        except ConnectionError:
            answer = b""
        assert not unchunked(answer.partition(b"\r\n\r\n")[2])[1]
    assert [record.getMessage() for record in caplog.records] == ["an answer was cut off: the archive is away"]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_who_does_not_read_costs_no_memory_and_is_let_go(
    version: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(large_results, "PATIENCE", 0.3)
    source = Source(100_000)
    async with Serving(source) as serving:
        with socket.create_connection(("127.0.0.1", serving.port)) as lazy:
            lazy.sendall(b"GET / HTTP/%b\r\nhost: hub\r\n\r\n" % version)
            await source.ended.wait()
    assert source.taken * len(PIECE) < 30_000_000  # what the system itself takes
    assert "nothing of it was read" in caplog.text


class Line:
    """A connection that takes so many messages of an answer, and then nothing more."""

    def __init__(self, takes: int) -> None:
        self.left = takes
        self.gone = False

    async def send(self, _message: Any) -> None:
        if not self.left:
            await asyncio.Event().wait()
        self.left -= 1

    def abort(self) -> None:
        self.gone = True


@pytest.mark.parametrize("takes", range(5))
async def test_who_stops_reading_at_any_place_is_let_go(takes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_results, "PATIENCE", 0.01)
    source, line = Source(3), Line(takes)
    scope = {"http_version": "1.1", "method": "GET", "state": {CONNECTION: line}}
    await pour(await begin(Flow(source.pieces(), "text/plain")), scope, line.send, [])
    assert (line.gone, source.ended.is_set()) == (True, True)


async def test_who_goes_away_ends_the_source() -> None:
    source = Source(100_000)
    async with Serving(source) as serving:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: hub\r\n\r\n")
        await reader.readexactly(300_000)
        writer.transport.abort()
        await source.ended.wait()


async def test_a_small_flow_is_whole_and_one_that_fails_at_first_is_an_error() -> None:
    async def small() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def none() -> AsyncIterator[bytes]:
        for piece in (b"", b"x"):
            if piece:
                raise InvalidInput("no")
            yield piece

    beginning = await begin(Flow(small(), "text/plain"))
    assert (beginning.first, beginning.rest) == (b"ab", None)
    with pytest.raises(InvalidInput):
        await begin(Flow(none(), "text/plain"))
