"""For how long messages are kept: pimatic's `messageLogging`, a list where the last word counts.

It must not know where messages are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from hallway.api.operations.pimatic.kept import PIMATIC, Kept
from hallway.errors import InvalidInput
from hallway.home.logging_times import DEFAULT_MESSAGES, milliseconds_in
from hallway.home.values import Attributes, Value

_SETTING: Final = "messageLogging"


def lifetime(kept: Kept) -> Callable[[str, Sequence[str]], float]:
    """Tells for how many seconds messages of a level and with some tags are kept, as the settings stand then.

    0: not at all; infinite, when no entry is for them: for as long as there is room.
    """

    def seconds(level: str, tags: Sequence[str]) -> float:
        return seconds_for(_entries(kept), level, tags)

    return seconds


def _entries(kept: Kept) -> Sequence[Value]:
    database = kept.setting(PIMATIC).get("database")
    given = database.get(_SETTING) if isinstance(database, dict) else None
    return given if isinstance(given, list) else DEFAULT_MESSAGES


def seconds_for(entries: Sequence[Value], level: str, tags: Sequence[str]) -> float:
    """What the last entry says that fits. One that cannot be read says nothing."""
    for entry in reversed(entries):
        if isinstance(entry, dict) and _fits(entry, level, tags):
            try:
                return milliseconds_in(entry.get("expire"), "expire") / 1000
            except InvalidInput:
                continue
    return math.inf


def _fits(entry: Attributes, level: str, tags: Sequence[str]) -> bool:
    wanted = entry.get("tags") or []
    named = [wanted] if isinstance(wanted, str) else wanted
    return entry.get("level", "*") in ("*", level) and isinstance(named, list) and all(tag in tags for tag in named)
