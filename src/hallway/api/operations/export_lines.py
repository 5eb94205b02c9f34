"""Samples and messages as lines of a file: CSV after RFC 4180, or JSON, one object a line.

A spreadsheet that opens the CSV runs nothing of it: a text that would be a formula gets an apostrophe before it. Only
JSON lines hold every text as it is. It must not know where lines go.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from hallway.home.messages import Message
from hallway.home.past import Columns, Series
from hallway.home.values import Attributes, Value, encode

CSV: Final = "text/csv; charset=utf-8; header=present"
JSON_LINES: Final = "application/x-ndjson"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTED: Final = re.compile(r'[",\r\n]|^\s|\s$')


class Csv:
    """Lines of CSV: with a line break of two characters, the first line names the columns."""

    content_type: Final = CSV
    ending: Final = "csv"

    def head(self, columns: Sequence[str]) -> bytes:
        return _row(columns)

    def samples(self, columns: Columns) -> bytes:
        """time, kind, series, value, attributes (of entities, as JSON)."""
        kind, name = columns.series.kind, name_of(columns.series)
        mores = columns.mores or [None] * len(columns.ats)
        return b"".join(
            _row((_time(at), kind, name, value, _attributes(more)))
            for at, value, more in zip(columns.ats, columns.values, mores, strict=True)
        )

    def messages(self, messages: Iterable[Message]) -> bytes:
        """time, level, tags (with commas between), text."""
        return b"".join(_row((_time(each.at), each.level, ",".join(each.tags), each.text)) for each in messages)


class JsonLines:
    """Lines of JSON: times in milliseconds since 1970, every text as it is."""

    content_type: Final = JSON_LINES
    ending: Final = "jsonl"

    def head(self, columns: Sequence[str]) -> bytes:
        return b""

    def samples(self, columns: Columns) -> bytes:
        same: Attributes = {"kind": columns.series.kind, "series": name_of(columns.series)}
        mores = columns.mores or [None] * len(columns.ats)
        return b"".join(
            _line({"time": round(at * 1000), **same, "value": value} | _attributes_of(more))
            for at, value, more in zip(columns.ats, columns.values, mores, strict=True)
        )

    def messages(self, messages: Iterable[Message]) -> bytes:
        return b"".join(
            _line(
                {
                    "time": round(each.at * 1000),
                    "level": each.level,
                    "tags": list[Value](each.tags),
                    "text": each.text,
                }
            )
            for each in messages
        )


Format = Csv | JsonLines
FORMATS: Final[dict[str, Callable[[], Format]]] = {"csv": Csv, "jsonl": JsonLines}


def name_of(series: Series) -> str:
    """What somebody calls it: `lamp.state`, `$x`, `light.bed_light`."""
    if series.kind == "variable":
        return f"${series.owner}"
    return series.owner if series.kind == "entity" else f"{series.owner}.{series.name}"


def _attributes_of(more: Attributes | None) -> Attributes:
    attributes = None if more is None else more.get("attributes")
    return {} if attributes is None else {"attributes": attributes}


def _attributes(more: Attributes | None) -> Value:
    attributes = _attributes_of(more).get("attributes")
    return encode(attributes).decode() if attributes else None


def _line(value: Attributes) -> bytes:
    return encode(value) + b"\n"


def _row(values: Iterable[Value]) -> bytes:
    return (",".join(map(field, values)) + "\r\n").encode("utf-8", "replace")


def field(value: Value) -> str:
    """A value as a field of CSV. Nothing is an empty field; what is a list or an object is written as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = value if isinstance(value, str) else encode(value).decode()
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _time(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, with milliseconds."""
    second, millisecond = divmod(round(at * 1000), 1000)
    return f"{_second(second)}.{millisecond:03d}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
