"""Numbers and texts as JavaScript turns them into each other, since pimatic's expressions were written for its rules.

The one place that formats a number (5.0 is `5`, 1e21 is `1e+21`) and that reads one out of a text.
It must not know expressions or functions.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from hallway.home.values import Value
from hallway.language.evaluation import Result

_SPACES: Final = (
    "\t\n\v\f\r \xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DECIMAL: Final = r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_WHOLE_DECIMAL: Final = re.compile(_DECIMAL)
_RADIX: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_INTEGER: Final = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))")
_EXACT: Final = Context(prec=200)
_PLAIN_DIGITS: Final = 21
_PLAIN_ZEROS: Final = 6
_SAFE_INTEGER: Final = 2**53
_AS_IN_PYTHON: Final = (1e-4, 1e16)
"""From here to there Python writes a number as JavaScript does, but for the `.0` of a whole one."""
MAX_FIXED_DIGITS: Final = 100


def as_float(number: float) -> float:
    """An int or float as a double; integers beyond its range become infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def number_text(number: float) -> str:
    """A number as JavaScript writes it: `5`, `0.1`, `1e+21`, `NaN`, `Infinity`."""
    number = as_float(number)
    if _AS_IN_PYTHON[0] <= abs(number) < _AS_IN_PYTHON[1]:
        return repr(number).removesuffix(".0")
    sign = "-" if number < 0 else ""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else f"{sign}Infinity"
    if number == 0:
        return "0"
    _, digit_tuple, exponent = Decimal(repr(abs(number))).as_tuple()
    digits = "".join(map(str, digit_tuple)).rstrip("0")
    return sign + _placed(digits, len(digit_tuple) + int(exponent))


def _placed(digits: str, point: int) -> str:
    """Significant digits with the decimal point after so many of them, or with an exponent."""
    if len(digits) <= point <= _PLAIN_DIGITS:
        return digits.ljust(point, "0")
    if 0 < point <= _PLAIN_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_PLAIN_ZEROS < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def tidy(number: float) -> int | float:
    """A whole number below 1e21 as int (5.0 → 5, -0.0 → 0), anything else unchanged."""
    if -_SAFE_INTEGER < number < _SAFE_INTEGER:
        whole = int(number)
        return whole if whole == number else number
    if not math.isfinite(number):
        return number
    text = number_text(number)
    return number if "e" in text else int(text)


def fixed(number: float, digits: int) -> str:
    """A number with exactly that many decimals (0 to 100); from 1e21 on, and if not finite, like number_text."""
    if not math.isfinite(number) or abs(number) >= 1e21:  # noqa: PLR2004 - where JavaScript changes over
        return number_text(number)
    rounded = Decimal(abs(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _EXACT)
    return f"{'-' if number < 0 else ''}{rounded:f}"


def to_number(value: Result) -> float:
    """A whole value as a number: null and "" are 0, true is 1, "0x10" is 16, text that is no number is NaN."""
    match value:
        case None | False:
            return 0.0
        case True:
            return 1.0
        case int() | float():
            return as_float(value)
        case str():
            return _number_of_text(value)
        case list():
            return _number_of_list(value)
        case _:
            return math.nan


def _number_of_text(text: str) -> float:
    text = text.strip(_SPACES)
    if not text:
        return 0.0
    if _WHOLE_DECIMAL.fullmatch(text):
        return float(text)
    if _RADIX.fullmatch(text):
        return as_float(int(text, 0))
    return math.nan


def _number_of_list(items: Value) -> float:
    while isinstance(items, list):
        if len(items) > 1:
            return math.nan
        items = items[0] if items else None
    if isinstance(items, bool):
        return math.nan
    return to_number(items)


def leading_number(value: Result) -> float:
    """The number with which a value begins ("12abc" → 12); NaN if it begins with none, as null and true do."""
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        found = _WHOLE_DECIMAL.match(value.lstrip(_SPACES))
        return float(found[0]) if found else math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return as_float(value)


def leading_integer(value: Result) -> float:
    """The whole number with which the text of a value begins, NaN if it begins with none."""
    while isinstance(value, list):
        value = value[0] if value else ""
    found = _INTEGER.match(to_text(value).lstrip(_SPACES))
    if not found:
        return math.nan
    sign, hexadecimal, decimal = found.groups()
    size = as_float(int(hexadecimal, 16)) if hexadecimal else float(decimal)
    return -size if sign == "-" else size


def to_text(value: Result, limit: int | None = None) -> str:
    """A value as it reads inside a text: `true`, `null`, `undefined`, `1,2` for a list, `[object Object]`.

    With a limit, a list's text may be cut anywhere beyond that length: enough to see that it is too long.
    """
    match value:
        case str():
            text = value
        case bool() | None:
            text = {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            text = number_text(value)
        case list():
            text = _list_text(value, limit)
        case dict():
            text = "[object Object]"
        case _:
            text = value.value
    return text


def _list_text(items: list[Value], limit: int | None) -> str:
    parts: list[str] = []
    length = 0
    for item in items:
        part = "" if item is None else to_text(item, limit)
        parts.append(part)
        length += len(part) + 1
        if limit is not None and length > limit + 1:
            break
    return ",".join(parts)
