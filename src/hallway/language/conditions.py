"""What the condition of a rule means, as data: tests joined by and, or, and if, or when.

An engine binds the tests to what they are about; here nothing is decided. It must not know how sentences are written.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from hallway.home.values import Attributes, Value
from hallway.language.durations import Duration
from hallway.language.expressions import Expression
from hallway.language.times import Period

Comparator = Literal["==", "!=", "<", "<=", ">", ">="]
Moves = Literal["changes", "gets updated", "increased", "decreased", "is increasing", "is decreasing"]
Joint = Literal["and", "or", "and if", "or when"]


class Test(msgspec.Struct, frozen=True):
    """Base of all tests; plugins add their own."""

    __test__ = False  # a class called Test is not pytest's

    @property
    def is_event(self) -> bool:
        """Whether it is only true at the moment when it happens, and so cannot last."""
        return False


class Happens(Test, frozen=True):
    """Base of the tests that are events."""

    @property
    def is_event(self) -> bool:
        return True


class AttributeIs(Test, frozen=True):
    """An attribute of a device compares so with a fixed value."""

    device_id: str
    attribute: str
    comparator: Comparator
    value: Value


class NotUpdated(Test, frozen=True):
    """An attribute of a device has not been told for so many seconds."""

    device_id: str
    attribute: str
    seconds: float


class Compares(Test, frozen=True):
    """Two expressions compare so."""

    left: Expression
    comparator: Comparator
    right: Expression


class VariableMoves(Test, frozen=True):
    """A variable, or an attribute as `device.attribute`, gets another value, or one at all."""

    name: str
    how: Moves

    @property
    def is_event(self) -> bool:
        return self.how not in {"is increasing", "is decreasing"}


class ButtonPressed(Happens, frozen=True):
    """A button of a device is pressed."""

    device_id: str
    button_id: str


class Starting(Happens, frozen=True):
    """The hub has just started."""


class TimeIs(Test, frozen=True):
    """The clock or the calendar says so. left_out: words behind the time that mean nothing, as they were written."""

    period: Period
    left_out: str = ""

    @property
    def is_event(self) -> bool:
        return self.period.is_instant


class Every(Happens, frozen=True):
    """Again and again, at whole multiples of a duration."""

    duration: Duration


class EventFired(Happens, frozen=True):
    """An event of that type went over the bus, with at least these data."""

    event_type: str
    data: Attributes


class EntityIs(Test, frozen=True):
    """The state of an entity compares so with a fixed value; numbers are compared as numbers."""

    entity_id: str
    comparator: Comparator
    value: int | float | str


class Predicate(msgspec.Struct, frozen=True):
    """One test in a condition.

    duration: how long it must have been true (`for`); just_trigger: true only at the moment when it becomes true
    (`trigger:`); just_condition: it does not start the rule (right of `and if`); provider: name of its kind.
    """

    id: str
    token: str
    test: Test
    provider: str
    duration: Duration | None = None
    just_trigger: bool = False
    just_condition: bool = False

    def as_json(self) -> Attributes:
        """As pimatic shows it."""
        return {
            "id": self.id,
            "token": self.token,
            "for": self.duration.as_json() if self.duration else None,
            "justTrigger": self.just_trigger,
            "justCondition": self.just_condition,
        }


class Joined(msgspec.Struct, frozen=True):
    """Two conditions and what joins them."""

    joint: Joint
    left: Condition
    right: Condition


Condition = Predicate | Joined


def condition_json(condition: Condition) -> Attributes:
    """The tree as pimatic shows it."""
    if isinstance(condition, Predicate):
        return {"type": "predicate", "predicate": condition.as_json()}
    left, right = condition_json(condition.left), condition_json(condition.right)
    return {"type": condition.joint, "left": left, "right": right}
