"""How pimatic reads parameters that come as text: numbers by their beginning, `true` and `false`, fields of objects.

Only text is read; a value that has a JSON type already stays what it is, and the operation says what it makes of it. It
must not know where a parameter stood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from hallway.api.operations.base import Parameter
from hallway.errors import InvalidInput
from hallway.home.values import Attributes, Value

_NUMBER: Final = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_EXACT: Final = 2.0**53
_SHOWN = 60


def number_in(text: str) -> int | float | None:
    """The number that a text begins with; none: there is none, or it is infinite."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    number = float(found[1])
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def coerce(parameter: Parameter, value: Value, name: str = "") -> Value:
    """A value as the parameter's type; name: what it is called where it stands inside another one."""
    kind = parameter.type
    if kind in ("string", "", "array"):
        return value
    if kind == "object":
        return _object(parameter, value, name or parameter.name)
    if not isinstance(value, str):
        return value
    if kind == "boolean":
        if value not in ("true", "false"):
            raise InvalidInput(f"{name or parameter.name} is {_shown(value)}: give true or false")
        return value == "true"
    number = number_in(value)
    if number is None or (parameter.strict and _NUMBER.fullmatch(value.rstrip()) is None):
        raise InvalidInput(f"{name or parameter.name} is {_shown(value)}: give a number")
    return number


def _object(parameter: Parameter, value: Value, name: str) -> Value:
    """An object whose fields are declared, with these as their types; what else it holds stays."""
    if not parameter.fields:
        return value
    given: Mapping[str, Value] = value if isinstance(value, dict) else {}
    return {**given, **fields_of(parameter.fields, given, f"{name}.")}


def fields_of(parameters: tuple[Parameter, ...], given: Mapping[str, Value], prefix: str = "") -> Attributes:
    """The declared parameters among what was given, as their types. InvalidInput: one is missing or cannot be read.

    null counts as missing, and what is missing and not needed is left out.
    """
    found: Attributes = {}
    for parameter in parameters:
        value = given.get(parameter.name)
        if value is not None:
            found[parameter.name] = coerce(parameter, value, prefix + parameter.name)
        elif parameter.required or parameter.where == "path":
            raise missing(parameter, prefix)
    return found


def missing(parameter: Parameter, prefix: str = "") -> InvalidInput:
    """What is told when a parameter that is needed was not given."""
    return InvalidInput(f"the parameter {prefix}{parameter.name} is missing: {parameter.description}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
