"""Engine.IO over real connections: a server in this loop, whose clients are greeted with `40` and hear an echo."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hallway.api.answer import Answer, error_answer
from hallway.api.engineio.door import PATHS, EngineDoor
from hallway.api.engineio.engine import Engine, EngineLimits
from hallway.api.server import Server, ServerLimits
from hallway.api.sockets import Handshake, Packet
from hallway.clock import SystemClock
from tests.api.engineio.lines import Speaker, frames, masked

POLLING = "/socket.io/?EIO=3&transport=polling&b64=1"
BINARY = "/socket.io/?EIO=3&transport=polling"
NEWER = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=3&transport=websocket"
UPGRADE = {"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13"}


class Echo(Speaker):
    def received(self, message: str) -> None:
        super().received(message)
        self.session.send(Packet(b"4" + message.encode("ascii", "backslashreplace")))


class Reply:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def sid(self) -> str:
        return str(json.loads(self.body[self.body.index(b"{") :].split(b"}")[0] + b"}")["sid"])


class Wire:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, method: str, target: str, body: bytes = b"", /, **headers: str) -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: hub", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def reply(self) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(first.split()[1]), headers, body)

    async def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        self.send(method, target, body, **headers)
        return await self.reply()

    async def upgrade(self, target: str, **headers: str) -> int:
        key = b64encode(os.urandom(16)).decode()
        self.send("GET", target, b"", **{"Sec-WebSocket-Key": key, **UPGRADE, **headers})
        return (await self.reply()).status

    def say(self, *texts: str) -> None:
        self.writer.write(b"".join(map(masked, texts)))

    async def frame(self) -> tuple[int, bytes]:
        head = await self.reader.readexactly(2)
        size = {126: 2, 127: 8}.get(head[1], 0)
        length = await self.reader.readexactly(size)
        data = head + length + await self.reader.readexactly(int.from_bytes(length, "big") if size else head[1])
        return frames(data)[0]

    async def text(self) -> str:
        opcode, payload = await self.frame()
        assert opcode == 1
        return payload.decode()

    async def is_closed(self) -> bool:
        return await self.reader.read() == b""


class Hub:
    """What the tests talk to; `wire` opens a connection."""

    def __init__(self, engine: Engine, speakers: list[Echo], server: Server, port: int) -> None:
        self.engine, self.speakers, self.server, self.port = engine, speakers, server, port
        self.wires: list[Wire] = []

    async def wire(self) -> Wire:
        self.wires.append(Wire(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.wires[-1]

    async def session(self, target: str = POLLING) -> tuple[Wire, str]:
        """A polling session past its greeting."""
        wire = await self.wire()
        sid = (await wire.ask("GET", target)).sid
        self.speakers[-1].session.begin()
        assert b"40" in (await wire.ask("GET", f"{target}&sid={sid}")).body
        return wire, f"{target}&sid={sid}"

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
                await asyncio.sleep(0.005)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    clock = SystemClock(asyncio.get_running_loop())
    speakers: list[Echo] = []

    def accept(session: Any, handshake: Handshake) -> Echo:
        speakers.append(Echo(session, handshake))
        return speakers[-1]

    engine = Engine(accept, clock, EngineLimits(sessions=20, sessions_per_address=20))
    door = EngineDoor(engine)

    def at_once(scope: dict[str, Any], body: bytes) -> Answer | None:
        return None if scope["raw_path"] in PATHS else error_answer(404, "nothing is there")

    server = Server(door, at_once, clock, ServerLimits(request_timeout=1), door.upgrade)
    hub = Hub(engine, speakers, server, await server.start("127.0.0.1", 0))
    yield hub
    engine.end_all()
    await server.stop(1)
    for wire in hub.wires:
        wire.writer.close()
    assert len(engine) == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


# ---------------------------------------------------------------------- polling


@pytest.mark.parametrize("path", ["/socket.io/", "/socket.io"])
async def test_a_session_is_opened_in_the_framing_that_is_asked_for(hub: Hub, path: str) -> None:
    wire = await hub.wire()
    text = await wire.ask("GET", f"{path}?EIO=3&transport=polling&b64=1&t=Lxyz")
    assert (text.status, text.headers["content-type"]) == (200, "text/plain; charset=UTF-8")
    assert text.headers["access-control-allow-origin"] == "*"
    length, _, rest = text.body.partition(b":")
    assert (len(rest), rest[:1]) == (int(length), b"0")
    binary = await wire.ask("GET", f"{path}?EIO=3&transport=polling")
    assert binary.headers["content-type"] == "application/octet-stream"
    assert binary.body.startswith(b'\x00\x09\x07\xff0{"sid":"')
    newer = await wire.ask("GET", f"{path}?EIO=4&transport=polling")
    assert newer.headers["content-type"] == "text/plain; charset=UTF-8"
    assert newer.body.startswith(b'0{"sid":"')
    assert [speaker.handshake.revision for speaker in hub.speakers] == [3, 3, 4]


async def test_a_page_of_another_site_may_ask(hub: Hub) -> None:
    wire = await hub.wire()
    answer = await wire.ask("GET", POLLING, Origin="http://example.org")
    assert answer.headers["access-control-allow-origin"] == "http://example.org"
    assert answer.headers["access-control-allow-credentials"] == "true"
    allowed = await wire.ask("OPTIONS", POLLING, Origin="http://example.org")
    assert (allowed.status, allowed.headers["access-control-allow-methods"]) == (204, "GET, POST")


@pytest.mark.parametrize(
    ("target", "said", "heard"),
    [
        (POLLING, b'7:42["a"]1:2', b'7:42["a"]1:3'),
        (BINARY, b'\x00\x07\xff42["a"]', b'\x00\x07\xff42["a"]'),
        (BINARY, b'7:42["a"]', b'\x00\x07\xff42["a"]'),
        (NEWER, b'42["a"]\x1e2', b'42["a"]\x1e3'),
    ],
)
async def test_packets_come_by_post_and_go_by_get(hub: Hub, target: str, said: bytes, heard: bytes) -> None:
    wire, session = await hub.session(target)
    kind = "application/octet-stream" if said[0] == 0 else "text/plain;charset=UTF-8"
    posted = await wire.ask("POST", session, said, **{"Content-Type": kind})
    assert (posted.status, posted.headers["content-type"], posted.body) == (200, "text/html", b"ok")
    assert (await wire.ask("GET", session)).body == heard


async def test_a_poll_waits_until_something_is_said(hub: Hub) -> None:
    wire, session = await hub.session()
    wire.send("GET", session)
    await hub.until(lambda: hub.speakers[0].session._poll is not None)  # type: ignore[attr-defined]
    await asyncio.sleep(1.5)  # longer than a request may take to arrive
    hub.speakers[0].session.send(Packet(b"42[1]"))
    hub.speakers[0].session.send(Packet(b"42[2]"))
    assert (await wire.reply()).body == b"5:42[1]5:42[2]"


async def test_of_two_polls_the_newer_gets_the_packets(hub: Hub) -> None:
    first, session = await hub.session()
    second = await hub.wire()
    first.send("GET", session)
    await hub.until(lambda: hub.speakers[0].session._poll is not None)  # type: ignore[attr-defined]
    second.send("GET", session)
    assert (await first.reply()).body == b"1:6"
    hub.speakers[0].session.send(Packet(b"42[1]"))
    assert (await second.reply()).body == b"5:42[1]"


async def test_a_poll_that_is_given_up_loses_nothing(hub: Hub) -> None:
    first, session = await hub.session()
    first.send("GET", session)
    await hub.until(lambda: hub.speakers[0].session._poll is not None)  # type: ignore[attr-defined]
    first.writer.transport.abort()
    await hub.until(lambda: hub.speakers[0].session._poll is None)  # type: ignore[attr-defined]
    hub.speakers[0].session.send(Packet(b"42[1]"))
    second = await hub.wire()
    assert (await second.ask("GET", session)).body == b"5:42[1]"


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/socket.io/", 400, 0),
        ("GET", "/socket.io/?EIO=3&transport=foo", 400, 0),
        ("GET", "/socket.io/?EIO=3&transport=websocket", 400, 3),
        ("GET", f"{POLLING}&sid=nosuch", 400, 1),
        ("POST", f"{POLLING}&sid=nosuch", 400, 1),
        ("POST", POLLING, 400, 2),
        ("DELETE", POLLING, 400, 2),
        ("GET", f"{POLLING}&j=0", 400, 3),
        ("GET", "/socket.io/?" + "a&" * 100, 400, 0),
        ("GET", "/socket.io/?EIO=3&transport=polling&sid=%ff", 400, 1),
    ],
)
async def test_wrong_requests_get_a_code(hub: Hub, method: str, target: str, status: int, code: int) -> None:
    wire = await hub.wire()
    answer = await wire.ask(method, target)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    said = json.loads(answer.body)
    assert (said["code"], bool(said["message"]), set(said)) == (code, True, {"code", "message"})
    assert (await wire.ask("GET", POLLING)).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"garbage", "text/plain"),
        (b"5:2", "text/plain"),
        (b"\xff\xfe", "text/plain"),
        (b"d=1%3A2", "application/x-www-form-urlencoded"),
        (b"\x01\x02\xff4x", "application/octet-stream"),
        (b"1:x", "text/plain"),
        (b"1:2" * 1001, "text/plain"),
    ],
)
async def test_garbage_ends_that_session_alone(hub: Hub, body: bytes, kind: str) -> None:
    other, session_of_other = await hub.session()
    wire, session = await hub.session()
    answer = await wire.ask("POST", session, body, **{"Content-Type": kind})
    assert answer.status in (200, 400)
    assert json.loads((await wire.ask("GET", session)).body)["code"] == 1
    await other.ask("POST", session_of_other, b"1:2")
    assert (await other.ask("GET", session_of_other)).body == b"1:3"


async def test_strangers_may_not_post_much_and_nobody_may_post_without_end(hub: Hub) -> None:
    wire, session = await hub.session()
    hub.speakers[0].session.trust()
    large = b'99996:42["' + b"x" * 99_990 + b'"]'
    assert (await wire.ask("POST", session, large)).status == 200
    assert len((await wire.ask("GET", session)).body) > 99_990
    assert (await wire.ask("POST", session, b"x" * 1_000_001)).status == 413
    stranger, session = await hub.session()
    assert (await stranger.ask("POST", session, large)).status == 413


async def test_more_sessions_than_there_may_be_are_refused(hub: Hub) -> None:
    wire = await hub.wire()
    for _ in range(20):
        await wire.ask("GET", POLLING)
        hub.speakers[-1].session.trust()
    assert (await wire.ask("GET", POLLING)).status == 503
    assert await wire.upgrade(WEBSOCKET) == 503
    assert await wire.is_closed()
    assert len(hub.engine) == 20


# ---------------------------------------------------------------------- websocket


async def test_a_websocket_from_the_start(hub: Hub) -> None:
    wire = await hub.wire()
    assert await wire.upgrade(WEBSOCKET) == 101
    assert json.loads((await wire.text())[1:])["upgrades"] == []
    hub.speakers[0].session.begin()
    assert await wire.text() == "40"
    wire.say('42["a"]', "2")
    assert [await wire.text(), await wire.text()] == ['42["a"]', "3"]
    await asyncio.sleep(1.5)  # longer than a request may take to arrive
    wire.say("2")
    assert await wire.text() == "3"


async def test_what_is_sent_with_the_handshake_is_heard(hub: Hub) -> None:
    wire = await hub.wire()
    key = b64encode(os.urandom(16)).decode()
    wire.send("GET", WEBSOCKET, b"", **{**UPGRADE, "Sec-WebSocket-Key": key})
    wire.say("2", '42["early"]')
    assert (await wire.reply()).status == 101
    assert [(await wire.text())[0], await wire.text(), await wire.text()] == ["0", "3", '42["early"]']


async def test_the_way_from_polling_to_a_websocket(hub: Hub) -> None:
    wire, session = await hub.session()
    wire.send("GET", session)
    socket = await hub.wire()
    assert await socket.upgrade(session.replace("polling", "websocket")) == 101
    socket.say("2probe")
    assert await socket.text() == "3probe"
    assert (await wire.reply()).body == b"1:6"
    hub.speakers[0].session.send(Packet(b"42[1]"))
    socket.say("5", '42["a"]')
    assert [await socket.text(), await socket.text()] == ["42[1]", '42["a"]']
    assert json.loads((await wire.ask("GET", session)).body)["code"] == 3
    twice = await hub.wire()
    assert await twice.upgrade(session.replace("polling", "websocket")) == 400


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (f"{WEBSOCKET}&sid=nosuch", {}, 400),
        (POLLING, {}, 400),
        (WEBSOCKET, {"Sec-WebSocket-Version": "8"}, 400),
        (WEBSOCKET, {"Sec-WebSocket-Key": "short"}, 400),
        ("/elsewhere", {}, 404),
    ],
)
async def test_other_wishes_for_an_upgrade_are_answered_as_requests(
    hub: Hub, target: str, headers: dict[str, str], status: int
) -> None:
    wire = await hub.wire()
    assert await wire.upgrade(target, **headers) == status
    assert len(hub.engine) == 0


async def test_no_wish_for_an_upgrade_is_followed_while_an_answer_is_due(hub: Hub) -> None:
    wire, session = await hub.session()
    wire.send("GET", session)
    await hub.until(lambda: hub.speakers[0].session._poll is not None)  # type: ignore[attr-defined]
    wire.send("GET", WEBSOCKET, b"", **{**UPGRADE, "Sec-WebSocket-Key": b64encode(os.urandom(16)).decode()})
    await asyncio.sleep(0.05)
    hub.speakers[0].session.send(Packet(b"42[1]"))
    assert (await wire.reply()).body == b"5:42[1]"
    assert (await wire.reply()).status == 400


async def test_garbage_on_a_websocket_ends_it_alone(hub: Hub) -> None:
    wire, other = await hub.wire(), await hub.wire()
    for each in (wire, other):
        await each.upgrade(WEBSOCKET)
        await each.text()
    wire.writer.write(b"GET / HTTP/1.1\r\n\r\n" * 100)
    assert (await wire.frame())[0] == 8
    assert await wire.is_closed()
    other.say("2")
    assert await other.text() == "3"
    assert len(hub.engine) == 1


async def test_a_client_that_vanishes_leaves_nothing(hub: Hub) -> None:
    for _ in range(3):
        wire = await hub.wire()
        await wire.upgrade(WEBSOCKET)
        await wire.text()
        wire.writer.transport.abort()
    half = await hub.wire()
    await half.upgrade(WEBSOCKET)
    await half.text()
    half.writer.write_eof()
    await hub.until(lambda: len(hub.engine) == 0)
    assert all(speaker.is_over for speaker in hub.speakers)


async def test_who_does_not_read_costs_a_bounded_amount(hub: Hub) -> None:
    wire = await hub.wire()
    await wire.upgrade(WEBSOCKET)
    await wire.text()
    session = hub.speakers[0].session
    session.begin()
    assert await wire.text() == "40"
    packet = Packet(b"4" + b"x" * 10_000, "lamp")
    for _ in range(3000):
        session.tell([packet], packet.frame)
        await asyncio.sleep(0)
    connection = session._line  # type: ignore[attr-defined]
    assert connection.pushing_paused
    assert connection.transport.get_write_buffer_size() < 200_000
    assert len(session._waiting) == 1  # type: ignore[attr-defined]
