"""A client of Socket.IO over websocket, Engine.IO 4 or 3, that counts events of devices and of variables.

All clients get the same bytes, so what the last piece of data held is remembered: reading it again costs a comparison.
A client of Engine.IO 3 begins with polling, as pimatic wants it. It must not know what a server does with a write.
"""

import asyncio
import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from benchmarks.audience import Audience, Join, Listener
from benchmarks.errors import BenchmarkError
from benchmarks.frames import CLOSE, PING, PONG, TEXT, frame, split_frames

DEVICE_EVENT: Final = b'42["deviceAttributeChanged",'
VARIABLE_EVENT: Final = b'42["variableValueChanged",'
LAST_GREETING: Final = b'42["groups",'
MARK: Final = b'"bench_'
"""Events of other devices and variables do not count."""

KEY: Final = b64encode(b"of the benchmark").decode()
ACCEPT: Final = b64encode(hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
PING_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server wants to be spoken to: version of Engine.IO, credentials in the query, polling first or not."""

    engine: int
    query: str = ""
    polling_first: bool = False

    def path(self, transport: str, sid: str = "") -> str:
        """The target of a handshake."""
        parts = [f"EIO={self.engine}", f"transport={transport}", f"sid={sid}" if sid else "", self.query]
        return f"/socket.io/?{'&'.join(filter(None, parts))}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a piece of data held: events that count, texts and pings to react to, and the begin of the next frame."""

    events: int
    device_events: int
    texts: tuple[bytes, ...]
    pings: tuple[bytes, ...]
    rest: bytes


class Reader:
    """Reads pieces of data, and knows the last one again."""

    def __init__(self) -> None:
        self._last = b""
        self._heard = Heard(0, 0, (), (), b"")

    def read(self, data: bytes) -> Heard:
        """What the data holds. Raises BenchmarkError when the server closes, or sends what no server should."""
        if data != self._last:
            self._heard = read(data)
            self._last = data
        return self._heard


def read(data: bytes) -> Heard:
    """What a piece of data holds that begins with a frame."""
    frames, rest = split_frames(data)
    device_events = variable_events = 0
    texts: list[bytes] = []
    pings: list[bytes] = []
    for opcode, payload in frames:
        if opcode == TEXT and payload.startswith(DEVICE_EVENT):
            device_events += MARK in payload
        elif opcode == TEXT and payload.startswith(VARIABLE_EVENT):
            variable_events += MARK in payload
        elif opcode == TEXT:
            texts.append(payload)
        elif opcode == PING:
            pings.append(payload)
        elif opcode == CLOSE:
            raise BenchmarkError(f"closed the websocket: {payload!r}")
    return Heard(device_events + variable_events, device_events, tuple(texts), tuple(pings), rest)


def find_sid(opening: bytes) -> str:
    """The session id in the answer to a first poll. Raises BenchmarkError when there is none."""
    found = re.search(rb'0\{[^}]*"sid":"([\w-]+)"', opening)
    if not found:
        raise BenchmarkError(f"a first poll was answered without a session: {opening[:200]!r}")
    return found[1].decode()


def socket_clients(dialect: Dialect) -> Join:
    """Clients that share one reader."""
    reader = Reader()
    return lambda audience: SocketClient(audience, dialect, reader)


class SocketClient(Listener):
    """One client of the socket."""

    def __init__(self, audience: Audience, dialect: Dialect, reader: Reader) -> None:
        super().__init__(audience)
        self._dialect = dialect
        self._reader = reader
        self._sid = ""
        self._rest = b""
        self._upgraded = False
        self._device_events = 0
        self._pinging: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        if self._dialect.polling_first:
            answer = await asyncio.to_thread(self.audience.server.expect, "GET", self._dialect.path("polling"))
            self._sid = find_sid(answer)
        await super().connect()

    async def close(self) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
        await super().close()

    def opening(self) -> bytes:
        lines = [
            f"GET {self._dialect.path('websocket', self._sid)} HTTP/1.1",
            f"Host: {self.audience.server.host}:{self.audience.server.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Version: 13",
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def check(self) -> None:
        if self._device_events * 2 != self.seen:
            raise BenchmarkError(f"{self._device_events} of {self.seen} events were of devices, half of them should be")

    def hear(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._upgrade(head)
        try:
            heard = self._reader.read(data)
        except BenchmarkError as error:
            self.audience.fail(str(error))
            return
        self._rest = heard.rest
        for text in heard.texts:
            self._react(text)
        for payload in heard.pings:
            self.write(frame(payload, PONG))
        if heard.events:
            self._device_events += heard.device_events
            self.audience.take(self, heard.events)

    def _upgrade(self, head: bytes) -> None:
        self._upgraded = True
        if head[9:12] != b"101" or ACCEPT not in head:
            self.audience.fail(f"the websocket was answered with {head[:200]!r}")
        if self._sid:
            self.write(frame(b"2probe"))
        if self._dialect.engine == 3:
            self._ping_later()

    def _react(self, text: bytes) -> None:
        if text == b"2":
            self.write(frame(b"3"))
        elif text.startswith(b"0{") and self._dialect.engine == 4:
            self.write(frame(b"40"))
        elif text == b"3probe":
            self.write(frame(b"5"))
        elif text.startswith(LAST_GREETING) and not self.open.done():
            self.open.set_result(None)
        elif text.startswith((b"1", b"41", b"44")):
            self.audience.fail(f"the socket was refused or closed: {text[:200]!r}")

    def _ping_later(self) -> None:
        self._pinging = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)

    def _ping(self) -> None:
        self.write(frame(b"2"))
        self._ping_later()
