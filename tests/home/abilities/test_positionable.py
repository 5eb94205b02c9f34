"""What a shutter promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from hallway.home.changes import Planned
from tests.home.homes import House, a_device, only


@pytest.fixture
def house() -> House:
    return House(a_device("DummyShutter", name="Blind", rollingTime=10))


def test_a_new_shutter_is_stopped(house: House) -> None:
    assert house.values() == {"position": "stopped"}
    assert house.shows("cover.it") == ("stopped", {"friendly_name": "Blind"})


@pytest.mark.parametrize(
    ("action", "arguments", "position", "state"),
    [
        ("moveUp", {}, "up", "open"),
        ("moveDown", {}, "down", "closed"),
        ("moveToPosition", {"state": "up"}, "up", "open"),
        ("moveToPosition", {"state": "down"}, "down", "closed"),
        ("moveByPercentage", {"percentage": 10}, "up", "open"),
        ("moveByPercentage", {"percentage": "-10"}, "down", "closed"),
    ],
)
def test_its_actions_move_it(house: House, action: str, arguments: dict[str, Any], position: str, state: str) -> None:
    house.act("it", action, **arguments)
    assert house.value("position") == position
    assert house.shown("cover.it").state == state


@pytest.mark.parametrize(
    ("action", "arguments"),
    [("stop", {}), ("moveToPosition", {"state": "stopped"}), ("moveByPercentage", {"percentage": 0})],
)
def test_it_is_stopped_where_it_is(house: House, action: str, arguments: dict[str, Any]) -> None:
    house.act("it", "moveByPercentage", percentage=50)
    house.act("it", action, **arguments)
    assert house.value("position") == "stopped"
    assert house.plans() == {}


@pytest.mark.parametrize("given", ["half", "UP", "", 1, True])
def test_an_unknown_position_is_refused_with_those_there_are(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "moveToPosition", "state", "up, down or stopped"):
        house.act("it", "moveToPosition", state=given)


@pytest.mark.parametrize(
    ("arguments", "problem"), [({}, "needs"), ({"position": "up"}, "needs"), ({"state": ["up"]}, "text")]
)
def test_the_position_must_be_given_as_text(house: House, arguments: dict[str, Any], problem: str) -> None:
    with house.refuses(InvalidInput, "moveToPosition", "state", problem):
        house.act("it", "moveToPosition", **arguments)


@pytest.mark.parametrize("given", [150, -101, 100.5, pytest.param(10**400, id="huge")])
def test_more_than_the_whole_way_is_refused(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "moveByPercentage", "percentage", "-100 to 100"):
        house.act("it", "moveByPercentage", percentage=given)


@pytest.mark.parametrize("given", ["abc", True, float("nan")])
def test_a_part_of_the_way_must_be_a_number(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "moveByPercentage", "percentage", "number"):
        house.act("it", "moveByPercentage", percentage=given)


@pytest.mark.parametrize(("percentage", "seconds"), [(50, 5.0), (-100, 10.0), (0.5, 0.05)])
def test_after_its_part_of_the_way_it_stops(house: House, percentage: float, seconds: float) -> None:
    house.act("it", "moveByPercentage", percentage=percentage)
    assert house.plans() == {("it", "stop"): pytest.approx(seconds)}
    house.clock.advance(seconds - 0.01)
    assert house.value("position") != "stopped"
    house.clock.advance(0.02)
    assert house.value("position") == "stopped"
    assert house.shown("cover.it").state == "stopped"
    assert house.plans() == {}


def test_its_stop_is_caused_by_its_timer(house: House) -> None:
    house.act("it", "moveByPercentage", percentage=50)
    house.changes.clear()
    house.clock.advance(5)
    assert isinstance(house.changes[0], Planned)
    assert only(house.updates()).context.origin == "timer:it"


@pytest.mark.parametrize("action", ["moveUp", "moveDown", "stop"])
def test_another_order_cancels_the_stop(house: House, action: str) -> None:
    house.act("it", "moveByPercentage", percentage=50)
    house.clock.advance(4)
    house.act("it", action)
    position = house.value("position")
    assert house.plans() == {}
    house.clock.advance(100)
    assert house.value("position") == position


def test_a_second_part_of_the_way_counts_from_its_own_start(house: House) -> None:
    house.act("it", "moveByPercentage", percentage=50)
    house.clock.advance(4)
    house.act("it", "moveByPercentage", percentage=50)
    house.clock.advance(4.9)
    assert house.value("position") == "up"
    house.clock.advance(0.2)
    assert house.value("position") == "stopped"


def test_without_rolling_time_it_takes_ten_seconds() -> None:
    house = House(a_device("DummyShutter"))
    house.act("it", "moveByPercentage", percentage=100)
    assert house.plans() == {("it", "stop"): pytest.approx(10)}


def test_its_services_open_close_and_stop_it(house: House) -> None:
    states = []
    for service in ("open_cover", "close_cover", "stop_cover"):
        house.call(f"cover.{service}", entity_id="cover.it")
        states.append(house.shown("cover.it").state)
    assert states == ["open", "closed", "stopped"]


@pytest.mark.parametrize(
    ("state", "position"),
    [("open", "up"), ("closed", "down"), ("CLOSED", "down"), ("stopped", "stopped"), ("opening", None)],
)
def test_a_report_is_what_the_shutter_says(house: House, state: str, position: str | None) -> None:
    house.report("cover.it", state, current_position=30)
    assert house.value("position") == position
    assert house.shows("cover.it") == (state, {"current_position": 30})


def test_the_reported_state_stays_until_the_shutter_speaks_again(house: House) -> None:
    house.report("cover.it", "opening")
    house.act("it", "moveUp")
    assert house.shows("cover.it") == ("open", {"friendly_name": "Blind"})
