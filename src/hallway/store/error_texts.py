"""How an error of SQLite or of the disk is said: what kind it is, never what stands in a row, maybe a password.

SQLite itself would quote a text that is no UTF-8 as a whole. It must not know who is told.
"""

from __future__ import annotations

import sqlite3
from typing import Final

LONGEST: Final = 200
_QUOTES: Final = " with text "
"""From here on it quotes what it has read."""


def said(error: Exception) -> str:
    """An error as part of a sentence, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = one_line(str(error).partition(_QUOTES)[0])
    name = getattr(error, "sqlite_errorname", None)
    return text or name or type(error).__name__


def one_line(found: str) -> str:
    """What SQLite says of damage, as part of a sentence: it may tell of page after page, each in a line of its own."""
    text = " ".join(found.encode("utf-8", "replace").decode().split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def as_text(data: bytes) -> str:
    """What a connection makes of a text: one that is no UTF-8 is damage, and is not quoted in the error."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        error = sqlite3.DatabaseError("a text is no UTF-8")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error from None
