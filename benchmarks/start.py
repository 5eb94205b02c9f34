"""Starting: from the start of the process to its first answer with 1000 devices, and the memory of an idle hub.

The first number is a new home (it makes its files), the second the same home again.
It must not know what a hub does meanwhile.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from benchmarks.errors import BenchmarkError
from benchmarks.homes import Device, mixed, write_hub
from benchmarks.measure import resident_bytes
from benchmarks.servers import Server, free_port, hub_command, raw_command, run_process
from benchmarks.table import START, Report, Target, number

NAME: Final = "start"
DEVICES: Final = 1000
RUNS: Final = 5
SETTLE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds to the first answer in a new home and in the same home again, and resident bytes a second later."""

    first: float
    again: float
    memory: int


def run(core: int | None, *, with_hub: bool, runs: int = RUNS, devices: int = DEVICES) -> Report:
    """Start everything `runs` times and take the medians."""
    rows = [_row("no devices", "raw", [_start_raw(core) for _ in range(runs)])]
    if not with_hub:
        return Report(START, tuple(rows))
    empty = [_start_hub(core, ()) for _ in range(runs)]
    full = [_start_hub(core, mixed(devices)) for _ in range(runs)]
    rows += [_row("no devices", "hub", empty), _row(f"{devices} devices", "hub", full)]
    if devices != DEVICES:
        return Report(START, tuple(rows))
    targets = (
        Target("start, first answer with 1000 devices", 0.5, _median(full, lambda start: start.first), "s"),
        Target("idle memory with 1000 devices", 60, _median(full, lambda start: start.memory / 1e6), "MB"),
    )
    return Report(START, tuple(rows), targets)


def _row(work: str, name: str, starts: Sequence[Start]) -> tuple[str, ...]:
    return (
        work,
        name,
        number(_median(starts, lambda start: start.first)),
        number(_median(starts, lambda start: start.again)),
        number(_median(starts, lambda start: start.memory / 1e6)),
    )


def _median(starts: Sequence[Start], value: Callable[[Start], float]) -> float:
    return statistics.median(value(start) for start in starts)


def _start_raw(core: int | None) -> Start:
    port = free_port()
    return _start_twice("raw", raw_command(port), port, core, 0)


def _start_hub(core: int | None, devices: tuple[Device, ...]) -> Start:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hallway-benchmark-") as folder:
        write_hub(Path(folder), port, devices)
        return _start_twice("hub", hub_command(Path(folder), port), port, core, len(devices))


def _start_twice(name: str, command: Sequence[str], port: int, core: int | None, devices: int) -> Start:
    begin = time.perf_counter()
    with run_process(name, command, port, core) as server:
        first = time.perf_counter() - begin
        _check_devices(server, devices)
    begin = time.perf_counter()
    with run_process(name, command, port, core) as server:
        again = time.perf_counter() - begin
        _check_devices(server, devices)
        time.sleep(SETTLE)
        assert server.pid is not None
        return Start(first, again, resident_bytes(server.pid))


def _check_devices(server: Server, devices: int) -> None:
    if devices == 0:
        return
    states = orjson.loads(server.expect("GET", "/api/states"))
    if len(states) < devices:
        raise BenchmarkError(f"{server.name}: of {devices} devices only {len(states)} have a state")
