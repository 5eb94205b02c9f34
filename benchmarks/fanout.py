"""Telling many clients, in two ways, whatever the server and the protocol.

Paced: one write at a time, fifty a second, and how long each client waits for its events. Flat out: ten writes at the
same moment, again and again. An event that does not arrive at every client ends the run.
It must not know what a write is nor how a client is told.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from benchmarks.audience import Audience, Join
from benchmarks.load import Pool
from benchmarks.measure import Plan, Sample, Summary, cpu_seconds, summarise
from benchmarks.rounds import sample_since
from benchmarks.servers import Server
from benchmarks.table import comparison_row

PACE: Final = 50
BURST: Final = 10
AHEAD: Final = 4 * BURST
"""Flat out: how many writes the slowest client may be behind before the next burst waits for it."""


class Writes(Protocol):
    """Requests that each cause the same number of events at every client."""

    def create(self) -> None:
        """Make what is written, before anybody listens."""

    def __call__(self, connection: int) -> tuple[bytes, bytes]:
        """The next request of that connection, and a text of its answer."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """How one server is told and tells.

    one, many: the writes of one connection and of BURST connections; join: makes a client; events: at each client, of
    one write; pace: writes a second.
    """

    one: Callable[[Server], Writes]
    many: Callable[[Server], Writes]
    join: Join
    events: int = 1
    pace: int = PACE


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


@dataclass(frozen=True, slots=True)
class Told:
    """What all turns of all servers come to, by name of the server."""

    paced: Mapping[str, Summary]
    flat: Mapping[str, Summary]
    latency: Mapping[str, tuple[float, float]]

    def rows(self, work: str) -> list[tuple[str, ...]]:
        """Under the headings of a comparison: paced first."""
        paced = [
            comparison_row(f"{work} paced", name, summary, self.latency[name], paced=True)
            for name, summary in self.paced.items()
        ]
        return paced + [comparison_row(f"{work} flat out", name, summary) for name, summary in self.flat.items()]


def sum_up(turns: Mapping[str, Sequence[Turn]], yardstick: str) -> Told:
    """Medians of everything; ratios turn by turn to the yardstick."""
    return Told(
        paced=summarise({name: [turn.paced for turn in own] for name, own in turns.items()}, yardstick),
        flat=summarise({name: [turn.flat for turn in own] for name, own in turns.items()}, yardstick),
        latency={name: _latency(own) for name, own in turns.items()},
    )


def _latency(turns: Sequence[Turn]) -> tuple[float, float]:
    return statistics.median(turn.p50 for turn in turns), statistics.median(turn.p99 for turn in turns)


async def measure(server: Server, scene: Scene, clients: int, plan: Plan) -> Turn:
    """One turn: paced, then flat out, each with clients of its own."""
    paced, latencies = await _paced(server, scene, clients, plan)
    flat = await _flat_out(server, scene, clients, plan)
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return Turn(paced, cuts[49], cuts[98], flat)


async def _paced(server: Server, scene: Scene, clients: int, plan: Plan) -> tuple[Sample, Sequence[float]]:
    writes = scene.one(server)
    writes.create()
    count = max(4, round(scene.pace * plan.seconds))
    warm_up = max(1, round(scene.pace * plan.warm_up))
    async with Audience.open(server, clients, scene.join) as audience, Pool.open(server, 1) as writer:
        for _ in range(warm_up):
            await _write_one(writer, writes, audience, scene.events)
        audience.forget_latencies()
        arrived, cpu, at = audience.arrived, cpu_seconds(server.pid), time.perf_counter()
        for number in range(count):
            await asyncio.sleep(at + number / scene.pace - time.perf_counter())
            await _write_one(writer, writes, audience, scene.events)
        sample = sample_since(server, arrived, cpu, at, audience.arrived)
        audience.check()
        return sample, audience.latencies


async def _write_one(writer: Pool, writes: Writes, audience: Audience, events: int) -> None:
    audience.note_write(events)
    await writer.once(writes)
    await audience.wait_for(audience.written)


async def _flat_out(server: Server, scene: Scene, clients: int, plan: Plan) -> Sample:
    writes = scene.many(server)
    writes.create()
    async with (
        Audience.open(server, clients, scene.join, timed=False) as audience,
        Pool.open(server, BURST) as writers,
    ):
        await _bursts(writers, writes, audience, scene.events, plan.warm_up)
        arrived, cpu, at = audience.arrived, cpu_seconds(server.pid), time.perf_counter()
        await _bursts(writers, writes, audience, scene.events, plan.seconds)
        sample = sample_since(server, arrived, cpu, at, audience.arrived)
        audience.check()
        return sample


async def _bursts(writers: Pool, writes: Writes, audience: Audience, events: int, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        audience.note_write(BURST * events)
        await writers.once(writes)
        await audience.wait_for(audience.written - AHEAD * events)
    await audience.wait_for(audience.written)
