"""What the parts of an expression share while it is evaluated: where names come from, what it may cost, how it fails.

It must not know the grammar or the functions. Nothing here reads a clock: what an expression may cost is counted in
characters and steps, so the same expression on the same home always ends the same way.
"""

from __future__ import annotations

import enum
from datetime import tzinfo
from typing import Protocol

from hallway.errors import HallwayError
from hallway.home.values import Value

MAX_RESULT = 262_144
MAX_UNIT = 255
MAX_PATTERN_STEPS = 100_000


class ExpressionError(HallwayError):
    """An expression that cannot be read or evaluated.

    `position` counts characters from 0, None where it has none; `reason` is the message without it.
    """

    code = "expression"

    def __init__(self, message: str, position: int | None = None) -> None:
        where = "" if position is None else f"at character {position + 1}: "
        super().__init__(f"{where}{message}")
        self.reason = message
        self.position = position


class Undefined(enum.Enum):
    """The value of what has never had one: not null, and written `undefined` inside texts."""

    UNDEFINED = "undefined"


UNDEFINED = Undefined.UNDEFINED
Result = Value | Undefined


class Scope(Protocol):
    """What the names of an expression stand for, and the world outside of it."""

    def value(self, name: str) -> Result:
        """The value of a variable, given without `$`; UNDEFINED for an attribute that has none yet.

        ExpressionError if the variable is gone: nothing else may be raised here.
        """
        ...

    def unit(self, name: str) -> str:
        """The unit of a variable, "" for none."""
        ...

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...

    def time_zone(self) -> tzinfo:
        """The time zone in which dates are written and read."""
        ...

    def random(self) -> float:
        """A random number from 0 (included) to 1 (excluded)."""
        ...


class Run:
    """One evaluation: its scope and what is left of its allowance."""

    __slots__ = ("_characters", "scope", "steps")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.steps = MAX_PATTERN_STEPS
        self._characters = MAX_RESULT

    def spend_characters(self, count: int) -> None:
        """Account for text that is being put together."""
        self._characters -= count
        if self._characters < 0:
            raise ExpressionError(f"the texts put together are too long: at most {MAX_RESULT} characters")

    def spend_steps(self, count: int) -> None:
        """Account for the work of matching patterns."""
        self.steps -= count
        if self.steps < 0:
            raise ExpressionError(
                f"the pattern needs more than {MAX_PATTERN_STEPS} steps on this text: "
                "avoid repetitions inside repetitions, or match a shorter text"
            )
