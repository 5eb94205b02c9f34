"""How the events of a hub reach this program: over its stream, or forwarded to a small server of our own.

Both are iterated over and yield events in the order in which the hub sent them. They must not know what an event is
good for.
"""

import contextlib
import hmac
import http.client
import json
import logging
import queue
import secrets
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Self
from urllib.parse import quote, unquote

from . import clock
from .api import API
from .values import Event, HomeAssistantError, RefusedError

_LOGGER = logging.getLogger(__name__)
_STREAM_SILENCE = 75.0  # seconds; the hub pings every 50
_REQUEST_TIME = 10.0
_MAX_EVENT_BYTES = 10_000_000
_MAX_WAITING_EVENTS = 10_000
_EVENTS = "/api/events/"


class EventStream(Iterator[Event]):
    """The events of a hub as they happen. It ends when the hub closes it, or when `close` is called.

    HomeAssistantError when the connection breaks, or when the hub has not even pinged for 75 s.
    """

    def __init__(self, api: API, restrict: Iterable[str] | None = None) -> None:
        """Opens the stream: from here on no event is missed. HomeAssistantError when the hub does not let us."""
        self._closed = True
        self._reading = threading.Lock()
        self._restrict = None if restrict is None else frozenset([restrict] if isinstance(restrict, str) else restrict)
        self._connection = api.connection()
        try:
            self._open(api)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise HomeAssistantError(f"cannot open the stream of {api.base_url}: {error}") from error
        finally:
            if self._closed:
                self._connection.close()

    def _open(self, api: API) -> None:
        types = ",".join(quote(event_type, safe="") for event_type in self._restrict or ())
        self._connection.connect()
        self._socket: socket.socket = self._connection.sock
        path = f"/api/stream?restrict={types}" if types else "/api/stream"
        self._answer = api.send(self._connection, "GET", path)
        if self._answer.status != HTTPStatus.OK:
            status, reason = self._answer.status, self._answer.reason
            self._answer.close()
            raise RefusedError(f"{api.base_url} opens no stream: {status} {reason}", status)
        self._answer.readline()  # the first ping: the hub listens for us now
        self._socket.settimeout(_STREAM_SILENCE)
        self._closed = False

    def __next__(self) -> Event:
        while line := self._line():
            event = _event_in(line)
            if event is not None and (self._restrict is None or event.event_type in self._restrict):
                return event
        self.close()
        raise StopIteration

    def _line(self) -> bytes:
        """The next line; an empty one at the end of the stream."""
        try:
            with self._reading:
                return self._answer.readline()
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._closed:
                return b""
            self.close()
            raise HomeAssistantError(f"the stream broke: {error}") from error

    def close(self) -> None:
        """End the stream, also while another thread waits for its next event."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._reading:  # a thread that waited for an event has its end of the stream now
            self._answer.close()
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def stream(api: API, restrict: Iterable[str] | None = None) -> EventStream:
    """Open the stream of a hub's events, of all or of the types in `restrict`."""
    return EventStream(api, restrict)


def _event_in(line: bytes) -> Event | None:
    """The event in a line of the stream; None for pings, empty lines and what is no event."""
    kind, _, text = line.partition(b":")
    if kind != b"data" or text.strip() == b"ping":
        return None
    try:
        message = json.loads(text)
        return Event.received(str(message["event_type"]), message.get("data"), message.get("time_fired"))
    except (ValueError, TypeError, KeyError, RecursionError):
        _LOGGER.warning("What the stream carried is no event: %.200r", line)
        return None


class _Handler(BaseHTTPRequestHandler):
    """Answers a hub that forwards: GET /api/ and POST /api/events/<type>, one request per connection."""

    timeout = _REQUEST_TIME
    wbufsize = -1
    server: "_Server"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        status, message = self._result()
        body = json.dumps({"message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _result(self) -> tuple[HTTPStatus, str]:
        length, path = self.headers.get("Content-Length", "0"), self.path.partition("?")[0]
        if not length.isdecimal() or int(length) > _MAX_EVENT_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"An event has at most {_MAX_EVENT_BYTES} bytes."
        body = self.rfile.read(int(length))
        given = self.headers.get("X-HA-Access", "")
        if not hmac.compare_digest(given.encode(), self.server.password.encode()):
            return HTTPStatus.UNAUTHORIZED, "The password is missing or wrong."
        if self.command == "GET" and path in ("/api", "/api/"):
            return HTTPStatus.OK, "API running."
        if self.command == "GET" or not path.startswith(_EVENTS):
            return HTTPStatus.NOT_FOUND, f"There is only GET /api/ and POST {_EVENTS}<type>."
        return self._take(unquote(path.removeprefix(_EVENTS)), body)

    def _take(self, event_type: str, body: bytes) -> tuple[HTTPStatus, str]:
        try:
            data = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            return HTTPStatus.UNPROCESSABLE_ENTITY, f"The body is no JSON: {error}"
        if not self.server.take(Event.received(event_type, data)):
            return HTTPStatus.SERVICE_UNAVAILABLE, "Too many events wait to be read."
        return HTTPStatus.OK, f"Event {event_type} fired."

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        _LOGGER.debug(format, *args)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, take: Callable[[Event], bool]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.password = secrets.token_urlsafe(24)
        self.take = take
        super().__init__((host, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        _LOGGER.debug("The connection of %s broke: %s", client_address, sys.exception())


class EventReceiver:
    """A small server with a random password, to which a hub forwards its events; iterate over it to read them.

    Register its `api` at the hub with `connect_remote_events`, or hand the receiver to `StateMachine.connect`.
    """

    def __init__(self, hub: API, host: str | None = None, port: int = 0, announce: str | None = None) -> None:
        """Listens on the address that faces `hub` and on a free port, unless told otherwise.

        `announce` is the name or address under which the hub finds us, when it is not `host` (behind NAT).
        """
        self._events: queue.Queue[Event | None] = queue.Queue(_MAX_WAITING_EVENTS)
        self._stopped = False
        try:
            host = host or _address_towards(hub)
            self._server = _Server(host, port, self._take)
        except OSError as error:
            raise HomeAssistantError(f"cannot listen for the events of {hub.base_url}: {error}") from error
        self.api = API(announce or host, self._server.password, self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def _take(self, event: Event | None) -> bool:
        with contextlib.suppress(queue.Full):
            self._events.put_nowait(event)
            return True
        return False

    def __iter__(self) -> Iterator[Event]:
        return self.events()

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """The events as they come in: for so many seconds, or until `stop`."""
        end = None if seconds is None else clock.monotonic() + seconds
        while not self._stopped:
            try:
                event = self._events.get(timeout=None if end is None else max(0.0, end - clock.monotonic()))
            except queue.Empty:
                return
            if event is None:
                return
            yield event

    def wake(self) -> None:
        """End the iteration in which another thread waits for the next event."""
        self._take(None)

    def stop(self) -> None:
        """Close the port and end the iteration."""
        if not self._stopped:
            self._stopped = True
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self.wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _address_towards(hub: API) -> str:
    """Our own address on the network over which the hub is reached; nothing is sent to find it."""
    family, kind, _, _, address = socket.getaddrinfo(hub.host, hub.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as probe:
        probe.connect(address)
        return str(probe.getsockname()[0])
