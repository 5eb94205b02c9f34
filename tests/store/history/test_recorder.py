"""What is recorded of a home: attributes as often as is wanted, variables, states, and what there was before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from hallway.home.logging_times import DEFAULT
from hallway.home.past import Known, Sample, Series
from hallway.home.values import Value
from hallway.store.history.recorder import HistoryRecorder
from tests.home.homes import NOW, TEST, House, a_device
from tests.home.listed_past import ListedPast, Written

DAY = 86_400.0


def entry(device: str, attribute: str, **more: Any) -> dict[str, Value]:
    return {"deviceId": device, "attributeName": attribute, "type": "*", **more}


class Recording:
    """A house that is recorded into a list."""

    def __init__(self, *devices: dict[str, Value], states: float = 30 * DAY, **house: Any) -> None:
        self.house = House(*devices, **house)
        self.past = ListedPast()
        self.logging: list[Value] = list(DEFAULT)
        self.recorder = HistoryRecorder(self.house.home, Written(self.past), lambda: self.logging, states)

    def of(self, kind: Any, owner: str, name: str = "") -> list[tuple[float, Value]]:
        """Seconds since the start, and values."""
        return [(sample.at - NOW, sample.value) for sample in self.past.of(Series(kind, owner, name))]

    def say(self, *logging: Value) -> None:
        """Another list holds from now on, as when somebody edits the settings."""
        self.logging[:] = logging
        home = self.house.home
        home.announcer.tell(("setting", "pimatic"), (None, {}), TEST, "store")


async def test_what_there_is_is_recorded_when_it_was_never_before() -> None:
    lamp, outside = a_device("DummySwitch", "lamp"), a_device("DummyTemperatureSensor", "outside")
    at_work = Recording(lamp, outside, variables=[{"name": "comfort", "value": 5}])
    at_work.past.put(Series("attribute", "outside", "humidity"), (NOW - 10, 50))
    at_work.house.clock.advance(7)
    await at_work.recorder.begin()
    assert at_work.of("attribute", "lamp", "state") == [(0, False)]
    assert at_work.of("attribute", "outside", "temperature") == [(0, None)]
    assert at_work.of("attribute", "outside", "humidity") == [(-10, 50)]
    assert at_work.of("variable", "comfort") == [(0, 5)]
    assert at_work.of("entity", "switch.lamp") == [(0, "off")]
    before = {series: len(samples) for series, samples in at_work.past.samples.items()}
    await at_work.recorder.begin()
    assert before == {series: len(samples) for series, samples in at_work.past.samples.items()}


def test_what_flows_is_recorded_once_in_its_interval_and_the_first_value_blocks_the_next() -> None:
    at_work = Recording()
    at_work.house.home.add_device(a_device("DummyTemperatureSensor", "outside"), "store", TEST)
    for _ in range(10):
        at_work.house.clock.advance(60)
        at_work.house.act("outside", "changeTemperatureTo", temperature=20)
    assert at_work.of("attribute", "outside", "temperature") == [(0, None), (300, 20), (600, 20)]


def test_what_comes_in_steps_is_recorded_each_time_unless_it_is_not_to_be_kept() -> None:
    at_work = Recording(a_device("DummySwitch", "lamp"))
    for action in ("turnOn", "turnOff", "turnOff"):
        at_work.house.clock.advance(1)
        at_work.house.act("lamp", action)
    assert at_work.of("attribute", "lamp", "state") == [(1, True), (2, False)]
    at_work.say(entry("*", "*", expire="7d"), entry("lamp", "state", expire="0"))
    at_work.house.act("lamp", "turnOn")
    at_work.say(entry("*", "*", expire="7d"))
    at_work.house.clock.advance(1)
    at_work.house.act("lamp", "turnOff")
    assert at_work.of("attribute", "lamp", "state") == [(1, True), (2, False), (4, False)]


def test_another_interval_holds_at_once() -> None:
    at_work = Recording(a_device("DummyTemperatureSensor", "outside"))
    at_work.house.act("outside", "changeTemperatureTo", temperature=20)
    at_work.say(entry("*", "*", expire="7d", interval="10s"))
    for _ in range(3):
        at_work.house.clock.advance(6)
        at_work.house.act("outside", "changeTemperatureTo", temperature=21)
    assert at_work.of("attribute", "outside", "temperature") == [(0, 20), (6, 21), (18, 21)]


def test_of_a_reported_state_the_attributes_that_changed_are_recorded() -> None:
    at_work = Recording()
    for state, more in (
        ("on", {"a": 1, "b": "x", "c": [1]}),
        ("on", {"a": 1, "b": "y"}),
        ("off", {"a": True, "b": "y"}),
    ):
        at_work.house.report("light.hall", state, **more)
        at_work.house.clock.advance(400)
    device = at_work.house.home.entities.owners["light.hall"].key
    assert at_work.of("attribute", device, "state") == [(0, "on"), (800, "off")]
    assert at_work.of("attribute", device, "a") == [(0, 1), (800, True)]
    assert at_work.of("attribute", device, "b") == [(0, "x"), (400, "y")]
    assert at_work.of("attribute", device, "c") == []
    assert at_work.past.tracks[Series("attribute", device, "a")].type == "boolean"


def test_a_state_is_recorded_with_its_attributes_and_since_when_it_holds() -> None:
    at_work = Recording()
    at_work.house.report("light.hall", "on", brightness=1)
    at_work.house.clock.advance(5)
    at_work.house.report("light.hall", "on", brightness=2)
    samples = at_work.past.of(Series("entity", "light.hall"))
    assert [(sample.value, sample.more) for sample in samples] == [
        ("on", {"attributes": {"brightness": 1}}),
        ("on", {"attributes": {"brightness": 2}, "last_changed": NOW}),
    ]


def test_the_end_of_an_entity_is_recorded() -> None:
    at_work = Recording(a_device("DummySwitch", "lamp"))
    at_work.house.act("lamp", "turnOn")
    at_work.house.clock.advance(1)
    at_work.house.home.remove_device("lamp", TEST)
    assert at_work.of("entity", "switch.lamp") == [(0, "on"), (1, None)]


def test_a_variable_is_recorded_when_it_changes_also_one_that_is_computed() -> None:
    variables = [{"name": "comfort", "value": 5}, {"name": "warm", "expression": "$comfort + 1"}]
    at_work = Recording(variables=variables)
    home = at_work.house.home
    for value in (6, 6, "six"):
        at_work.house.clock.advance(1)
        home.set_variable("comfort", value, TEST)
    assert at_work.of("variable", "comfort") == [(1, 6), (3, "six")]
    assert at_work.of("variable", "warm")[0] == (1, 7)
    assert at_work.past.tracks[Series("variable", "comfort")].type == "string"


def test_states_and_variables_may_be_left_out() -> None:
    at_work = Recording(a_device("DummySwitch", "lamp"), states=0)
    at_work.house.act("lamp", "turnOn")
    assert {series.kind for series in at_work.past.samples} == {"attribute"}


def test_after_its_end_nothing_is_recorded() -> None:
    at_work = Recording(a_device("DummySwitch", "lamp"))
    at_work.recorder.stop()
    at_work.house.act("lamp", "turnOn")
    assert not at_work.past.samples


@pytest.mark.parametrize(
    ("series", "kind", "discrete", "days"),
    [
        (Series("attribute", "gone", "temperature"), "number", False, 365),
        (Series("attribute", "gone", "state"), "boolean", True, 7),
        (Series("entity", "light.gone"), "string", True, 30),
        (Series("variable", "x"), "number", False, 30),
    ],
)
def test_for_how_long_something_is_kept_also_when_it_is_gone(
    series: Series, kind: str, discrete: bool, days: float
) -> None:
    known = Known(1, series, kind, discrete, 1, 0.0, 0.0, 0)
    assert Recording().recorder.seconds_for(known) == days * DAY


async def test_what_a_sudden_end_took_is_recorded_at_the_next_start() -> None:
    lamp, outside = a_device("DummySwitch", "lamp"), a_device("DummyTemperatureSensor", "outside")
    at_work = Recording(lamp, outside, variables=[{"name": "comfort", "value": 5}, {"name": "same", "value": 1}])
    at_work.recorder.stop()
    at_work.house.report("light.hall", "on", brightness=2)
    hall = at_work.house.home.entities.owners["light.hall"].key
    at_work.past.put(Series("attribute", "lamp", "state"), (NOW - 10, False), value_type="boolean")
    at_work.past.put(Series("attribute", "outside", "temperature"), (NOW - 10, 20))
    at_work.past.put(Series("attribute", hall, "brightness"), (NOW - 400, 1))
    at_work.past.put(Series("entity", "switch.lamp"), (NOW - 10, "off"), value_type="string")
    at_work.past.put(Series("entity", "light.hall"), (NOW - 10, "on"), value_type="string")
    at_work.past.put(Series("variable", "comfort"), (NOW + 500, 4))
    at_work.past.put(Series("variable", "same"), (NOW - 10, 1))
    at_work.house.clock.advance(7)
    at_work.house.act("lamp", "turnOn")
    at_work.house.act("outside", "changeTemperatureTo", temperature=21)

    async def last(series: Sequence[Series]) -> dict[Series, Sample]:
        found = await at_work.past.at(series, math.inf)
        at_work.past.put(Series("variable", "same"), (NOW + 8, 2))  # as when it is set meanwhile
        at_work.house.home.put_variable("same", 2, TEST)
        return found

    await at_work.recorder.agree(last)
    assert at_work.of("attribute", "lamp", "state") == [(-10, False), (7, True)]
    assert at_work.of("attribute", "outside", "temperature") == [(-10, 20)]  # less than its interval later
    assert at_work.of("attribute", hall, "brightness") == [(-400, 1), (0, 2)]
    assert at_work.of("entity", "switch.lamp") == [(-10, "off"), (7, "on")]
    assert [sample.more for sample in at_work.past.of(Series("entity", "light.hall"))][1:] == [
        {"attributes": {"brightness": 2}}
    ]
    assert at_work.of("variable", "comfort") == [(500, 4), (500, 5)]  # a clock that went back changes no order
    assert at_work.of("variable", "same") == [(-10, 1), (8, 2)]
    told = dict(at_work.past.samples)
    counts = {series: len(samples) for series, samples in told.items()}
    await at_work.recorder.agree(partial(at_work.past.at, moment=math.inf))
    assert counts == {series: len(samples) for series, samples in at_work.past.samples.items()}
