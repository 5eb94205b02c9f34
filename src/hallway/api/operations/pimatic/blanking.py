"""What nobody gets to see of a configuration: passwords and keys are shown as signs, and signs leave them as they are.

What is secret follows from the names of properties, and from the form of addresses (`http://name:password@host`).
It must not know what a configuration is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from hallway.home.values import Attributes, Value

BLANK: Final = "xxxxxxxxxx"
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET: Final = re.compile(
    r"passw|passphrase|passcode|pwd|secret|token|credential|authorization"
    r"|(?<!by)(?<!com)pass\d*$"
    r"|(api|access|app|auth|client|device|encryption|license|master|network|private|shared|user|wifi)[^a-z]?keys?\d*$"
    r"|(^|[^a-z])(keys?|pins?|pin[^a-z]?code|psk|pw|auth|bearer)\d*$"
)
_USERINFO: Final = re.compile(r"(?<=://)[^\s/?#]+(?=@)")
"""Who logs in, and how, in an address."""
_NAMED_BY: Final = ("id", "name", "username", "plugin")
"""Properties by which an object of a list is found again."""


def blanked(value: Attributes) -> Attributes:
    """The same without its secrets."""
    return {name: _covered(inner) if _is_secret(name) else _blanked(inner) for name, inner in value.items()}


def _blanked(value: Value) -> Value:
    if isinstance(value, dict):
        return blanked(value)
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    return _USERINFO.sub(BLANK, value) if isinstance(value, str) and "://" in value else value


def _covered(value: Value) -> Value:
    """All that stands under the name of a secret: texts and numbers are hidden, whether there are any is not."""
    if isinstance(value, dict):
        return {name: _covered(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_covered(item) for item in value]
    return value if value is None or isinstance(value, bool) or value == "" else BLANK


def secrets_in(value: Value) -> Iterator[str]:
    """The secrets themselves, as texts."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts_in(inner) if _is_secret(name) else secrets_in(inner)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)
    elif isinstance(value, str) and "://" in value:
        for user_info in _USERINFO.findall(value):
            yield user_info.partition(":")[2]


def _texts_in(value: Value) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(inner)
    elif value is not None and not isinstance(value, bool) and value not in ("", BLANK):
        yield str(value)


def unblanked(value: Attributes, old: Attributes) -> Attributes:
    """The same with the secrets that it had where somebody sends back the signs."""
    return {name: _unblanked(inner, old.get(name), secret=_is_secret(name)) for name, inner in value.items()}


def _unblanked(value: Value, old: Value, *, secret: bool) -> Value:
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        return {
            name: _unblanked(inner, before.get(name), secret=secret or _is_secret(name))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_unblanked(item, was, secret=secret) for item, was in zip(value, _partners(value, old), strict=True)]
    if secret and value == BLANK:
        hidden = isinstance(old, str | int | float) and not isinstance(old, bool) and old != ""
        return old if hidden else value
    if isinstance(value, str) and isinstance(old, str) and f"://{BLANK}@" in value:
        return _with_userinfo(value, old)
    return value


def _partners(items: list[Value], old: Value) -> list[Value]:
    """What each item of a list was before: objects are found by what names them, all else by its place."""
    before = old if isinstance(old, list) else []
    named = {_name_of(item): item for item in before if _name_of(item) is not None}
    taken = {_name_of(item) for item in items if _name_of(item) in named}
    at_place = [None if _name_of(item) in taken else item for item in before[: len(items)]]
    at_place += [None] * (len(items) - len(at_place))
    return [named.get(_name_of(item), was) for item, was in zip(items, at_place, strict=True)]


def _name_of(item: Value) -> tuple[str, str] | None:
    if not isinstance(item, dict):
        return None
    return next(((name, str(item[name])) for name in _NAMED_BY if isinstance(item.get(name), str | int)), None)


def _with_userinfo(value: str, old: str) -> str:
    """An address that was sent back logs in as it did before."""
    known = iter(_USERINFO.findall(old))
    return re.sub(f"(?<=://){BLANK}(?=@)", lambda _found: next(known, BLANK), value)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return _SECRET.search(_HUMP.sub("_", name).lower()) is not None
