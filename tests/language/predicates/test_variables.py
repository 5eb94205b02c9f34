"""What variables and expressions are."""

import pytest

from hallway.language.conditions import Compares, VariableMoves
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("condition", "left", "comparator", "right"),
    [
        ("$n equals 10", "$n", "==", "10"),
        ("$n is not 10", "$n", "!=", "10"),
        ("$n is greater than 5", "$n", ">", "5"),
        ("$n + 1 > $half * 2", "$n + 1", ">", "$half * 2"),
        ("($n + 1) > 5", "($n + 1)", ">", "5"),
        ("10 < 20", "10", "<", "20"),
        ('$word = "hello"', "$word", "==", '"hello"'),
        ('"$word {$n + 1}" = "x"', '"$word {$n + 1}"', "==", '"x"'),
        ("$outside.temperature >= round($n)", "$outside.temperature", ">=", "round($n)"),
        ("$lamp.state = 1", "$lamp.state", "==", "1"),
    ],
)
def test_two_expressions_compare(house: RuleHouse, condition: str, left: str, comparator: str, right: str) -> None:
    test = house.test(condition)
    assert isinstance(test, Compares)
    assert (test.left.text, test.comparator, test.right.text) == (left, comparator, right)


def test_the_expressions_know_their_variables(house: RuleHouse) -> None:
    test = house.test("$n + $outside.temperature > $half")
    assert isinstance(test, Compares)
    assert test.left.variables == {"n", "outside.temperature"}
    assert test.left.tokens == ("$n", "+", "$outside.temperature")


@pytest.mark.parametrize("how", ["changes", "gets updated", "increased", "decreased"])
def test_a_variable_moves_and_that_is_an_event(house: RuleHouse, how: str) -> None:
    assert house.test(f"$n {how}") == VariableMoves("n", how)  # type: ignore[arg-type]
    assert house.test(f"$n {how}").is_event


@pytest.mark.parametrize("how", ["is increasing", "is decreasing"])
def test_a_variable_keeps_moving_and_that_can_last(house: RuleHouse, how: str) -> None:
    assert not house.test(f"$outside.temperature {how}").is_event
    assert house.accepts(f"$n {how} for 5 seconds")


@pytest.mark.parametrize(
    "condition",
    ["$nope = 1", "$n ~ 5", "$n > 5 W", "$lamp.state = true", "$nope changes", "n changes", "$n changed", "$n", "5 >"],
)
def test_what_is_no_comparison_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


def test_the_attributes_of_a_reported_state_count_as_soon_as_it_is_there(house: RuleHouse) -> None:
    assert not house.accepts('$weather-sun.state = "up"')
    house.report("weather.sun", "up", elevation=5)
    assert house.accepts('$weather-sun.state = "up" and $weather-sun.elevation > 3')
