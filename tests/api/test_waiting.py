"""Answers that have to wait until they may be told: order, kept connections, clients that leave, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from hallway.api.answer import Answer, Pending
from hallway.api.server import Receive, Scope, Send, Server, ServerLimits
from hallway.clock import VirtualClock
from hallway.errors import HallwayError, Told, Unavailable

SECONDS = 30.0


class Desk:
    """Answers with the path: `/later…` when the test says so, `/now…` at once, and everything else from the app."""

    def __init__(self, size: int = 0) -> None:
        self._waiting: dict[str, asyncio.Future[Told]] = {}
        self.asked: list[str] = []
        self._more = b"x" * size

    def at_once(self, scope: dict[str, Any], _body: bytes) -> Answer | Pending | None:
        path = scope["raw_path"].decode()
        self.asked.append(path)
        if path.startswith("/later"):
            return Pending(self._answer(path), self._place(path).set_result, self._refused)
        if path.startswith("/done"):  # what it would wait for has happened already
            return Pending(self._answer(path), lambda told: told(None), self._refused)
        return self._answer(path) if path.startswith("/now") else None

    async def app(self, scope: Scope, _receive: Receive, send: Send) -> None:
        body = scope["path"].encode() + self._more
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> Answer:
        return Answer(200, path.encode() + self._more)

    def _refused(self, error: HallwayError) -> Answer:
        return Answer(error.status, error.message.encode())

    async def has(self, path: str) -> Told:
        """Wait until that request waits; what to call for its answer."""
        return await asyncio.wait_for(self._place(path), SECONDS)

    def _place(self, path: str) -> asyncio.Future[Told]:
        return self._waiting.setdefault(path, asyncio.get_running_loop().create_future())


class Client:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def ask(self, *paths: str, method: str = "GET", version: str = "1.1", **headers: str) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.writer.write(
            b"".join(f"{method} {path} HTTP/{version}\r\nHost: hub\r\n{lines}\r\n".encode() for path in paths)
        )

    async def answer(self, *, bodiless: bool = False) -> tuple[int, bytes]:
        async with asyncio.timeout(SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return int(head.split(b" ")[1]), b"" if bodiless else await self.reader.readexactly(length)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(SECONDS):
            return await self.reader.read(1) == b""

    def is_silent(self) -> bool:
        return not self.reader._buffer  # type: ignore[attr-defined]


class Stand:
    """A server with that desk behind it."""

    def __init__(self, desk: Desk, idle_timeout: float) -> None:
        limits = ServerLimits(idle_timeout=idle_timeout)
        self.desk = desk
        self.server = Server(desk.app, desk.at_once, VirtualClock(), limits)
        self.port = 0

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        yield Client(reader, writer)
        writer.close()


Story = Callable[[Stand], Coroutine[Any, Any, None]]


def played(story: Story, *, size: int = 0, idle_timeout: float = 75) -> None:
    """Play a story on the loop that the hub runs on."""

    async def play() -> None:
        stand = Stand(Desk(size), idle_timeout)
        stand.port = await stand.server.start("127.0.0.1", 0)
        await story(stand)
        await stand.server.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())


def test_the_answer_is_told_when_it_may_be_and_the_connection_is_kept() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            for path in ("/later/1", "/later/2"):
                client.ask(path)
                told = await stand.desk.has(path)
                await asyncio.sleep(0.02)
                assert client.is_silent()
                told(None)
                assert await client.answer() == (200, path.encode())

    played(story)


def test_what_has_happened_already_is_answered_at_once() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/done/1", "/done/2", "/now")
            assert [(await client.answer())[1] for _ in range(3)] == [b"/done/1", b"/done/2", b"/now"]

    played(story)


def test_what_cannot_happen_is_answered_with_the_error_and_the_connection_is_kept() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later")
            (await stand.desk.has("/later"))(Unavailable("home.db cannot be written"))
            assert await client.answer() == (503, b"home.db cannot be written")
            client.ask("/now")
            assert (await client.answer())[0] == 200

    played(story)


@pytest.mark.parametrize("behind", [("/now", "/app"), ("/app", "/now"), ("/now", "/now"), ("/done", "/app")])
def test_requests_behind_it_are_answered_after_it_in_order(behind: tuple[str, ...]) -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/now/before", "/later", *behind)
            assert await client.answer() == (200, b"/now/before")
            told = await stand.desk.has("/later")
            await asyncio.sleep(0.02)
            assert client.is_silent()
            told(None)
            assert [(await client.answer())[1].decode() for _ in range(3)] == ["/later", *behind]

    played(story)


def test_connections_wait_each_for_its_own() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as first, stand.client() as second:
            first.ask("/later/1")
            second.ask("/later/2")
            told = await stand.desk.has("/later/1")
            (await stand.desk.has("/later/2"))(None)
            assert (await second.answer())[1] == b"/later/2"
            assert first.is_silent()
            told(None)
            assert (await first.answer())[1] == b"/later/1"

    played(story)


def test_head_is_answered_without_a_body() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later", method="HEAD")
            (await stand.desk.has("/later"))(None)
            assert await client.answer(bodiless=True) == (200, b"")
            client.ask("/now")
            assert await client.answer() == (200, b"/now")

    played(story)


@pytest.mark.parametrize(("version", "headers"), [("1.1", {"Connection": "close"}), ("1.0", {})])
def test_the_connection_is_closed_after_it_when_that_is_asked_for(version: str, headers: dict[str, str]) -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later", version=version, **headers)
            (await stand.desk.has("/later"))(None)
            assert await client.answer() == (200, b"/later")
            assert await client.is_closed()

    played(story)


def test_who_has_said_all_still_gets_the_answer() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later")
            client.writer.write_eof()
            told = await stand.desk.has("/later")
            await asyncio.sleep(0.02)
            told(None)
            assert await client.answer() == (200, b"/later")
            assert await client.is_closed()

    played(story)


@pytest.mark.parametrize("error", [None, Unavailable("no")])
@pytest.mark.parametrize("behind", [(), ("/now", "/app")])
def test_nothing_is_told_to_who_is_gone(
    error: HallwayError | None, behind: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later", *behind)
            told = await stand.desk.has("/later")
            client.writer.transport.abort()
            await asyncio.sleep(0.05)
            told(error)
        async with stand.client() as another:
            another.ask("/now")
            assert await another.answer() == (200, b"/now")
        assert stand.desk.asked == ["/later", "/now"]  # what was behind it is not done: nobody hears of it

    played(story)
    assert caplog.text == ""


def test_garbage_behind_it_ends_the_connection() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later")
            told = await stand.desk.has("/later")
            client.writer.write(b"no HTTP at all\r\n\r\n")
            assert (await client.answer())[0] == 400
            assert await client.is_closed()
            told(None)

    played(story)


def test_the_end_of_the_server_waits_for_it_and_the_client_is_told() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client, stand.client() as idle:
            client.ask("/later")
            idle.ask("/now")
            await idle.answer()
            told = await stand.desk.has("/later")
            ending = asyncio.create_task(stand.server.stop(SECONDS))
            assert await idle.is_closed()
            assert not ending.done()
            told(None)
            assert await client.answer() == (200, b"/later")
            assert await client.is_closed()
            await ending

    played(story)


def test_the_end_of_the_server_does_not_wait_for_ever() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/later")
            told = await stand.desk.has("/later")
            await stand.server.stop(0.1)
            assert await client.is_closed()
            told(None)

    played(story)


def test_a_client_is_not_idle_while_it_waits() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            client.ask("/now", "/later")  # the first answer begins the time in which the next request has to come
            await client.answer()
            told = await stand.desk.has("/later")
            await asyncio.sleep(1.3)
            told(None)
            assert await client.answer() == (200, b"/later")
            assert await client.is_closed()  # now it is

    played(story, idle_timeout=1)


def test_who_does_not_read_is_not_read_either() -> None:
    async def story(stand: Stand) -> None:
        async with stand.client() as client:
            for number in range(200):
                client.ask(f"/done/{number}")
            await asyncio.sleep(0.2)
            assert len(stand.desk.asked) < 40
            for number in range(200):
                assert (await client.answer())[1].startswith(b"/done/%d" % number)

    played(story, size=1_000_000)
