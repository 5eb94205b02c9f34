"""A target of event forwarding that writes down each request it gets, and that can hang, die and come back.

A real slave cannot show headers or misbehave on command; this one can.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.peers.ports import free_port


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came: header names in lower case, the body as sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> str | None:
        prefix = "/api/events/"
        return self.path.removeprefix(prefix) if self.path.startswith(prefix) else None

    @property
    def data(self) -> Any:
        return json.loads(self.body) if self.body else {}


class Target:
    """Listens on one port of this machine for as long as the block lasts, between `die` and `come_back` not."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.received: list[Received] = []
        self.awake = threading.Event()
        self.awake.set()
        self.refuses: dict[str, int] = {}
        """Types of events that are answered with another status than 200."""
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.awake.set()
        self.die()

    def come_back(self) -> None:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def die(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def hang(self) -> None:
        """From now on requests are taken in and never answered, until the end of the block."""
        self.awake.clear()

    def events(self, name: str | None = None) -> list[Received]:
        """The forwarded events so far, all or those of one type."""
        return [each for each in list(self.received) if each.event is not None and name in {None, each.event}]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # a handler that hangs must not hold up the end of the server
    block_on_close = False

    def __init__(self, target: Target) -> None:
        self.target = target
        super().__init__((target.host, target.port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        target = self.server.target
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body)
        target.received.append(received)
        target.awake.wait()
        said = b'{"message": "API running."}'
        self.send_response(target.refuses.get(received.event or "", 200))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is the library's
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the sender has given up meanwhile
            super().handle()
