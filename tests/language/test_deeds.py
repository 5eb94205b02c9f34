"""Deeds: how they see the home, and how they are taken back."""

import pytest

from hallway.errors import HallwayError
from hallway.home.values import Value
from hallway.language.deeds import Deed, HomeScope, Undo, number_now, text_now, undo_of
from hallway.language.evaluation import UNDEFINED, ExpressionError
from hallway.language.expressions import parse
from tests.home.homes import TEST, a_device
from tests.language.rule_house import RuleHouse


def test_a_home_is_a_scope_of_expressions(house: RuleHouse) -> None:
    scope = HomeScope(house.home)
    assert scope.value("n") == 10
    assert scope.value("lamp.state") is False
    assert scope.value("outside.temperature") is UNDEFINED
    assert scope.unit("outside.temperature") == "°C"
    assert scope.now() == house.clock.now()
    assert 0 <= scope.random() < 1
    for gone in ("nope", "nope.state", "lamp.nope"):
        with pytest.raises(ExpressionError):
            scope.value(gone)


@pytest.mark.parametrize(("text", "number"), [("$n", 10), ("$n / 4", 2.5), ("5", 5), ('"7"', 7)])
def test_a_number_is_needed(house: RuleHouse, text: str, number: float) -> None:
    assert number_now(parse(text, house.home.value_names()), house.home) == number


@pytest.mark.parametrize("text", ["$word", "$lamp.state", "1 / 0", "0 / 0", '"x"'])
def test_what_is_no_number_is_an_error_that_names_it(house: RuleHouse, text: str) -> None:
    with pytest.raises(HallwayError, match="must be a number"):
        number_now(parse(text, house.home.value_names()), house.home)


def test_a_text_is_what_it_reads(house: RuleHouse) -> None:
    assert text_now(parse('"$half and $lamp.state"', house.home.value_names()), house.home) == "2.5 and false"


@pytest.mark.parametrize(
    ("before", "expected"), [(20, Undo("outside", "changeTemperatureTo", {"temperature": 20})), (None, None)]
)
def test_a_value_is_put_back_if_there_was_one(house: RuleHouse, before: Value, expected: Undo | None) -> None:
    if before is not None:
        house.home.set_values("outside", {"temperature": before}, TEST)
    undo = undo_of(house.home, "outside", "changeTemperatureTo", {"temperature": 30}, "temperature")
    assert (undo and (undo.device_id, undo.action, undo.arguments)) == (
        expected and (expected.device_id, expected.action, expected.arguments)
    )


def test_an_undo_is_plain_data_and_runs_as_an_action(house: RuleHouse) -> None:
    Undo("lamp", "changeStateTo", {"state": True}).run(house.home, TEST)
    assert house.value("state", "lamp") is True


def test_a_deed_on_a_device_that_is_gone_is_an_error(house: RuleHouse) -> None:
    house.home.add_device(a_device("DummySwitch", "bulb"), "store")
    deed = house.deed("turn bulb on")
    house.home.remove_device("bulb", TEST)
    with pytest.raises(HallwayError):
        deed.run(house.home, TEST)


def test_a_deed_must_say_what_it_does(house: RuleHouse) -> None:
    with pytest.raises(NotImplementedError):
        Deed().run(house.home, TEST)
    with pytest.raises(NotImplementedError):
        Deed().announce(house.home)
    assert not Deed().lasts
