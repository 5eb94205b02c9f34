"""How the benchmarks run: the servers take turns, and each turn is one measurement with a warm-up before it.

It must not know what is asked of the servers.
"""

import gc
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from benchmarks.errors import BenchmarkError
from benchmarks.load import ANSWER_TIMEOUT, Pool, Work, run_loop
from benchmarks.measure import Plan, Sample, cpu_seconds
from benchmarks.servers import Server


class Measured(Protocol):
    """Anything that can be told in the progress line."""

    @property
    def rate(self) -> float:
        """Operations a second."""
        ...


Turn = TypeVar("Turn", bound=Measured)


def in_turns(
    work: str, servers: Sequence[Server], plan: Plan, measure: Callable[[Server], Coroutine[Any, Any, Turn]]
) -> dict[str, list[Turn]]:
    """The results of each server, `plan.repeats` of them; each server has its first turn before any has its second."""
    results: dict[str, list[Turn]] = {server.name: [] for server in servers}
    for number in range(1, plan.repeats + 1):
        for server in servers:
            # A collection in the midst of a turn would stand in the latencies as if the server had waited.
            gc.collect()
            gc.disable()
            try:
                result = run_loop(measure(server))
            finally:
                gc.enable()
            results[server.name].append(result)
            print(f"{work} {number}/{plan.repeats} {server.name}: {result.rate:,.0f} /s", file=sys.stderr, flush=True)
    return results


async def keep_busy(server: Server, plan: Plan, work: Work) -> Sample:
    """Load a server on all connections, until its first answer at least: what it answers and what CPU time it takes."""
    async with Pool.open(server, plan.connections) as pool:
        pool.start(work)
        await pool.run_for(plan.warm_up)
        answered, cpu, at = pool.answered, cpu_seconds(server.pid), time.perf_counter()
        await pool.run_for(plan.seconds)
        while pool.answered == answered and time.perf_counter() - at < ANSWER_TIMEOUT:
            await pool.run_for(plan.seconds)
        sample = sample_since(server, answered, cpu, at, pool.answered)
        await pool.stop()
        return sample


def sample_since(server: Server, before: int, cpu: float | None, at: float, after: int) -> Sample:
    """What happened since a moment at which `before` operations, `cpu` seconds and the time `at` were noted.

    Raises BenchmarkError when nothing happened.
    """
    now = cpu_seconds(server.pid)
    if after == before:
        raise BenchmarkError(f"{server.name}: not one answer in {time.perf_counter() - at:.0f} s")
    used = None if now is None or cpu is None else now - cpu
    return Sample(operations=after - before, seconds=time.perf_counter() - at, cpu=used)
