"""How fast the store is, to be run by hand: `python -m tests.store.measure [directory]`.

What keeping a reported state costs, with its parts; how long a full home takes to open; what a commit takes and how
many bytes it sends to the disk (as the kernel counts them, so the directory must be on a real disk).
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from hallway.clock import SystemClock
from hallway.home.changes import AnyChange, Context
from hallway.home.home import Home
from hallway.home.saved import restore
from hallway.home.values import Attributes
from hallway.store.redo import encode
from hallway.store.rows import Batch, rows_of
from hallway.store.store import Store

REPORTS = 20_000
ROUNDS = 7
COMMITS = 20
HTTP = Context("homeassistant")
KITCHEN: Attributes = {"friendly_name": "Kitchen", "unit_of_measurement": "W"}


def say(what: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{what:60} {value:8.2f} {unit}\n")


def each(call: Callable[[], object]) -> float:
    """Microseconds a call: the best of some rounds."""

    def one() -> float:
        begin = time.perf_counter()
        for _ in range(REPORTS):
            call()
        return (time.perf_counter() - begin) / REPORTS * 1e6

    return min(one() for _ in range(ROUNDS))


def reports(home: Home) -> float:
    """Microseconds a report, each of another value than the one before."""
    begin = time.perf_counter()
    for number in range(REPORTS):
        home.report("sensor.kitchen", str(number), dict(KITCHEN), HTTP)
    return (time.perf_counter() - begin) / REPORTS * 1e6


async def hot_path(directory: Path) -> None:
    loop = asyncio.get_running_loop()
    clock = SystemClock(loop)
    bare, home = Home(clock), Home(clock)
    store = Store.open(directory / "hot", clock, 3600)
    store.attach(home, loop)
    alone, kept = [], []
    for _ in range(ROUNDS):  # in turns, so that both see the same machine
        alone.append(reports(bare))
        kept.append(reports(home))
        await store.durable(home.changes.seq)
    say("a report, home alone", statistics.median(alone), "µs")
    say("a report, home and store", statistics.median(kept), "µs")
    say("the store's part", statistics.median(kept) - statistics.median(alone), "µs")
    parts(home, store)
    await store.close()


def parts(home: Home, store: Store) -> None:
    taken: list[AnyChange] = []
    unsubscribe = home.changes.subscribe(taken.append)
    home.report("sensor.kitchen", "1", dict(KITCHEN), HTTP)
    unsubscribe()
    change, batch = taken[0], Batch()
    rows = rows_of(change)
    payload = encode((1, rows))
    redo = store._disk.redo
    say("  of which: rows of the change", each(lambda: rows_of(change)), "µs")
    say("  rows as bytes", each(lambda: encode((1, rows))), "µs")
    say("  bytes into the redo log", each(lambda: redo.append(payload)), "µs")
    say("  rows into the batch", each(lambda: batch.put(1, rows)), "µs")


def full_home(clock: SystemClock, store: Store) -> Home:
    home = Home(clock, seq=store.saved.seq, kept_ids=store.saved.kept_ids)
    for number in range(500):
        home.add_device({"id": f"heat_{number}", "class": "DummyHeatingThermostat"}, "file")
        home.add_device({"id": f"temp_{number}", "class": "DummyTemperatureSensor"}, "file")
    restore(home, store.saved)
    return home


def report_some(home: Home, numbers: Iterable[int], state: str) -> None:
    for number in numbers:
        attributes: Attributes = {"friendly_name": f"Power {number}", "unit_of_measurement": "W", "note": "x" * 120}
        home.report(f"sensor.power_{number}", state, attributes, HTTP)


def set_all(home: Home, value: float) -> None:
    for number in range(500):
        home.set_values(f"heat_{number}", {"temperatureSetpoint": value, "mode": "manu", "valve": value}, HTTP)
        home.set_values(f"heat_{number}", {"battery": "low" if value > 1 else "ok"}, HTTP)
        home.set_values(f"temp_{number}", {"temperature": value, "humidity": value}, HTTP)
    report_some(home, range(1000), str(value))


async def opening(directory: Path) -> None:
    """1000 devices with 3 values each, 1000 reported states, 1500 states of devices."""
    loop = asyncio.get_running_loop()
    clock = SystemClock(loop)
    clean: list[float] = []
    killed: list[float] = []
    log: dict[Path, bytes] = {}
    for turn in range(ROUNDS):
        store = timed_open(directory / "full", clock, clean)
        home = full_home(clock, store)
        store.attach(home, loop)
        set_all(home, turn)
        log = {path: path.read_bytes() for path in (directory / "full").glob("redo.?")}
        await store.close()
        for path, data in log.items():  # as a killed hub would leave it, but for the commit
            path.write_bytes(data)
        store = timed_open(directory / "full", clock, killed)
        await store.close()
    say("open: 1000 devices, 3000 values, 2500 states", statistics.median(clean[1:]) * 1e3, "ms")
    say("  with all of them in the redo log, but committed", statistics.median(killed) * 1e3, "ms")
    replayed: list[float] = []
    for _ in range(ROUNDS):
        (directory / "replay").mkdir(exist_ok=True)
        for path, data in log.items():
            (directory / "replay" / path.name).write_bytes(data)
        store = timed_open(directory / "replay", clock, replayed)
        await store.close()
        for path in (directory / "replay").iterdir():
            path.unlink()
    say("  with all of them in the redo log only, home.db to be made", statistics.median(replayed) * 1e3, "ms")


def timed_open(directory: Path, clock: SystemClock, seconds: list[float]) -> Store:
    begin = time.perf_counter()
    store = Store.open(directory, clock, 3600)
    seconds.append(time.perf_counter() - begin)
    return store


def bytes_to_disk() -> int:
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


async def longest_gap() -> float:
    """The longest time in which nothing else ran, until cancelled."""
    longest, before = 0.0, time.perf_counter()
    while True:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return longest
        now = time.perf_counter()
        longest, before = max(longest, now - before), now


async def commits(directory: Path) -> None:
    """Some of the 1000 reported states change between two commits, of a home with 2500 states."""
    loop = asyncio.get_running_loop()
    clock = SystemClock(loop)
    for count in (1, 10, 50, 200, 1000):
        store = Store.open(directory / "full", clock, 3600)
        home = full_home(clock, store)
        store.attach(home, loop)
        await store.durable(home.changes.seq)
        before, text, seconds = bytes_to_disk(), store.statistics().bytes_written, []
        for turn in range(COMMITS):
            report_some(home, [number * 389 % 1000 for number in range(count)], f"{count}.{turn}")
            begin = time.perf_counter()
            await store.durable(home.changes.seq)
            seconds.append(time.perf_counter() - begin)
        say(f"a commit of {count} states", statistics.median(seconds) * 1e3, "ms")
        say("  texts in it", (store.statistics().bytes_written - text) / COMMITS / 1000, "kB")
        say("  to the disk", (bytes_to_disk() - before) / COMMITS / 1000, "kB")
        gaps = []
        for turn in range(COMMITS):
            report_some(home, range(count), f"{count}.{turn} again")
            gap = asyncio.create_task(longest_gap())
            await asyncio.sleep(0)
            await store.durable(home.changes.seq)
            gap.cancel()
            gaps.append(await gap)
        say("  meanwhile a busy loop is held up, at most", max(gaps) * 1e3, "ms")
        await store.close()


async def main(directory: Path) -> None:
    await hot_path(directory)
    await opening(directory)
    await commits(directory)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory(prefix="hallway-store-") as folder:
            asyncio.run(main(Path(folder)))
