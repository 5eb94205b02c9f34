"""What Python reckons by itself is what the expression says; all else is left to the expression."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import HallwayError
from hallway.home.values import Value
from hallway.language.conditions import Comparator
from hallway.language.expressions import Result, parse
from hallway.language.plain import LIMIT, MOST_TOKENS, plain
from hallway.rules.comparing import holds

NAMES = ("a", "b", "room.temperature")
numbers = st.integers(-9, 9) | st.floats(-9, 9) | st.integers(-(2**60), 2**60) | st.floats()
comparators: st.SearchStrategy[Comparator] = st.sampled_from(get_args(Comparator))


class Values:
    """A scope with these values."""

    def __init__(self, values: dict[str, Value]) -> None:
        self._values = values

    def value(self, name: str) -> Result:
        return self._values[name]

    def unit(self, name: str) -> str:
        return ""

    def now(self) -> float:
        return 0.0

    def time_zone(self) -> tzinfo:
        return UTC

    def random(self) -> float:
        return 0.5


operands = st.sampled_from([f"${name}" for name in NAMES]) | st.integers(0, 12).map(str) | st.just("0.1")
expressions = st.recursive(
    operands,
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join)
        | st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda each: f"({' '.join(each)})")
    ),
    max_leaves=8,
)


def within(values: dict[str, Value]) -> dict[str, float]:
    """What plain arithmetic may see."""
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and -LIMIT < value < LIMIT
    }


@given(expressions, comparators, expressions, st.fixed_dictionaries(dict.fromkeys(NAMES, numbers | st.none())))
def test_it_is_what_the_expression_says(left: str, sign: Comparator, right: str, values: dict[str, Value]) -> None:
    one, other = parse(left, NAMES), parse(right, NAMES)
    compare = plain(one, sign, other)
    assert compare is not None
    try:
        truth = compare(within(values))
    except (KeyError, ZeroDivisionError):
        return
    assert truth is holds(one.result(Values(values)), sign, other.result(Values(values)))


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, st.none() | st.text() | st.booleans() | st.just(10**16))))
def test_what_is_no_plain_number_is_not_reckoned_with(values: dict[str, Value]) -> None:
    compare = plain(parse("$a + $b", NAMES), ">", parse("1", NAMES))
    assert compare is not None
    with pytest.raises(KeyError):
        compare(within(values))


@pytest.mark.parametrize(
    "text", ["round($a)", '"a"', '"{$a}"', "$a + min($b, 1)", "9007199254740993", "1" + " + 1" * MOST_TOKENS]
)
def test_what_is_more_than_arithmetic_is_not_plain(text: str) -> None:
    assert plain(parse(text, NAMES), ">", parse("1", NAMES)) is None
    assert plain(parse("1", NAMES), ">", parse(text, NAMES)) is None


def test_nested_as_deep_as_may_be_it_is_plain_or_not_but_never_fails() -> None:
    for depth in range(1, 100):
        try:
            expression = parse("(" * depth + "$a + 1" + ")" * depth, NAMES)
        except HallwayError:
            break
        compare = plain(expression, ">", parse("1", NAMES))
        assert compare is None or compare({"a": 1.0})
