"""What a dimmer promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from hallway.home.abilities.dimmable import level_of
from tests.home.homes import House, a_device


@pytest.fixture
def house() -> House:
    return House(a_device("DummyDimmer", name="Floor Lamp"))


def at(level: float) -> House:
    """A dimmer at that level."""
    house = House(a_device("DummyDimmer", name="Floor Lamp"))
    house.act("it", "changeDimlevelTo", dimlevel=level)
    return house


def test_a_new_dimmer_is_off(house: House) -> None:
    assert house.values() == {"dimlevel": 0, "state": False}
    assert house.shows("light.it") == ("off", {"friendly_name": "Floor Lamp"})


@pytest.mark.parametrize(
    ("given", "level", "brightness"),
    [(50, 50, 128), (33.3, 33.3, 85), (100, 100, 255), ("25", 25, 64), (" 1 ", 1, 3), ("0.5", 0.5, 1), (0.1, 0.1, 0)],
)
def test_a_level_above_zero_turns_it_on(house: House, given: Any, level: float, brightness: int) -> None:
    house.act("it", "changeDimlevelTo", dimlevel=given)
    assert house.values() == {"dimlevel": level, "state": True}
    assert house.shows("light.it") == ("on", {"brightness": brightness, "friendly_name": "Floor Lamp"})


@pytest.mark.parametrize("given", [0, "0", 0.0])
def test_level_zero_turns_it_off_and_an_off_light_has_no_brightness(given: Any) -> None:
    house = at(40)
    house.act("it", "changeDimlevelTo", dimlevel=given)
    assert house.values() == {"dimlevel": 0, "state": False}
    assert house.shows("light.it") == ("off", {"friendly_name": "Floor Lamp"})


def test_level_and_state_move_in_one_change(house: House) -> None:
    house.act("it", "turnOn")
    (update,) = house.updates()
    assert update.old == {"dimlevel": 0, "state": False}
    assert update.new == {"dimlevel": 100, "state": True}
    assert [moved.entity_id for moved in update.states] == ["light.it"]


@pytest.mark.parametrize("given", [101, -1, 100.1, "-0.5", pytest.param(10**400, id="huge")])
def test_a_level_out_of_range_is_refused(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "changeDimlevelTo", "dimlevel", "0 to 100"):
        house.act("it", "changeDimlevelTo", dimlevel=given)


@pytest.mark.parametrize("given", ["abc", "", True, [1], {"a": 1}, float("nan"), float("inf"), "nan", "-inf", "1_0"])
def test_a_level_that_is_no_number_is_refused(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "changeDimlevelTo", "dimlevel", "must be a number"):
        house.act("it", "changeDimlevelTo", dimlevel=given)


def test_the_level_must_be_given(house: House) -> None:
    with house.refuses(InvalidInput, "changeDimlevelTo", "needs", "dimlevel", "number"):
        house.act("it", "changeDimlevelTo")


@pytest.mark.parametrize(
    ("before", "action", "arguments", "after"),
    [
        (0, "turnOn", {}, 100),
        (40, "turnOn", {}, 100),
        (40, "turnOff", {}, 0),
        (0, "toggle", {}, 100),
        (40, "toggle", {}, 0),
        (0, "changeStateTo", {"state": True}, 100),
        (40, "changeStateTo", {"state": True}, 40),
        (40, "changeStateTo", {"state": "false"}, 0),
    ],
)
def test_its_actions_lead_to_a_level(before: float, action: str, arguments: dict[str, Any], after: float) -> None:
    house = at(before)
    house.act("it", action, **arguments)
    assert house.values() == {"dimlevel": after, "state": after > 0}


@pytest.mark.parametrize("given", ["on", "1", {}, ""])
def test_change_state_refuses_what_is_not_true_or_false(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "changeStateTo", "state", "true or false"):
        house.act("it", "changeStateTo", state=given)


@pytest.mark.parametrize("brightness", range(256))
def test_every_brightness_comes_back_as_it_was_set(brightness: int) -> None:
    house = at(50)
    house.call("light.turn_on", entity_id="light.it", brightness=brightness)
    state, attributes = house.shows("light.it")
    assert (state, attributes.get("brightness", 0)) == ("on" if brightness else "off", brightness)


@pytest.mark.parametrize(
    ("brightness", "level"),
    [(0, 0), (255, 100), (-3, 0), (1e308, 100), pytest.param(10**400, 100, id="huge"), (51, 20)],
)
def test_brightness_ends_at_0_and_255(brightness: float, level: float) -> None:
    assert level_of(brightness) == level


@pytest.mark.parametrize(("before", "after"), [(0, 100), (40, 40)])
def test_turning_on_without_brightness_leaves_a_light_that_is_on(before: float, after: float) -> None:
    house = at(before)
    house.call("light.turn_on", entity_id="light.it")
    assert house.value("dimlevel") == after


@pytest.mark.parametrize("given", ["abc", "", [100], True, float("nan")])
def test_turning_on_refuses_a_brightness_that_is_no_number(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "brightness", "must be a number"):
        house.call("light.turn_on", entity_id="light.it", brightness=given)


@pytest.mark.parametrize(("given", "level"), [("120", 47.1), (None, 100), (300, 100)])
def test_brightness_may_be_a_text_nothing_or_too_much(house: House, given: Any, level: float) -> None:
    house.call("light.turn_on", entity_id="light.it", brightness=given)
    assert house.value("dimlevel") == level


def test_its_other_services_turn_it_off_and_over(house: House) -> None:
    levels = []
    for service in ("toggle", "toggle", "turn_on", "turn_off"):
        house.call(f"light.{service}", entity_id="light.it")
        levels.append(house.value("dimlevel"))
    assert levels == [100, 0, 100, 0]


@pytest.mark.parametrize(
    ("state", "attributes", "values"),
    [
        ("on", {"brightness": 51, "xy_color": [0.3, 0.2]}, {"dimlevel": 20, "state": True}),
        ("on", {"brightness": "51"}, {"dimlevel": 20, "state": True}),
        ("on", {}, {"dimlevel": 40, "state": True}),
        ("on", {"brightness": None}, {"dimlevel": 40, "state": True}),
        ("on", {"brightness": "bright"}, {"dimlevel": 40, "state": True}),
        ("on", {"brightness": 9999}, {"dimlevel": 100, "state": True}),
        ("off", {"brightness": 51}, {"dimlevel": 0, "state": False}),
        ("unavailable", {}, {"dimlevel": None, "state": None}),
    ],
)
def test_a_report_is_what_the_light_says(state: str, attributes: dict[str, Any], values: dict[str, Any]) -> None:
    house = at(40)
    house.report("light.it", state, **attributes)
    assert house.values() == values
    assert house.shows("light.it") == (state, attributes)


def test_a_light_that_was_off_and_says_on_is_full(house: House) -> None:
    house.report("light.it", "on")
    assert house.values() == {"dimlevel": 100, "state": True}


def test_the_reported_state_stays_until_the_light_speaks_again(house: House) -> None:
    house.report("light.it", "on", brightness=51, xy_color=[0.3, 0.2])
    house.act("it", "changeDimlevelTo", dimlevel=20)
    assert house.shows("light.it") == ("on", {"brightness": 51, "xy_color": [0.3, 0.2]})
    house.act("it", "changeDimlevelTo", dimlevel=60)
    assert house.shows("light.it") == ("on", {"brightness": 153, "friendly_name": "Floor Lamp"})
