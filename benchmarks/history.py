"""The past: how quickly samples come in and what that writes to the disk, and how quickly questions are answered.

It calls the hub's own parts in this process, on a real file. It must not know how samples are kept.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchmarkError
from benchmarks.load import run_loop
from benchmarks.pasts import BEGIN, MINUTE, archive_rows, attribute, directory, open_past, readings
from benchmarks.stopwatch import memory_like_a_hub
from benchmarks.table import PAST, Report, Target, number
from hallway.clock import SystemClock, VirtualClock
from hallway.home.past import Series
from hallway.store.history.file import FILE
from hallway.store.history.flow import FOLD_ROWS
from hallway.store.history.history import HistoryStore

NAME: Final = "history"
ROWS: Final = 10_000_000
DAY: Final = 1440
YEAR: Final = 365 * DAY
ATTRIBUTES: Final = 1000
LEAST_ROWS: Final = 2 * DAY * ATTRIBUTES
POINTS: Final = 1000
TICK: Final = 0.001
SLICE: Final = 50
"""Samples that come in before others get their turn."""
WRITE_EVERY: Final = 10.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. burst, steady: samples that come in at once, and once a minute from each attribute."""

    rows: int = ROWS
    attributes: int = ATTRIBUTES
    burst: int = 30_000
    steady: int = 300_000
    turns: int = 20
    year: int = YEAR


def run(sizes: Sizes | None = None) -> Report:
    """Measure everything."""
    sizes = sizes or Sizes()
    reports = [run_loop(part(sizes)) for part in (flat_out, once_a_minute, questions)]
    rows = tuple(row for report in reports for row in report.rows)
    return Report(PAST, rows, tuple(target for report in reports for target in report.targets))


# ---------------------------------------------------------------------- coming in


