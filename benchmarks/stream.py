"""Telling: state_changed events to 1, 50 and 200 clients of GET /api/stream, paced and flat out.

It must not know how a server keeps its clients.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from benchmarks.fanout import BURST, Scene, Told, measure, sum_up
from benchmarks.measure import Plan
from benchmarks.rounds import in_turns
from benchmarks.servers import Server
from benchmarks.stream_client import stream_clients
from benchmarks.table import COMPARISON, Report, Target
from benchmarks.writes import StateWrites

NAME: Final = "stream"
CLIENTS: Final = (1, 50, 200)
ENTITY: Final = "sensor.bench_stream"
SCENE: Final = Scene(
    one=lambda server: StateWrites(server, [ENTITY]),
    many=lambda server: StateWrites(server, [f"{ENTITY}_{number}" for number in range(BURST)]),
    join=stream_clients(ENTITY),
)


def run(servers: Sequence[Server], plan: Plan, clients: Sequence[int] = CLIENTS) -> Report:
    """Measure every server in turns for each number of clients."""
    rows: list[tuple[str, ...]] = []
    targets: tuple[Target, ...] = ()
    for count in clients:
        turns = in_turns(f"{NAME} {count}", servers, plan, partial(measure, scene=SCENE, clients=count, plan=plan))
        told = sum_up(turns, "raw")
        rows += told.rows(f"{NAME} {count}")
        if "hub" in turns and count == max(CLIENTS):
            targets = _targets(told)
    return Report(COMPARISON, tuple(rows), targets)


def _targets(told: Told) -> tuple[Target, ...]:
    p50, p99 = told.latency["hub"]
    return (
        Target("stream 200 paced, CPU per client and event", 10, told.paced["hub"].cpu_us, "µs"),
        Target("stream 200 flat out, CPU per client and event", 2, told.flat["hub"].cpu_us, "µs"),
        Target("stream 200 paced, write to event, p50", 2, p50 * 1e3, "ms"),
        Target("stream 200 paced, write to event, p99", 5, p99 * 1e3, "ms"),
    )
