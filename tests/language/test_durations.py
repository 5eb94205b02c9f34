"""How long something is."""

import pytest

from hallway.language.deeds import HomeScope
from hallway.language.durations import Duration
from hallway.language.evaluation import ExpressionError
from hallway.language.expressions import parse
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("amount", "unit", "seconds"),
    [("5", "seconds", 5), ("250", "ms", 0.25), ("$n + 2", "m", 720), ("1.5", "hours", 5400), ("1", "year", 31_536_000)],
)
def test_a_duration_has_seconds(house: RuleHouse, amount: str, unit: str, seconds: float) -> None:
    expression = parse(amount, house.home.value_names())
    assert Duration(f"{amount} {unit}", expression, unit).seconds(HomeScope(house.home)) == seconds


@pytest.mark.parametrize(
    ("amount", "unit"), [("0 - $n", "s"), ("1 / 0", "s"), ('"x"', "s"), ("9" * 308, "days"), ("9" * 308, "m")]
)
def test_what_is_no_length_of_time_is_an_error(house: RuleHouse, amount: str, unit: str) -> None:
    expression = parse(amount, house.home.value_names())
    with pytest.raises(ExpressionError, match="no length of time"):
        Duration(f"{amount} {unit}", expression, unit).seconds(HomeScope(house.home))
