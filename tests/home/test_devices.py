"""What devices promise: values with their times and short history, actions with checked arguments."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import InvalidInput, NotFound
from hallway.home.devices import (
    HISTORY_LENGTH,
    Action,
    Attribute,
    Device,
    Effects,
    Entry,
    Parameter,
    as_boolean,
    as_number,
)
from hallway.home.values import Value
from tests.home.homes import NOW, TEST, House, a_device
from tests.home.strategies import VALUES


@pytest.fixture
def house() -> House:
    return House(a_device("DummyDimmer", name="Floor Lamp"))


def test_a_device_without_a_name_is_called_by_its_id() -> None:
    assert Device({"id": "it"}, (), "file").name == "it"
    assert Device({"id": "it", "name": ""}, (), "file").name == "it"
    assert Device({"id": "it", "name": None}, (), "file").name == "it"
    assert Device({"id": "it", "name": "Büro ♥"}, (), "file").name == "Büro ♥"


def test_a_new_device_has_values_but_no_times(house: House) -> None:
    held = house.device().held("dimlevel")
    assert (held.value, held.updated, held.changed, list(held.history)) == (0, None, None, [])


def test_a_value_knows_when_it_was_set_and_when_it_changed(house: House) -> None:
    held = house.device().held("dimlevel")
    house.act("it", "changeDimlevelTo", dimlevel=10)
    assert (held.updated, held.changed) == (NOW, NOW)
    house.clock.advance(5)
    house.home.set_values("it", {"dimlevel": 20}, TEST)
    assert (held.updated, held.changed) == (NOW + 5, NOW + 5)
    assert list(held.history) == [Entry(NOW, 10), Entry(NOW + 5, 20)]


def test_only_the_last_thirty_values_are_kept(house: House) -> None:
    for level in range(1, 41):
        house.act("it", "changeDimlevelTo", dimlevel=level)
    history = house.device().held("dimlevel").history
    assert HISTORY_LENGTH == 30
    assert [entry.value for entry in history] == list(range(11, 41))


def test_the_same_value_in_another_type_is_a_change(house: House) -> None:
    house.home.set_values("it", {"dimlevel": 0.0}, TEST)
    house.home.set_values("it", {"dimlevel": False}, TEST)
    assert [update.new for update in house.updates()] == [{"dimlevel": 0.0}, {"dimlevel": False}]
    assert house.value("dimlevel") is False


def test_an_attribute_that_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(NotFound, match="device it has no attribute gone"):
        house.value("gone")


def test_of_several_values_all_are_taken_or_none(house: House) -> None:
    with house.refuses(NotFound, "it", "gone"):
        house.home.set_values("it", {"dimlevel": 50, "gone": 1}, TEST)


def test_what_differs_stands_in_the_change_and_nothing_else(house: House) -> None:
    house.act("it", "changeDimlevelTo", dimlevel=10)
    house.changes.clear()
    house.home.set_values("it", {"dimlevel": 20, "state": True}, TEST)
    (update,) = house.updates()
    assert (update.old, update.new) == ({"dimlevel": 10}, {"dimlevel": 20})
    with house.nothing_happens():
        house.home.set_values("it", {"dimlevel": 20, "state": True}, TEST)
        house.home.set_values("it", {}, TEST)


@pytest.mark.parametrize(
    ("given_value", "number"),
    [(5, 5), (5.5, 5.5), ("5", 5), ("-5", -5), (" 5 ", 5), ("5.0", 5.0), ("1e2", 100.0), (".5", 0.5), ("+5", 5.0)],
)
def test_a_number_may_be_written_as_text(given_value: Value, number: float) -> None:
    found = as_number(given_value, "where")
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "given_value",
    [
        *("", " ", "x", "5x", "--5", "1,5", "1_0", "0x10", "²", "nan", "Infinity", "1e999"),
        *(True, False, None, [], {}, [1], float("nan"), float("inf"), pytest.param("9" * 5000, id="long")),
    ],
)
def test_what_is_no_number_is_refused_with_the_place(given_value: Value) -> None:
    with pytest.raises(InvalidInput, match=r"^the where must be a number, not ") as caught:
        as_number(given_value, "the where")
    assert len(caught.value.message) < 100


@pytest.mark.parametrize(("given_value", "boolean"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_a_boolean_may_be_written_as_text(given_value: Value, boolean: bool) -> None:
    assert as_boolean(given_value, "where") is boolean


@pytest.mark.parametrize("given_value", ["1", "on", "TRUE", "", [], {"a": 1}, None, "x" * 1000])
def test_what_is_no_boolean_is_refused_with_the_place(given_value: Value) -> None:
    with pytest.raises(InvalidInput, match=r"^the where must be true or false, not ") as caught:
        as_boolean(given_value, "the where")
    assert len(caught.value.message) < 100


@given(VALUES)
def test_any_value_is_a_number_or_boolean_or_refused(value: Value) -> None:
    for read in (as_number, as_boolean):
        try:
            found: Any = read(value, "where")
        except InvalidInput:
            continue
        assert isinstance(found, bool if read is as_boolean else int | float)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_from_its_own_text(number: float) -> None:
    assert as_number(str(number), "where") == number


def test_arguments_come_in_their_types_and_no_others() -> None:
    parameters = (Parameter("n", "number"), Parameter("b", "boolean"), Parameter("s", "string"))
    action = Action("do", lambda _device, _arguments: Effects(), parameters)
    assert action.arguments({"n": "5", "b": "true", "s": 7, "other": 1}) == {"n": 5, "b": True, "s": 7}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"b": True, "s": ""}, "do needs the parameter n (a number)"),
        ({"n": 1, "b": None, "s": ""}, "do needs the parameter b (a boolean)"),
        ({"n": "x", "b": True, "s": ""}, "do: n must be a number"),
        ({"n": 1, "b": 5, "s": ""}, "do: b must be true or false"),
        ({"n": 1, "b": True, "s": {}}, "do: s must be a text, not a JSON object"),
    ],
)
def test_wrong_arguments_are_named(arguments: Any, words: str) -> None:
    parameters = (Parameter("n", "number"), Parameter("b", "boolean"), Parameter("s", "string"))
    with pytest.raises(InvalidInput) as caught:
        Action("do", lambda _device, _arguments: Effects(), parameters).arguments(arguments)
    assert words in caught.value.message


def test_an_attribute_without_initial_value_has_none() -> None:
    attribute = Attribute(name="a", type="number", label="A", description="a")
    device = Device({"id": "it"}, (), "file")
    assert attribute.initial is not None
    assert device.attributes == {}
    with pytest.raises(NotFound, match="it has: none"):
        device.action("x" * 500)
