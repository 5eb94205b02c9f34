"""What a request, a connection or a stream took, it gives back: memory, open files, threads."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

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
    """Open files and threads."""
    return hub.process.num_fds(), hub.process.num_threads()


def test_connections_that_came_and_went_leave_nothing_behind(door: RunningHub) -> None:
    before = footprint(door)
    wires = [Wire(door) for _ in range(500)]
    for number, wire in enumerate(wires):
        if number % 4 == 0:
            assert wire.ask("GET", "/api/").status == 200
        elif number % 4 == 1:
            wire.send(b"GET /api/ HT")
        elif number % 4 == 2:
            wire.send(request("POST", "/api/states/a.b", Content_Length="90000", X_HA_Access=door.password) + b'{"st')
    wait_until(lambda: door.process.num_fds() >= before[0] + 500, 45, "all connections are open at the hub")
    memory = door.process.memory_info().rss
    for wire in wires:
        wire.socket.close()
    wait_until(lambda: footprint(door)[0] <= before[0], 45, "all files of the connections are closed")
    assert footprint(door)[1] <= before[1] + 1
    again = [Wire(door) for _ in range(500)]
    for wire in again:
        wire.socket.close()
    wait_until(lambda: footprint(door)[0] <= before[0], 45, "all files of the connections are closed")
    assert door.process.memory_info().rss < memory * 1.05


def test_streams_that_came_and_went_leave_nothing_behind(door: RunningHub) -> None:
    before = footprint(door)
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
        wait_until(lambda: footprint(door)[0] <= before[0], 45, "all files of the streams are closed")
    assert footprint(door)[1] <= before[1] + 1
    assert rounds[7] < rounds[3] * 1.1
    counts = {entry["event"]: entry["listener_count"] for entry in door.ask("GET", "/api/events").json()}
    assert counts.get("*", 0) == 0
