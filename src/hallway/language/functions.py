"""The functions of expressions, each declared once: name, parameters, what it does, how.

Arguments come as values; what a function makes of a missing or odd one is what pimatic made of it (mostly NaN).
It must not know how expressions are written.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.language import dates
from hallway.language.arithmetic import divide, power, round_half_up
from hallway.language.coercion import (
    MAX_FIXED_DIGITS,
    fixed,
    leading_integer,
    leading_number,
    number_text,
    tidy,
    to_number,
    to_text,
)
from hallway.language.evaluation import MAX_RESULT, UNDEFINED, ExpressionError, Result, Run
from hallway.language.pattern_matching import compile_pattern


class Given(msgspec.Struct, frozen=True):
    """The arguments of one call. A missing argument is undefined; null counts as missing where a default exists."""

    run: Run
    values: tuple[Result, ...]
    unit: Callable[[], str | None]
    """Finds the unit of the first argument; None when it has none."""

    def value(self, index: int) -> Result:
        return self.values[index] if index < len(self.values) else UNDEFINED

    def has(self, index: int) -> bool:
        return self.value(index) not in (None, UNDEFINED)

    def number(self, index: int, default: float = math.nan) -> float:
        """The argument as a number; a default other than NaN also stands in for null."""
        if self.has(index) or math.isnan(default):
            return to_number(self.value(index))
        return default

    def text(self, index: int) -> str:
        text = to_text(self.value(index), MAX_RESULT)
        self.run.spend_characters(len(text))
        return text


Implementation = Callable[[Given], Result]


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: its name, whether it may be left out, whether any number of arguments may follow."""

    name: str
    optional: bool = False
    repeated: bool = False

    def __str__(self) -> str:
        shown = f"{self.name}, …" if self.repeated else self.name
        return f"[{shown}]" if self.optional else shown


class Function(msgspec.Struct, frozen=True):
    """A function of the language; `doc` is one sentence for people."""

    name: str
    parameters: tuple[Parameter, ...]
    doc: str
    run: Implementation

    @property
    def signature(self) -> str:
        """`round(value, [decimals])`."""
        return f"{self.name}({', '.join(map(str, self.parameters))})"


def _function(name: str, parameters: str, doc: str, run: Implementation) -> Function:
    """Parameters as one word each, `?` after those that may be left out, `*` after the one that repeats."""
    declared = (Parameter(word.rstrip("?*"), "?" in word, "*" in word) for word in parameters.split())
    return Function(name, tuple(declared), doc, run)


def _natural_logarithm(number: float) -> float:
    if number == 0:
        return -math.inf
    return math.log(number) if number > 0 else math.nan


def _of_one_number(calculate: Callable[[float], float]) -> Implementation:
    """A function of one number; NaN where the calculation has no result."""

    def run(given: Given) -> Result:
        try:
            return calculate(given.number(0))
        except ValueError:
            return math.nan

    return run


def _extreme(choose: Callable[[float, float], float]) -> Implementation:
    """min and max: nothing of nothing, NaN as soon as one argument is no number."""

    def of_two(one: float, other: float) -> float:
        return math.nan if math.isnan(one) or math.isnan(other) else choose(one, other)

    def run(given: Given) -> Result:
        if not given.values:
            return UNDEFINED
        return functools.reduce(of_two, map(leading_number, given.values))

    return run


def _average(given: Given) -> Result:
    total = functools.reduce(operator.add, map(leading_number, given.values), 0.0)
    return divide(total, len(given.values))


def _random(given: Given) -> Result:
    low, high = leading_number(given.value(0)), leading_number(given.value(1))
    drawn = given.run.scope.random() * (high + 1 - low)
    return math.floor(drawn) + low if math.isfinite(drawn) else math.nan


def _pow(given: Given) -> Result:
    return power(given.number(0), given.number(1, default=2))


def _sign(number: float) -> float:
    return number if number == 0 or math.isnan(number) else math.copysign(1, number)


def _log(given: Given) -> Result:
    logarithm = _natural_logarithm(given.number(0))
    return divide(logarithm, _natural_logarithm(given.number(1))) if given.has(1) else logarithm


def _to_decimals(cut: Callable[[float], float]) -> Implementation:
    """round and trunc: shift the decimal point, cut, shift it back."""

    def run(given: Given) -> Result:
        factor = power(10, given.number(1, default=0))
        return divide(cut(given.number(0) * factor), factor)

    return run


