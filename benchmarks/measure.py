"""What is measured and how runs are compared: CPU time, memory, cores, rates, medians of ratios.

A machine that others use too halves and doubles its wall-clock rates within a minute. So servers take turns, each
turn is compared with its neighbour's, and the median of these ratios counts; CPU time is steadier than wall time.
It must not know HTTP nor what a benchmark does.
"""

import os
import resource
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often: seconds of one measurement, turns of each server, connections of the load client."""

    seconds: float = 3.0
    repeats: int = 3
    connections: int = 32

    @property
    def warm_up(self) -> float:
        """Seconds of load before each measurement."""
        return min(0.5, self.seconds / 4)


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the servers and the core of the load client; None where there is nothing to choose."""

    server: int | None
    client: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one server: operations done in so many seconds with so many seconds of its CPU."""

    operations: int
    seconds: float
    cpu: float | None

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds

    @property
    def cpu_us(self) -> float | None:
        """Microseconds of server CPU for one operation; None when the process cannot be seen."""
        return None if self.cpu is None else self.cpu * 1e6 / self.operations

    @property
    def busy(self) -> float | None:
        """Share of one core that the server used, 0..1 (more with threads)."""
        return None if self.cpu is None else self.cpu / self.seconds


@dataclass(frozen=True, slots=True)
class Summary:
    """The medians of one server's samples, and of the ratios to the yardstick turn by turn.

    `of_raw_cpu` is the yardstick's CPU per operation over this server's, `of_raw_rate` this server's rate over the
    yardstick's: both are 1 for the yardstick and smaller for a slower server.
    """

    rate: float
    cpu_us: float | None
    busy: float | None
    of_raw_cpu: float | None
    of_raw_rate: float | None


def choose_cores() -> Cores:
    """Two different cores of those this process may use, if there are two and the system lets us choose."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[1]) if len(allowed) > 1 else Cores(None, None)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run on one core for a while; a process started meanwhile stays there with all its threads."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int | None) -> float | None:
    """CPU time of a process and all its threads since its start, user and system; None without a process.

    Linux has a clock for it that counts nanoseconds; elsewhere it comes in steps of 10 ms.
    """
    if pid is None:
        return None
    if os.uname().sysname == "Linux":
        return time.clock_gettime(_process_clock(pid))
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _process_clock(pid: int) -> int:
    # The same number that clock_getcpuclockid(3) makes; Python does not offer that call.
    return (~pid << 3) | 2


@contextmanager
def many_files() -> Iterator[None]:
    """As many sockets as the system lets us have, for us and for what is started meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def resident_bytes(pid: int) -> int:
    """Memory of the process that is in RAM now."""
    return int(psutil.Process(pid).memory_info().rss)


def summarise(samples: Mapping[str, Sequence[Sample]], yardstick: str) -> dict[str, Summary]:
    """Medians for each server; its n-th sample is compared with the yardstick's n-th, if that took part."""
    raw = samples.get(yardstick)
    return {name: _summary(own, raw) for name, own in samples.items()}


def _summary(own: Sequence[Sample], raw: Sequence[Sample] | None) -> Summary:
    pairs = [] if raw is None else list(zip(own, raw, strict=True))
    return Summary(
        rate=statistics.median(sample.rate for sample in own),
        cpu_us=median_of(sample.cpu_us for sample in own),
        busy=median_of(sample.busy for sample in own),
        of_raw_cpu=median_of(_ratio(theirs.cpu_us, ours.cpu_us) for ours, theirs in pairs),
        of_raw_rate=median_of(_ratio(ours.rate, theirs.rate) for ours, theirs in pairs),
    )


def median_of(values: Iterator[float | None]) -> float | None:
    """The median, or None when any value is missing."""
    known = list(values)
    present = [value for value in known if value is not None]
    return statistics.median(present) if present and len(present) == len(known) else None


def _ratio(upper: float | None, lower: float | None) -> float | None:
    return upper / lower if upper is not None and lower else None