async def flat_out(sizes: Sizes) -> Report:
    """As many samples as there can be, some at a time: until they are on the disk, and until the archive has them."""
    with directory() as name:
        async with open_past(Path(name), SystemClock(asyncio.get_running_loop())) as store:
            with memory_like_a_hub():
                cpu = time.process_time()
                ticking = asyncio.ensure_future(_stalls())
                to_disk, to_archive = await _bursts(store, sizes)
                cpu = (time.process_time() - cpu) / store.flow.written * 1e6
                ticking.cancel()
                stalls = sorted((await asyncio.gather(ticking))[0])
            if store.flow.lost or store.flow.written != sizes.turns * sizes.burst:
                raise BenchmarkError(f"{store.flow.written} of {sizes.turns * sizes.burst} samples were written")
    rate, archived = sizes.burst / to_disk, sizes.burst / (to_disk + to_archive)
    p99, worst = stalls[len(stalls) * 99 // 100] * 1000, stalls[-1] * 1000
    burst, count = number(sizes.burst), number(sizes.turns * sizes.burst)
    rows = (
        ("in, until they are on the disk", burst, number(rate), "-", "rows/s"),
        ("in, until the archive has them", burst, number(archived), "-", "rows/s"),
        ("CPU of both for a row", count, number(cpu), "-", "µs"),
        ("the loop waits meanwhile, p99 and worst", count, number(p99), number(worst), "ms"),
    )
    targets = (
        Target("history, rows in", 150_000, rate, "rows/s", at_least=True),
        Target("history, the loop waits meanwhile, p99", 5, p99, "ms"),
    )
    return Report(PAST, rows, targets)


async def _bursts(store: HistoryStore, sizes: Sizes) -> tuple[float, float]:
    """The seconds of the middle burst until it is on the disk, and from there into the archive."""
    tracks = [store.flow.track(attribute(n), "number", discrete=False) for n in range(1, sizes.attributes + 1)]
    values = [next(readings(n))[1] for n in range(1, sizes.attributes + 1)]
    to_disk, to_archive = [], []
    for turn in range(sizes.turns):
        begin = time.perf_counter()
        for count in range(turn * sizes.burst, (turn + 1) * sizes.burst):
            which = count % sizes.attributes
            store.flow.record(tracks[which], BEGIN + count, values[which] + count % 7 / 10)
            if count % SLICE == 0:
                await asyncio.sleep(0)
        written = await store.flow.flush()
        middle = time.perf_counter()
        if not (written and await store.flow.fold()):
            raise BenchmarkError(f"the samples were not written: {store.problem}")
        to_disk.append(middle - begin)
        to_archive.append(time.perf_counter() - middle)
    return statistics.median(to_disk), statistics.median(to_archive)


async def _stalls() -> list[float]:
    """By how much later than it wanted something came around, until this is cancelled."""
    found: list[float] = []
    try:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(TICK)
            found.append(max(time.perf_counter() - begin - TICK, 0.0))
    except asyncio.CancelledError:
        return found


async def once_a_minute(sizes: Sizes) -> Report:
    """What is written to the disk for a sample, at the settings that a hub has if nobody says otherwise."""
    with directory() as name:
        path = Path(name)
        # Each attribute is somewhere else on its way to a full chunk, as in a home that has run for long.
        await archive_rows(path, {n: 1 + n * 1000 // sizes.attributes for n in range(1, sizes.attributes + 1)}, BEGIN)
        clock = VirtualClock(BEGIN / 1000)
        before = written_bytes()
        async with open_past(path, clock) as store:
            await _let_time_pass(store, clock, sizes)
            count = store.flow.written
        after = written_bytes()
    each = None if before is None or after is None else (after - before) / count
    row = ("written to the disk for a row", number(count), number(each), "-", "bytes")
    return Report(PAST, (row,), (Target("history, written to the disk for a row", 150, each, "bytes"),))


async def _let_time_pass(store: HistoryStore, clock: VirtualClock, sizes: Sizes) -> None:
    tracks = [store.flow.track(attribute(n), "number", discrete=False) for n in range(1, sizes.attributes + 1)]
    sensors = [readings(n) for n in range(1, sizes.attributes + 1)]
    coming = list(map(next, sensors))
    recorded = 0
    while recorded < sizes.steady:
        clock.advance(WRITE_EVERY)
        now = clock.now() * 1000
        for place, track in enumerate(tracks):
            while coming[place][0] <= now:
                store.flow.record(track, *coming[place])
                coming[place] = next(sensors[place])
                recorded += 1
        if not await store.flow.flush():
            raise BenchmarkError(f"history.db cannot be written: {store.problem}")
        if store.flow.mirror.count >= FOLD_ROWS and not await store.flow.fold():
            raise BenchmarkError(f"the archive did not take everything: {store.problem}")


def written_bytes() -> int | None:
    """What this process has written to files so far; None where the system does not say."""
    try:
        lines = Path("/proc/self/io").read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("wchar")), None)


# ---------------------------------------------------------------------- questions


async def questions(sizes: Sizes) -> Report:
    """Asked of a file with many samples, each time of other attributes, so that nothing is in memory yet."""
    each = sizes.rows // sizes.attributes
    end = BEGIN + each * MINUTE
    with directory() as name:
        path = Path(name)
        counts = dict.fromkeys(range(1, sizes.attributes + 1), each)
        begin = time.perf_counter()
        await archive_rows(path, counts | {sizes.attributes + 1: sizes.year}, end)
        built = time.perf_counter() - begin
        size = (path / FILE).stat().st_size / (each * sizes.attributes + sizes.year)
        async with open_past(path, VirtualClock(end / 1000)) as store:
            measured = await _ask(store, sizes, end / 1000)
    rows = [(what, number(count), number(middle), number(slowest), "ms") for what, count, middle, slowest in measured]
    rows.append(("kept in the file for a row, roll-ups included", number(sizes.rows), number(size), "-", "bytes"))
    rows.append(("made in", number(sizes.rows), number(built), "-", "s"))
    limits = (2.0, 2.0, 50.0, 20.0)
    targets = [
        Target(f"history, {what}", limit, middle, "ms")
        for (what, _, middle, _), limit in zip(measured, limits, strict=True)
    ]
    return Report(PAST, tuple(rows), (*targets, Target("history, kept in the file for a row", 8, size, "bytes")))


Measured = tuple[str, int, float, float]
"""What was asked, how many rows were in the answer, and milliseconds: the middle and the slowest."""


async def _ask(store: HistoryStore, sizes: Sizes, end: float) -> list[Measured]:
    hours = 86_400.0
    half = end - sizes.rows // sizes.attributes * 30
    year = attribute(sizes.attributes + 1)

    def one(turn: int) -> list[Series]:
        return [attribute(turn * 17 % sizes.attributes + 1)]

    def ten(turn: int) -> list[Series]:
        return [attribute((turn * 10 + n) % sizes.attributes + 1) for n in range(10)]

    async def points(_turn: int) -> int:
        return len(await store.points(year, end - sizes.year * 60, end, POINTS))

    with memory_like_a_hub():
        return [
            await _timed("24 h of one attribute, the last", sizes, lambda n: _count(store, one(n), end - hours, end)),
            await _timed("24 h of one attribute, long ago", sizes, lambda n: _count(store, one(n), half, half + hours)),
            await _timed("all of ten attributes", sizes, lambda n: _count(store, ten(n), None, None)),
            await _timed("the course of a year in 1000 points", sizes, points),
        ]


async def _count(store: HistoryStore, series: list[Series], after: float | None, before: float | None) -> int:
    return sum([len(columns.ats) async for columns in store.columns(series, after, before)])


async def _timed(what: str, sizes: Sizes, ask: Callable[[int], Awaitable[int]]) -> Measured:
    seconds, count = [], 0
    for turn in range(sizes.turns):
        begin = time.perf_counter()
        count = await ask(turn)
        seconds.append(time.perf_counter() - begin)
        if not count:
            raise BenchmarkError(f"{what}: there was nothing in the answer")
    seconds.sort()
    return what, count, seconds[len(seconds) // 2] * 1000, seconds[-1] * 1000