def _cut_off(number: float) -> float:
    return float(math.trunc(number)) if math.isfinite(number) else number


def _round_to_nearest(given: Given) -> Result:
    written = to_text(given.value(1), MAX_RESULT)
    step = to_number(written)
    nearest = round_half_up(divide(given.number(0), step)) * step
    if not math.isfinite(nearest):
        return nearest
    # As many decimals as the step is written with hide the noise of the multiplication (3 * 0.1).
    decimals = len(written[written.find(".") + 1 :]) if math.fmod(step, 1) else 0
    return float(fixed(nearest, min(decimals, MAX_FIXED_DIGITS)))


def _two_digits(number: float) -> str:
    return f"0{number_text(number)}" if number < 10 else number_text(number)  # noqa: PLR2004 - one digit


def _time_format(given: Given) -> Result:
    hours = leading_integer(given.value(0))
    past_the_hour = (given.number(0) - hours) * 60
    if not math.isfinite(past_the_hour):
        return f"{_two_digits(hours)}:NaN:NaN"
    minutes = float(math.floor(past_the_hour))
    seconds = round_half_up(math.fmod(past_the_hour, 1) * 60)
    if seconds == 60:  # noqa: PLR2004 - a full minute
        minutes, seconds = minutes + 1, 0.0
    if minutes == 60:  # noqa: PLR2004 - a full hour
        hours, minutes = hours + 1, 0.0
    return ":".join(map(_two_digits, (hours, minutes, seconds)))


def _time_decimal(given: Given) -> Result:
    time = given.value(0)
    if not isinstance(time, str):
        raise ExpressionError('timeDecimal needs a time as text, as in timeDecimal("08:30")')
    colon = time.find(":")
    if colon < 0:
        return math.nan
    minutes, seconds = time[colon + 1 : colon + 3], time[colon + 4 : colon + 6]
    return leading_integer(time[:colon]) + to_number(minutes) / 60 + to_number(seconds) / 3600


def _date(given: Given) -> Result:
    mask = given.value(0)
    if not given.has(0):
        mask = dates.USUAL_MASK
    if not isinstance(mask, str):
        raise ExpressionError('date needs its mask as text, as in date("YYYY-MM-DD")')
    scope = given.run.scope
    given.run.spend_characters(2 * len(mask))
    try:
        return dates.write_date(scope.now(), scope.time_zone(), mask)
    except (ValueError, OverflowError, OSError):
        raise ExpressionError("the clock shows a time outside of the years 1 to 9999") from None


