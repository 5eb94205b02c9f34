"""Texts that PostgreSQL takes: it refuses NUL, which a state or a value may hold, so that has a sign of its own there.

Every text comes out as it went in. It must not know what the texts mean.
"""

from __future__ import annotations

import re
from typing import Final

NUL: Final = "\u2400"
"""Stands for NUL: ␀."""
ESCAPE: Final = "\u241b"
"""Stands before itself and before a ␀ that is meant as such: ␛."""
_SPECIAL: Final = re.compile("[\0\u2400\u241b]")
_JSON_NUL: Final = "\\u0000"
_IN_JSON: Final = re.compile(r"\\\\|\\u0000|[\u2400\u241b]")
_WRITTEN: Final = re.compile("\u241b([\u2400\u241b])|\u2400")


def to_postgres(text: str) -> str:
    """A text without NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return _SPECIAL.sub(lambda found: NUL if found[0] == "\0" else ESCAPE + found[0], text)


def from_postgres(text: str) -> str:
    """The text that it was."""
    return text if text.isascii() else _WRITTEN.sub(lambda found: found[1] or "\0", text)


def json_to_postgres(text: str) -> str:
    """JSON in which nothing stands for NUL: with it no part of it could be asked for over there."""
    if text.isascii() and _JSON_NUL not in text:
        return text
    return _IN_JSON.sub(_signed, text)


def _signed(found: re.Match[str]) -> str:
    if found[0] == _JSON_NUL:
        return NUL
    return found[0] if found[0] == "\\\\" else ESCAPE + found[0]


def json_from_postgres(text: str) -> str:
    """The JSON that it was."""
    return text if text.isascii() else _WRITTEN.sub(lambda found: found[1] or _JSON_NUL, text)
