"""What editing variables promises: value, expression and unit can be changed, and nothing changes by half."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import CannotStore, Conflict, HallwayError, InvalidInput, NotFound
from hallway.home.changes import Defined, VariableSet
from hallway.language.evaluation import ExpressionError
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    return House(
        a_device("DummySwitch", "lamp"),
        variables=(
            {"name": "n", "value": 10},
            {"name": "u", "value": 21.5, "unit": "°C"},
            {"name": "double", "expression": "$n * 2"},
        ),
    )


def happened(house: House) -> list[str]:
    """What was told of variables, in order."""
    return [
        f"{change.name} = {change.new}" if isinstance(change, VariableSet) else f"{change.key} defined"
        for change in house.changes
        if isinstance(change, VariableSet | Defined)
    ]


def test_a_variable_is_added(house: House) -> None:
    variable = house.home.add_variable({"name": "new", "value": "42", "unit": "kWh"}, TEST)
    assert (variable.value, variable.unit, variable.formula, variable.source) == (42, "kWh", None, "store")
    assert happened(house) == ["new defined"]
    assert house.definitions()[0].context == TEST


@pytest.mark.parametrize("value", [True, [1, "2"], {"a": None}, "", " 5", None, "true"])
def test_a_value_that_is_no_number_text_stays_as_it_is(house: House, value: Any) -> None:
    assert house.home.add_variable({"name": "new", "value": value}, TEST).value == value


def test_an_expression_is_told_before_its_value(house: House) -> None:
    assert house.home.add_variable({"name": "new", "expression": "$double + 1"}, TEST).value == 21
    assert happened(house) == ["new defined", "new = 21"]


@pytest.mark.parametrize("name", ["a b", "dot.expr", "ü", "a-b_c"])
def test_a_variable_that_is_computed_may_have_any_name(house: House, name: str) -> None:
    house.home.add_variable({"name": name, "expression": "$n + 1", "unit": "W"}, TEST)
    assert (house.home.value(name), house.home.unit(name)) == (11, "W")
    house.home.set_variable("n", 1, TEST)
    assert house.home.value(name) == 2
    with house.refuses(InvalidInput, "computed"):
        house.home.set_variable(name, 5, TEST)
    house.home.remove_variable(name, TEST)
    assert name not in house.home.variables


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 256, None])
def test_but_not_any_at_all(house: House, name: Any) -> None:
    with house.refuses(InvalidInput, "variable name"):
        house.home.add_variable({"name": name, "expression": "1"}, TEST)


@pytest.mark.parametrize("name", ["n", "double", "lamp.state"])
def test_a_name_is_there_once(house: House, name: str) -> None:
    with house.refuses(Conflict, f"${name}"):
        house.home.add_variable({"name": name, "expression": "1"}, TEST)


def test_a_plain_value_is_set_also_to_the_same(house: House) -> None:
    for value in ("20", 20):
        assert house.home.change_variable({"name": "n", "value": value}, TEST).value == 20
    assert happened(house) == ["n = 20", "double = 40", "n = 20", "double = 40"]


def test_a_unit_that_is_not_given_is_dropped(house: House) -> None:
    assert house.home.change_variable({"name": "u", "value": 22, "unit": "°C"}, TEST).unit == "°C"
    assert happened(house) == ["u = 22"]
    house.changes.clear()
    assert house.home.change_variable({"name": "u", "value": 22}, TEST).unit == ""
    assert happened(house) == ["u = 22", "u defined"]
    assert "unit_of_measurement" not in house.shows("variable.u")[1]
    assert house.home.change_variable({"name": "u", "value": 22, "unit": "°F"}, TEST).unit == "°F"
    assert house.shows("variable.u")[1]["unit_of_measurement"] == "°F"
    assert house.definitions()[-1].new == {"name": "u", "value": 22, "unit": "°F"}


def test_a_value_becomes_an_expression_and_a_value_again(house: House) -> None:
    assert house.home.change_variable({"name": "u", "expression": "$n / 4"}, TEST).value == 2.5
    assert happened(house) == ["u defined", "u = 2.5"]
    house.home.set_variable("n", 4, TEST)
    assert house.home.value("u") == 1
    house.home.change_variable({"name": "u", "expression": '"s $n"'}, TEST)
    assert house.home.value("u") == "s 4"
    house.changes.clear()
    house.home.change_variable({"name": "u", "value": "2.5"}, TEST)
    assert happened(house) == ["u = 2.5", "u defined"]
    house.home.set_variable("n", 8, TEST)
    assert house.home.value("u") == 2.5
    assert "expression" not in house.shows("variable.u")[1]


def test_what_depends_on_a_variable_follows_when_it_is_defined_otherwise(house: House) -> None:
    house.home.add_variable({"name": "more", "expression": "$double + 1"})
    house.home.change_variable({"name": "double", "expression": "$n * 3"}, TEST)
    assert house.home.value("more") == 31
    house.home.change_variable({"name": "double", "value": 1}, TEST)
    assert house.home.value("more") == 2


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        ({"name": "nope", "value": 1}, NotFound, ("$nope",)),
        ({"name": "lamp.state", "value": 1}, NotFound, ("$lamp.state",)),
        ({"name": "n", "expression": "$n +"}, ExpressionError, ()),
        ({"name": "n", "expression": "$nobody"}, ExpressionError, ("obody",)),
        ({"name": "n", "expression": 5}, InvalidInput, ("$n", "text")),
        ({"name": "n", "expression": "$double + 1"}, Conflict, ("$n → $double → $n",)),
        ({"name": "n", "expression": "$n"}, Conflict, ("depend on itself",)),
        ({"name": "n", "value": "\ud800"}, CannotStore, ("surrogate",)),
        ({"name": "n", "value": 1, "unit": "\ud800"}, CannotStore, ("surrogate",)),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    house: House, config: dict[str, Any], error: type[HallwayError], words: tuple[str, ...]
) -> None:
    with house.refuses(error, *words):
        house.home.change_variable(config, TEST)


def test_a_variable_is_removed_and_leaves_its_group_first(house: House) -> None:
    house.home.groups.add({"id": "g", "variables": ["n", "u"]})
    house.changes.clear()
    removed = house.home.remove_variable("u", TEST)
    assert removed.value == 21.5
    assert house.edits() == ["group g changed", "variable u removed"]
    assert house.home.groups.get("g").variables == ("n",)
    assert house.home.state("variable.u") is None
    assert house.home.announcer.gone("variable", "u") == removed
    with house.refuses(NotFound, "$u"):
        house.home.remove_variable("u", TEST)


def test_what_is_computed_from_a_variable_that_goes_keeps_its_value_until_it_is_back(house: House) -> None:
    house.home.remove_variable("n", TEST)
    assert house.home.value("double") == 20
    house.home.add_variable({"name": "n", "value": 3}, TEST)
    assert house.home.value("double") == 6


def test_the_attribute_of_a_device_goes_with_the_device_only(house: House) -> None:
    with house.refuses(InvalidInput, "$lamp.state", "device"):
        house.home.remove_variable("lamp.state", TEST)


def test_a_variable_of_the_file_keeps_its_definition_and_may_be_set(house: House) -> None:
    house.home.add_variable({"name": "fixed", "value": 1, "unit": "W"}, source="file")
    commands: Any = (
        lambda: house.home.remove_variable("fixed", TEST),
        lambda: house.home.change_variable({"name": "fixed", "expression": "1"}, TEST),
        lambda: house.home.change_variable({"name": "fixed", "value": 1, "unit": "kW"}, TEST),
    )
    for command in commands:
        with house.refuses(Conflict, "variable $fixed", "configuration.yaml"):
            command()
    assert house.home.change_variable({"name": "fixed", "value": 2}, TEST).value == 2
    assert house.home.unit("fixed") == "W"


def test_variables_of_an_earlier_start_come_back_also_when_their_sources_are_gone() -> None:
    house = House(variables=({"name": "there", "value": 1},))
    refused = house.home.keep_variables(
        (
            {"name": "sum", "expression": "$gone + $n"},
            {"name": "n", "value": 5},
            {"name": "there", "value": 2},
            {"name": "broken", "expression": "1 +"},
            {"name": "one", "expression": "$other"},
            {"name": "other", "expression": "$one"},
        )
    )
    assert [name for name, _error in refused] == ["there", "broken", "other"]
    assert (house.home.value("there"), house.home.value("n"), house.home.value("sum")) == (1, 5, None)
    house.home.add_variable({"name": "gone", "value": 1})
    assert house.home.value("sum") == 6
