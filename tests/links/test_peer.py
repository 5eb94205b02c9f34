"""What a peer promises: one kept connection, nothing sent twice, and a plain word for whatever goes wrong."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest

from hallway.errors import InvalidInput, Unreachable
from hallway.links import peer as peer_module
from hallway.links.peer import Peer

HOST = "127.0.0.1"


class Hub(ThreadingHTTPServer):
    """A hub that notes requests and the connections that they came over."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections: list[int] = []
        self.answer: Callable[[_Handler], None] = lambda handler: handler.say(200, {"message": "API running."})

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers, body))
        self.server.connections.append(self.client_address[1])
        self.server.answer(self)

    def do_POST(self) -> None:
        self.do_GET()

    def say(self, status: int, value: Any, *headers: tuple[str, str]) -> None:
        said = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in (("Content-Length", str(len(said))), *headers):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(said)

    def hang_up(self) -> None:
        self.close_connection = True

    def version_string(self) -> str:
        return "BaseHTTP/0.6"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def peer(hub: Hub) -> Iterator[Peer]:
    peer = Peer(HOST, hub.port, "theirs")
    yield peer
    peer.close()


def test_a_request_carries_the_password_and_the_hubs_passed(hub: Hub, peer: Peer) -> None:
    assert peer.ask("POST", "/api/events/bell", b'{"n": 1}', "attic,here") == (200, b'{"message": "API running."}')
    ((method, path, headers, body),) = hub.requests
    assert (method, path, body) == ("POST", "/api/events/bell", b'{"n": 1}')
    assert (headers["x-ha-access"], headers["x-hallway-hops"]) == ("theirs", "attic,here")


def test_a_request_without_hops_has_no_such_header(hub: Hub, peer: Peer) -> None:
    peer.ask("GET", "/api/")
    assert "x-hallway-hops" not in hub.requests[0][2]


def test_requests_share_one_connection(hub: Hub, peer: Peer) -> None:
    for _ in range(5):
        peer.ask("GET", "/api/")
    assert len(set(hub.connections)) == 1
    assert peer.asked == 5


def test_a_connection_that_was_closed_meanwhile_is_made_anew(hub: Hub, peer: Peer) -> None:
    good = hub.answer

    def once(handler: _Handler) -> None:
        good(handler)
        handler.hang_up()

    hub.answer = once
    for _ in range(3):
        assert peer.ask("POST", "/api/events/bell")[0] == 200
    assert len(hub.requests) == 3
    assert len(set(hub.connections)) == 3


def test_a_hub_that_hangs_up_on_a_new_connection_is_not_asked_twice(hub: Hub, peer: Peer) -> None:
    hub.answer = lambda handler: handler.hang_up()
    with pytest.raises(Unreachable, match="does not answer"):
        peer.ask("POST", "/api/events/bell")
    assert len(hub.requests) == 1


def test_a_hub_that_does_not_answer_in_time_is_unreachable(
    hub: Hub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_module, "TIMEOUT", 0.1)
    over = threading.Event()

    def hang(_handler: _Handler) -> None:
        over.wait(45)

    hub.answer = hang
    with pytest.raises(Unreachable, match=f"^127.0.0.1 port {hub.port} does not answer: timed out$"):
        peer.ask("GET", "/api/")
    over.set()


def test_nobody_on_that_port_is_told_as_it_is() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=f"^127.0.0.1 port {port} does not answer: .*[Rr]efused"):
            Peer(HOST, port, "").ask("GET", "/api/")


def test_a_free_port_that_connects_to_itself_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_itself(*_arguments: object, **_named: object) -> socket.socket:
        alone = socket.socket()
        alone.bind((HOST, 0))
        alone.connect(alone.getsockname())
        return alone

    monkeypatch.setattr(socket, "create_connection", to_itself)
    with pytest.raises(Unreachable, match="nobody listens there"):
        Peer(HOST, 1, "").ask("GET", "/api/")


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 hello\r\n\r\n", b"\x00\xff\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
def test_what_is_no_answer_is_unreachable(hub: Hub, peer: Peer, said: bytes) -> None:
    def nonsense(handler: _Handler) -> None:
        handler.wfile.write(said)
        handler.hang_up()

    hub.answer = nonsense
    with pytest.raises(Unreachable):
        peer.ask("GET", "/api/")
    hub.answer = lambda handler: handler.say(200, {})
    assert peer.ask("GET", "/api/") == (200, b"{}")


def test_an_answer_that_is_too_long_is_none(hub: Hub, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "MAX_ANSWER", 1000)
    hub.answer = lambda handler: handler.say(200, b"x" * 1001)
    with pytest.raises(Unreachable, match="more than 1000 bytes"):
        peer.ask("GET", "/api/states")
    hub.answer = lambda handler: handler.say(200, b"x" * 999)
    assert peer.ask("GET", "/api/states") == (200, b"x" * 999)


