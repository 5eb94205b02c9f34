"""JSON with remarks in it: `// …` to the end of the line and `/* … */`, as people write them into config.json.

It must not know what the JSON says.
"""

from __future__ import annotations

import re
from typing import Final

from hallway.errors import InvalidInput

_STRING_OR_REMARK: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)


def without_comments(text: str) -> str:
    """The text with each remark as spaces, so that lines and columns stay where they are; strings are left alone."""
    return _STRING_OR_REMARK.sub(_blank, text)


def _blank(found: re.Match[str]) -> str:
    piece = found.group()
    if piece.startswith('"'):
        return piece
    if piece.startswith("/*") and (len(piece) < len("/**/") or not piece.endswith("*/")):
        line = found.string.count("\n", 0, found.start()) + 1
        raise InvalidInput(f"the remark that begins with /* in line {line} has no end: close it with */")
    return "".join(sign if sign == "\n" else " " for sign in piece)
