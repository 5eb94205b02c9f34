"""What temperature sensors and variables devices promise as measurements."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    return House(a_device("DummyTemperatureSensor", name="Outside"))


def test_a_new_sensor_has_measured_nothing(house: House) -> None:
    assert house.values() == {"temperature": None, "humidity": None}
    assert house.shows("sensor.it_temperature") == (
        "unknown",
        {"unit_of_measurement": "°C", "friendly_name": "Outside Temperature"},
    )
    assert house.shows("sensor.it_humidity") == (
        "unknown",
        {"unit_of_measurement": "%", "friendly_name": "Outside Humidity"},
    )


@pytest.mark.parametrize(
    ("action", "attribute", "given", "value"),
    [
        ("changeTemperatureTo", "temperature", 21.5, 21.5),
        ("changeTemperatureTo", "temperature", -3, -3),
        ("changeTemperatureTo", "temperature", "7.25", 7.25),
        ("changeHumidityTo", "humidity", "55", 55),
    ],
)
def test_its_actions_report_a_measurement(house: House, action: str, attribute: str, given: Any, value: float) -> None:
    house.act("it", action, **{attribute: given})
    assert house.value(attribute) == value
    assert house.shown(f"sensor.it_{attribute}").state == str(value)


@pytest.mark.parametrize("given", ["abc", "", True, {}, float("nan")])
def test_a_measurement_is_a_number(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "changeTemperatureTo", "temperature", "number"):
        house.act("it", "changeTemperatureTo", temperature=given)


@pytest.mark.parametrize(("action", "name"), [("changeTemperatureTo", "temperature"), ("changeHumidityTo", "humidity")])
def test_a_measurement_must_be_given(house: House, action: str, name: str) -> None:
    with house.refuses(InvalidInput, action, "needs", name):
        house.act("it", action)


def test_each_measurement_counts_also_the_same_again(house: House) -> None:
    for _ in range(3):
        house.act("it", "changeTemperatureTo", temperature=20)
        house.clock.advance(60)
    assert [(u.old, u.new) for u in house.updates()] == [
        ({"temperature": None}, {"temperature": 20}),
        ({"temperature": 20}, {"temperature": 20}),
        ({"temperature": 20}, {"temperature": 20}),
    ]
    assert len(house.moved()) == 1
    held = house.device().held("temperature")
    assert held.updated == house.clock.now() - 60
    assert held.changed == house.clock.now() - 180
    assert [value for _at, value in held.history] == [20, 20, 20]


def test_a_measurement_moves_only_its_own_entity(house: House) -> None:
    house.act("it", "changeHumidityTo", humidity=55)
    assert [moved.entity_id for moved in house.moved()] == ["sensor.it_humidity"]


@pytest.mark.parametrize(("state", "value"), [("21", 21), ("21.0", 21.0), ("1e1", 10.0), ("warm", None), ("inf", None)])
def test_a_report_is_what_the_sensor_says(house: House, state: str, value: float | None) -> None:
    house.report("sensor.it_temperature", state, battery=12)
    assert house.values() == {"temperature": value, "humidity": None}
    assert house.shows("sensor.it_temperature") == (state, {"battery": 12})
    assert house.shown("sensor.it_humidity").state == "unknown"


def test_the_reported_state_stays_until_the_sensor_speaks_again(house: House) -> None:
    house.report("sensor.it_temperature", "21.0", battery=12)
    house.act("it", "changeHumidityTo", humidity=40)
    house.home.set_values("it", {"humidity": 41}, TEST)
    assert house.shows("sensor.it_humidity")[0] == "41"
    house.act("it", "changeTemperatureTo", temperature=22)
    assert house.shows("sensor.it_temperature") == (
        "22",
        {"unit_of_measurement": "°C", "friendly_name": "Outside Temperature"},
    )


def test_a_device_with_one_computed_value_is_one_sensor_by_its_name() -> None:
    variables: Any = [{"name": "sum", "expression": "1 + 1", "type": "number", "unit": "kWh"}]
    house = House(a_device("VariablesDevice", "total", name="Total", variables=variables))
    assert house.home.entities_of("total") == ("sensor.total",)
    assert house.shows("sensor.total") == ("2", {"unit_of_measurement": "kWh", "friendly_name": "Total"})


def test_a_device_with_several_shows_each_as_a_sensor_of_its_own() -> None:
    variables: Any = [
        {"name": "sum", "expression": "1 + 1", "type": "number"},
        {"name": "Größe", "expression": '"big"', "label": "Size"},
    ]
    house = House(a_device("VariablesDevice", "total", name="Total", variables=variables))
    assert house.shows("sensor.total_sum") == ("2", {"friendly_name": "Total $sum"})
    assert house.shows("sensor.total_groesse") == ("big", {"friendly_name": "Total Size"})


@pytest.mark.parametrize(("state", "value"), [("text", "text"), ("5", "5"), ("unknown", None)])
def test_a_report_about_a_text_is_that_text(state: str, value: str | None) -> None:
    house = House(a_device("VariablesDevice", variables=[{"name": "text", "expression": '"before"'}]))
    house.report("sensor.it", state)
    assert house.value("text") == value
