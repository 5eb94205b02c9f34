"""Numbers and texts turned into each other, and arithmetic that never fails."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hallway.language.arithmetic import divide, power, round_half_up
from hallway.language.coercion import fixed, leading_integer, leading_number, number_text, tidy, to_number, to_text
from hallway.language.evaluation import UNDEFINED, Result
from tests.language.scopes import LEISURELY

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (-12.5, "-12.5"),
        (100.0, "100"),
        (0.000001, "0.000001"),
        (0.00000123, "0.00000123"),
        (0.0000001, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
        (123456789012345680000, "123456789012345680000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.25e25, "-1.25e+25"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number: float, text: str) -> None:
    assert number_text(number) == text


@LEISURELY
@given(FINITE)
@example(-0.0)
def test_a_written_number_reads_back_as_itself(number: float) -> None:
    assert float(number_text(number)) == number
    assert to_number(number_text(number)) == number
    assert leading_number(f" {number_text(number)} metres") == number


@LEISURELY
@given(FINITE)
def test_tidy_keeps_the_number_and_makes_whole_ones_ints(number: float) -> None:
    tidied = tidy(number)

    assert float(tidied) == number
    assert isinstance(tidied, int) == (number.is_integer() and abs(number) < 1e21)
    assert number_text(tidied) == number_text(number)


def test_tidy_leaves_what_is_not_finite() -> None:
    assert tidy(math.inf) == math.inf
    assert math.isnan(tidy(math.nan))


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [
        (1.005, 2, "1.00"),
        (1.45, 1, "1.4"),
        (8.345, 2, "8.35"),
        (2.5, 0, "3"),
        (-2.5, 0, "-3"),
        (-0.001, 2, "-0.00"),
        (0, 3, "0.000"),
        (1e20, 1, "100000000000000000000.0"),
        (1e21, 2, "1e+21"),
        (1e-10, 2, "0.00"),
        (5e-324, 100, "0." + "0" * 100),
        (math.inf, 2, "Infinity"),
        (math.nan, 2, "NaN"),
    ],
)
def test_fixed_writes_that_many_decimals(number: float, digits: int, text: str) -> None:
    assert fixed(number, digits) == text


@LEISURELY
@given(st.floats(-1e15, 1e15), st.integers(0, 10))
def test_fixed_is_never_off_by_more_than_half_a_digit(number: float, digits: int) -> None:
    assert abs(float(fixed(number, digits)) - number) <= 0.5 * 10.0**-digits + math.ulp(number)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (None, 0),
        (True, 1),
        (False, 0),
        (7, 7),
        (10**400, math.inf),
        ("", 0),
        (" \t\n\ufeff", 0),
        (" 5.5 ", 5.5),
        (".5", 0.5),
        ("5.", 5),
        ("+5e-1", 0.5),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("0x1f", 31),
        ("0O17", 15),
        ("0b101", 5),
        ([], 0),
        ([5], 5),
        ([["5"]], 5),
        ([None], 0),
    ],
)
def test_whole_values_as_numbers(value: Result, number: float) -> None:
    assert to_number(value) == number


@pytest.mark.parametrize(
    "value",
    ["5x", "infinity", "nan", "1_000", "1e", "--5", "-0x1f", "0x", "٣", "1,5", [1, 2], [True], {}, UNDEFINED, math.nan],
)
def test_what_is_no_number_as_a_whole(value: Result) -> None:
    assert math.isnan(to_number(value))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("12abc", 12),
        ("  -.5e1z", -5),
        ("5e", 5),
        ("1.2.3", 1.2),
        ("Infinity!", math.inf),
        ("0x1f", 0),
        ([3, 4], 3),
        ([["3x"]], 3),
        (10**400, math.inf),
    ],
)
def test_the_number_a_value_begins_with(value: Result, number: float) -> None:
    assert leading_number(value) == number


@pytest.mark.parametrize("value", ["", "x1", "- 5", "e5", None, True, [], [None], {}, UNDEFINED, math.nan])
def test_values_that_begin_with_no_number(value: Result) -> None:
    assert math.isnan(leading_number(value))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7.9, 7),
        (-7.9, -7),
        ("12abc", 12),
        (" 0x1F", 31),
        ("-08", -8),
        (1e-7, 1),
        (1e21, 1),
        ([5, 6], 5),
        ("9" * 400, math.inf),
    ],
)
def test_the_integer_a_value_begins_with(value: Result, number: float) -> None:
    assert leading_integer(value) == number


@pytest.mark.parametrize("value", ["", "x", ".5", None, True, [], {}, UNDEFINED, math.inf, math.nan])
def test_values_that_begin_with_no_integer(value: Result) -> None:
    assert math.isnan(leading_integer(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (1.0, "1"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (UNDEFINED, "undefined"),
        ([1, "a", None, [2, 3], {}], "1,a,,2,3,[object Object]"),
        ([], ""),
        ({"a": 1}, "[object Object]"),
    ],
)
def test_values_as_text(value: Result, text: str) -> None:
    assert to_text(value) == text


def test_a_list_beyond_the_limit_is_cut_after_it() -> None:
    assert 50 < len(to_text(list(range(1_000)), 50)) < 60


@pytest.mark.parametrize(
    ("dividend", "divisor", "quotient"),
    [(1, 4, 0.25), (1, 0, math.inf), (-1, 0, -math.inf), (1, -0.0, -math.inf), (-math.inf, 0, -math.inf), (0, 5, 0)],
)
def test_divide(dividend: float, divisor: float, quotient: float) -> None:
    assert divide(dividend, divisor) == quotient


@LEISURELY
@given(st.floats(), st.floats())
def test_arithmetic_never_raises(one: float, other: float) -> None:
    assert isinstance(divide(one, other), float)
    assert isinstance(power(one, other), float)
    assert isinstance(round_half_up(one), float)


@LEISURELY
@given(st.floats(-1e15, 1e15))
def test_round_half_up_is_the_nearest_whole_number(number: float) -> None:
    rounded = round_half_up(number)

    assert rounded.is_integer()
    assert -0.5 <= number - rounded <= 0.5
    assert number - rounded != 0.5


def test_nothing_by_nothing_is_no_number() -> None:
    assert math.isnan(divide(0, 0))
    assert math.isnan(divide(math.nan, 0))
