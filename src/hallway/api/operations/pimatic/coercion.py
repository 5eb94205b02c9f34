"""Numbers and truths among parameters that no declaration names: those of a device's action, those inside an object.

It must not know operations.
"""

from __future__ import annotations

import sys
from typing import Final

from hallway.api.operations.coercion import number_in
from hallway.errors import InvalidInput
from hallway.home.values import Value

_LARGEST: Final = sys.float_info.max
"""Beyond it there is nothing to count with, and no infinity either."""


def number_of(name: str, value: Value) -> int | float:
    """A number, or the one at the beginning of a text: `12`, `12.5`, `12 %`. InvalidInput: there is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not -_LARGEST <= value <= _LARGEST:
            raise InvalidInput(f"{name} must be a number that is not that large")
        return value
    number = number_in(value) if isinstance(value, str) else None
    if number is None:
        raise InvalidInput(f"{name} must be a number, not {str(value)[:40]!r}")
    return number


def boolean_of(name: str, value: Value) -> bool:
    """true or false, also as text or as the numbers 1 and 0. InvalidInput: something else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return value == 1
    if value in ("true", "false"):
        return value == "true"
    raise InvalidInput(f"{name} must be true or false, not {str(value)[:40]!r}")
