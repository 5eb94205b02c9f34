"""Query strings and form bodies with brackets: `a[b][c]=1`, `list[]=1&list[]=2`, `name=1&name=2` → objects and lists.

Everything is text; how many fields there may be and how deep is bounded. It must not know what the fields mean.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from hallway.errors import InvalidInput
from hallway.home.values import Attributes, Value

MAX_FIELDS = 1000
MAX_DEPTH = 6
MAX_INDEX = 20
"""A larger number in brackets is a name: who writes list[100000] does not get a list of that length."""
_NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")

_Node = dict[str | int, "str | list[str] | _Node"]


def parse(text: bytes) -> Attributes:
    """The fields of a query string or form. InvalidInput: too many or too deep, or not percent-encoded UTF-8."""
    fields = text.split(b"&")
    if len(fields) > MAX_FIELDS:
        raise InvalidInput(f"there are {len(fields)} fields, {MAX_FIELDS} are allowed: send them as JSON instead")
    root: _Node = {}
    for field in fields:
        name, _, value = field.partition(b"=")
        if name:
            _put(root, decoded(name.replace(b"+", b" ")), decoded(value.replace(b"+", b" ")))
    return {str(name): _value(node) for name, node in root.items()}


def decoded(text: bytes) -> str:
    """Percent-encoded UTF-8 as text."""
    try:
        plain = text.decode("ascii") if text.isascii() else text.decode("utf-8")
        if "%" not in plain:
            return plain
        if _BAD_PERCENT.search(plain):
            raise InvalidInput(f"{plain[:60]!r} cannot be read: after % stand two digits 0-9 or A-F; % itself is %25")
        return unquote(plain, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput("the address or form holds text that is not percent-encoded UTF-8") from None


def _put(node: _Node, name: str, value: str) -> None:
    found = _NAME.fullmatch(name)
    if found is None:
        _add(node, name, value)
        return
    path = [found[1], *_PART.findall(found[2])]
    if len(path) > MAX_DEPTH:
        raise InvalidInput(f"{name[:60]!r} is nested too deeply: {MAX_DEPTH} levels are allowed")
    key: str | int = path[0]
    for part in path[1:]:
        inner = node.get(key)
        if not isinstance(inner, dict):
            inner = _as_places(inner)
            node[key] = inner
        node, key = inner, _key(part, inner)
    _add(node, key, value)


def _as_places(value: str | list[str] | None) -> _Node:
    """What stood there without brackets, as the beginning of a list."""
    if value is None:
        return {}
    return {0: value} if isinstance(value, str) else dict[str | int, "str | list[str] | _Node"](enumerate(value))


def _key(part: str, node: _Node) -> str | int:
    """What stands in brackets: a name, a place in a list, or (nothing) the next place."""
    if not part:
        return _next(node)
    if part.isdecimal() and part.isascii() and int(part[:3]) <= MAX_INDEX and len(part) <= len(str(MAX_INDEX)):
        return int(part)
    return part


def _next(node: _Node) -> int:
    return max((key for key in node if isinstance(key, int)), default=-1) + 1


def _add(node: _Node, key: str | int, value: str) -> None:
    there = node.get(key)
    if there is None:
        node[key] = value
    elif isinstance(there, dict):
        there[_next(there)] = value
    elif isinstance(there, list):
        there.append(value)
    else:
        node[key] = [there, value]


def _value(node: str | list[str] | _Node) -> Value:
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return [*node]
    places = [key for key in node if isinstance(key, int)]
    if len(places) == len(node):
        return [_value(node[place]) for place in sorted(places)]
    return {str(key): _value(inner) for key, inner in node.items()}