def test_a_password_of_any_letters_goes_as_utf8(hub: Hub) -> None:
    peer = Peer(HOST, hub.port, "schlüssel€")
    peer.ask("GET", "/api/")
    peer.close()
    assert hub.requests[0][2]["x-ha-access"].encode("latin-1").decode() == "schlüssel€"


def test_a_password_that_no_header_can_carry_is_told_without_it() -> None:
    with socket.create_server((HOST, 0)) as listening:
        bad = Peer(HOST, listening.getsockname()[1], "top\r\nsecret")
        with pytest.raises(Unreachable) as told:
            bad.ask("GET", "/api/")
    assert "signs that HTTP cannot carry" in told.value.message
    assert "secret" not in told.value.message


@pytest.mark.parametrize("event_type", ["two words", "käse", "a?b", "a#b", "line\r\nfeed", "%41"])
def test_a_path_of_any_signs_arrives_as_one_path(hub: Hub, peer: Peer, event_type: str) -> None:
    assert peer.ask("POST", f"/api/events/{event_type}")[0] == 200
    assert unquote(hub.requests[0][1]) == f"/api/events/{event_type}"


def test_json_is_read_from_good_answers_only(hub: Hub, peer: Peer) -> None:
    hub.answer = lambda handler: handler.say(200, [{"entity_id": "a.b"}])
    assert peer.ask_json("GET", "/api/states") == [{"entity_id": "a.b"}]
    hub.answer = lambda handler: handler.say(401, {})
    with pytest.raises(Unreachable, match="does not take the password"):
        peer.ask_json("GET", "/api/states")
    hub.answer = lambda handler: handler.say(404, {})
    with pytest.raises(Unreachable, match="answered 404 to GET /api/states"):
        peer.ask_json("GET", "/api/states")
    hub.answer = lambda handler: handler.say(200, b"<html>")
    with pytest.raises(InvalidInput):
        peer.ask_json("GET", "/api/states")


def test_a_hub_of_our_kind_is_known_by_its_name(hub: Hub, peer: Peer) -> None:
    hub.answer = lambda handler: handler.say(200, {})
    peer.ask("GET", "/api/")
    assert not peer.is_kin
    hub.answer = lambda handler: _as(handler, "hallway").say(200, {})
    peer.ask("GET", "/api/")
    assert peer.is_kin


def _as(handler: _Handler, name: str) -> _Handler:
    handler.version_string = lambda: name  # type: ignore[method-assign]
    return handler


def test_its_own_address_is_the_one_that_hub_sees(hub: Hub, peer: Peer) -> None:
    assert peer.own_address() == HOST
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        with pytest.raises(Unreachable, match="does not answer"):
            Peer(HOST, taken.getsockname()[1], "").own_address()


def test_an_address_in_brackets_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def connected(address: tuple[str, int], *_timeout: float) -> AbstractContextManager[Any]:
        """As on a machine that has IPv6, which not every one has."""
        asked.append(address)
        return nullcontext(SimpleNamespace(getsockname=lambda: ("::1", 40_000, 0, 0)))

    monkeypatch.setattr(socket, "create_connection", connected)
    inside = Peer("[::1]", 8123, "")
    assert inside.host == "[::1]"
    assert inside.own_address() == "::1"
    assert asked == [("::1", 8123)]


def test_a_peer_that_has_ended_asks_nothing_more(hub: Hub, peer: Peer) -> None:
    peer.ask("GET", "/api/")
    peer.end()
    with pytest.raises(Unreachable, match="has ended"):
        peer.ask("GET", "/api/")
    assert peer.ended
    assert len(hub.requests) == 1


def test_a_request_that_is_aborted_fails_at_once_and_is_not_tried_again(hub: Hub, peer: Peer) -> None:
    peer.ask("GET", "/api/")
    arrived, over = threading.Event(), threading.Event()

    def hang(_handler: _Handler) -> None:
        arrived.set()
        over.wait(45)

    hub.answer = hang
    told: list[str] = []

    def ask() -> None:
        try:
            peer.ask("POST", "/api/events/bell")
        except Unreachable as error:
            told.append(error.message)

    asking = threading.Thread(target=ask)
    asking.start()
    assert arrived.wait(45)
    peer.abort()
    asking.join(20)
    over.set()
    assert told == [f"127.0.0.1 port {hub.port} does not answer: its answer took too long"]
    assert len(hub.requests) == 2
    hub.answer = lambda handler: handler.say(200, {})
    assert peer.ask("GET", "/api/")[0] == 200


def test_aborting_nothing_harms_nothing(hub: Hub, peer: Peer) -> None:
    peer.abort()
    assert peer.ask("GET", "/api/")[0] == 200
    peer.close()
    peer.abort()
    assert peer.ask("GET", "/api/")[0] == 200
