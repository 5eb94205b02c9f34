"""Which messages somebody wants to see: by level, tags, words and time, newest first.

It must not know where messages are kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Final

from hallway.api.operations.pimatic.coercion import number_of
from hallway.errors import InvalidInput
from hallway.home.messages import MOST_MESSAGES, Wanted
from hallway.home.values import Attributes, Value

LEVELS: Final[Mapping[str, int]] = MappingProxyType({"error": 0, "warn": 1, "info": 2, "debug": 3})
_OPERATORS: Final[Mapping[str, Callable[[int, int], bool]]] = MappingProxyType(
    {"=": eq, "==": eq, "!=": ne, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
)
_KNOWN: Final = ("level", "levelOp", "tags", "text", "after", "before", "offset", "limit")
_NUMBER: Final = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")
NEVER: Final = float("nan")
"""A time that is neither before nor after any other."""


def wanted_messages(criteria: Value) -> Wanted:
    """What is wanted, as pimatic says it. What is no object says nothing; InvalidInput names what cannot be."""
    given = criteria if isinstance(criteria, dict) else {}
    check_known(given, _KNOWN)
    return Wanted(
        levels=_levels(given),
        tags=frozenset(texts_in(given.get("tags"), "criteria.tags")),
        text=_text_in(given),
        after=time_in(given, "after"),
        before=time_in(given, "before"),
        offset=count_in(given, "offset", 0),
        limit=count_in(given, "limit", MOST_MESSAGES) if given.get("limit") is not None else None,
    )


def check_known(given: Attributes, known: tuple[str, ...]) -> None:
    """InvalidInput: there is a criterion that nobody knows. Ignored, it would let through what was not meant."""
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput(f"there is no criterion {unknown[0][:40]!r}: give {', '.join(known)}")


def _levels(given: Attributes) -> frozenset[str] | None:
    names = texts_in(given.get("level"), "criteria.level")
    unknown = [name for name in names if name not in LEVELS]
    if unknown:
        raise InvalidInput(f"criteria.level must be one of {', '.join(LEVELS)}, not {unknown[0][:40]!r}")
    wanted = given.get("levelOp", "=")
    compare = _OPERATORS.get(wanted) if isinstance(wanted, str) else None
    if compare is None:
        raise InvalidInput(f"criteria.levelOp must be one of {', '.join(_OPERATORS)}, not {str(wanted)[:40]!r}")
    if not names:
        return None
    return frozenset(level for level, rank in LEVELS.items() if any(compare(rank, LEVELS[name]) for name in names))


def _text_in(given: Attributes) -> str:
    text = given.get("text")
    if text is not None and not isinstance(text, str):
        raise InvalidInput("criteria.text must be a text: what messages hold somewhere, in any case")
    return text or ""


def texts_in(value: Value, where: str) -> list[str]:
    """A text, or a list of texts; none at all when nothing is given."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) for item in items):
        raise InvalidInput(f"{where} must be a text or a list of texts")
    return [str(item) for item in items]


def count_in(given: Attributes, name: str, otherwise: int) -> int:
    """A number of things, from 0 on."""
    value = given.get(name)
    if value is None:
        return otherwise
    number = number_of(f"criteria.{name}", value)
    if number < 0:
        raise InvalidInput(f"criteria.{name} must be 0 or more, not {number}")
    return min(int(number), MOST_MESSAGES)


def time_in(given: Attributes, name: str) -> float | None:
    """A time in milliseconds since 1970 or as ISO text, as seconds; what is no time is never."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return _iso_time(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return NEVER
    try:
        return float(value) / 1000
    except OverflowError:
        return math.inf if isinstance(value, int) and value > 0 else -math.inf


def _iso_time(text: str) -> float:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return NEVER
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
