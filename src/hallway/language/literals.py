"""Values as they are written in sentences: `with brightness = 40, mode = "eco"`, `with {"brightness": 40}`.

It must not know what they are for.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hallway.errors import HallwayError
from hallway.home.values import Attributes, Value, decode
from hallway.language.coercion import tidy
from hallway.language.matching import Reader
from hallway.language.words import words

_WITH: Final = words(" with ")
_EQUALS: Final = words(" = ")
_COMMA: Final = words(", ")
_KEY: Final = re.compile(r"[\w.-]+")
_BARE: Final = re.compile(r"[\w.:+-]*\w")
_MAX_PAIRS: Final = 50
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NAMED: Final[Mapping[str, Value]] = MappingProxyType({"true": True, "false": False, "null": None})


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is no JSON")


_read_json: Final = json.JSONDecoder(parse_constant=_no_constant).raw_decode


def read_pairs(reader: Reader) -> Attributes | None:
    """What follows ` with `: nothing when it does not stand there; None when it is no object and no pairs."""
    if not reader.take(_WITH):
        return {}
    if reader.text.startswith("{", reader.at):
        return _read_object(reader)
    data: Attributes = {}
    while len(data) < _MAX_PAIRS:
        key = reader.match(_KEY, "a name, as in name = 5")
        found, value = read_value(reader) if key and reader.take(_EQUALS) else (False, None)
        if key is None or not found:
            return None
        data[key[0]] = value
        if not reader.take(_COMMA):
            return data
    reader.note(reader.at, f"at most {_MAX_PAIRS} values can be given")
    return None


def _read_object(reader: Reader) -> Attributes | None:
    start = reader.at
    try:
        _, end = _read_json(reader.text, start)
        value = decode(reader.text[start:end].encode())
    except (HallwayError, ValueError, RecursionError) as error:
        reader.note(start, f"this is no JSON object: {error}")
        return None
    reader.at = end
    reader.pieces.append(reader.text[start:end])
    return value if isinstance(value, dict) else None


def read_value(reader: Reader) -> tuple[bool, Value]:
    """A text in quotes, a number, true, false, null, or a single word; whether there is one, and which."""
    text = reader.quoted()
    if text is not None:
        return True, text
    bare = reader.match(_BARE, "a value")
    if bare is None:
        return False, None
    if bare[0] in _NAMED:
        return True, _NAMED[bare[0]]
    number = float(bare[0]) if _NUMBER.fullmatch(bare[0]) else math.inf
    return True, tidy(number) if math.isfinite(number) else bare[0]
