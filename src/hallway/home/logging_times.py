"""For how long values are kept, and how many: pimatic's `deviceAttributeLogging`, a list where the last word counts.

It must not know where values are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from hallway.errors import InvalidInput
from hallway.home.devices import Attribute
from hallway.home.values import Attributes, Value

DEFAULT: Final[tuple[Attributes, ...]] = (
    {"deviceId": "*", "attributeName": "*", "type": "*", "interval": "0", "expire": "7d"},
    {"deviceId": "*", "attributeName": "*", "type": "continuous", "interval": "5min", "expire": "7d"},
    {"deviceId": "*", "attributeName": "temperature", "type": "number", "expire": "1y"},
    {"deviceId": "*", "attributeName": "humidity", "type": "number", "expire": "1y"},
)
DEFAULT_MESSAGES: Final[tuple[Attributes, ...]] = (
    {"level": "*", "tags": [], "expire": "7d"},
    {"level": "debug", "tags": [], "expire": "0"},
)
_SPAN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_DAY: Final = 24 * 3_600_000
_UNITS: Final = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("y", "year", "years"), 365 * _DAY),
}
LONGEST: Final = 1000 * _UNITS["years"]
"""Milliseconds."""
TYPES: Final = ("*", "discrete", "continuous", "boolean", "number", "string")
MOST_ENTRIES: Final = 1000


class LoggingTime(msgspec.Struct, frozen=True):
    """For how long, and at most how often: as it is written, and in milliseconds."""

    expire: str
    interval: str
    expire_ms: int
    interval_ms: int


def milliseconds_in(text: Value, where: str) -> int:
    """A span of time as it is written: `7d`, `5min`, `0`. InvalidInput: it is none."""
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    unit = _UNITS.get(found[2].lower()) if found is not None else None
    if found is None or (unit is None and (found[2] or float(found[1]))):
        raise InvalidInput(f"{where} must be a span of time (0, 5min, 7d, 1y), not {str(text)[:40]!r}")
    span = float(found[1]) * (unit or 0)
    if span > LONGEST:
        raise InvalidInput(f"{where} is {found[0].strip()[:40]}: a span of time is at most 1000 years")
    return round(span)


def checked(entries: Value) -> list[Value]:
    """A whole list as somebody sends it; InvalidInput names the entry that is wrong."""
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
        raise InvalidInput(f"attributeLogging must be a list of at most {MOST_ENTRIES} objects")
    for number, entry in enumerate(entries, 1):
        check_entry(entry, f"entry {number}")
    return entries


def check_entry(entry: Value, where: str) -> None:
    """InvalidInput: it does not say for which attribute, or for how long."""
    if not isinstance(entry, dict):
        raise InvalidInput(f"{where} must be an object with deviceId, attributeName, expire")
    for name in ("deviceId", "attributeName"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise InvalidInput(f"{where} needs {name}: an id, or * for all")
    if entry.get("type", "*") not in TYPES:
        raise InvalidInput(f"{where}: type must be one of {', '.join(TYPES)}, not {str(entry['type'])[:40]!r}")
    if "expire" not in entry and "interval" not in entry:
        raise InvalidInput(f"{where} needs expire or interval: a span of time, such as 7d")
    for name in ("expire", "interval"):
        if name in entry:
            milliseconds_in(entry[name], f"{where}: {name}")


def time_for(entries: Iterable[Value], device_id: str, attribute: Attribute) -> LoggingTime:
    """What counts for an attribute: each entry that fits takes the place of those before it."""
    expire, interval = "0", "0"
    for entry in entries:
        if isinstance(entry, dict) and _fits(entry, device_id, attribute):
            expire, interval = str(entry.get("expire", expire)), str(entry.get("interval", interval))
    return LoggingTime(expire, interval, milliseconds_in(expire, "expire"), milliseconds_in(interval, "interval"))


def _fits(entry: Attributes, device_id: str, attribute: Attribute) -> bool:
    kind = "discrete" if attribute.discrete else "continuous"
    return (
        entry.get("deviceId") in ("*", device_id)
        and entry.get("attributeName") in ("*", attribute.name)
        and entry.get("type", "*") in ("*", kind, attribute.type)
    )
