"""How values compare in conditions: as in pimatic, a number is never equal to a text, and only numbers have an order.

It must not know where the values come from.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from hallway.errors import InvalidInput
from hallway.home.values import Value
from hallway.language.coercion import to_number, to_text
from hallway.language.conditions import Comparator
from hallway.language.evaluation import UNDEFINED, Result

_SHOWN: Final = 40
_NUMBERS: Final = frozenset({int, float})
_COMPARE: Final[Mapping[Comparator, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)


def is_number(value: Result) -> bool:
    """Whether it is a number that has its place among others."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def equal(left: Result, right: Result) -> bool:
    """Whether they are the same value of the same kind: 5 is 5.0, but neither "5" nor true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return type(left) is type(right) and left == right


def holds(left: Result, comparator: Comparator, right: Result) -> bool:
    """Whether left compares so with right. InvalidInput: it asks for an order that these values do not have.

    What has no value yet is neither less nor more than anything.
    """
    if type(left) in _NUMBERS and type(right) in _NUMBERS:  # most are, and a thousand rules may ask at once
        return _COMPARE[comparator](left, right)
    if comparator == "==":
        return equal(left, right)
    if comparator == "!=":
        return not equal(left, right)
    nothing = (None, UNDEFINED)
    if left in nothing or right in nothing:
        return False
    return _COMPARE[comparator](_number(left, comparator), _number(right, comparator))


def holds_quietly(left: Result, comparator: Comparator, right: Result) -> bool:
    """As `holds`, but what has no order is in none."""
    if comparator not in {"==", "!="} and not (is_number(left) and is_number(right)):
        return False
    return holds(left, comparator, right)


def _number(value: Result, comparator: Comparator) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"“{to_text(value)[:_SHOWN]}” is not a number, so nobody can say whether it is {comparator}")
    return value


def above(value: Value, other: Value) -> bool:
    """Whether a value went up from the other: texts by the alphabet, all else as numbers; null counts as 0."""
    if isinstance(value, str) and isinstance(other, str):
        return value > other
    return to_number(value) > to_number(other)
