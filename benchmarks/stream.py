"""Telling: state_changed events to 1, 50 and 200 clients of GET /api/stream.

Paced: one write at a time, fifty a second, and how long each client waits for its event. Flat out: ten writes at the
same moment, again and again. An event that does not arrive at every client ends the run.
It must not know how a server keeps its clients.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.audience import Audience
from benchmarks.load import Pool
from benchmarks.measure import Plan, Sample, Summary, cpu_seconds, summarise
from benchmarks.rounds import in_turns, sample_since
from benchmarks.servers import Server
from benchmarks.table import COMPARISON, Report, Target, comparison_row
from benchmarks.writes import StateWrites

NAME: Final = "stream"
CLIENTS: Final = (1, 50, 200)
PACE: Final = 50
BURST: Final = 10
AHEAD: Final = 4 * BURST
"""Flat out: how many events the slowest client may be behind before the next burst waits for it."""

ENTITY: Final = "sensor.bench_stream"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one server with one number of clients; an operation is one event at one client."""

    paced: Sample
    p50: float
    p99: float
    flat: Sample

    @property
    def rate(self) -> float:
        """Events a second at all clients together, flat out."""
        return self.flat.rate


def run(servers: Sequence[Server], plan: Plan, clients: Sequence[int] = CLIENTS) -> Report:
    """Measure every server in turns for each number of clients."""
    rows: list[tuple[str, ...]] = []
    targets: tuple[Target, ...] = ()
    for count in clients:
        turns = in_turns(f"{NAME} {count}", servers, plan, partial(_measure, clients=count, plan=plan))
        paced = summarise({name: [turn.paced for turn in own] for name, own in turns.items()}, "raw")
        flat = summarise({name: [turn.flat for turn in own] for name, own in turns.items()}, "raw")
        latency = {name: _latency(own) for name, own in turns.items()}
        rows += [
            comparison_row(f"{NAME} {count} paced", name, paced[name], latency[name], paced=True) for name in turns
        ]
        rows += [comparison_row(f"{NAME} {count} flat out", name, flat[name]) for name in turns]
        if "hub" in turns and count == max(CLIENTS):
            targets = _targets(paced["hub"], flat["hub"], latency["hub"])
    return Report(COMPARISON, tuple(rows), targets)


def _latency(turns: Sequence[Turn]) -> tuple[float, float]:
    return statistics.median(turn.p50 for turn in turns), statistics.median(turn.p99 for turn in turns)


def _targets(paced: Summary, flat: Summary, latency: tuple[float, float]) -> tuple[Target, ...]:
    p50, p99 = latency
    return (
        Target("stream 200 paced, CPU per client and event", 10, paced.cpu_us, "µs"),
        Target("stream 200 flat out, CPU per client and event", 2, flat.cpu_us, "µs"),
        Target("stream 200 paced, write to event, p50", 2, p50 * 1e3, "ms"),
        Target("stream 200 paced, write to event, p99", 5, p99 * 1e3, "ms"),
    )


async def _measure(server: Server, *, clients: int, plan: Plan) -> Turn:
    paced, latencies = await _paced(server, clients, plan)
    flat = await _flat_out(server, clients, plan)
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return Turn(paced, cuts[49], cuts[98], flat)


async def _paced(server: Server, clients: int, plan: Plan) -> tuple[Sample, Sequence[float]]:
    writes = StateWrites(server, [ENTITY])
    writes.create()
    count = max(4, round(PACE * plan.seconds))
    warm_up = max(1, round(PACE * plan.warm_up))
    async with Audience.open(server, clients, ENTITY) as audience, Pool.open(server, 1) as writer:
        for _ in range(warm_up):
            await _write_one(writer, writes, audience)
        audience.forget_latencies()
        arrived, cpu, at = audience.arrived, cpu_seconds(server.pid), time.perf_counter()
        for number in range(count):
            await asyncio.sleep(at + number / PACE - time.perf_counter())
            await _write_one(writer, writes, audience)
        sample = sample_since(server, arrived, cpu, at, audience.arrived)
        audience.check()
        return sample, audience.latencies


async def _write_one(writer: Pool, writes: StateWrites, audience: Audience) -> None:
    audience.note_write()
    await writer.once(writes)
    await audience.wait_for(audience.written)


async def _flat_out(server: Server, clients: int, plan: Plan) -> Sample:
    writes = StateWrites(server, [f"{ENTITY}_{number}" for number in range(BURST)])
    writes.create()
    async with Audience.open(server, clients, ENTITY) as audience, Pool.open(server, BURST) as writers:
        await _bursts(writers, writes, audience, plan.warm_up)
        arrived, cpu, at = audience.arrived, cpu_seconds(server.pid), time.perf_counter()
        await _bursts(writers, writes, audience, plan.seconds)
        sample = sample_since(server, arrived, cpu, at, audience.arrived)
        audience.check()
        return sample


async def _bursts(writers: Pool, writes: StateWrites, audience: Audience, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(BURST):
            audience.note_write()
        await writers.once(writes)
        await audience.wait_for(audience.written - AHEAD)
    await audience.wait_for(audience.written)
