"""Kills a home again and again and looks over what is left: `python -m tests.faults.killing DIRECTORY ROUNDS SEED`.

A process that has loaded everything forks one for each life, so that a life begins within milliseconds. It prints what
it did as JSON, or what was lost, and ends with 1 then.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from hallway.clock import SystemClock, VirtualClock
from hallway.store import recorder
from hallway.store.store import Store
from tests.faults.chronicle import Chronicle, recorded
from tests.faults.life import EDITORS, Life, Witness, summary
from tests.store.homes import build_kept

MOMENTS = {"": 0.02, "opening": 0.02, "furnished": 0.08, "closing": 0.01}
"""What a home says before it is killed, nothing at all with "", and within how many seconds that is done then."""
WORDS = 2**20


async def live(directory: Path, number: int, chance: random.Random, tell: int, *, shortly: bool) -> None:
    """Work without pause, and close and open the store now and then; shortly: as soon as there was some work."""
    clock = SystemClock(asyncio.get_running_loop())

    def say(kind: str, count: int) -> None:
        os.write(tell, f"{kind} {count}\n".encode())

    recorder.SEGMENT_BYTES = chance.choice((20_000, 16 * 2**20))
    while True:
        say("opening", 0)
        store = Store.open(directory, clock, chance.choice((0.002, 0.02)))
        life = Life(store, clock, number, say, chance)
        await life.begin()
        past = Chronicle(directory, clock, chance.choice((0.002, 0.02)), say, chance)
        await past.open()
        rounds = 1 if shortly else chance.choice((1, 1, 3, 30, 1000))
        async with asyncio.TaskGroup() as group:
            for which in range(EDITORS):
                group.create_task(repeat(rounds, partial(life.edit, which)))
                group.create_task(repeat(rounds, partial(life.set_variable, which)))
            group.create_task(repeat(rounds, life.define))
            group.create_task(report(life, 20 * rounds, chance))
            group.create_task(record(past, 20 * rounds, chance))
        say("closing", 0)
        await past.close()
        await store.close()


async def repeat(times: int, do: Callable[[], Awaitable[None]]) -> None:
    for _ in range(times):
        await do()


async def report(life: Life, times: int, chance: random.Random) -> None:
    for _ in range(times):
        life.report()
        if chance.random() < 0.2:
            await asyncio.sleep(0)


async def record(past: Chronicle, times: int, chance: random.Random) -> None:
    for _ in range(times):
        past.record()
        if chance.random() < 0.1:
            await asyncio.sleep(0)
        if chance.random() < 0.02:
            await past.flush()


def live_and_die(directory: Path, number: int, chance: random.Random) -> bytes:
    """What a home said before it was killed."""
    hear, tell = os.pipe()
    fcntl.fcntl(tell, fcntl.F_SETPIPE_SZ, WORDS)
    moment = chance.choice((*MOMENTS, "furnished"))
    child = os.fork()
    if not child:
        try:
            asyncio.run(live(directory, number, chance, tell, shortly=moment == "closing"))
        finally:
            os._exit(1)
    os.close(tell)
    words = b""
    while moment.encode() not in words:
        heard = os.read(hear, WORDS)
        assert heard, "the home ended by itself"
        words += heard
    time.sleep(chance.uniform(0, MOMENTS[moment]))
    os.kill(child, signal.SIGKILL)
    _child, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the home ended by itself: {status}"
    with os.fdopen(hear, "rb") as left:
        return words + left.read()


async def look_over(directory: Path, witness: Witness) -> tuple[list[str], dict[str, int]]:
    """What is lost, and what is there. Nothing that was said may be missing, reports included.

    Of samples that is so for those that were written; the others are in memory for a while.
    """
    clock = VirtualClock()
    store = Store.open(directory, clock, 5)
    home = build_kept(clock, store)
    problems = [] if store.problem is None else [store.problem]
    problems += witness.lost(store, home, reports_from=witness.said("report"))
    if store.saved.seq < witness.said("seq"):
        problems.append(f"the number of the last change went from {witness.said('seq')} to {store.saved.seq}")
    wrong, lasts = await recorded(directory)
    last = lasts["sample"]
    if not witness.said("kept") <= last <= max(witness.said("sample"), witness.begun("sample")):
        wrong.append(f"sample {witness.said('kept')} was written, {witness.begun('sample')} was begun, {last} is there")
    there = summary(store, home) | {"seq": store.saved.seq, "kept": last, "sample": last}
    await store.close()
    return problems + wrong, there


def main(directory: Path, rounds: int, seed: str) -> int:
    chance, done, before = random.Random(seed), Counter[str](), dict[str, int]()
    gc.freeze()
    for number in range(1, rounds + 1):
        if number % 12 == 0:
            shutil.rmtree(directory, ignore_errors=True)
            before = {}
        witness, last = Witness(number, before), "the fork"
        for line in live_and_die(directory, number, chance).decode().splitlines():
            kind, _, count = line.rpartition(" ")
            witness.hear(kind, int(count))
            last = kind
            done[kind.rstrip("0123456789")] += 1
        done[f"killed while {last}" if last in {"opening", "closing"} else "killed at work"] += 1
        problems, before = asyncio.run(look_over(directory, witness))
        if problems:
            sys.stdout.write("\n".join([f"after kill {number}, during {last}:", *problems, ""]))
            return 1
    sys.stdout.write(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
