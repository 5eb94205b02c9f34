"""Arithmetic that never fails: where Python raises, JavaScript has an infinity or NaN, and so have we.

It must not know values other than numbers.
"""

from __future__ import annotations

import math


def divide(dividend: float, divisor: float) -> float:
    """JavaScript's division: by zero it gives an infinity, 0 / 0 is NaN."""
    if divisor != 0:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def power(base: float, exponent: float) -> float:
    """JavaScript's power: too large is infinite, a root of a negative number NaN, and 1 to the infinite NaN."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.inf if base == 0 else math.nan


def round_half_up(number: float) -> float:
    """The nearest whole number; halves go up: 2.5 → 3, -2.5 → -2."""
    if not math.isfinite(number):
        return number
    below = float(math.floor(number))
    rounded = below + 1.0 if number - below >= 0.5 else below  # noqa: PLR2004 - a half
    return math.copysign(rounded, number)
