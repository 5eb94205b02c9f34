"""The functions of expressions, one by one."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hallway.language.expressions import UNDEFINED, ExpressionError, Result
from hallway.language.functions import FUNCTIONS
from tests.language.scopes import House, result_of, utc

NAN = "NaN"


def test_these_are_the_functions() -> None:
    numbers = {"min", "max", "avg", "random", "pow", "abs", "sign", "sqrt", "cos", "acos", "log"}
    rounding = {"round", "roundToNearest", "trunc"}
    times = {"timeFormat", "timeDecimal", "date", "diffDate"}
    texts = {"formatNumber", "hexString", "subString"}

    assert set(FUNCTIONS) == numbers | rounding | times | texts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("min(4, 2, 3)", 2),
        ("min(4)", 4),
        ("min()", UNDEFINED),
        ('min("7", "11")', 7),
        ('min("7 pears", 11)', 7),
        ('min("x", 1)', NAN),
        ('min(1, "x")', NAN),
        ("min($null, 1)", NAN),
        ("min($yes, 1)", NAN),
        ("min($never, 1)", NAN),
        ("max(4, 9, 3)", 9),
        ("max()", UNDEFINED),
        ("max($list)", 1),
        ('max("x", 1)', NAN),
        ("avg(1, 2, 6)", 3),
        ("avg(0.1, 0.2, 0.3)", 0.20000000000000004),
        ("avg()", NAN),
        ('avg("x", 1)', NAN),
        ("pow(2, 10)", 1024),
        ("pow(3)", 9),
        ("pow(3, $null)", 9),
        ("pow(2, -1)", 0.5),
        ("pow(-2, 3)", -8),
        ("pow(-8, 0.5)", NAN),
        ("pow(0, 0)", 1),
        ("pow(0, -1)", math.inf),
        ("pow(10, 400)", math.inf),
        ("pow(-10, 401)", -math.inf),
        ("pow(1, 1 / 0)", NAN),
        ("pow(1, 0 / 0)", NAN),
        ('pow("3", " ")', 1),
        ('pow("x", 2)', NAN),
        ("pow()", NAN),
        ("pow(2, 3, 99)", 8),
        ("abs(-5)", 5),
        ('abs("1e3")', 1000),
        ('abs("0x1F")', 31),
        ('abs("-0.5")', 0.5),
        ('abs("")', 0),
        ('abs("5 apples")', NAN),
        ("abs($yes)", 1),
        ("abs($null)", 0),
        ("abs($never)", NAN),
        ("abs($list)", NAN),
        ("abs($empty-list)", 0),
        ("abs($object)", NAN),
        ("abs()", NAN),
        ("sign(-3)", -1),
        ("sign(0)", 0),
        ("sign(0.2)", 1),
        ('sign("x")', NAN),
        ("sqrt(9)", 3),
        ("sqrt(2)", 1.4142135623730951),
        ("sqrt(-1)", NAN),
        ("cos(0)", 1),
        ("cos(1 / 0)", NAN),
        ("acos(1)", 0),
        ("acos(2)", NAN),
        ("log(1)", 0),
        ("log(8, 2)", 3),
        ("log(1000, 10)", 2.9999999999999996),
        ("log(100, $null)", 4.605170185988092),
        ("log(100, 1)", math.inf),
        ("log(100, 0)", 0),
        ("log(0)", -math.inf),
        ("log(-1)", NAN),
        ("log()", NAN),
        ("round(2.4)", 2),
        ("round(2.5)", 3),
        ("round(-2.5)", -2),
        ("round(-0.4)", 0),
        ("round(0.49999999999999994)", 0),
        ("round(1.25, 1)", 1.3),
        ("round(2.345, 2)", 2.35),
        ("round(1.005, 2)", 1),
        ("round(1234.5, -2)", 1200),
        ("round(1.5, 400)", NAN),
        ("round(1.5, -400)", NAN),
        ("round(3.456, $null)", 3),
        ('round("3.5")', 4),
        ('round("x")', NAN),
        ('round(5.5, "x")', NAN),
        ("round(1 / 0)", math.inf),
        ("round()", NAN),
        ("roundToNearest(8, 5)", 10),
        ("roundToNearest(7.5, 5)", 10),
        ("roundToNearest(-7.5, 5)", -5),
        ("roundToNearest(1.24, 0.05)", 1.25),
        ("roundToNearest(0.3, 0.1)", 0.3),
        ("roundToNearest(10.3, 0.25)", 10.25),
        ('roundToNearest("7.3", "0.50")', 7.5),
        ("roundToNearest(5, 0)", NAN),
        ("roundToNearest(5)", NAN),
        ("roundToNearest(5, $yes)", NAN),
        ("roundToNearest(1 / 0, 5)", math.inf),
        ("trunc(1.9)", 1),
        ("trunc(-1.9)", -1),
        ("trunc(1.2399, 2)", 1.23),
        ("trunc(1299, -2)", 1200),
        ("trunc(1 / 0)", math.inf),
        ('trunc("x")', NAN),
    ],
)
def test_functions_of_numbers(text: str, value: Result) -> None:
    result = result_of(text)

    if value == NAN:
        assert isinstance(result, float)
        assert math.isnan(result)
    else:
        assert result == value


@pytest.mark.parametrize(
    ("text", "drawn", "value"),
    [
        ("random(1, 6)", 0.0, 1),
        ("random(1, 6)", 0.999999, 6),
        ("random(1, 6)", 0.5, 4),
        ("random(5, 1)", 0.0, 5),
        ("random(1.5, 1.5)", 0.3, 1.5),
        ('random("1", "6 sides")', 0.5, 4),
    ],
)
def test_random_is_drawn_evenly_from_both_ends_included(text: str, drawn: float, value: float) -> None:
    assert result_of(text, House(drawn=drawn)) == value


@pytest.mark.parametrize("text", ["random()", "random(1)", 'random("x", 1)', "random(1, 1 / 0)"])
def test_random_needs_two_numbers(text: str) -> None:
    assert result_of(f'"{{{text}}}"') == NAN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("timeFormat(8)", "08:00:00"),
        ("timeFormat(1.5)", "01:30:00"),
        ("timeFormat(12.3456)", "12:20:44"),
        ("timeFormat(0.00013889)", "00:00:01"),
        ("timeFormat(9.999999)", "10:00:00"),
        ("timeFormat(23.999999)", "24:00:00"),
        ("timeFormat(123.5)", "123:30:00"),
        ("timeFormat(-1.5)", "0-1:0-30:00"),
        ('timeFormat("1.5")', "01:30:00"),
        ('timeFormat("0x10")', "16:00:00"),
        ('timeFormat("2.5 h")', "02:NaN:NaN"),
        ('timeFormat("x")', "NaN:NaN:NaN"),
        ("timeFormat()", "NaN:NaN:NaN"),
        ("timeFormat($yes)", "NaN:NaN:NaN"),
        ("timeFormat($null)", "NaN:NaN:NaN"),
        ("timeFormat(1 / 0)", "NaN:NaN:NaN"),
    ],
)
def test_time_format_writes_hours_as_a_time(text: str, value: str) -> None:
    assert result_of(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("01:30:36", 1.51),
        ("1:30", 1.5),
        ("1:3", 1.05),
        ("1:", 1),
        ("1:30:", 1.5),
        ("22:30:00:59", 22.5),
        ("1:90", 2.5),
        ("+1: 6", 1.1),
        ("0x10:30", 16.5),
        ("-1:30", -0.5),
        ("12", NAN),
        ("", NAN),
        (":30", NAN),
        ("1:xx", NAN),
        ("x:30", NAN),
        ("1:30:xx", NAN),
        ("1:2:3", NAN),
    ],
)
def test_time_decimal_reads_a_time_as_hours(text: str, value: Result) -> None:
    result = result_of(f'timeDecimal("{text}")')

    assert result == value or (value == NAN and result_of(f'"{{timeDecimal("{text}")}}"') == NAN)


@pytest.mark.parametrize("text", ["timeDecimal()", "timeDecimal(12)", "timeDecimal($list)", "timeDecimal($null)"])
def test_time_decimal_needs_text(text: str) -> None:
    with pytest.raises(ExpressionError, match="as text"):
        result_of(text)


@pytest.mark.parametrize(
    ("mask", "written"),
    [
        ("YYYY-MM-DD hh:mm:ss", "2024-03-05 08:07:09"),
        ("YYYY YYY YY Y", "2024 2024 24 24"),
        ("MMMM MMM MM M", "March Mar 03 3"),
        ("DDDD DDD DD D", "Tuesday Tue 05 5"),
        ("hh h HH H A", "08 8 08 8 AM"),
        ("mm m ss s SS S", "07 7 09 9 042 42"),
        ("Q w W o", "1 2 10 2024"),
        ("u U", "1709622429 1709622429042"),
        ("Z ZZ ZZZ ZZZZ", "+01 +01 +01:00 +0100"),
        ("UTC:hh:mm Z", "07:07 Z"),
        ("iso", "2024-03-05T07:07:09Z"),
        ("default", "Tue Mar 05 2024 08:07:09"),
        ("", "Tue Mar 05 2024 08:07:09"),
        ("'at' hh 'o''clock'", "at 08 oclock"),
        ("at hx", "at 8x"),
    ],
)
def test_date_writes_now_by_a_mask(mask: str, written: str) -> None:
    assert result_of(f'date("{mask}")') == written


def test_date_without_mask_writes_date_and_time() -> None:
    assert result_of("date()") == "2024-03-05 08:07:09"
    assert result_of("date($null)") == "2024-03-05 08:07:09"


def test_quotes_in_a_mask_may_be_double() -> None:
    assert result_of(r'date("\"Mind the\" D")') == "Mind the 5"


@pytest.mark.parametrize(
    ("house", "mask", "written"),
    [
        (utc(2024, 1, 1, 0, 5), "HH:mm A", "12:05 AM"),
        (utc(2024, 1, 1, 12, 5), "H:mm A", "12:05 PM"),
        (utc(2024, 1, 1, 23, 5), "H:mm A", "11:05 PM"),
        (utc(2021, 1, 3), "o W w", "2020 53 7"),
        (utc(2024, 12, 30), "o W w Q", "2025 1 1 4"),
        (utc(2024, 1, 1), "Z ZZ", "Z Z"),
        (House(zone=ZoneInfo("Asia/Kolkata")), "Z ZZ ZZZ ZZZZ", "+05:30 +0530 +05:30 +0530"),
        (House(zone=ZoneInfo("America/St_Johns")), "Z ZZ ZZZ ZZZZ", "-03:30 -0330 -03:30 -0330"),
        (House(at=datetime(99, 1, 1, tzinfo=UTC), zone=UTC), "YYYY YY Y", "99 99 99"),
        (House(at=datetime(1969, 12, 31, 23, 59, 58, 500_000, tzinfo=UTC), zone=UTC), "s S u U", "58 500 -2 -1500"),
    ],
)
def test_date_masks_at_other_times_and_places(house: House, mask: str, written: str) -> None:
    assert result_of(f'date("{mask}")', house) == written


def test_date_needs_its_mask_as_text() -> None:
    with pytest.raises(ExpressionError, match="as text"):
        result_of("date(5)")


@pytest.mark.parametrize("seconds", [1e18, -1e18, math.inf, math.nan, 253402300799.0])
def test_date_outside_of_the_calendar_is_an_error(seconds: float) -> None:
    class Lost(House):
        def now(self) -> float:
            return seconds

    with pytest.raises(ExpressionError, match="years 1 to 9999"):
        result_of("date()", Lost())


DAY = 86_400_000


@pytest.mark.parametrize(
    ("end", "milliseconds"),
    [
        ("2020-01-02", DAY),
        ("2020-01", 0),
        ("2020", 0),
        ("2020-02-30", 60 * DAY),
        ("2020-01-01T00:00:00.250Z", 250),
        ("2020-01-01t10:00z", 36_000_000),
        ("2020-01-01T10:00:00+02:00", 28_800_000),
        ("2020-01-01T10:00:00-0530", 55_800_000),
        ("2020-01-01T24:00:00Z", DAY),
        ("2020-01-02T10:00:00.123456Z", DAY + 36_000_123),
        ("1/2/2020 00:00 UTC", DAY),
        ("1/2/20 00:00 UTC", DAY),
        ("2020/1/2 0:00 Z", DAY),
        ("2020-1-2 00:00+0000", DAY),
        ("Jan 2, 2020 12:00 AM GMT", DAY),
        ("January 2, 2020 12:00 PM GMT", DAY * 3 // 2),
        ("2 Jan 2020 1:02:03.5 UT", DAY + 3_723_500),
        ("2-Jan-2020 00:00 EST", DAY + 18_000_000),
        ("2-Jan-2020 00:00 pdt", DAY + 25_200_000),
        ("Thu, 02 Jan 2020 00:00:00 GMT", DAY),
        ("Thu Jan 02 2020 01:00:00 GMT+0100 (CET)", DAY),
        ("00:00 GMT-2 2020 Jan 2", DAY + 7_200_000),
        ("00:00 +02:30 2020 Jan 2", DAY - 9_000_000),
        ("1/2/2020 (or so) 0:00 Z", DAY),
        ("2/31/2020 0:00 Z", 61 * DAY),
        ("1 Jan 2020 0:00 Z", 0),
        ("on Jan1, 2020 0:00 Z", 0),
        ("31 Jan 2020 0:00 Z", 30 * DAY),
        ("2020 Jan 1 0:00 Z", 0),
    ],
)
def test_diff_date_reads_dates_in_many_forms(end: str, milliseconds: int) -> None:
    assert result_of(f'diffDate("2020-01-01", "{end}")') == milliseconds


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2020-01-01T00:00Z", "2020-01-01T00:00", -1),
        ("2020-01-01T00:00Z", "1/1/2020", -1),
        ("2020-01-01T00:00Z", "2020-01-01", 0),
        ("2021-03-28T01:30", "2021-03-28T03:30", 1),
        ("2021-03-28T02:30", "2021-03-28T03:30", 0),
        ("2021-10-31T01:30", "2021-10-31T02:30", 1),
        ("2021-10-31T02:30", "2021-10-31T03:30", 2),
    ],
)
def test_dates_without_zone_are_local_but_a_date_alone_is_utc(start: str, end: str, hours: int) -> None:
    assert result_of(f'diffDate("{start}", "{end}", "hours")') == hours


@pytest.mark.parametrize(
    ("end", "year"),
    [("1/1/49", 2049), ("1/1/50", 1950), ("1/1/99", 1999), ("5/1", 2001), ("Jan 1", 2001), ("32", 2032), ("0", 2000)],
)
def test_short_years_are_of_1950_to_2049(end: str, year: int) -> None:
    house = House(zone=UTC)
    start = f"{year}-05-01" if end == "5/1" else f"{year}-01-01"

    assert result_of(f'diffDate("{start}", "{end}")', house) == 0


@pytest.mark.parametrize(
    "end",
    [
        "",
        "x",
        "tomorrow",
        "10:00",
        "2020-13-01",
        "2020-01-32",
        "2020-00-01",
        "2020-01-01T25:00",
        "2020-01-01T24:00:01",
        "2020-01-01 12:60",
        "2020-01-01T12:00:60Z",
        "2020-01-01T1:00",
        "2020-01-01T10:00:00+05",
        "2020-01-01T10:00:00+99:00",
        "2020-01-01-02",
        "13/1/2020",
        "1/0/2020",
        "20200102",
        "1577923200000",
        "1 2 3 4",
        "foo 2, 2020",
        "x2020",
        "Jan 2, 2020 foo",
        "Jan 2, 2020 10:00 CET",
        "Jan 2, 2020 13:00 PM",
        "Jan 2, 2020 5 PM",
        "Jan 2, 2020 5:00PM",
        "12/31/99999",
        "0000-01-01",
        "1/1/2020 " + " " * 100,
    ],
)
def test_what_is_no_date_gives_nan(end: str) -> None:
    assert result_of(f'"{{diffDate("2020-01-01", "{end}")}}"') == NAN
    assert result_of(f'"{{diffDate("{end}", "2020-01-01")}}"') == NAN


@pytest.mark.parametrize(
    ("unit", "difference"),
    [
        ('"milliseconds"', 129_600_000),
        ('"seconds"', 129_600),
        ('"minutes"', 2_160),
        ('"hours"', 36),
        ('"days"', 1.5),
        ('"weeks"', 129_600_000),
        ('"Days"', 129_600_000),
        ("$null", 129_600_000),
        ("5", 129_600_000),
    ],
)
def test_diff_date_in_units(unit: str, difference: float) -> None:
    assert result_of(f'diffDate("2020-01-01T00:00Z", "2020-01-02T12:00Z", {unit})') == difference


def test_diff_date_of_numbers_reads_them_as_text() -> None:
    assert result_of('diffDate("2032-01-01", 32, "days")', House(zone=UTC)) == 0
    assert result_of('"{diffDate()}"') == NAN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('formatNumber(1234.567, 1, "W")', "1234.6W"),
        ('formatNumber(-1234.567, 0, "W")', "-1235W"),
        ('formatNumber(5, 2, "")', "5.00"),
        ('formatNumber(5.55, $null, "W")', "5.55W"),
        ('formatNumber(1.005, 2, "")', "1.00"),
        ('formatNumber(2.5, 0, "")', "3"),
        ('formatNumber(-2.5, 0, "")', "-3"),
        ('formatNumber(-0.001, 2, "")', "-0.00"),
        ('formatNumber(100000000000000000000000, 2, "")', "1e+23"),
        ('formatNumber("5", "1", 7)', "5.07"),
        ('formatNumber("x", 1, "W")', "NaNW"),
        ('formatNumber(1 / 0, 1, "W")', "InfinityW"),
        ('formatNumber(5, "x", "W")', "5W"),
        ("formatNumber(5, 1, $yes)", "5.0true"),
        ("formatNumber(12)", "12null"),
        ("formatNumber(12, 1)", "12.0null"),
        ("formatNumber(0)", "0null"),
        ("formatNumber(999.9)", "999.9null"),
        ("formatNumber(1000)", "1knull"),
        ("formatNumber(1234567, 3)", "1.235Mnull"),
        ("formatNumber(0.95)", "949.9999999999999mnull"),
        ("formatNumber(0.0009)", "900µnull"),
        ("formatNumber(1000000000000000000000000000)", "1000Ynull"),
        ("formatNumber(-1500)", "-1.5e+27ynull"),
        ("formatNumber(1 / 0)", "InfinityYnull"),
        ("formatNumber($n)", "10"),
        ("formatNumber($watt)", "100W"),
        ("formatNumber($watt * 15, 2)", "1.50kW"),
        ("formatNumber($watt / $hour / 100)", "500mW/h"),
        ("formatNumber(min($watt))", "100"),
    ],
)
def test_format_number(text: str, value: str) -> None:
    assert result_of(text) == value


@pytest.mark.parametrize(
    "text", ["formatNumber()", 'formatNumber("5")', "formatNumber($yes)", "formatNumber($null)", "formatNumber(0 / 0)"]
)
def test_format_number_without_unit_needs_a_number(text: str) -> None:
    with pytest.raises(ExpressionError, match="needs a number"):
        result_of(text)


@pytest.mark.parametrize("decimals", ["-1", "101", "1 / 0", "-1 / 0"])
def test_format_number_writes_at_most_100_decimals(decimals: str) -> None:
    with pytest.raises(ExpressionError, match="0 to 100 decimals"):
        result_of(f'formatNumber(5, {decimals}, "W")')
    assert result_of('formatNumber(5, 100, "")') == "5." + "0" * 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("hexString(0)", "0"),
        ("hexString(255)", "FF"),
        ("hexString(-1)", "FFFFFFFF"),
        ("hexString(-4294967297)", "FFFFFFFF"),
        ("hexString(-1.5)", "FFFFFFFF"),
        ("hexString(1.5)", "1.8"),
        ("hexString(0.1)", "0.1999999999999A"),
        ("hexString(1234.5678)", "4D2.915B573EAB4"),
        ("hexString(0.000000001)", "0.000000044B82FA09B5A54"),
        ("hexString(100000000000000000000000)", "152D02C7E14AF6000000"),
        ("hexString(255, 4)", "00FF"),
        ("hexString(255, 1)", "FF"),
        ("hexString(255, -1)", "FF"),
        ("hexString(255, 1.5)", "FF"),
        ("hexString(255, 1000000)", "00000000FF"),
        ('hexString(255, "x")', "FF"),
        ('hexString(255, 4, "0x")', "0x00FF"),
        ("hexString(255, 0, 5)", "5FF"),
        ("hexString(255, 2, $null)", "FF"),
        ('hexString("255")', "FF"),
        ('hexString("")', "0"),
        ('hexString("x")', "NAN"),
        ("hexString()", "NAN"),
        ("hexString(1 / 0)", "INFINITY"),
        ("hexString(-1 / 0)", "0"),
    ],
)
def test_hex_string(text: str, value: str) -> None:
    assert result_of(text) == value


def test_hex_string_needs_a_whole_number_of_digits() -> None:
    with pytest.raises(ExpressionError, match="whole number"):
        result_of("hexString(255, 4.5)")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('subString("$word world", "o.*o")', "o wo"),
        ('subString("hello", "l+")', "ll"),
        ('subString("hello", "x")', ""),
        ('subString("a1b2", "[0-9]")', "1"),
        ('subString("a1b2", "[0-9]", "g")', "12"),
        ('subString("a1b2", "([a-z])([0-9])")', "a1"),
        ('subString("a1b2", "([a-z])([0-9])", "g")', "a1b2"),
        ('subString("ab", "(x)?(a)b")', "ab"),
        ('subString("ab", "(a)(x)?b")', "a"),
        ('subString("ab", "()a")', ""),
        ('subString("Hello", "hello")', ""),
        ('subString("Hello", "hello", "i")', "Hello"),
        ('subString("a,b", ",")', ","),
        ('subString("abc")', ""),
        ('subString("a3c", 3)', "3"),
        ('subString("a null", $null)', "null"),
        (r'subString("aaab", "a\{2\}b")', "aab"),
    ],
)
def test_sub_string(text: str, value: str) -> None:
    assert result_of(text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("subString()", "needs text"),
        ('subString(12345, "3")', "needs text"),
        ('subString($list, "3")', "needs text"),
        ('subString("abc", "[")', "never closed"),
        ('subString("abc", "a", "zz")', "flags"),
        ('subString("abc", "a", "gg")', "flags"),
        ('subString("abc", "a", $null)', "flags"),
    ],
)
def test_sub_string_refuses_what_it_cannot_search(text: str, told: str) -> None:
    with pytest.raises(ExpressionError, match=told):
        result_of(text)


def test_all_patterns_of_an_expression_share_one_allowance() -> None:
    house = House(values={"x": "a" * 15_000})
    once = 'subString("$x", "b")'

    assert result_of(once, house) == ""
    with pytest.raises(ExpressionError, match="steps"):
        result_of(f"min({', '.join([once] * 5)})", house)
