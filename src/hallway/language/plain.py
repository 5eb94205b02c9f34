"""Comparisons of plain arithmetic as code of Python itself, for what a thousand rules may ask on one change.

It is right where all values are numbers below 2**53. Everything else, every division by zero and whatever else fails is
raised, and for the tree to reckon or to explain. It must not know where numbers come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hallway.language.conditions import Comparator
from hallway.language.expressions import Expression
from hallway.language.tree import OPERATORS, Chain, Node, Number, Variable

LIMIT: Final = 2.0**53
"""Below it whole numbers are exact in floats too."""
MOST_TOKENS: Final = 100
"""Longer expressions are rare, and Python has limits of its own."""
Plain = Callable[[Mapping[str, float]], bool]
_SIGNS: Final = tuple(OPERATORS.items())


def plain(left: Expression, comparator: Comparator, right: Expression) -> Plain | None:
    """What compares them, given the values of their variables as floats; None if there is more than + - * / in them."""
    if len(left.tokens) + len(right.tokens) > MOST_TOKENS:
        return None
    codes = _code(left.root), _code(right.root)
    if not all(codes):
        return None
    # made of numbers, quoted names and signs only, whatever somebody wrote into his rule
    compare: Plain = eval(f"lambda n: {codes[0]} {comparator} {codes[1]}", {"__builtins__": {}})  # noqa: S307
    return compare


def _code(node: Node) -> str:
    """A part of an expression; empty if it is not plain."""
    match node:
        case Number(written) if abs(written) < LIMIT:
            return repr(float(written))
        case Variable(name):
            return f"n[{name!r}]"
        case Chain(first, rest):
            parts = [_code(first), *(_code(operand) for _, operand in rest)]
            signs = [sign for between, _ in rest for sign, operator in _SIGNS if operator is between]
            return "(" + "".join(map("".join, zip(parts, [*signs, ")"], strict=True))) if all(parts) else ""
        case _:
            return ""
