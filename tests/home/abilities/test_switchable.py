"""What a switch promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput, NotFound
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    return House(a_device("DummySwitch", name="Kitchen Light"))


def test_a_new_switch_is_off(house: House) -> None:
    assert house.values() == {"state": False}
    assert house.shows("switch.it") == ("off", {"friendly_name": "Kitchen Light"})


def test_its_actions_turn_it_on_off_and_over(house: House) -> None:
    seen = []
    for action in ("turnOn", "turnOn", "turnOff", "toggle", "toggle"):
        assert house.act("it", action) is None
        seen.append((house.value("state"), house.shown("switch.it").state))
    assert seen == [(True, "on"), (True, "on"), (False, "off"), (True, "on"), (False, "off")]


def test_the_same_again_is_no_change(house: House) -> None:
    house.act("it", "turnOn")
    with house.nothing_happens():
        house.act("it", "turnOn")


def test_it_tells_whether_it_is_on(house: House) -> None:
    with house.nothing_happens():
        assert house.act("it", "getState") is False
    house.act("it", "turnOn")
    assert house.act("it", "getState") is True


@pytest.mark.parametrize(("given", "state"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_change_state_takes_true_and_false_also_as_text(house: House, given: Any, state: bool) -> None:
    house.act("it", "changeStateTo", state=not state)
    house.act("it", "changeStateTo", state=given)
    assert house.value("state") is state


@pytest.mark.parametrize("given", ["1", "on", "off", "TRUE", "", [True], {"a": 1}])
def test_change_state_refuses_anything_else(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "changeStateTo", "state", "true or false"):
        house.act("it", "changeStateTo", state=given)


@pytest.mark.parametrize("arguments", [{}, {"state": None}, {"State": True}])
def test_change_state_needs_its_parameter(house: House, arguments: dict[str, Any]) -> None:
    with house.refuses(InvalidInput, "changeStateTo", "needs", "state", "boolean"):
        house.act("it", "changeStateTo", **arguments)


def test_arguments_that_an_action_does_not_know_are_left_aside(house: House) -> None:
    house.act("it", "turnOn", foo="bar")
    assert house.value("state") is True


@pytest.mark.parametrize("action", ["nope", "turnon", "toString", "constructor", "__proto__", "destroy", ""])
def test_other_actions_are_refused_with_those_it_has(house: House, action: str) -> None:
    with house.refuses(NotFound, "it", "turnOn, turnOff, changeStateTo, toggle, getState"):
        house.act("it", action)


def test_its_services_turn_it_on_off_and_over(house: House) -> None:
    seen = []
    for service in ("turn_on", "turn_off", "toggle", "toggle"):
        assert house.call(f"switch.{service}", entity_id="switch.it", whatever=1).done
        seen.append(house.value("state"))
    assert seen == [True, False, True, False]


@pytest.mark.parametrize(("state", "value"), [("on", True), ("ON", True), ("off", False), ("Off", False)])
def test_a_report_is_what_the_switch_says(house: House, state: str, value: bool) -> None:
    house.act("it", "changeStateTo", state=not value)
    house.report("switch.it", state, power=12)
    assert house.value("state") is value
    assert house.shows("switch.it") == (state, {"power": 12})


@pytest.mark.parametrize("state", ["unavailable", "", "True", "1"])
def test_a_report_that_is_neither_on_nor_off_leaves_it_without_value(house: House, state: str) -> None:
    house.report("switch.it", state)
    assert house.value("state") is None
    assert house.shows("switch.it") == (state, {})


def test_the_reported_state_stays_until_the_switch_speaks_again(house: House) -> None:
    house.report("switch.it", "on", power=12)
    house.act("it", "turnOn")
    assert house.shows("switch.it") == ("on", {"power": 12})
    house.act("it", "turnOff")
    assert house.shows("switch.it") == ("off", {"friendly_name": "Kitchen Light"})


def test_without_value_it_shows_unknown_and_turns_on(house: House) -> None:
    house.home.set_values("it", {"state": None}, TEST)
    assert house.shown("switch.it").state == "unknown"
    house.act("it", "toggle")
    assert house.value("state") is True
