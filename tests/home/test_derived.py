"""What follows from something else, promises: computed attributes and fields keep up, and come to an end."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.home.changes import MAX_CAUSES, Context
from tests.home.homes import TEST, House, a_device

WANTED: Any = [
    {"name": "sum", "expression": "$num1 + $num2", "type": "number"},
    {"name": "text", "expression": '"Value: $num1"'},
    {"name": "tempf", "expression": "$temp.temperature * 1.8 + 32", "type": "number", "unit": "F"},
]


@pytest.fixture
def house() -> House:
    return House(
        a_device("DummyTemperatureSensor", "temp"),
        a_device("VariablesDevice", "vars", variables=WANTED),
        variables=({"name": "num1", "value": "10"}, {"name": "num2", "value": "2.5"}),
    )


def test_computed_attributes_are_there_at_the_start(house: House) -> None:
    assert house.values("vars") == {"sum": 12.5, "text": "Value: 10", "tempf": None}
    assert house.shown("sensor.vars_sum").state == "12.5"
    assert house.shown("sensor.vars_tempf").state == "unknown"


def test_computed_attributes_follow_variables_and_devices(house: House) -> None:
    house.home.set_variable("num1", 1, TEST)
    house.act("temp", "changeTemperatureTo", temperature=100)
    assert house.values("vars") == {"sum": 3.5, "text": "Value: 1", "tempf": 212}
    assert house.shows("sensor.vars_tempf")[0] == "212"


def test_what_is_computed_can_be_computed_with(house: House) -> None:
    house.home.add_variable({"name": "more", "expression": "$vars.sum * 2"})
    assert house.home.value("more") == 25
    house.changes.clear()
    house.home.set_variable("num2", 0, TEST)
    assert house.home.value("more") == 20
    assert [change.context.origin for change in house.changes] == ["test", "formula", "formula"]


def test_an_expression_that_cannot_be_read_is_told_and_has_no_value() -> None:
    broken: Any = [{"name": "q", "expression": "$nope +"}]
    house = House(a_device("VariablesDevice", "vars", variables=broken))
    assert house.values("vars") == {"q": None}
    [(device_id, why)] = house.home.bind_formulas()
    assert device_id == "vars"
    assert why.startswith("q is not computed: ")


def test_attributes_that_compute_each_other_in_a_circle_are_refused() -> None:
    circle: Any = [{"name": "a", "expression": "$v.b + 1"}, {"name": "b", "expression": "$v.a + 1"}]
    house = House(a_device("VariablesDevice", "v", variables=circle))
    [(device_id, why)] = house.home.bind_formulas()
    assert (device_id, why.partition(":")[0]) == ("v", "b is not computed")
    assert "$v.b would depend on itself" in why
    assert house.home.variables.affected(["v.b"])[0][0] == "v.a"


def test_a_device_that_is_gone_is_computed_no_more(house: House) -> None:
    house.home.remove_device("vars", TEST)
    house.changes.clear()
    house.home.set_variable("num1", 5, TEST)
    assert [type(change).__name__ for change in house.changes] == ["VariableSet"]


def test_what_depends_on_a_device_that_is_gone_keeps_its_value(house: House) -> None:
    house.home.add_variable({"name": "f", "expression": "$temp.temperature + $num1"})
    house.act("temp", "changeTemperatureTo", temperature=5)
    house.home.remove_device("temp", TEST)
    house.home.set_variable("num1", 0, TEST)
    assert house.home.value("f") == 15


def test_a_report_about_a_device_is_computed_with(house: House) -> None:
    house.report("sensor.temp_temperature", "100")
    assert house.value("tempf", "vars") == 212


def test_all_see_the_cause_before_what_follows_from_it(house: House) -> None:
    seen: list[Any] = []

    def look(change: Any) -> None:
        seen.append((change.seq, house.home.value("num1"), house.home.value("vars.sum")))

    house.home.changes.watch("variable:num1", look)
    house.home.set_variable("num1", 1, TEST)
    assert [(value, computed) for _seq, value, computed in seen] == [(1, 12.5)]
    assert house.home.value("vars.sum") == 3.5


def test_a_circle_through_a_field_comes_to_an_end(caplog: pytest.LogCaptureFixture) -> None:
    house = House(
        a_device("VariableInputDevice", "field", variable="next", type="number"),
        variables=({"name": "step", "value": 1}, {"name": "next", "expression": "$field.input + $step"}),
    )
    house.clock.advance(0)
    caplog.clear()
    house.changes.clear()
    house.home.set_variable("step", 2, TEST)
    assert max(change.context.depth for change in house.changes) <= MAX_CAUSES
    [line] = caplog.records
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert line.getMessage() == (
        f"$next kept the value it had: a chain of {MAX_CAUSES} changes that cause each other was cut; "
        "look for a field that shows what is computed from it, or for rules in a circle"
    )
    house.home.fire("still", {}, TEST)
    assert house.fired()


def test_a_circle_is_told_once_at_a_moment_however_often_it_comes_round_and_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(
        a_device("VariableInputDevice", "field", variable="next", type="number"),
        variables=({"name": "step", "value": 1}, {"name": "next", "expression": "$field.input + $step"}),
    )
    house.clock.advance(0)
    caplog.clear()
    for step in range(5):
        house.home.set_variable("step", step + 2, TEST)
    assert len(caplog.records) == 1
    house.clock.advance(0)
    house.home.set_variable("step", 1, TEST)
    assert len(caplog.records) == 2


def test_what_is_computed_from_the_last_change_of_a_chain_is_right(caplog: pytest.LogCaptureFixture) -> None:
    house = House(variables=({"name": "x", "value": 1}, {"name": "double", "expression": "$x * 2"}))
    caplog.clear()
    house.home.set_variable("x", 5, Context("rule:r", depth=MAX_CAUSES - 1))
    assert house.home.value("double") == 10
    assert caplog.records == []


def test_a_field_fills_when_its_variable_comes() -> None:
    house = House(a_device("VariableInputDevice", "field", variable="later"))
    house.home.add_variable({"name": "later", "value": 7}, TEST)
    assert house.value("input", "field") == 7
