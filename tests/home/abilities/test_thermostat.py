"""What a heating thermostat promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from tests.home.homes import House, a_device

NEW = {"temperatureSetpoint": 20, "valve": None, "mode": "auto", "battery": "ok", "synced": True}


@pytest.fixture
def house() -> House:
    return House(a_device("DummyHeatingThermostat", name="Heating"))


def test_a_new_thermostat_wants_20_degrees_and_knows_no_valve(house: House) -> None:
    assert house.values() == NEW
    assert house.shows("thermostat.it") == (
        "20",
        {"unit_of_measurement": "°C", "mode": "auto", "battery": "ok", "friendly_name": "Heating"},
    )


@pytest.mark.parametrize(
    ("action", "argument", "given", "attribute", "value"),
    [
        ("changeTemperatureTo", "temperatureSetpoint", 23.5, "temperatureSetpoint", 23.5),
        ("changeTemperatureTo", "temperatureSetpoint", "23.5", "temperatureSetpoint", 23.5),
        ("changeTemperatureTo", "temperatureSetpoint", 99, "temperatureSetpoint", 99),
        ("changeTemperatureTo", "temperatureSetpoint", "-3", "temperatureSetpoint", -3),
        ("changeValveTo", "valve", 42, "valve", 42),
        ("changeModeTo", "mode", "manu", "mode", "manu"),
        ("changeModeTo", "mode", "bogus", "mode", "bogus"),
    ],
)
def test_its_actions_set_one_attribute_without_limits(
    house: House, action: str, argument: str, given: Any, attribute: str, value: Any
) -> None:
    house.act("it", action, **{argument: given})
    assert house.values() == {**NEW, attribute: value}


@pytest.mark.parametrize("given", ["abc", "", "21,5", True, [20], float("inf")])
def test_temperature_and_valve_must_be_numbers(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "changeTemperatureTo", "temperatureSetpoint", "number"):
        house.act("it", "changeTemperatureTo", temperatureSetpoint=given)
    with house.refuses(InvalidInput, "changeValveTo", "valve", "number"):
        house.act("it", "changeValveTo", valve=given)


@pytest.mark.parametrize(
    ("action", "parameter"),
    [("changeTemperatureTo", "temperatureSetpoint"), ("changeModeTo", "mode"), ("changeValveTo", "valve")],
)
def test_its_actions_need_their_parameter(house: House, action: str, parameter: str) -> None:
    with house.refuses(InvalidInput, action, "needs", parameter):
        house.act("it", action)


def test_the_mode_must_be_a_text(house: House) -> None:
    with house.refuses(InvalidInput, "changeModeTo", "mode", "text", "list"):
        house.act("it", "changeModeTo", mode=["auto"])


def test_what_is_set_is_shown(house: House) -> None:
    house.act("it", "changeTemperatureTo", temperatureSetpoint=21.5)
    house.act("it", "changeModeTo", mode="boost")
    house.act("it", "changeValveTo", valve=42)
    state, attributes = house.shows("thermostat.it")
    assert (state, attributes["mode"], attributes["valve"]) == ("21.5", "boost", 42)


@pytest.mark.parametrize(("given", "setpoint"), [(23.5, 23.5), ("19", 19)])
def test_set_temperature_sets_the_set_point(house: House, given: Any, setpoint: float) -> None:
    house.call("thermostat.set_temperature", entity_id="thermostat.it", temperature=given)
    assert house.values() == {**NEW, "temperatureSetpoint": setpoint}


@pytest.mark.parametrize(
    ("data", "problem"), [({}, "needs"), ({"temperature": None}, "needs"), ({"temperature": "x"}, "number")]
)
def test_set_temperature_needs_a_temperature(house: House, data: dict[str, Any], problem: str) -> None:
    with house.refuses(InvalidInput, "temperature", problem):
        house.call("thermostat.set_temperature", entity_id="thermostat.it", **data)


@pytest.mark.parametrize("mode", ["auto", "manu", "boost"])
def test_set_mode_sets_the_mode(house: House, mode: str) -> None:
    house.act("it", "changeModeTo", mode="before")
    house.call("thermostat.set_mode", entity_id="thermostat.it", mode=mode)
    assert house.value("mode") == mode


@pytest.mark.parametrize("data", [{}, {"mode": "bogus"}, {"mode": None}, {"mode": ["auto"]}])
def test_set_mode_refuses_other_modes_and_says_which_there_are(house: House, data: dict[str, Any]) -> None:
    with house.refuses(InvalidInput, "set_mode", "auto, manu, boost"):
        house.call("thermostat.set_mode", entity_id="thermostat.it", **data)


@pytest.mark.parametrize(
    ("state", "attributes", "said"),
    [
        ("21.5", {}, {"temperatureSetpoint": 21.5}),
        (
            "22",
            {"mode": "boost", "valve": 12.5, "battery": "low"},
            {"temperatureSetpoint": 22, "mode": "boost", "valve": 12.5, "battery": "low"},
        ),
        ("22", {"mode": "heat", "valve": "open", "battery": 80}, {"temperatureSetpoint": 22}),
        ("22", {"mode": ["auto"], "valve": True}, {"temperatureSetpoint": 22}),
        ("unavailable", {"mode": "manu"}, {"temperatureSetpoint": None, "mode": "manu"}),
        ("nan", {}, {"temperatureSetpoint": None}),
    ],
)
def test_a_report_is_what_the_thermostat_says(house: House, state: str, attributes: dict[str, Any], said: Any) -> None:
    house.report("thermostat.it", state, **attributes)
    assert house.values() == {**NEW, **said}
    assert house.shows("thermostat.it") == (state, attributes)


def test_the_reported_state_stays_until_the_thermostat_speaks_again(house: House) -> None:
    house.report("thermostat.it", "21.5", current_temperature=19)
    house.act("it", "changeTemperatureTo", temperatureSetpoint=22)
    state, attributes = house.shows("thermostat.it")
    assert state == "22"
    assert "current_temperature" not in attributes


def test_without_set_point_it_shows_unknown(house: House) -> None:
    house.report("thermostat.it", "unavailable")
    house.act("it", "changeValveTo", valve=1)
    assert house.shown("thermostat.it").state == "unknown"
