"""What is kept of the last changes is bounded in number and weight."""

from __future__ import annotations

import asyncio

from hallway.home.changes import Fired, Updated, VariableSet
from hallway.rules.recent import KEPT_ALONE
from tests.rules.houses import NOW, SOMEBODY, RuledHouse


def test_only_the_last_changes_are_kept_and_it_says_since_when() -> None:
    house = RuledHouse()
    recent = house.engine.recent
    house.wait(10)
    house.set("x", 1)
    assert asyncio.run(recent.since()) == NOW
    seq = recent.all()[-1].seq
    assert asyncio.run(recent.get(seq, NOW + 10)) is recent.all()[-1]
    for value in range(KEPT_ALONE):
        house.wait(1)
        house.home.set_values("air", {"temperature": value}, SOMEBODY)
    assert len(recent.all()) == KEPT_ALONE
    assert asyncio.run(recent.since()) == recent.all()[0].at > NOW
    assert asyncio.run(recent.get(seq, NOW + 10)) is None


def test_what_is_heavy_is_kept_without_its_weight() -> None:
    house = RuledHouse()
    house.home.report("a.b", "on", {"big": "x" * 10_000}, SOMEBODY)
    house.home.report("a.b", "off", {"small": 1}, SOMEBODY)
    house.home.fire("e", {"big": ["x"] * 10_000}, SOMEBODY)
    house.set("word", "x" * 10_000)
    kept = house.engine.recent.all()
    updated = next(change for change in kept if isinstance(change, Updated))
    assert updated.states[0].new is not None
    assert updated.states[0].new.attributes == {"small": 1}
    assert next(change for change in kept if isinstance(change, Fired) and change.event_type == "e").data == {}
    said = next(change for change in reversed(kept) if isinstance(change, VariableSet))
    assert len(str(said.new)) < 1000
    assert said.states[0].new is None


def test_short_lists_such_as_colours_are_kept() -> None:
    house = RuledHouse()
    house.home.report("light.a", "on", {"rgb": [1, 2, 3], "options": ["a", "b"]}, SOMEBODY)
    house.home.report("light.b", "on", {"rgb": [1, 2, 3]}, SOMEBODY)
    found = {
        moved.entity_id: moved.new.attributes
        for change in house.engine.recent.all()
        if not isinstance(change, Fired)
        for moved in change.states
        if moved.new
    }
    assert found == {"light.a": {}, "light.b": {"rgb": [1, 2, 3]}}
