"""A hub that works as fast as it can until it is killed: `python -m tests.store.victim DIRECTORY [edits]`.

After each thing that it would acknowledge it prints a line: `report N`, `variable N` or `definition VERSION`. With
`edits` it edits its home instead: `edit N`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from hallway.clock import SystemClock
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.store.store import Store
from tests.store.homes import HTTP, build, build_kept

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


def name_of(number: int) -> Attributes:
    return {"name": str(number)}


EDITS: tuple[Callable[[Home, int], object], ...] = (
    lambda home, number: home.pages.change("it", name_of(number), HTTP),
    lambda home, number: home.groups.change("it", name_of(number), HTTP),
    lambda home, number: home.rules.change("it", name_of(number), HTTP),
    lambda home, number: home.change_device({"id": "it", "class": "DummyDimmer", **name_of(number)}, HTTP),
    lambda home, number: home.change_variable({"name": "n", "value": number, "unit": str(number)}, HTTP),
)
"""One after the other is done, each with its number."""


def edited(home: Home) -> list[int]:
    """The numbers of the last edits, in the order of EDITS; 0 for what is not there or as it was made."""
    if "n" not in home.variables:
        return [0] * len(EDITS)
    names = (home.pages.get("it").name, home.groups.get("it").name, home.rules.get("it").name, home.device("it").name)
    return [int(str(text)) for text in (*names, home.variables.get("n").unit)]


def furnish(home: Home) -> None:
    """What will be edited; the variable comes last."""
    home.pages.add({"id": "it", "name": "0"}, HTTP)
    home.groups.add({"id": "it", "name": "0"}, HTTP)
    home.add_device({"id": "it", "class": "DummyDimmer", "name": "0"}, "store", HTTP)
    home.rules.add({"id": "it", "name": "0", "rule": "when it is on then x"}, HTTP)
    home.add_variable({"name": "n", "value": 0, "unit": "0"}, HTTP)


async def edit(directory: Path) -> None:
    clock = SystemClock(asyncio.get_running_loop())
    store = Store.open(directory, clock, 0.02)
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    if "n" not in home.variables:
        furnish(home)
    number = max(edited(home))
    while True:
        number += 1
        EDITS[number % len(EDITS)](home, number)
        await store.durable(home.changes.seq)
        acknowledge("edit", number)


async def main(directory: Path) -> None:
    clock = SystemClock(asyncio.get_running_loop())
    store = Store.open(directory, clock, 0.02)
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await asyncio.gather(report(home), set_variable(home, store), define(store))


if __name__ == "__main__":
    asyncio.run(edit(Path(sys.argv[1])) if "edits" in sys.argv else main(Path(sys.argv[1])))
