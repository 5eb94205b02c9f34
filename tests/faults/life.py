"""A home that is edited, reported to and set without pause, says what it acknowledges, and is looked over afterwards.

For tests that end it at any moment. It must not know how it is ended, nor to whom it speaks.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping

from hallway.clock import Clock
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.store.store import Store
from tests.store.homes import HTTP, build_kept

Say = Callable[[str, int], None]
"""What was acknowledged, and the how manieth of its kind it was; `try` and the kind before it is begun."""

EDITORS = 3
SENSORS = 5
LEVELS = 101


def padded(chance: random.Random, most: int = 3000) -> str:
    """Most texts are short; some go over several sectors and pages."""
    return "x" * chance.choice((0, 10, 100, chance.randrange(most)))


def title(number: int, life: int) -> Attributes:
    return {"name": f"{number}/{life}"}


def number_of(text: object) -> int:
    return int(str(text).partition("/")[0])


def life_of(text: object) -> int | None:
    life = str(text).partition("/")[2]
    return int(life) if life else None


def change_page(home: Home, which: int, number: int, life: int, text: str) -> object:
    return home.pages.change(f"it{which}", title(number, life), HTTP)


def change_group(home: Home, which: int, number: int, life: int, text: str) -> object:
    return home.groups.change(f"it{which}", title(number, life), HTTP)


def change_rule(home: Home, which: int, number: int, life: int, text: str) -> object:
    rule = f"when it{which} is on then x{text}"
    return home.rules.change(f"it{which}", {**title(number, life), "rule": rule}, HTTP)


def change_device(home: Home, which: int, number: int, life: int, text: str) -> object:
    return home.change_device({"id": f"it{which}", "class": "DummyDimmer", **title(number, life)}, HTTP)


def change_variable(home: Home, which: int, number: int, life: int, text: str) -> object:
    changed: Attributes = {"name": f"n{which}", "value": f"{number} {text}", "unit": f"{number}/{life}"}
    return home.change_variable(changed, HTTP)


def come_and_go(home: Home, which: int, number: int, life: int, text: str) -> object:
    """Every other time the device comes, and else it goes with its entity and its values."""
    device = f"guest{which}"
    if device in home.devices:
        return home.remove_device(device, HTTP)
    return home.add_device({"id": device, "class": "DummyDimmer", **title(number, life)}, "store", HTTP)


EDITS = (change_page, change_group, change_rule, change_device, change_variable, come_and_go)
"""Done one after the other, each with its number: number N is the edit N % 6."""


class Life:
    """One life of a home, from the opening of its store. number: the how manieth life it is."""

    def __init__(self, store: Store, clock: Clock, number: int, say: Say, chance: random.Random) -> None:
        self.store = store
        self.home = build_kept(clock, store)
        self._number = number
        self._say = say
        self._chance = chance
        self._reports = reported(self.home)

    async def begin(self) -> None:
        """Furnish the home unless it is. Other than with a real home its WAL goes into home.db every few commits."""
        pages = self._chance.choice((20, 60, 4096))
        self.store._disk.writer.submit(lambda connection: connection.execute(f"PRAGMA wal_autocheckpoint = {pages}"))
        self.store.attach(self.home, asyncio.get_running_loop())
        home = self.home
        for which in range(EDITORS):
            if f"it{which}" not in home.pages.ids():
                home.pages.add({"id": f"it{which}", "name": "0"}, HTTP)
            if f"it{which}" not in {group.id for group in home.groups.all()}:
                home.groups.add({"id": f"it{which}", "name": "0"}, HTTP)
            if f"it{which}" not in home.devices:
                home.add_device({"id": f"it{which}", "class": "DummyDimmer", "name": "0"}, "store", HTTP)
            if f"it{which}" not in {rule.id for rule in home.rules.all()}:
                home.rules.add({"id": f"it{which}", "name": "0", "rule": f"when it{which} is on then x"}, HTTP)
            for name in (f"n{which}", f"text{which}"):
                if name not in home.variables:
                    home.add_variable({"name": name, "value": "0", "unit": "0"}, HTTP)
        await self.store.durable(home.changes.seq)
        self._say("furnished", self._number)

    async def edit(self, which: int) -> None:
        number = max(edited(self.home, self.store, which)) + 1
        self._say(f"try edit{which}", number)
        EDITS[number % len(EDITS)](self.home, which, number, self._number, padded(self._chance))
        await self.store.durable(self.home.changes.seq)
        self._say(f"edit{which}", number)
        self._say("seq", self.home.changes.seq)

    async def set_variable(self, which: int) -> None:
        number = number_of(str(self.home.variables.get(f"text{which}").value).partition(" ")[0]) + 1
        self._say(f"try text{which}", number)
        self.home.set_variable(f"text{which}", f"{number}/{self._number} {padded(self._chance)}", HTTP)
        await self.store.durable(self.home.changes.seq)
        self._say(f"text{which}", number)

    async def define(self) -> None:
        known = self.store.history("note", "r")
        number = known[-1].version + 1 if known else 1
        self._say("try define", number)
        defined = await self.store.define("note", "r", {"text": padded(self._chance)}, "ann", "test")
        assert defined.version == number
        self._say("define", number)

    def report(self) -> None:
        """A sensor that nobody defined, and a device that reports: acknowledged at once."""
        number = self._reports = self._reports + 1
        self._say("try report", number)
        attributes: Attributes = {"note": padded(self._chance), "life": self._number}
        self.home.report(f"sensor.s_{number % SENSORS}", str(number), attributes, HTTP)
        self.home.act("it0", "changeDimlevelTo", {"dimlevel": number % LEVELS}, HTTP)
        self._say("report", number)


def edited(home: Home, store: Store, which: int) -> list[int]:
    """The numbers of the last edits, in the order of EDITS; 0 for what is as it was made."""
    name = f"it{which}"
    guests = store.history("device", f"guest{which}")
    named = (home.pages.get(name).name, home.groups.get(name).name, home.rules.get(name).name, home.device(name).name)
    come_or_gone = guests[-1].version * len(EDITS) - 1 if guests else 0
    return [*map(number_of, named), number_of(home.variables.get(f"n{which}").unit), come_or_gone]


def reported(home: Home) -> int:
    """The number of the last report."""
    return max((int(s.state) for s in home.states() if s.entity_id.startswith("sensor.s_")), default=0)


class Witness:
    """Hears what a home says while it lives, and says what is wrong with it after it was ended.

    before: what was there when its life began, as `found` has it.
    """

    def __init__(self, life: int, before: Mapping[str, int]) -> None:
        self.furnished = False
        self._life = life
        self._before = dict(before)
        self._said: dict[str, int] = {}
        self._tried: dict[str, int] = {}

    def hear(self, kind: str, number: int) -> None:
        if kind == "furnished":
            self.furnished = True
        elif kind.startswith("try "):
            self._tried[kind[4:]] = number
        else:
            self._said[kind] = number

    def said(self, kind: str) -> int:
        return max(self._said.get(kind, 0), self._before.get(kind, 0))

    def begun(self, kind: str) -> int:
        return self._tried.get(kind, 0)

    def lost(self, store: Store, home: Home, *, reports_from: int, in_order: bool = True) -> list[str]:
        """What was acknowledged and is not there, is half there or was there once. reports_from: it must be there.

        in_order: nothing was kept of what came after something that was lost.
        """
        if not self.furnished and not self._before:
            return []
        reports = self._reports(home, max(reports_from, self._before.get("report", 0)))
        problems = [*reports, *(kept_halves(store) if in_order else ())]
        if not is_furnished(home):
            return [*problems, "the home is not furnished"] if self.furnished else problems
        problems += halves(home)
        for kind, (number, life) in found(store, home).items():
            least = self.said(kind)
            if not least <= number <= max(least, self._tried.get(kind, 0)):
                problems.append(f"{kind}: {least} was acknowledged, {self._tried.get(kind)} begun, {number} is there")
            elif life is not None and (life == self._life) is not (number > self._before.get(kind, 0)):
                problems.append(f"{kind}: {number} is there, but of life {life}")
        for which in range(EDITORS):
            problems += half_edited(store, home, which)
        return problems

    def _reports(self, home: Home, least: int) -> Iterator[str]:
        begun, before = max(self._tried.get("report", 0), least), self._before.get("report", 0)
        for index in range(SENSORS):
            state = home.state(f"sensor.s_{index}")
            number, life = (0, None) if state is None else (int(state.state), state.attributes["life"])
            must = least - (least - index) % SENSORS
            if must <= before:
                must = self._before.get(f"report of {index}", 0)
            if not must <= number <= begun or (number > before) is not (life == self._life):
                yield f"sensor.s_{index}: {must} must be there, {begun} was begun, {number} of life {life} is there"


def is_furnished(home: Home) -> bool:
    """Whether the last thing is there with which `Life.begin` furnishes."""
    return f"text{EDITORS - 1}" in home.variables


def found(store: Store, home: Home) -> dict[str, tuple[int, int | None]]:
    """Of each kind of thing the number of the last that is there, and the life that it is from if it says so."""
    there: dict[str, tuple[int, int | None]] = {}
    for which in range(EDITORS):
        text = str(home.variables.get(f"text{which}").value).partition(" ")[0]
        there[f"text{which}"] = (number_of(text), life_of(text))
        numbers = edited(home, store, which)
        page = home.pages.get(f"it{which}").name
        last = max(numbers)
        there[f"edit{which}"] = (last, life_of(page) if last and number_of(page) == last else None)
    notes = store.history("note", "r")
    there["define"] = (notes[-1].version if notes else 0, None)
    return there


def summary(store: Store, home: Home) -> dict[str, int]:
    """What is there now: what a witness of the next life begins with."""
    if not is_furnished(home):
        return {}
    numbers = {kind: number for kind, (number, _life) in found(store, home).items()}
    states = ((index, home.state(f"sensor.s_{index}")) for index in range(SENSORS))
    reports = {f"report of {index}": int(state.state) for index, state in states if state is not None}
    return numbers | reports | {"report": reported(home)}


def half_edited(store: Store, home: Home, which: int) -> Iterator[str]:
    """Edits come one after the other, so that none is missing before the last; and each is whole."""
    numbers, count = edited(home, store, which), len(EDITS)
    last = max(numbers)
    expected = [max(last - (last - index) % count, 0) for index in range(count)]
    if numbers != expected:
        yield f"edit{which}: {numbers} are there, not {expected}"
    pages = store.history("page", f"it{which}")[-1].version
    if pages != 1 + last // count:
        yield f"edit{which}: the page has {pages} versions at edit {last}"
    guest, there = f"guest{which}", numbers[-1] > 0 and (numbers[-1] // count) % 2 == 0
    if (guest in home.devices) is not there or (home.state(f"light.{guest}") is not None) is not there:
        yield f"edit{which}: {guest} is half there after {numbers[-1]}"


def halves(home: Home) -> Iterator[str]:
    """A dimmer's entity shows its level."""
    for which in range(EDITORS):
        state, level = home.state(f"light.it{which}"), home.device(f"it{which}").value("dimlevel")
        shown = 0 if state is None else state.attributes.get("brightness", 0)
        if shown != brightness(level or 0):
            yield f"it{which}: its level is {level}, it shows {shown}"


def kept_halves(store: Store) -> Iterator[str]:
    """The dimmer's value and its entity's state come with one change, so that both are kept or none."""
    levels = {saved.value for saved in store.saved.values if (saved.device_id, saved.attribute) == ("it0", "dimlevel")}
    shown = {s.state.attributes.get("brightness", 0) for s in store.saved.states if s.state.entity_id == "light.it0"}
    if levels and shown != set(map(brightness, levels)):
        yield f"it0: of its level {levels} is kept, of what it shows {shown}"


def brightness(level: object) -> int:
    return round(float(str(level)) * 255 / 100)
