"""How values compare: a number with a number, anything with itself, and no order where there is none."""

from __future__ import annotations

import math

import pytest

from hallway.errors import InvalidInput
from hallway.language.conditions import Comparator
from hallway.language.evaluation import UNDEFINED, Result
from hallway.rules.comparing import holds, holds_quietly

ALL: tuple[Comparator, ...] = ("==", "!=", "<", "<=", ">", ">=")


def those_that_hold(left: Result, right: Result) -> set[Comparator]:
    return {comparator for comparator in ALL if holds(left, comparator, right)}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 2, {"!=", "<", "<="}),
        (2.5, 2, {"!=", ">", ">="}),
        (5, 5.0, {"==", "<=", ">="}),
        (math.nan, math.nan, {"!="}),
        (math.nan, 1, {"!="}),
        (math.inf, 1, {"!=", ">", ">="}),
        (None, 1, {"!="}),
        (None, None, {"=="}),
        (UNDEFINED, 0, {"!="}),
    ],
)
def test_numbers_have_an_order_and_nothing_has_none(left: Result, right: Result, expected: set[Comparator]) -> None:
    assert those_that_hold(left, right) == expected


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("5", 5, False), (True, 1, False), (True, True, True), ("a", "a", True), ([1], [1], True)],
)
def test_what_is_no_number_can_only_be_the_same(left: Result, right: Result, same: bool) -> None:
    assert holds(left, "==", right) is same
    assert holds(left, "!=", right) is not same
    with pytest.raises(InvalidInput, match="is not a number"):
        holds(left, "<", right)
    assert not holds_quietly(left, "<", right)
