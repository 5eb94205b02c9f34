"""The door's wire as bytes: connections that send whatever a test wants, and readers of answers and streams.

They know HTTP just well enough to tell where an answer ends; what stands in it is for the tests to judge.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.hashes import wait_for_hashes
from tests.hubs import Answer, RunningHub

SECONDS = 45.0


def request(method: str, target: str, body: bytes = b"", /, **headers: str | None) -> bytes:
    """The bytes of a request; header names with `_` for `-`. Content-Length is added to a body, None leaves one out."""
    version = headers.pop("version", "1.1")
    wanted: dict[str, str | None] = {"Host": "hub"}
    if body:
        wanted["Content-Length"] = str(len(body))
    wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in wanted.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class Wire:
    """One connection to a hub."""

    def __init__(self, hub: RunningHub, *, seconds: float = SECONDS, receive_buffer: int | None = None) -> None:
        self.hub = hub
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(seconds)
        try:
            self.socket.connect((hub.host, hub.port))
        except OSError:
            self.socket.close()
            raise
        self.left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, method: str, target: str, data: Any = None, **headers: str | None) -> Answer:
        """A request with the password (unless the headers say otherwise), and its answer."""
        body = b"" if data is None else json.dumps(data).encode()
        self.send(request(method, target, body, **{"X_HA_Access": self.hub.password, **headers}))
        return self.answer(bodiless=method == "HEAD")

    def answer(self, *, bodiless: bool = False) -> Answer:
        """The next answer. EOFError: the connection was closed before it was there as a whole."""
        status, headers = self.head()
        while status == http.client.CONTINUE:
            status, headers = self.head()
        body = b"" if bodiless else self._body(headers)
        return Answer(status, headers, body)

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers (lower case) of the next answer."""
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        assert first.startswith("HTTP/1."), first
        pairs = [line.partition(":") for line in lines]
        return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(iter(self.chunk, b""))
        return self._exactly(int(headers["content-length"]))

    def chunk(self) -> bytes:
        """The next chunk of a chunked answer, empty at its end."""
        data = self._exactly(int(self._until(b"\r\n"), 16))
        assert self._exactly(2) == b"\r\n"
        return data

    def is_closed(self, seconds: float = SECONDS) -> bool:
        """Whether the hub ends the connection within that time and sends nothing more."""
        self.socket.settimeout(seconds)
        try:
            return not self.left and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _until(self, end: bytes) -> bytes:
        while end not in self.left:
            self._receive()
        data, _, self.left = self.left.partition(end)
        return data

    def _exactly(self, count: int) -> bytes:
        while len(self.left) < count:
            self._receive()
        data, self.left = self.left[:count], self.left[count:]
        return data

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"the hub closed the connection after {self.left[-200:]!r}")
        self.left += data


class EventStream:
    """An open GET /api/stream, past its first ping; `headers` takes the place of the password."""

    def __init__(
        self, hub: RunningHub, query: str = "", *, headers: Mapping[str, str] | None = None, **how: Any
    ) -> None:
        self.wire = Wire(hub, **how)
        sent = {"X_HA_Access": hub.password} if headers is None else headers
        self.wire.send(request("GET", f"/api/stream{query}", **sent))
        status, self.headers = self.wire.head()
        assert status == 200
        self._text = b""
        assert self.message() == b"data: ping"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wire.socket.close()

    def message(self) -> bytes:
        """The next message as it stands, without the empty line. EOFError: the stream has ended."""
        while b"\n\n" not in self._text:
            data = self.wire.chunk()
            if not data:
                raise EOFError("the stream has ended")
            self._text += data
        message, _, self._text = self._text.partition(b"\n\n")
        return message

    def event(self) -> Any:
        """The next event."""
        message = self.message()
        assert message.startswith(b"data: {"), message
        return json.loads(message[len(b"data: ") :])

    def until(self, event_type: str) -> list[Any]:
        """All events up to the first of that type, which is the last of the list."""
        events = [self.event()]
        while events[-1]["event_type"] != event_type:
            events.append(self.event())
        return events

    def heard(self, done: str = "the_last") -> list[Any]:
        """What has come so far: fires an event of its own and reads up to it."""
        fire(self.wire.hub, done)
        return self.until(done)[:-1]


def fire(hub: RunningHub, event_type: str, data: Any = None) -> None:
    answer = hub.ask("POST", f"/api/events/{event_type}", data)
    assert answer.status == 200, answer.body


def said(answer: Answer, status: int) -> str:
    """The sentence of an error: that status, a JSON object with `message` only, and no trace of the program."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert list(told) == ["message"]
    sentence = told["message"]
    assert isinstance(sentence, str)
    assert sentence
    for trace in ("Traceback", 'File "', "Error(", "line 1, in", "<class", "0x7f"):
        assert trace not in sentence
    return sentence


def settled_memory(hub: RunningHub) -> int:
    """Bytes that the hub holds, once what it does after its start (hashing the password) is over."""
    wait_for_hashes(hub.home)
    before, now = 0, hub.process.memory_info().rss
    while abs(now - before) > 500_000:
        time.sleep(0.15)
        before, now = now, hub.process.memory_info().rss
    return now


def note(numbers: str) -> None:
    """Shown by `pytest -s`: what was measured."""
    sys.stdout.write(f"\n{numbers}\n")
