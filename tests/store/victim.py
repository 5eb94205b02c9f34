"""A hub that works as fast as it can until it is killed: `python -m tests.store.victim DIRECTORY`.

After each thing that it would acknowledge it prints a line: `report N`, `variable N` or `definition VERSION`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from hallway.clock import SystemClock
from hallway.home.home import Home
from hallway.store.store import Store
from tests.store.homes import HTTP, build

ENTITIES = 7
LEVELS = 101


def acknowledge(what: str, number: int) -> None:
    os.write(sys.stdout.fileno(), f"{what} {number}\n".encode())


async def report(home: Home) -> None:
    number = max((int(s.state) for s in home.states() if s.entity_id.startswith("sensor.s_")), default=0)
    while True:
        number += 1
        home.report(f"sensor.s_{number % ENTITIES}", str(number), {"note": "x" * (number % 300)}, HTTP)
        home.act("dimmer", "changeDimlevelTo", {"dimlevel": number % LEVELS}, HTTP)
        acknowledge("report", number)
        if number % 20 == 0:
            await asyncio.sleep(0)


async def set_variable(home: Home, store: Store) -> None:
    known = home.variables.get("text").value
    number = known if isinstance(known, int) else 0
    while True:
        number += 1
        home.set_variable("text", number, HTTP)
        await store.durable(home.changes.seq)
        acknowledge("variable", number)


async def define(store: Store) -> None:
    while True:
        made = await store.define("rule", "r", {"text": "x" * 100}, "ann", "test")
        acknowledge("definition", made.version)


async def main(directory: Path) -> None:
    clock = SystemClock(asyncio.get_running_loop())
    store = Store.open(directory, clock, 0.02)
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await asyncio.gather(report(home), set_variable(home, store), define(store))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
