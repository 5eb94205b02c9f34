"""What fields to fill in promise: text, number, time of day, and those that show a variable."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput, NotFound
from tests.home.homes import TEST, House, a_device, only


@pytest.fixture
def text() -> House:
    return House(a_device("InputDevice", name="Note"))


@pytest.fixture
def number() -> House:
    return House(a_device("InputDevice", type="number", min=0, max=100, step=5))


@pytest.fixture
def clock_time() -> House:
    return House(a_device("VariableTimeInputDevice", variable="$wake"), variables=({"name": "wake", "value": "08:00"},))


@pytest.fixture
def comfort() -> House:
    """A field that shows $comfort."""
    return House(
        a_device("VariableInputDevice", variable="$comfort", type="number"),
        variables=({"name": "comfort", "value": "21"}, {"name": "double", "expression": "$comfort * 2"}),
    )


def test_a_new_field_is_empty_or_zero(text: House, number: House) -> None:
    assert text.values() == {"input": ""}
    assert text.shows("input.it") == ("", {"type": "string", "friendly_name": "Note"})
    assert number.values() == {"input": 0}
    assert number.shows("input.it") == ("0", {"type": "number", "friendly_name": "it"})


@pytest.mark.parametrize(
    ("given", "value"), [("hello wörld", "hello wörld"), ("", ""), ("5", "5"), (7, "7"), (2.5, "2.5"), (True, "True")]
)
def test_a_text_field_holds_text(text: House, given: Any, value: str) -> None:
    text.act("it", "changeInputTo", value="before")
    text.act("it", "changeInputTo", value=given)
    assert text.value("input") == value
    assert text.shown("input.it").state == value


@pytest.mark.parametrize(
    ("given", "value"),
    [("42", 42), ("1000", 1000), ("-1", -1), (" 1e2", 100), ("+5", 5), (".5", 0.5), ("5.", 5), (2.5, 2.5), (3.0, 3)],
)
def test_a_number_field_holds_numbers_also_outside_what_is_offered(number: House, given: Any, value: float) -> None:
    number.act("it", "changeInputTo", value=given)
    assert number.value("input") == value
    assert type(number.value("input")) is type(value)


@pytest.mark.parametrize("given", ["42.5abc", "abc", "", "1,5", "1_0", "nan", "Infinity", "1e999", True])
def test_a_number_field_refuses_what_is_no_number(number: House, given: Any) -> None:
    number.act("it", "changeInputTo", value=42)
    with number.refuses(InvalidInput, "changeInputTo", "value", "number"):
        number.act("it", "changeInputTo", value=given)


@pytest.mark.parametrize("given", ["07:30", "23:59", "07:30:15", "7:05", "00:00"])
def test_a_time_field_holds_times_of_day(clock_time: House, given: str) -> None:
    clock_time.act("it", "changeInputTo", value=given)
    assert clock_time.value("input") == given
    assert clock_time.home.value("wake") == given


@pytest.mark.parametrize("given", ["24:00", "7", 7, "abc", "7:5", "07:60", "07:30:61", "", " 07:30", "07:30\n"])
def test_a_time_field_refuses_what_is_no_time_of_day(clock_time: House, given: Any) -> None:
    with clock_time.refuses(InvalidInput, "changeInputTo", "value", "time of day", "08:00"):
        clock_time.act("it", "changeInputTo", value=given)


@pytest.mark.parametrize("given", [["a"], {"a": 1}])
def test_a_list_or_object_cannot_be_filled_in(text: House, given: Any) -> None:
    with text.refuses(InvalidInput, "changeInputTo", "value", "text"):
        text.act("it", "changeInputTo", value=given)


def test_the_value_must_be_given(text: House) -> None:
    with text.refuses(InvalidInput, "changeInputTo", "needs", "value"):
        text.act("it", "changeInputTo")
    with text.refuses(InvalidInput, "set_value", "needs", "value"):
        text.call("input.set_value", entity_id="input.it")


def test_set_value_fills_in_the_field(text: House, number: House) -> None:
    assert text.call("input.set_value", entity_id="input.it", value="milk").done
    assert text.value("input") == "milk"
    number.call("input.set_value", entity_id="input.it", value="12.5")
    assert number.value("input") == 12.5


def test_set_value_refuses_what_the_field_refuses(number: House) -> None:
    with number.refuses(InvalidInput, "value", "number"):
        number.call("input.set_value", entity_id="input.it", value="milk")


def test_set_value_fills_in_all_fields_or_none() -> None:
    house = House(a_device("InputDevice", "text"), a_device("InputDevice", "number", type="number"))
    with house.refuses(InvalidInput, "value", "number"):
        house.call("input.set_value", value="milk")
    house.call("input.set_value", value="5")
    assert (house.value("input", "text"), house.value("input", "number")) == ("5", 5)


def test_a_field_shows_its_variable(comfort: House, clock_time: House) -> None:
    assert comfort.value("input") == 21
    assert clock_time.value("input") == "08:00"
    assert clock_time.shows("input.it") == ("08:00", {"type": "time", "friendly_name": "it"})


def test_filling_in_the_field_sets_the_variable(comfort: House) -> None:
    comfort.act("it", "changeInputTo", value="23.5")
    assert comfort.home.value("comfort") == 23.5
    assert comfort.home.value("double") == 47
    assert comfort.shown("variable.comfort").state == "23.5"


def test_setting_the_variable_fills_in_the_field(comfort: House) -> None:
    comfort.home.set_variable("comfort", 18, TEST)
    assert comfort.value("input") == 18
    update = only(comfort.updates())
    first = comfort.sets()[0]
    assert (update.context.origin, update.context.cause, update.context.user) == ("field", first.seq, "somebody")


def test_a_field_that_refuses_leaves_its_variable_alone(comfort: House) -> None:
    with comfort.refuses(InvalidInput, "number"):
        comfort.act("it", "changeInputTo", value="abc")
    assert comfort.home.value("comfort") == 21


def test_two_fields_of_one_variable_show_the_same() -> None:
    fields = [a_device("VariableInputDevice", i, variable="v") for i in ("one", "two")]
    house = House(*fields, variables=({"name": "v", "value": "a"},))
    house.act("one", "changeInputTo", value="b")
    assert (house.value("input", "one"), house.value("input", "two")) == ("b", "b")


def test_a_field_without_its_variable_cannot_be_filled_in() -> None:
    house = House(a_device("VariableInputDevice", variable="gone"))
    with house.refuses(NotFound, "$gone"):
        house.act("it", "changeInputTo", value="x")
    with house.refuses(NotFound, "$gone"):
        house.call("input.set_value", entity_id="input.it", value="x")


def test_a_field_of_a_computed_variable_shows_it_and_cannot_set_it() -> None:
    variables = ({"name": "a", "value": 2}, {"name": "b", "expression": "$a * 2"})
    house = House(a_device("VariableInputDevice", variable="b"), variables=variables)
    assert house.value("input") == 4
    house.home.set_variable("a", 5, TEST)
    assert house.value("input") == 10
    with house.refuses(InvalidInput, "$b", "computed"):
        house.act("it", "changeInputTo", value="1")


def test_a_field_that_is_gone_follows_its_variable_no_longer(comfort: House, caplog: pytest.LogCaptureFixture) -> None:
    comfort.home.remove_device("it", TEST)
    comfort.changes.clear()
    comfort.home.set_variable("comfort", 5, TEST)
    assert comfort.updates() == []
    assert caplog.text == ""


@pytest.mark.parametrize(("state", "value"), [("12", 12), ("12.5", 12.5), ("unavailable", None), ("", None)])
def test_a_report_is_what_the_field_says(number: House, state: str, value: float | None) -> None:
    number.report("input.it", state, min=0)
    assert number.value("input") == value
    assert number.shows("input.it") == (state, {"min": 0})


def test_the_reported_state_stays_until_the_field_speaks_again(text: House) -> None:
    text.report("input.it", "milk", mode="text")
    assert text.value("input") == "milk"
    text.act("it", "changeInputTo", value="bread")
    assert text.shows("input.it") == ("bread", {"type": "string", "friendly_name": "Note"})
