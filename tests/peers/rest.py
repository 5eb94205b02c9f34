"""The REST API of 2014 as a caller sees it: one small client for hallway and for the real servers alike.

It asserts the statuses that every caller relies on, so that a test says only what it is about.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import requests

from tests.peers.waiting import wait_until

# a service call may last ten seconds before it is answered
_TIMEOUT = 45.0


@dataclass(frozen=True, slots=True)
class Rest:
    """Calls to one server; every method raises AssertionError when the answer is not the promised one."""

    host: str
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def ask(self, method: str, path: str, body: object = None, *, timeout: float = _TIMEOUT) -> requests.Response:
        data = None if body is None else json.dumps(body)
        headers = {"X-HA-access": self.password}
        return requests.request(method, self.url + path, data=data, headers=headers, timeout=timeout)

    def answers(self) -> bool:
        """Whether the API is up; a server that starts may refuse, hang or say 404 before."""
        try:
            return self.ask("GET", "/api/", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def states(self) -> dict[str, dict[str, Any]]:
        return {state["entity_id"]: state for state in self._good("GET", "/api/states").json()}

    def state(self, entity: str) -> dict[str, Any] | None:
        answer = self.ask("GET", f"/api/states/{entity}")
        assert answer.status_code in {200, 404}, answer.text
        return dict(answer.json()) if answer.status_code == 200 else None

    def value(self, entity: str) -> str | None:
        state = self.state(entity)
        return None if state is None else str(state["state"])

    def attribute(self, entity: str, name: str) -> Any:
        state = self.state(entity)
        return None if state is None else state["attributes"].get(name)

    def set_state(self, entity: str, state: object, attributes: dict[str, Any] | None = None) -> None:
        self._good("POST", f"/api/states/{entity}", {"state": state, "attributes": attributes or {}})

    def fire(self, event: str, data: dict[str, Any] | None = None) -> None:
        self._good("POST", f"/api/events/{event}", data)

    def call(self, domain: str, service: str, data: dict[str, Any] | None = None) -> float:
        """Calls the service; the seconds until the answer."""
        started = time.monotonic()
        self._good("POST", f"/api/services/{domain}/{service}", data)
        return time.monotonic() - started

    def forward_to(self, host: str, port: int, password: str) -> requests.Response:
        return self.ask("POST", "/api/event_forwarding", {"host": host, "port": port, "api_password": password})

    def _good(self, method: str, path: str, body: object = None) -> requests.Response:
        answer = self.ask(method, path, body)
        assert answer.status_code in {200, 201}, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


@dataclass(slots=True)
class Listening:
    """The events of one server, heard on its GET /api/stream from the moment the block is entered."""

    server: Rest
    events: list[dict[str, Any]] = field(default_factory=list)
    _open: threading.Event = field(default_factory=threading.Event)
    _socket: socket.socket | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=90)
        connection.connect()
        # a server of 2015 closes after its answer, and then the connection forgets its socket
        self._socket = connection.sock
        connection.request("GET", "/api/stream", headers={"X-HA-Access": self.server.password})
        self._thread = threading.Thread(target=self._read, args=(connection,), daemon=True)
        self._thread.start()
        assert self._open.wait(45), f"no first ping on the stream of {self.server.url}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._socket is not None
        assert self._thread is not None
        with contextlib.suppress(OSError):  # the server was killed meanwhile
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(45)
        self._socket.close()

    def of(self, event: str) -> list[dict[str, Any]]:
        """The data of the events of that type so far."""
        return [each["data"] for each in list(self.events) if each["event_type"] == event]

    def hears(self, event: str, *, seconds: float = 60, like: Callable[[dict[str, Any]], bool] | None = None) -> Any:
        """The data of the first event of that type (and like that), waited for."""

        def matching() -> list[dict[str, Any]]:
            return [data for data in self.of(event) if like is None or like(data)]

        return wait_until(matching, seconds, f"event {event} on the stream of {self.server.url}")[0]

    def _read(self, connection: http.client.HTTPConnection) -> None:
        try:
            response = connection.getresponse()
            while line := response.readline():
                if line.startswith(b"data: ping"):
                    self._open.set()
                elif line.startswith(b"data: "):
                    self.events.append(json.loads(line[len(b"data: ") :]))
        except (OSError, http.client.HTTPException):
            pass  # the server was killed; what was heard until then is kept
        finally:
            connection.close()
