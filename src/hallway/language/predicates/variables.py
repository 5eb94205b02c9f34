"""What variables and expressions are: `$outside + 2 > $inside`, `$price increased`.

It must not know other kinds of predicates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hallway.language.conditions import Compares, Moves, Test, VariableMoves
from hallway.language.matching import Reader
from hallway.language.predicates.comparing import read_comparison
from hallway.language.registry import PredicateKind, Preset
from hallway.language.words import words

_MOVES: Final[Mapping[str, Moves]] = MappingProxyType(
    {
        " changes": "changes",
        " gets updated": "gets updated",
        " increased": "increased",
        " decreased": "decreased",
        " is increasing": "is increasing",
        " is decreasing": "is decreasing",
    }
)
_MOVING: Final = words(*_MOVES, element="select")


class ExpressionsCompare(PredicateKind):
    """`expression <comparator> expression`."""

    provider = "VariablePredicateProvider"
    opens = re.compile(r'[$"(\d-]|[A-Za-z]\w* ?\(')
    presets = (Preset("variables compare", "{expr} = {expr}"),)

    def read(self, reader: Reader) -> Test | None:
        left = reader.expression("any")
        comparator = read_comparison(reader) if left else None
        right = reader.expression("any") if comparator else None
        return Compares(left, comparator, right) if left and comparator and right else None


class VariableChanges(PredicateKind):
    """`$variable changes`, `$device.attribute is increasing`."""

    provider = "VariableUpdatedPredicateProvider"
    opens = re.compile(r"\$")
    presets = (
        Preset("a variable changes", "{variable} changes"),
        Preset("a variable goes up or down", "{variable} increased"),
    )

    def read(self, reader: Reader) -> Test | None:
        name = reader.variable()
        how = reader.take(_MOVING) if name else None
        return VariableMoves(name, _MOVES[how]) if name and how else None