_SECONDS: Final[Mapping[str, float]] = MappingProxyType(
    {"milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
)


def _diff_date(given: Given) -> Result:
    zone = given.run.scope.time_zone()
    start, end = (dates.read_date(given.text(index), zone) for index in (0, 1))
    if math.isnan(start) or math.isnan(end):
        return math.nan
    milliseconds = round(end * 1000) - round(start * 1000)
    unit = given.value(2)
    size = _SECONDS.get(unit, 0.001) if isinstance(unit, str) else 0.001
    return milliseconds / round(size * 1000)


_PREFIXES: Final = ("y", "z", "a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y")
_NO_PREFIX: Final = _PREFIXES.index("")


def _format_number(given: Given) -> Result:
    if given.has(2):
        return f"{_with_decimals(given.number(0), given)}{given.text(2)}"
    value = given.value(0)
    number = to_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(number):
        raise ExpressionError("formatNumber needs a number as its first argument")
    size = _size_of(number)
    # Dividing by 1000, not multiplying by 0.001, gives the digits that people know from pimatic.
    scale = 1000.0**size if size >= 0 else 1 / 1000.0**-size
    unit = given.unit()
    return f"{_with_decimals(number / scale, given)}{_PREFIXES[_NO_PREFIX + size]}{to_text(unit)}"


def _size_of(number: float) -> int:
    """How many thousands: 1500 → 1, 0.5 → -1. Negative numbers always count as the smallest."""
    if number == 0:
        return 0
    if number < 0:
        return -_NO_PREFIX
    largest = len(_PREFIXES) - 1 - _NO_PREFIX
    return next((size for size in range(largest, -_NO_PREFIX, -1) if number >= power(1000, size)), -_NO_PREFIX)


def _with_decimals(number: float, given: Given) -> str:
    if not given.has(1):
        return number_text(number)
    wanted = given.number(1)
    digits = 0 if math.isnan(wanted) else wanted
    if not -1 < digits < MAX_FIXED_DIGITS + 1:
        raise ExpressionError(f"formatNumber can write 0 to {MAX_FIXED_DIGITS} decimals")
    return fixed(number, int(digits))


_WIDEST_HEX: Final = 10


def _hex_string(given: Given) -> Result:
    digits = _hexadecimal(given.number(0))
    width = given.number(1, default=0)
    if not math.isnan(width):
        width = min(width, _WIDEST_HEX)
        if width > len(digits) and width != math.floor(width):
            raise ExpressionError("hexString needs a whole number of digits")
        digits = digits.rjust(int(max(width, 0)), "0")
    prefix = given.text(2) if given.has(2) else ""
    return prefix + digits


def _hexadecimal(number: float) -> str:
    """Hexadecimal digits in capitals, fractions too; negative numbers as 32 bits."""
    if math.isnan(number) or number == math.inf:
        return number_text(number).upper()
    if number < 0:
        number = math.trunc(number) % 2**32 if math.isfinite(number) else 0
    dividend, divisor = number.as_integer_ratio()
    whole, rest = divmod(dividend, divisor)
    if not rest:
        return f"{whole:X}"
    width = -(-(divisor.bit_length() - 1) // 4)
    fraction = f"{(rest << 4 * width) // divisor:0{width}X}".rstrip("0")
    return f"{whole:X}.{fraction}"


def _sub_string(given: Given) -> Result:
    text = given.value(0)
    if not isinstance(text, str):
        raise ExpressionError('subString needs text to search in; write "$name" to make a text of a number')
    pattern = given.text(1) if given.value(1) is not UNDEFINED else ""
    flags = given.text(2) if given.value(2) is not UNDEFINED else ""
    found = compile_pattern(pattern, flags)
    matches = found.matches(text, given.run)
    if not matches:
        return ""
    if found.everywhere:
        return "".join(match[0] or "" for match in matches)
    whole, *groups = matches[0]
    return whole if not groups or groups[0] is None else "".join(group or "" for group in groups)


_DECLARED: Final = (
    _function("min", "number*?", "the smallest of the numbers", _extreme(min)),
    _function("max", "number*?", "the largest of the numbers", _extreme(max)),
    _function("avg", "number*?", "the mean of the numbers", _average),
    _function("random", "min max", "a random number, min and max included", _random),
    _function("pow", "base exponent?", "base to the power of exponent; without exponent its square", _pow),
    _function("abs", "x", "the number without its sign", _of_one_number(abs)),
    _function("sign", "x", "-1, 0 or 1", _of_one_number(_sign)),
    _function("sqrt", "x", "the square root", _of_one_number(math.sqrt)),
    _function("cos", "x", "the cosine of the angle x in radians", _of_one_number(math.cos)),
    _function("acos", "x", "the angle in radians whose cosine it is", _of_one_number(math.acos)),
    _function("log", "x base?", "the logarithm to the base; without base the natural one", _log),
    _function(
        "round", "number decimals?", "the nearest number with that many decimals (0)", _to_decimals(round_half_up)
    ),
    _function("roundToNearest", "number steps", "the nearest multiple of steps", _round_to_nearest),
    _function("trunc", "number decimals?", "the number cut off after that many decimals (0)", _to_decimals(_cut_off)),
    _function("timeFormat", "number", "hours with decimals as hh:mm:ss", _time_format),
    _function("timeDecimal", "time", "hh:mm:ss or hh:mm as hours with decimals", _time_decimal),
    _function("date", "format?", "the date and time now, written by the format", _date),
    _function(
        "diffDate",
        "startDate endDate format?",
        "the time from start to end in milliseconds, or in the unit that format names",
        _diff_date,
    ),
    _function(
        "formatNumber",
        "number decimals? unit?",
        "the number with the unit; without unit, with a prefix such as k and the unit it has itself",
        _format_number,
    ),
    _function(
        "hexString", "number padding? prefix?", "the number in hexadecimal, at least that many digits", _hex_string
    ),
    _function(
        "subString",
        "string expression flags?",
        "what the regular expression finds in the text (its groups, if it has any); with flag g everywhere",
        _sub_string,
    ),
)

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType({each.name: each for each in _DECLARED})
"""All functions by name."""


def call(function: Function, given: Given) -> Result:
    """The result of a function; whole numbers are ints."""
    result = function.run(given)
    return tidy(result) if isinstance(result, int | float) and not isinstance(result, bool) else result
