"""A thousand live clients of which fifty never read: the others lose nothing, and the fifty cost next to nothing.

When the fifty wake they learn the present value of everything, as last words or by being greeted anew.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tests.api.wire import note, settled_memory
from tests.hubs import RunningHub

# clients are asked for what they have heard every now and then: no single one of them knows that all are done
pytestmark = pytest.mark.timeout(1100)

CLIENTS, DEAF = 1000, 50
VARIABLES, ROUNDS = 20, 30
FILLING = "x" * 800
MB = 1_000_000
CONFIGURATION = "\n".join(
    [
        "http: {port: PORT, api_password: secret, max_connections: 2000}",
        "users: [{username: ann, password: ann, role: admin}]",
        "variables:",
        *(f"  - {{name: v{number}, value: nothing}}" for number in range(VARIABLES)),
        "",
    ]
)
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket&username=ann&password=ann HTTP/1.1\r\nHost: hub\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MARK = b'42["variableValueChanged",'
LAST_GREETING = b'42["groups",'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limits[1]), limits[1]))
    hub = RunningHub(tmp_path / "home", "")
    hub.configure(CONFIGURATION.replace("PORT", str(hub.port)))
    hub.start()
    yield hub
    hub.kill()
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class Client(asyncio.Protocol):
    """One websocket of Engine.IO 4. It counts events as they pass by, or keeps everything."""

    def __init__(self, *, keeps: bool) -> None:
        self.greeted = asyncio.Event()
        self.events = 0
        self.kept = bytearray()
        self._keeps = keeps
        self._tail = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(UPGRADE)
        self.transport.write(frame(b"40"))

    def data_received(self, data: bytes) -> None:
        if self._keeps:
            self.kept += data
        whole = self._tail + data
        if not self.greeted.is_set() and LAST_GREETING in whole:
            self.greeted.set()
        self.events += whole.count(MARK)
        # what may be the beginning of a mark is looked at again, and a mark that was counted is not
        keep = max(len(MARK), len(LAST_GREETING)) - 1
        self._tail = whole[max(whole.rfind(MARK) + 1, len(whole) - keep) :]


def frame(text: bytes) -> bytes:
    """A masked text frame, as clients send it."""
    mask = os.urandom(4)
    return struct.pack("BB", 0x81, 0x80 | len(text)) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text))


def messages(stream: bytes) -> list[bytes]:
    """The texts of all whole frames behind the head of the answer."""
    at, found = stream.index(b"\r\n\r\n") + 4, []
    while at + 10 <= len(stream):  # what is shorter than the longest head of a frame tells nothing of a variable
        length, start = stream[at + 1], at + 2
        if length == 126:
            length, start = struct.unpack_from(">H", stream, start)[0], start + 2
        elif length == 127:
            length, start = struct.unpack_from(">Q", stream, start)[0], start + 8
        if start + length > len(stream):
            break
        found.append(bytes(stream[start : start + length]))
        at = start + length
    return found


def believed(stream: bytes) -> dict[str, Any]:
    """What a client holds true of the variables after it has read all that."""
    values: dict[str, Any] = {}
    for message in messages(stream):
        if not message.startswith(b"42"):
            continue
        name, payload = json.loads(message[2:])
        if name == "variables":
            values = {each["name"]: each["value"] for each in payload}
        elif name == "variableValueChanged":
            values[payload["variableName"]] = payload["variableValue"]
    return values


async def say_that_they_are_there(clients: list[Client]) -> None:
    """Who is not heard of for a while is let go, and on a slow machine all this takes a while."""
    while True:
        await asyncio.sleep(10)
        for client in clients:
            client.transport.write(frame(b"3"))


@asynccontextmanager
async def crowd(hub: RunningHub, count: int, *, keeps: bool) -> AsyncIterator[list[Client]]:
    loop, clients = asyncio.get_running_loop(), list[Client]()
    saying = asyncio.create_task(say_that_they_are_there(clients))
    try:
        for _ in range(count):
            here = socket.socket()
            if keeps:
                # the system shall not read in their place: on this machine's own network it takes megabytes otherwise
                here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                here.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            here.connect((hub.host, hub.port))
            here.setblocking(False)
            _transport, client = await loop.create_connection(lambda: Client(keeps=keeps), sock=here)
            clients.append(client)
        async with asyncio.timeout(300):
            await asyncio.gather(*(client.greeted.wait() for client in clients))
        yield clients
    finally:
        saying.cancel()
        for client in clients:
            client.transport.abort()
        await asyncio.sleep(0.1)


async def change_everything(hub: RunningHub, rounds: range) -> None:
    """Give every variable a new value, that many times, one after the other on one connection."""
    reader, writer = await asyncio.open_connection(hub.host, hub.port)
    credential = base64.b64encode(b"ann:ann").decode()
    for number in rounds:
        for variable in range(VARIABLES):
            body = json.dumps({"type": "value", "valueOrExpression": f"{number} {FILLING}"})
            head = f"PATCH /api/variables/v{variable} HTTP/1.1\r\nHost: hub\r\nAuthorization: Basic {credential}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200"), answer
            length = answer.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


async def test_who_reads_loses_nothing_and_who_does_not_costs_nothing(hub: RunningHub) -> None:
    async with crowd(hub, DEAF, keeps=True) as deaf, crowd(hub, CLIENTS - DEAF, keeps=False) as listeners:
        for client in deaf:
            client.transport.pause_reading()
        before = settled_memory(hub)
        began = [client.events for client in listeners]
        await change_everything(hub, range(ROUNDS))
        async with asyncio.timeout(450):
            while any(client.events - b < ROUNDS * VARIABLES for client, b in zip(listeners, began, strict=True)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert {client.events - b for client, b in zip(listeners, began, strict=True)} == {ROUNDS * VARIABLES}
        grown = hub.process.memory_info().rss - before
        wanted = {f"v{number}": f"{ROUNDS - 1} {FILLING}" for number in range(VARIABLES)}
        for client in deaf:
            client.transport.resume_reading()
        async with asyncio.timeout(450):
            while not all(wanted.items() <= believed(bytes(client.kept)).items() for client in deaf):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        heard = sum(client.events for client in deaf)
    note(f"{DEAF} deaf clients of {CLIENTS}: {grown / MB:.1f} MB more, {heard} of {DEAF * ROUNDS * VARIABLES} events")
    assert heard < DEAF * ROUNDS * VARIABLES, "they kept up: nothing was tried"
    assert grown < 20 * MB  # what they have not heard would be 27
