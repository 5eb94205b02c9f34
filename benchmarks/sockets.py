"""Telling over Socket.IO: two events of a dimmer for each write to 50, 200 and 1000 websocket clients.

Beside Node's socket.io, which sends the same events to all. It must not know how a server keeps its clients.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from benchmarks.company import Company
from benchmarks.fanout import BURST, PACE, Scene, Told, Turn, measure, sum_up
from benchmarks.homes import dimmers, query
from benchmarks.measure import Plan, many_files
from benchmarks.rounds import in_turns
from benchmarks.servers import Server
from benchmarks.socket_client import Dialect, socket_clients
from benchmarks.table import BESIDE_NODE, Report, Target, times

NAME: Final = "socket"
CLIENTS: Final = (50, 200, 1000)
SLOW_PACE: Final = 10
"""Writes a second to more than MANY clients: fifty would be more than a core can send."""

MANY: Final = 200
DIALECTS: Final = {
    "hub": Dialect(4, query()),
    "node": Dialect(4),
    "pimatic": Dialect(3, query(), polling_first=True),
}
LEVELS: Final = 90


class DeviceWrites:
    """Requests that dim, each to another level than the one before, so that each causes both events."""

    def __init__(self, server: Server, devices: Sequence[str]) -> None:
        self._server = server
        self._devices = tuple(devices)
        self._request: Callable[[str, int], bytes] = self._told if server.name == "node" else self._dimmed
        self._numbers = [itertools.count() for _ in self._devices]

    def create(self) -> None:
        """Dim all to a level that is no request's; from then on they are on and stay on."""
        for device in self._devices:
            if self._server.name != "node":
                self._server.expect("GET", self._path(device, 5))

    def __call__(self, connection: int) -> tuple[bytes, bytes]:
        level = 10 + next(self._numbers[connection]) % LEVELS
        return self._request(self._devices[connection], level), b'"success":true'

    def _dimmed(self, device: str, level: int) -> bytes:
        return self._server.request("GET", self._path(device, level))

    def _told(self, device: str, level: int) -> bytes:
        return self._server.request("POST", "/", json.dumps({"deviceId": device, "value": level}).encode())

    @staticmethod
    def _path(device: str, level: int) -> str:
        return f"/api/device/{device}/changeDimlevelTo?dimlevel={level}"


def run(company: Company, plan: Plan, clients: Sequence[int] = CLIENTS) -> Report:
    """Measure every server in turns for each number of clients; pimatic only up to MANY."""
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    with ExitStack() as stack:
        stack.enter_context(many_files())
        homes = stack.enter_context(company.homes(dimmers(BURST)))
        servers = [*homes, *stack.enter_context(company.socket_yardstick())]
        for count in clients:
            taking_part = [server for server in servers if server.name != "pimatic" or count <= MANY]
            turns = in_turns(f"{NAME} {count}", taking_part, plan, partial(_measure, clients=count, plan=plan))
            told = sum_up(turns, "node")
            rows += told.rows(f"{NAME} {count}")
            targets += _targets(count, told, turns)
    return Report(BESIDE_NODE, tuple(rows), tuple(targets))


async def _measure(server: Server, *, clients: int, plan: Plan) -> Turn:
    devices = [device.id for device in dimmers(BURST)]
    scene = Scene(
        one=lambda server: DeviceWrites(server, devices[:1]),
        many=lambda server: DeviceWrites(server, devices),
        join=socket_clients(DIALECTS[server.name]),
        events=2,
        pace=PACE if clients <= MANY else SLOW_PACE,
    )
    return await measure(server, scene, clients, plan)


def _targets(count: int, told: Told, turns: dict[str, list[Turn]]) -> list[Target]:
    if "hub" not in turns:
        return []
    paced = {name: [turn.paced for turn in own] for name, own in turns.items()}
    flat = {name: [turn.flat for turn in own] for name, own in turns.items()}
    targets = [
        times(f"{NAME} {count} paced", paced, ("hub", "node"), 1.5),
        times(f"{NAME} {count} flat out", flat, ("hub", "node"), 1.3),
        times(f"{NAME} {count} paced", paced, ("hub", "pimatic"), 3),
        times(f"{NAME} {count} flat out", flat, ("hub", "pimatic"), 3),
    ]
    if count == MANY:
        p50, p99 = told.latency["hub"]
        targets += [
            Target(f"{NAME} {count} paced, CPU per client and event", 10, told.paced["hub"].cpu_us, "µs"),
            Target(f"{NAME} {count} flat out, CPU per client and event", 2, told.flat["hub"].cpu_us, "µs"),
            Target(f"{NAME} {count} paced, write to event, p50", 2, p50 * 1e3, "ms"),
            Target(f"{NAME} {count} paced, write to event, p99", 5, p99 * 1e3, "ms"),
        ]
    return [target for target in targets if target is not None]
