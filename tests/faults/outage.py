"""A home on a disk that writes everything down: `python -m tests.faults.outage DIRECTORY LOG LIFE SEED [whole]`.

With `whole` it closes its files and keeps a generation in the end, else perhaps. What it acknowledges it says in the
same log. Time is virtual and stands still while a commit is under way, so that what a power cut may cost can be told
from the log alone.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from functools import partial
from pathlib import Path
from typing import Any

from hallway.clock import VirtualClock
from hallway.store import generations, recorder
from hallway.store.database import DATABASE_FILE
from hallway.store.store import Store
from tests.faults.chronicle import Chronicle
from tests.faults.disk import Marks
from tests.faults.life import EDITORS, Life

VALUES_EVERY = 0.5
WRITE_EVERY = 0.8
LONGEST_STEP = 0.05
STEPS = 150
AT_MOST = 100
"""Reports while a commit is under way: a slow disk has no more to do than a fast one."""
KEPT = 0.02
"""How often a generation of home.db is kept, per step."""


async def live(directory: Path, log: Path, number: int, chance: random.Random, *, whole: bool) -> None:
    marks, clock = Marks(log), VirtualClock(1_800_000_000.0 + 1000 * number)

    def say(kind: str, count: int) -> None:
        marks.say(f"{kind} {count}")

    recorder.SEGMENT_BYTES = chance.choice((20_000, 16 * 2**20))
    store = Store.open(directory, clock, VALUES_EVERY)
    life = Life(store, clock, number, say, chance)
    await life.begin()
    past = Chronicle(directory, clock, WRITE_EVERY, say, chance)
    await past.open()
    work: dict[str, asyncio.Task[Any]] = {}
    for _step in range(STEPS):
        clock.advance(chance.uniform(0, LONGEST_STEP))
        say("time", round(clock.now() * 1000))
        for _ in range(chance.choice((0, 1, 2, 10))):
            life.report()
            past.record()
        past.keep_beside()
        begin_work(life, work, chance)
        if chance.random() < KEPT and ("generation" not in work or work["generation"].done()):
            keep = partial(generations.keep, directory / DATABASE_FILE, clock.now())
            work["generation"] = asyncio.create_task(asyncio.to_thread(keep))
        await asyncio.sleep(chance.choice((0, 0, 0.001)))
        meanwhile = 0
        while past.is_writing or (store._recorder is not None and store._recorder.commits._flight is not None):
            await asyncio.sleep(0.0002)
            if meanwhile < AT_MOST:
                meanwhile += 1
                life.report()
                past.record()
    await asyncio.gather(*work.values())
    if whole or chance.random() < 0.7:
        await past.close()
        await store.close()
        if whole or chance.random() < 0.5:
            generations.keep(directory / DATABASE_FILE, clock.now())
    os._exit(0)


def begin_work(life: Life, work: dict[str, asyncio.Task[Any]], chance: random.Random) -> None:
    """Each kind of work goes on by itself, one thing after the other."""
    for which in range(EDITORS):
        for kind, do in ((f"edit{which}", life.edit), (f"text{which}", life.set_variable)):
            if chance.random() < 0.5 and (kind not in work or work[kind].done()):
                if kind in work:
                    work[kind].result()
                work[kind] = asyncio.create_task(do(which))
    if chance.random() < 0.1 and ("define" not in work or work["define"].done()):
        work["define"] = asyncio.create_task(life.define())


if __name__ == "__main__":
    _program, place, into, life_number, seed, *end = sys.argv
    asyncio.run(live(Path(place), Path(into), int(life_number), random.Random(seed), whole=end == ["whole"]))
