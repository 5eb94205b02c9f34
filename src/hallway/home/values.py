"""Values: whatever JSON can say, and how it comes in, goes out and turns into text.

Decoding accepts what Python's own json accepts (NaN, big integers, repeated keys): the clients of 2014 rely on it.
It must not know devices, states or HTTP.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import msgspec
import orjson

from hallway.errors import CannotStore, InvalidInput

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Attributes = dict[str, Value]

MAX_DEPTH = 250
"""Levels of lists and objects that come in; whatever they are wrapped into can then be written."""
_SORTED = orjson.OPT_SORT_KEYS
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_decode = msgspec.json.Decoder(Any).decode


def decode(data: bytes) -> Value:
    """Bytes of a JSON text → value; InvalidInput says where it stops being JSON.

    NaN, Infinity and numbers of any size are accepted; a byte order mark is not, nor more than 250 levels.
    """
    try:
        value = cast("Value", _decode(data))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = _decode_slowly(data)
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _is_too_deep(value):
        raise InvalidInput(_TOO_DEEP)
    return value


_TOO_DEEP = f"the JSON text is nested too deeply: at most {MAX_DEPTH} levels"


def _is_too_deep(value: Value) -> bool:
    """Whether it has more levels than may come in: orjson writes 254, so four around it make its limit ours."""
    try:
        orjson.dumps([[[[value]]]])
    except TypeError:
        return _has_more_levels(value)
    return False


def _has_more_levels(value: Value) -> bool:
    """The same by looking, for what orjson cannot write for other reasons."""
    level: list[Value] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer if isinstance(outer, list) else outer.values())
        ]
    return bool(level)


def _decode_slowly(data: bytes) -> Value:
    try:
        value: Value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the JSON text is not UTF-8: byte {error.start} cannot be read") from None
    except RecursionError:
        raise InvalidInput(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" at")
        raise InvalidInput(f"not JSON: {problem} at line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise InvalidInput("the JSON text holds a number that is too long") from None
    return value


def check_texts(value: Value) -> None:
    """CannotStore: a text in it holds half a surrogate pair, which nobody could write down, nor look for."""
    try:
        orjson.dumps(value)
    except TypeError:  # also where it is something else that orjson has no words for
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise CannotStore(_HALF_A_PAIR) from None


_HALF_A_PAIR = "a text holds half a surrogate pair (\\ud800 to \\udfff), which UTF-8 cannot carry"


def encode(value: object) -> bytes:
    """Value → JSON bytes; NaN and infinities become null, as JSON has no word for them."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _encode_slowly(value)


def encode_to_keep(value: object) -> bytes:
    """Like encode, for bytes that are kept: those that come from there hold some kilobytes, however short they are."""
    return bytes(memoryview(encode(value)))


def encode_sorted(value: object) -> bytes:
    """Like encode, with the keys of each object in order."""
    try:
        return orjson.dumps(value, option=_SORTED)
    except TypeError:
        return _encode_slowly(value)


def _encode_slowly(value: object) -> bytes:
    try:
        data = msgspec.json.encode(value, order="sorted")
        _decode(data)
    except (RecursionError, msgspec.DecodeError):
        raise CannotStore(f"the value is nested too deeply: at most {MAX_DEPTH} levels") from None
    except (UnicodeEncodeError, UnicodeDecodeError):
        raise CannotStore(_HALF_A_PAIR) from None
    except (TypeError, OverflowError) as error:
        raise CannotStore(f"the value cannot be written as JSON: {error}") from None
    return data


def python_text(value: Value) -> str:
    """How Python's str() writes a value, as states have been kept since 2014: True, None, 5.0, [1, 'a']."""
    if value.__class__ is str:
        return value
    try:
        return str(value)
    except (ValueError, RecursionError):
        raise CannotStore("the value is too large to be written as text") from None


def same(one: Value, other: Value) -> bool:
    """Whether two values are written the same; unlike ==, true is not 1 and 1 is not 1.0."""
    if one.__class__ is not other.__class__ or one != other:
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        for key, value in one.items():  # they are equal, so that of most of them only the class is left to be compared
            theirs = other[key]
            kind = value.__class__
            if kind is not theirs.__class__ or ((kind is dict or kind is list) and not same(value, theirs)):
                return False
        return True
    if isinstance(one, list) and isinstance(other, list):
        return all(map(same, one, other))
    return True


def is_label(value: Value) -> bool:
    """Whether it can stand as a name: a text, or a number that was written as one."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def kind_of(value: Value) -> str:
    """The JSON name of a value's kind, for error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "list", dict: "object"}[type(value)]


def ascii_json(written: bytes) -> bytes:
    """The same JSON with escapes for all that is not ASCII: old clients take text without a charset for Latin-1."""
    if written.isascii():
        return written
    return _BEYOND_ASCII.sub(_escaped, written.decode()).encode("ascii")


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
