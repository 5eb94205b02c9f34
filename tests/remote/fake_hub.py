"""A hub in a few lines that answers as hubs of 2014 do, for the tests of the client; and what those tests share.

It holds states, has a light service, and tells its events over the stream and to those registered for forwarding.
"""

import contextlib
import json
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, Protocol

from hallway.remote import API
from tests.peers.ports import free_port

BED = "light.bed_light"
LIGHTS = {BED, "light.ceiling_lights", "light.kitchen_lights"}


class Hub(Protocol):
    """What these tests need of a hub, real or not."""

    host: str
    port: int
    password: str

    def restart(self) -> None: ...

    def kill(self) -> None: ...


class FakeHub:
    """A hub in a few lines: states, a light service, events over the stream and forwarded. A restart forgets it all."""

    host, password = "127.0.0.1", "päss word"

    def __init__(self, protocol: str = "HTTP/1.1", tls: ssl.SSLContext | None = None) -> None:
        self.protocol, self.tls = protocol, tls
        self.port = free_port()
        self.has_stream = True
        self.odd: dict[str, tuple[int, bytes]] = {}  # path → what is answered instead
        self.start()

    def start(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, int]] = []  # method, path, the client's port
        self.streams: list[Queue[bytes | None]] = []
        self.targets: dict[tuple[str, int], str] = {}
        self.open: set[socket.socket] = set()
        for entity_id in LIGHTS:
            self.write(entity_id, "off", {})
        self.server = FakeServer((self.host, self.port), FakeHandler)
        self.server.hub = self
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def kill(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        for queue in self.streams:
            queue.put(None)
        self.hang_up()

    def hang_up(self) -> None:
        for connection in tuple(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def restart(self) -> None:
        self.kill()
        self.start()

    def write(self, entity_id: str, value: str, attributes: Any) -> bool:
        old = self.states.get(entity_id)
        date = datetime.now(UTC).strftime("%H:%M:%S %d-%m-%Y")
        new = {"entity_id": entity_id, "state": value, "attributes": attributes, "last_changed": date}
        self.states[entity_id] = new | {"last_updated": date}
        if old is None or (old["state"], old["attributes"]) != (value, attributes):
            self.fire("state_changed", {"entity_id": entity_id, "new_state": new} | ({"old_state": old} if old else {}))
        return old is None

    def remove(self, entity_id: str) -> None:
        self.fire("state_changed", {"entity_id": entity_id, "old_state": self.states.pop(entity_id)})

    def fire(self, event_type: str, data: Any) -> None:
        message = {"event_type": event_type, "data": data, "origin": "LOCAL", "time_fired": "10:00:00 01-12-2014"}
        for queue in tuple(self.streams):
            queue.put(json.dumps(message).encode())
        for (host, port), password in tuple(self.targets.items()):
            ask(f"http://{host}:{port}/api/events/{event_type}", password, json.dumps(data).encode())


class FakeServer(ThreadingHTTPServer):
    request_queue_size = 64
    hub: FakeHub

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.hub.open.add(request)
        super().finish_request(request, client_address)
        self.hub.open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of these tests' business."""


class FakeHandler(BaseHTTPRequestHandler):
    server: FakeServer
    wbufsize = -1

    def handle(self) -> None:
        self.protocol_version = self.server.hub.protocol
        super().handle()

    def do_GET(self) -> None:
        hub = self.server.hub
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        hub.requests.append((self.command, self.path, self.client_address[1]))
        path = self.path.removeprefix("/api/").split("/")
        if self.path in hub.odd:
            self.answer(*hub.odd[self.path])
        elif self.headers.get("X-HA-Access") != hub.password:
            self.answer(401, b'{"message": "no"}')
        elif path[0].startswith("stream") and hub.has_stream:
            self.stream()
        else:
            status, answer = self.result(path, json.loads(raw or b"{}"))
            self.answer(status, json.dumps(answer).encode())

    do_POST = do_DELETE = do_GET

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def result(self, path: list[str], data: Any) -> tuple[int, Any]:
        hub = self.server.hub
        match self.command, path:
            case "GET", [""]:
                return 200, {"message": "API running."}
            case "GET", ["states"]:
                return 200, list(hub.states.values())
            case "GET", ["states", entity_id] if entity_id in hub.states:
                return 200, hub.states[entity_id]
            case "POST", ["states", entity_id] if re.fullmatch(r"\w+\.\w+", entity_id):
                new = hub.write(entity_id.lower(), str(data["state"]), data["attributes"])
                return 201 if new else 200, hub.states[entity_id.lower()]
            case "GET", ["events"]:
                return 200, [{"event": "*", "listener_count": len(hub.streams)}]
            case "POST", ["events", event_type]:
                hub.fire(event_type, data)
                return 200, {"message": f"Event {event_type} fired."}
            case "GET", ["services"]:
                return 200, [{"domain": "light", "services": ["turn_on", "turn_off"]}]
            case "POST", ["services", "light", "turn_on" | "turn_off" as service]:
                attributes = {"brightness": data.get("brightness", 180)} if service == "turn_on" else {}
                hub.write(data["entity_id"], service.removeprefix("turn_"), attributes)
                return 200, [hub.states[data["entity_id"]]]
            case "POST", ["event_forwarding"]:
                if ask(f"http://{data['host']}:{data['port']}/api/", data["api_password"]) != 200:
                    return 422, {"message": "Unable to validate API"}
                hub.targets[data["host"], data["port"]] = data["api_password"]
                return 200, {"message": "Event forwarding setup."}
            case "DELETE", ["event_forwarding"]:
                hub.targets.pop((data["host"], data["port"]), None)
                return 200, {"message": "Event forwarding cancelled."}
        return 404, {"message": "There is nothing here."}

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        time.sleep(0.01)  # only the ping says that the hub listens
        queue: Queue[bytes | None] = Queue()
        self.server.hub.streams.append(queue)
        message: bytes | None = b"ping"
        while message is not None:
            self.wfile.write(b"data: " + message + b"\n\n")
            self.wfile.flush()
            message = queue.get()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Stays silent."""


def ask(url: str, password: str, body: bytes | None = None) -> int:
    """The status of a plain request, as a hub sends it to a receiver; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, {"X-HA-access": password}), timeout=45) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def wait_until(predicate: Callable[[], object], what: str, seconds: float = 45) -> None:
    end = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def api_of(hub: Hub) -> API:
    return API(hub.host, hub.password, hub.port)
