"""What a stopwatch promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidConfiguration
from tests.home.homes import House, a_device


@pytest.fixture
def house() -> House:
    return House(a_device("Timer", name="Egg"))


def test_a_new_stopwatch_stands_at_zero(house: House) -> None:
    assert house.values() == {"time": 0, "running": False}
    assert house.shows("timer.it") == ("idle", {"time": 0, "friendly_name": "Egg"})


def test_it_counts_seconds_while_it_runs(house: House) -> None:
    house.act("it", "startTimer")
    assert house.shows("timer.it") == ("running", {"time": 0, "friendly_name": "Egg"})
    house.clock.advance(2.2)
    assert house.values() == {"time": 2, "running": True}
    assert house.shows("timer.it") == ("running", {"time": 2, "friendly_name": "Egg"})


def test_it_counts_in_steps_of_its_resolution() -> None:
    house = House(a_device("Timer", resolution=5))
    house.act("it", "startTimer")
    house.clock.advance(4.9)
    assert house.value("time") == 0
    house.clock.advance(6)
    assert house.value("time") == 10


def test_starting_it_twice_is_starting_it_once(house: House) -> None:
    house.act("it", "startTimer")
    house.clock.advance(0.6)
    with house.nothing_happens():
        house.act("it", "startTimer")
    house.clock.advance(0.5)
    assert house.value("time") == 1


def test_stopped_it_keeps_its_time_and_goes_on_from_there(house: House) -> None:
    house.act("it", "startTimer")
    house.clock.advance(3)
    house.act("it", "stopTimer")
    assert house.plans() == {}
    house.clock.advance(60)
    assert house.values() == {"time": 3, "running": False}
    house.act("it", "startTimer")
    house.clock.advance(2)
    assert house.value("time") == 5


def test_reset_sets_it_back_whether_it_runs_or_not(house: House) -> None:
    house.act("it", "startTimer")
    house.clock.advance(3)
    house.act("it", "resetTimer")
    assert house.values() == {"time": 0, "running": True}
    house.clock.advance(1)
    assert house.value("time") == 1
    house.act("it", "stopTimer")
    house.act("it", "resetTimer")
    assert house.values() == {"time": 0, "running": False}


@pytest.mark.parametrize("action", ["stopTimer", "resetTimer"])
def test_stopping_and_resetting_a_new_one_does_nothing(house: House, action: str) -> None:
    with house.nothing_happens():
        house.act("it", action)


def test_its_services_start_stop_and_reset_it(house: House) -> None:
    house.call("timer.start", entity_id="timer.it")
    house.clock.advance(2)
    house.call("timer.stop", entity_id="timer.it")
    assert house.values() == {"time": 2, "running": False}
    house.call("timer.reset", entity_id="timer.it")
    assert house.values() == {"time": 0, "running": False}


@pytest.mark.parametrize(
    ("state", "attributes", "values"),
    [
        ("running", {"time": 30}, {"time": 30, "running": True}),
        ("idle", {"time": "30.5"}, {"time": 30.5, "running": False}),
        ("paused", {}, {"time": 0, "running": False}),
        ("Running", {"time": "soon"}, {"time": 0, "running": True}),
    ],
)
def test_a_report_is_what_the_stopwatch_says(house: House, state: str, attributes: Any, values: Any) -> None:
    house.report("timer.it", state, **attributes)
    assert house.values() == values
    assert house.shows("timer.it") == (state, attributes)


def test_a_stopwatch_that_says_it_stands_counts_no_further(house: House) -> None:
    house.act("it", "startTimer")
    house.clock.advance(3)
    house.report("timer.it", "idle", time=3)
    house.clock.advance(60)
    assert house.values() == {"time": 3, "running": False}
    assert house.plans() == {}
    house.act("it", "startTimer")
    house.clock.advance(2)
    assert house.value("time") == 5


@pytest.mark.parametrize("resolution", [0, -1, float("nan"), float("inf")])
def test_a_resolution_that_is_no_time_is_refused(resolution: float) -> None:
    house = House()
    with house.refuses(InvalidConfiguration, "class Timer", "resolution", "more than 0"):
        house.home.add_device(a_device("Timer", resolution=resolution), "file")
