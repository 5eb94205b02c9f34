"""What nobody gets to see of a configuration: passwords and keys are shown as signs, and signs leave them as they are.

It must not know what a configuration is for.
"""

from __future__ import annotations

import re
from typing import Final

from hallway.home.values import Attributes, Value

BLANK: Final = "xxxxxxxxxx"
_SECRET: Final = re.compile(r"pass(word|wort|phrase)?|pwd|secret|token|api_?key|private_?key", re.IGNORECASE)


def blanked(value: Value) -> Value:
    """The same without its secrets."""
    if isinstance(value, dict):
        return {name: BLANK if _is_secret(name, inner) else blanked(inner) for name, inner in value.items()}
    return [blanked(item) for item in value] if isinstance(value, list) else value


def unblanked(value: Attributes, old: Attributes) -> Attributes:
    """The same with the secrets that it had where somebody sends back the signs."""
    return {name: _unblanked(name, inner, old.get(name)) for name, inner in value.items()}


def _unblanked(name: str, value: Value, old: Value) -> Value:
    if value == BLANK and _is_secret(name, old):
        return old
    if isinstance(value, dict):
        return unblanked(value, old if isinstance(old, dict) else {})
    if isinstance(value, list):
        before = old if isinstance(old, list) else []
        return [_unblanked("", item, before[at] if at < len(before) else None) for at, item in enumerate(value)]
    return value


def _is_secret(name: str, value: Value) -> bool:
    return isinstance(value, str) and value != "" and _SECRET.search(name) is not None
