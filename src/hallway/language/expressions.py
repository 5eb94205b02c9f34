"""Expressions of pimatic 0.9: `$outside + 2`, `"it is {round($outside)} degrees"`.

A pure function of a scope: the text is read once, against the names of the variables that exist, and evaluated as often
as one of them changes. It must not know where variables live; every failure is an ExpressionError.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from hallway.home.values import Value
from hallway.language.evaluation import UNDEFINED, ExpressionError, Result, Run, Scope, Undefined
from hallway.language.parser import Parser, Token
from hallway.language.tree import Node

__all__ = ["UNDEFINED", "Expression", "ExpressionError", "Result", "Scope", "Undefined", "parse"]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read.

    `tokens` is what pimatic shows as exprTokens: numbers are numbers, variables carry their `$`, texts their quotes.
    `variables` are the names it depends on, without `$`; `root` is what it is made of.
    """

    text: str
    tokens: tuple[Token, ...]
    variables: frozenset[str]
    root: Node = field(repr=False, compare=False)

    def evaluate(self, scope: Scope) -> Value:
        """The value in a scope: whole numbers are ints, undefined is null; NaN and infinities are possible."""
        result = self.result(scope)
        return None if result is UNDEFINED else result

    def result(self, scope: Scope) -> Result:
        """Like evaluate, but UNDEFINED where there is no value at all, such as `min()`."""
        try:
            return self.root.value(Run(scope))
        except RecursionError:
            raise ExpressionError("the expression or a value in it is nested too deeply") from None

    def unit(self, scope: Scope) -> str:
        """The unit that results from the units of the variables, "" for none: `W*h`, `W/h`."""
        return self.root.unit(Run(scope)) or ""


def parse(text: str, names: Collection[str]) -> Expression:
    """Read an expression; names are the variables that exist (a set or a mapping when they are many).

    Where several names fit, the longest counts. ExpressionError carries what is wrong and where.
    """
    parser = Parser(text, names)
    root = parser.read()
    return Expression(text, tuple(parser.tokens), frozenset(parser.variables), root)
