"""What a connection may cost: sizes, times and numbers have bounds, and whoever passes one is told so in JSON."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from tests.api.wire import Wire, note, request, said, settled_memory
from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, PASSWORD, RunningHub

MB = 1_000_000
STRICT = f'http: {{api_password: "{PASSWORD}", request_timeout: 1 s, idle_timeout: 1 s, max_body: 100 kB}}\n'


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with a second's patience and bodies up to 100 kB."""
    hub = RunningHub(tmp_path_factory.mktemp("strict") / "home", STRICT + DEMO_DEVICES)
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        yield wire


def asking(hub: RunningHub, method: str = "GET", target: str = "/api/", body: bytes = b"", /, **headers: str) -> bytes:
    return request(method, target, body, **{"X_HA_Access": hub.password, **headers})


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# ---------------------------------------------------------------------- bodies


@pytest.mark.parametrize("size", [99_000, 99_989, 64 * 1024 - 11, 64 * 1024 + 1])
def test_a_body_up_to_the_limit_is_read(strict: RunningHub, size: int) -> None:
    with Wire(strict) as wire:
        assert wire.ask("POST", "/api/events/large", {"k": "x" * (size - 8)}).status == 200


def test_a_body_over_the_limit_is_refused(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        answer = wire.ask("POST", "/api/states/too.large", {"state": "x" * 100_000})
        assert "100000 bytes" in said(answer, 413)
        assert wire.ask("GET", "/api/states/too.large").status == 404


def test_a_body_over_the_limit_is_refused_before_it_is_sent(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        wire.send(asking(strict, "POST", "/api/states/too.large", Content_Length="9000000000"))
        said(wire.answer(), 413)


def test_a_chunked_body_is_read_like_any_other(wire: Wire) -> None:
    head = asking(wire.hub, "POST", "/api/states/limits.chunked", Transfer_Encoding="chunked")
    wire.send(head + b"".join(chunk(piece) for piece in (b'{"sta', b'te": ', b'"on"}', b"")))
    assert wire.answer().json()["state"] == "on"


def test_a_chunked_body_over_the_limit_is_refused(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        wire.send(asking(strict, "POST", "/api/states/too.large", Transfer_Encoding="chunked"))
        for _ in range(11):
            wire.send(chunk(b"x" * 10_000))
        said(wire.answer(), 413)


def test_a_body_that_asks_first_is_let_in(wire: Wire) -> None:
    wire.send(asking(wire.hub, "POST", "/api/states/limits.asked", Content_Length="14", Expect="100-continue"))
    assert wire.head()[0] == 100
    wire.send(b'{"state": "1"}')
    assert wire.answer().status == 201


def test_the_memory_that_refused_bodies_took_is_given_back(door: RunningHub) -> None:
    def refused() -> None:
        with Wire(door) as wire:
            wire.send(asking(door, "POST", "/api/states/too.large", Transfer_Encoding="chunked"))
            with contextlib.suppress(ConnectionError):
                for _ in range(11):
                    wire.send(chunk(b"x" * MB))
            said(wire.answer(), 413)

    refused()
    before = settled_memory(door)
    for _ in range(5):
        refused()
    assert door.process.memory_info().rss - before < 15 * MB


# ---------------------------------------------------------------------- heads


@pytest.mark.parametrize("where", ["one header", "many headers", "the address", "the query"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_head_of_more_than_64_kib_is_refused(wire: Wire, where: str, at_once: bool) -> None:
    heads = {
        "one header": asking(wire.hub, X_Long="x" * 70_000),
        "many headers": asking(wire.hub, **{f"X_{n}": "x" * 90 for n in range(700)}),
        "the address": asking(wire.hub, "GET", "/api/states/" + "x" * 70_000 + ".y"),
        "the query": asking(wire.hub, "GET", "/api/?" + "x" * 70_000 + "=1"),
    }
    head = heads[where]
    if at_once:
        wire.send(head)
    else:
        with contextlib.suppress(ConnectionError):
            for begin in range(0, len(head), 5000):
                wire.send(head[begin : begin + 5000])
                time.sleep(0.002)
    assert "65536 bytes" in said(wire.answer(), 431)
    assert wire.is_closed()


def test_a_head_that_never_ends_is_refused(wire: Wire) -> None:
    wire.send(b"GET /api/ HTTP/1.1\r\nX-Endless: ")
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            wire.send(b"x" * 10_000)
    said(wire.answer(), 431)
    assert wire.is_closed()


def test_a_head_of_60_kb_is_read(wire: Wire) -> None:
    assert wire.ask("GET", "/api/", X_Long="x" * 60_000).status == 200
    assert wire.ask("GET", "/api/", X_Long="x" * 60_000).status == 200


def test_a_long_head_behind_a_large_body_is_measured_alone(wire: Wire) -> None:
    body = b'{"k": "' + b"x" * 200_000 + b'"}'
    wire.send(asking(wire.hub, "POST", "/api/events/large", body) + asking(wire.hub, X_Long="x" * 30_000))
    assert [wire.answer().status, wire.answer().status] == [200, 200]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x00" * 100,
        b"GET /api/ HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /api/ extra HTTP/1.1\r\n\r\n",
        b"GET /api/\x00 HTTP/1.1\r\n\r\n",
        b"GET /api/states/\xff.\xfe HTTP/1.1\r\n\r\n",
        b"GET api/ HTTP/1.1\r\n\r\n",
        b"GET http://[::1/api/ HTTP/1.1\r\n\r\n",
        b"GET http://hub:999999/api/ HTTP/1.1\r\n\r\n",
        b"GET http://hub:999999/api/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET /api/ HTTP/1.1\r\nNo colon\r\n\r\n",
        b"POST /api/events/x HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/events/x HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        b"POST /api/events/x HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        b"POST /api/events/x HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/events/x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"POST /api/events/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"CONNECT hub:80 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_told_so_and_closed(wire: Wire, garbage: bytes) -> None:
    wire.send(garbage)
    said(wire.answer(), 400)
    assert wire.is_closed()


# ---------------------------------------------------------------------- time


def test_a_connection_that_never_asks_is_told_so_and_closed(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        said(wire.answer(), 408)
        assert wire.is_closed()


def test_a_slow_head_is_told_so_and_closed(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        with contextlib.suppress(ConnectionError):
            for sign in b"GET /api/ HTTP/1.1\r\nX-Slow: " + b"x" * 20:
                wire.send(bytes((sign,)))
                time.sleep(0.08)
        assert "1 seconds" in said(wire.answer(), 408)
        assert wire.is_closed()


@pytest.mark.parametrize("length", [20, 90_000])
def test_a_slow_body_is_told_so_and_closed(strict: RunningHub, length: int) -> None:
    with Wire(strict) as wire:
        wire.send(asking(strict, "POST", "/api/states/limits.slow", Content_Length=str(length)) + b'{"state": ')
        said(wire.answer(), 408)
        assert wire.is_closed()
        assert strict.ask("GET", "/api/states/limits.slow").status == 404


def test_a_slow_second_request_is_told_so_and_closed(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        assert wire.ask("GET", "/api/").status == 200
        wire.send(b"GET /api/ HT")
        said(wire.answer(), 408)
        assert wire.is_closed()


def test_line_breaks_between_requests_do_not_keep_a_connection(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        assert wire.ask("GET", "/api/").status == 200
        wire.send(b"\r\n")
        said(wire.answer(), 408)
        assert wire.is_closed()


def test_a_connection_that_is_idle_after_its_answer_is_closed(strict: RunningHub) -> None:
    with Wire(strict) as wire:
        began = time.monotonic()
        assert wire.ask("GET", "/api/").status == 200
        assert wire.is_closed()
        assert time.monotonic() - began > 0.8


# ---------------------------------------------------------------------- forms of HTTP


def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    toggled = b'{"entity_id": "light.bed_light"}'
    wire.send(
        asking(wire.hub)
        + asking(wire.hub, "POST", "/api/services/light/turn_on", toggled)
        + asking(wire.hub, "GET", "/api/states/light.bed_light")
        + asking(wire.hub, "POST", "/api/services/light/turn_off", toggled)
        + asking(wire.hub, "GET", "/api/states/light.bed_light")
        + asking(wire.hub, "GET", "/nowhere")
    )
    root, _on, first, _off, second, nowhere = (wire.answer() for _ in range(6))
    assert root.json() == {"message": "API running."}
    assert (first.json()["state"], second.json()["state"]) == ("on", "off")
    said(nowhere, 404)


def test_a_thousand_pipelined_requests_are_answered(wire: Wire) -> None:
    wire.send(asking(wire.hub) * 1000)
    assert {wire.answer().status for _ in range(1000)} == {200}


def test_http_1_0_is_answered_and_closed(wire: Wire) -> None:
    wire.send(request("GET", "/api/", version="1.0", X_HA_Access=wire.hub.password))
    assert wire.answer().status == 200
    assert wire.is_closed()


def test_who_has_said_all_still_gets_every_answer(wire: Wire) -> None:
    """Also the answer that takes a while: whether a hub can be forwarded to is asked there."""
    nobody = b'{"host": "127.0.0.1", "port": 1, "api_password": "x"}'
    wire.send(asking(wire.hub) + asking(wire.hub, "POST", "/api/event_forwarding", nobody))
    wire.socket.shutdown(socket.SHUT_WR)
    assert [wire.answer().status for _ in range(2)] == [200, 422]
    assert wire.is_closed()


@pytest.mark.parametrize("target", ["/api/", "/api/services/homeassistant/turn_on"])
def test_a_connection_is_closed_when_that_is_asked_for(wire: Wire, target: str) -> None:
    answer = wire.ask("POST", f"{target}?_METHOD={'GET' if target == '/api/' else 'POST'}", Connection="close")
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert wire.is_closed()


def test_the_absolute_form_of_an_address_is_read(wire: Wire) -> None:
    assert wire.ask("GET", "http://any.where:8123/api/states/light.bed_light?x=1").status == 200


@pytest.mark.parametrize("wish", ["websocket", "h2c", "TLS/1.0, HTTP/2.0"])
def test_a_wish_to_upgrade_is_not_granted_and_the_request_is_answered(wire: Wire, wish: str) -> None:
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": wish}
    wire.send(asking(wire.hub, **upgrade) * 3)
    assert [wire.answer().status for _ in range(3)] == [200, 200, 200]
    assert wire.ask("POST", "/api/states/limits.upgrade", {"state": wish}, **upgrade).json()["state"] == wish
    assert wire.ask("GET", "/api/states/limits.upgrade").json()["state"] == wish


@pytest.mark.parametrize("target", ["/", "/api/openapi.json"])
def test_head_of_a_page_is_the_head_of_its_get(wire: Wire, target: str) -> None:
    head, page = wire.ask("HEAD", target), wire.ask("GET", target)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == page.headers["content-length"] == str(len(page.body))


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize("target", ["/api/", "/api/states"])
def test_answers_that_nobody_reads_do_not_fill_the_memory(door: RunningHub, target: str) -> None:
    """Whoever sends requests without end and reads no answer is not read any more either."""
    requests = asking(door, "GET", target) * 500
    before = settled_memory(door)
    with Wire(door, seconds=1, receive_buffer=4096) as wire:
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 60 * MB:
                sent += wire.socket.send(requests)
        grown = door.process.memory_info().rss - before
        assert door.ask("GET", "/api/").status == 200
    assert sent < 20 * MB
    assert grown < 30 * MB


def test_beyond_max_connections_there_is_an_answer_and_the_served_ones_go_on(start_hub: StartHub) -> None:
    hub = start_hub(f'http: {{api_password: "{PASSWORD}", request_timeout: 1 h}}\n' + DEMO_DEVICES)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(10_000, hard - 500)
    here, there = multiprocessing.Pipe()
    crowd = multiprocessing.get_context("spawn").Process(target=_crowd, args=(hub.port, wanted, there))
    with Wire(hub) as served:
        assert served.ask("GET", "/api/").status == 200
        crowd.start()
        while not here.poll(0.05):
            assert crowd.is_alive()
            assert served.ask("POST", "/api/states/limits.served", {"state": time.monotonic()}).status in {200, 201}
        counted: Counter[str] = here.recv()
        open_files = hub.process.num_fds()
        note(f"{wanted} connections (limit {hard}): {dict(counted)}; the hub has {open_files} files open")
        assert served.ask("GET", "/api/").status == 200
        here.send("go")
        crowd.join(45)
        assert crowd.exitcode == 0
    assert counted["served"] + counted["503"] == wanted
    assert 990 <= counted["served"] <= 1000
    assert open_files < 1100
    assert hub.ask("GET", "/api/").status == 200
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


def _crowd(port: int, count: int, told: Connection) -> None:
    """In a process of its own: opens connections, keeps all of them, and tells what became of them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sockets = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), 45)
        connection.setblocking(False)
        sockets.append(connection)
    silent, end = sockets, time.monotonic() + 60
    while len(silent) > 1000 and time.monotonic() < end:
        time.sleep(0.2)
        silent = [connection for connection in silent if not _was_refused(connection)]
    told.send(Counter({"served": len(silent), "503": count - len(silent)}))
    told.recv()


def _was_refused(connection: socket.socket) -> bool:
    """Whether there is an answer to a request that was not made: the one that is promised, and then the end."""
    try:
        refused = connection.recv(1000)
    except BlockingIOError:
        return False
    assert refused.startswith(b"HTTP/1.1 503 "), refused
    assert b'{"message":"the hub serves 1000 connections already; try again later"}' in refused
    connection.settimeout(45)
    assert connection.recv(1) == b""
    return True


# ---------------------------------------------------------------------- large bodies


def large(**more: str) -> bytes:
    beside = "".join(f', "{name}": "{value}"' for name, value in more.items())
    return b'{"state": "%b"%b}' % (b"x" * 70_000, beside.encode())


def test_a_large_body_is_read_of_those_whose_password_stands_before_it(wire: Wire) -> None:
    wire.send(asking(wire.hub, "POST", "/api/states/large.known", large()))
    assert wire.answer().status == 201
    quoted = wire.hub.password.replace(" ", "%20")
    wire.send(request("POST", f"/api/states/large.query?api_password={quoted}", large()))
    assert wire.answer().status == 201


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_large_body_is_not_read_of_anybody_else(door: RunningHub, password: str | None) -> None:
    with Wire(door) as wire:
        wire.send(request("POST", "/api/states/large.unknown", large(), X_HA_Access=password))
        said(wire.answer(), 413)
    with Wire(door) as wire:
        wire.send(request("POST", "/api/states/large.inside", large(api_password=door.password)))
        said(wire.answer(), 413)


def test_an_address_without_a_path_is_no_fault_of_the_hub(door: RunningHub) -> None:
    with Wire(door) as wire:
        wire.send(asking(door, "GET", "http://hub"))
        assert 200 <= wire.answer().status < 500
    assert "failure" not in door.log
