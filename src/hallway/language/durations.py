"""How long: `5 seconds`, `$n * 2 minutes`, as they stand after `for`, `after` and `every`.

It must not know what happens in the meantime.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.home.values import Attributes
from hallway.language.coercion import to_number
from hallway.language.evaluation import ExpressionError, Scope
from hallway.language.expressions import Expression
from hallway.language.hints import element
from hallway.language.matching import Reader
from hallway.language.words import words

_DAY = 86_400.0

SECONDS_OF: Final[Mapping[str, float]] = MappingProxyType(
    {
        "ms": 0.001,
        **dict.fromkeys(("second", "seconds", "s"), 1.0),
        **dict.fromkeys(("minute", "minutes", "m"), 60.0),
        **dict.fromkeys(("hour", "hours", "h"), 3_600.0),
        **dict.fromkeys(("day", "days", "d"), _DAY),
        **dict.fromkeys(("year", "years", "y"), 365 * _DAY),
    }
)
UNITS: Final = words(*(f" {unit}" for unit in SECONDS_OF), also=SECONDS_OF, element="select")


class Duration(msgspec.Struct, frozen=True):
    """A length of time: an amount, which may depend on variables, and its unit."""

    text: str
    amount: Expression
    unit: str

    def seconds(self, scope: Scope) -> float:
        """How long it is now; ExpressionError when the amount is no number, or less than nothing."""
        amount = to_number(self.amount.evaluate(scope))
        seconds = amount * SECONDS_OF[self.unit]
        if not 0 <= seconds < math.inf:
            raise ExpressionError(f"{self.text} is no length of time: {self.amount.text} is not a number from 0 on")
        return seconds

    def as_json(self) -> Attributes:
        """As pimatic shows it."""
        return {"token": self.text, "exprTokens": list(self.amount.tokens), "unit": self.unit}


def read_duration(reader: Reader) -> Duration | None:
    """An amount that is reckoned, and a unit."""
    start = reader.mark()
    amount = reader.expression("number")
    unit = reader.take(UNITS) if amount else None
    if amount is None or unit is None:
        reader.back(start)
        return None
    return Duration(reader.since(start), amount, unit.strip())


def usual_elements(intro: str) -> list[Attributes]:
    """How a form shows a duration that is not given yet."""
    return [
        element(intro, [intro], kind="static"),
        {"type": "text", "match": "5", "wildcard": "{expr}"},
        element(" minutes", UNITS.options(" minutes"), kind="select"),
    ]
