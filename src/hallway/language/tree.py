"""The parts that an expression is made of, and what each is worth in a scope.

A part has a value and a unit; all but texts also have a number, which is what arithmetic makes of the value.
Depth is bounded by the parser. It must not know how expressions are written.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from hallway.errors import NoValueYet
from hallway.language.arithmetic import divide
from hallway.language.coercion import as_float, leading_number, tidy, to_text
from hallway.language.evaluation import MAX_RESULT, MAX_UNIT, UNDEFINED, ExpressionError, Result, Run
from hallway.language.functions import Function, Given, call


class Node(Protocol):
    """A part of an expression, or all of it."""

    def value(self, run: Run) -> Result:
        """What the part is worth."""
        ...

    def unit(self, run: Run) -> str | None:
        """The unit of the part: None if it has none, "" if it lost it."""
        ...


class Operand(Node, Protocol):
    """A part that can be reckoned with."""

    def number(self, run: Run) -> float:
        """What the part is worth in arithmetic; NaN if it has no number, ExpressionError if it must have one."""
        ...


class Number(msgspec.Struct, frozen=True):
    """A number as written."""

    written: int | float

    def value(self, run: Run) -> Result:
        return self.written

    def number(self, run: Run) -> float:
        return float(self.written)

    def unit(self, run: Run) -> str | None:
        return None


class Variable(msgspec.Struct, frozen=True):
    """A variable, by its name without `$`."""

    name: str
    position: int

    def value(self, run: Run) -> Result:
        try:
            return run.scope.value(self.name)
        except NoValueYet:
            return UNDEFINED

    def number(self, run: Run) -> float:
        """Null counts as 0, a text by the number with which it begins; anything else is an error."""
        value = run.scope.value(self.name)
        if type(value) is int or type(value) is float:  # most are, and a thousand rules may ask at once
            number = as_float(value)
        else:
            number = 0.0 if value is None else leading_number(value)
        if math.isnan(number):
            raise ExpressionError(f"${self.name} is {_shown(value)} where a number is needed", self.position)
        return number

    def unit(self, run: Run) -> str | None:
        return run.scope.unit(self.name)


def _shown(value: Result) -> str:
    match value:
        case str():
            return f'"{value[:40]}"' if len(value) <= 40 else f'"{value[:40]}…"'  # noqa: PLR2004 - enough to know it
        case list() | dict():
            return "a list" if isinstance(value, list) else "an object"
        case _ if value is UNDEFINED:
            return "without a value yet"
        case _:
            return to_text(value)


class Text(msgspec.Struct, frozen=True):
    """A text with parts filled in: pieces of plain text and the parts between them, in turns."""

    parts: tuple[str | Node, ...]

    def value(self, run: Run) -> Result:
        pieces = []
        for part in self.parts:
            piece = part if isinstance(part, str) else to_text(part.value(run), MAX_RESULT)
            run.spend_characters(len(piece))
            pieces.append(piece)
        return "".join(pieces)

    def unit(self, run: Run) -> str | None:
        return ""


def _either(left: str | None, right: str | None) -> str | None:
    return left or (right if right or left is None else left)


def _product(left: str | None, right: str | None) -> str | None:
    return f"{left}*{right}" if left and right else _either(left, right)


def _quotient(left: str | None, right: str | None) -> str | None:
    return f"{left or 1}/{right}" if right else left


class Operator(msgspec.Struct, frozen=True):
    """What an operator does with two numbers and with their units."""

    of_numbers: Callable[[float, float], float]
    of_units: Callable[[str | None, str | None], str | None]


OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "+": Operator(operator.add, _either),
        "-": Operator(operator.sub, _either),
        "*": Operator(operator.mul, _product),
        "/": Operator(divide, _quotient),
    }
)


class Chain(msgspec.Struct, frozen=True):
    """Operands of equal rank with their operators, reckoned from left to right."""

    first: Operand
    rest: tuple[tuple[Operator, Operand], ...]

    def value(self, run: Run) -> Result:
        return tidy(self.number(run))

    def number(self, run: Run) -> float:
        number = self.first.number(run)
        for between, operand in self.rest:
            number = between.of_numbers(number, operand.number(run))
        return number

    def unit(self, run: Run) -> str | None:
        unit = self.first.unit(run)
        for between, operand in self.rest:
            unit = between.of_units(unit, operand.unit(run))
            if unit and len(unit) > MAX_UNIT:
                raise ExpressionError(f"the unit of the result is longer than {MAX_UNIT} characters")
        return unit


class Call(msgspec.Struct, frozen=True):
    """A function with its arguments. Its result has lost the units of the arguments."""

    function: Function
    arguments: tuple[Node, ...]

    def value(self, run: Run) -> Result:
        values = tuple(argument.value(run) for argument in self.arguments)

        def unit_of_first() -> str | None:
            return self.arguments[0].unit(run) if self.arguments else None

        return call(self.function, Given(run, values, unit_of_first))

    def number(self, run: Run) -> float:
        return leading_number(self.value(run))

    def unit(self, run: Run) -> str | None:
        return ""


class Unclosed(msgspec.Struct, frozen=True):
    """A `(` without `)`: it can be written down, as in pimatic, but has no value."""

    position: int

    def value(self, run: Run) -> Result:
        raise self._error()

    def number(self, run: Run) -> float:
        raise self._error()

    def unit(self, run: Run) -> str | None:
        raise self._error()

    def _error(self) -> ExpressionError:
        return ExpressionError("this ( has no ) that closes it", self.position)
