"""What a request, a connection or a stream took, it gives back: memory, sockets, threads."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from tests.api.wire import EventStream, Wire, fire, note, request
from tests.hubs import RunningHub
from tests.peers.waiting import wait_until

MANY = 120_000
WARM = 20_000
"""Until everything that is kept in memory up to a bound has reached it."""
AT_ONCE = 50
CONNECTIONS = 4
STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) ")
END = b"\r\n\r\n"

MORE_THREADS = 50
"""Threads come with the first work of a kind, up to a bound; one for each connection would be hundreds."""

pytestmark = pytest.mark.timeout(600)


def ask_often(hub: RunningHub, count: int, batch: list[bytes]) -> None:
    """That many requests without cookies, in turns, over some pipelined connections at the same time."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(lambda _: ask_on_one(hub, count // CONNECTIONS, batch), range(CONNECTIONS)))


def ask_on_one(hub: RunningHub, count: int, batch: list[bytes]) -> None:
    data = b"".join(batch * (AT_ONCE // len(batch)))
    with Wire(hub) as wire:
        for _ in range(count // AT_ONCE):
            wire.send(data)
            received = b""
            while received.count(END) < AT_ONCE:
                received += wire.socket.recv(1 << 18)
            assert set(STATUS.findall(received)) <= {b"200", b"201", b"401", b"404", b"422"}


def test_requests_without_cookies_leave_nothing_behind(door: RunningHub) -> None:
    known = {"X_HA_Access": door.password}
    batch = [
        request("GET", "/api/states/light.bed_light", **known),
        request("GET", "/api/", **known),
        request("POST", "/api/states/leak.one", b'{"state": "1"}', **known),
        request("POST", "/api/states/leak.one", b'{"state": "2", "attributes": {"k": "v"}}', **known),
        request("POST", "/api/events/leak", b'{"k": [1, 2, 3]}', **known),
        request("GET", "/api/states/no.body", **known),
        request("GET", "/nowhere"),
        request("GET", "/api/"),
        request("POST", "/api/services/switch/toggle", b'{"entity_id": "switch.ac"}', **known),
        request("POST", "/api/events/leak", b"{"),
    ]
    ask_often(door, WARM, batch)
    after_few = door.process.memory_info().rss
    began = time.monotonic()
    ask_often(door, MANY - WARM, batch)
    seconds = time.monotonic() - began
    after_many = door.process.memory_info().rss
    grown = after_many / after_few - 1
    note(
        f"RSS {after_few / 1e6:.1f} → {after_many / 1e6:.1f} MB ({grown:+.1%}) over {MANY} requests in {seconds:.0f} s"
    )
    assert grown < 0.06  # 35 bytes for each request


def footprint(hub: RunningHub) -> tuple[int, int]:
    """Open sockets (listening ones too) and threads."""
    files = Path(f"/proc/{hub.pid}/fd")
    return sum(target.startswith("socket:") for target in links(files)), hub.process.num_threads()


def links(folder: Path) -> Iterator[str]:
    for link in folder.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield str(link.readlink())


def idle(hub: RunningHub) -> tuple[int, int]:
    """The footprint once the connections of earlier tests are over."""
    wait_until(lambda: not connections(hub), 45, "the connections of other tests are over")
    return footprint(hub)


def connections(hub: RunningHub) -> int:
    """What the hub has accepted and not closed."""
    return sum(one.status != psutil.CONN_LISTEN for one in hub.process.net_connections("tcp"))


def test_connections_that_came_and_went_leave_nothing_behind(door: RunningHub) -> None:
    before = idle(door)
    with ExitStack() as many:
        for number in range(500):
            wire = many.enter_context(Wire(door))
            if number % 4 == 0:
                assert wire.ask("GET", "/api/").status == 200
            elif number % 4 == 1:
                wire.send(b"GET /api/ HT")
            elif number % 4 == 2:
                begun = request("POST", "/api/states/a.b", Content_Length="90000", X_HA_Access=door.password)
                wire.send(begun + b'{"st')
        all_were_taken(door)
        memory = door.process.memory_info().rss
    wait_until(lambda: footprint(door)[0] <= before[0], 45, "all sockets of the connections are closed")
    assert footprint(door)[1] < before[1] + MORE_THREADS
    with ExitStack() as silent:
        for _ in range(500):
            silent.enter_context(Wire(door))
        all_were_taken(door)
    wait_until(lambda: footprint(door)[0] <= before[0], 45, "all sockets of the connections are closed")
    assert door.process.memory_info().rss < memory * 1.05


def all_were_taken(hub: RunningHub) -> None:
    """The hub takes connections in the order in which they came: it had those before this one, even if it has closed
    some since, because they took longer than it waits for a request.
    """
    with Wire(hub) as last:
        assert last.ask("GET", "/api/").status == 200


def test_streams_that_came_and_went_leave_nothing_behind(door: RunningHub) -> None:
    before = idle(door)
    rounds = []
    for _ in range(8):
        streams = [EventStream(door) for _ in range(500)]
        fire(door, "to_all")
        assert {stream.event()["event_type"] for stream in streams} == {"to_all"}
        rounds.append(door.process.memory_info().rss)
        for number, stream in enumerate(streams):
            if number % 2:
                stream.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.wire.socket.close()
        fire(door, "to_nobody")
        wait_until(lambda: footprint(door)[0] <= before[0], 45, "all sockets of the streams are closed")
    assert footprint(door)[1] < before[1] + MORE_THREADS
    assert rounds[7] < rounds[3] * 1.1
    counts = {entry["event"]: entry["listener_count"] for entry in door.ask("GET", "/api/events").json()}
    assert counts.get("*", 0) == 0
