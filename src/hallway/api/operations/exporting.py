"""The operations that hand out the past as a file: samples of attributes, variables and entities, or messages.

It comes in pieces, so that years of it cost no memory. Everybody gets what they may read. It must not know how a piece
is sent.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Final, get_args

from hallway.api.operations.base import Ask, Hub, Operation, never
from hallway.api.operations.export_lines import FORMATS, Csv, Format, JsonLines, name_of
from hallway.api.operations.large_results import Flow
from hallway.api.operations.past_names import Names, may_read, past_of
from hallway.api.operations.pimatic.declaring import DATE, maybe
from hallway.api.operations.pimatic.message_criteria import texts_in, time_in, wanted_messages
from hallway.errors import Forbidden, InvalidInput
from hallway.home.messages import Wanted
from hallway.home.past import Past, Series, SeriesKind
from hallway.home.values import Attributes, Value

AREA: Final = "history"
COLUMNS: Final = ("time", "kind", "series", "value", "attributes")
MESSAGE_COLUMNS: Final = ("time", "level", "tags", "text")
STREAMS: Final = (Csv.content_type, JsonLines.content_type)
_AT_ONCE: Final = 500
"""Series that are asked for together."""


async def export_history(hub: Hub, ask: Ask) -> Flow:
    form, after, before = _format(ask.data), _time(ask.data, "after"), _time(ask.data, "before")
    past = past_of(hub)
    kinds = _kinds(ask.data.get("kind"))
    known = [each.series for each in await past.known() if each.series.kind in kinds]
    names = _names(ask.data.get("series"))
    if names:
        called = Names(known)
        series = list(dict.fromkeys(map(called.find, names)))
        hidden = [name_of(each) for each in series if not may_read(ask.caller, each)]
        if hidden:
            raise Forbidden(f"{ask.caller.name} may not read what {hidden[0][:60]} was")
    else:
        series = [each for each in sorted(known) if may_read(ask.caller, each)]
    return Flow(_samples(past, series, (after, before), form), form.content_type, f"history.{form.ending}")


async def _samples(
    past: Past, series: list[Series], span: tuple[float | None, float | None], form: Format
) -> AsyncIterator[bytes]:
    yield form.head(COLUMNS)
    for start in range(0, len(series), _AT_ONCE):
        async for columns in past.columns(series[start : start + _AT_ONCE], *span):
            yield form.samples(columns)
            await asyncio.sleep(0)


async def export_messages(hub: Hub, ask: Ask) -> Flow:
    form = _format(ask.data)
    _time(ask.data, "after")
    _time(ask.data, "before")
    wanted = wanted_messages({name: value for name, value in ask.data.items() if name != "format"})
    return Flow(_messages(hub, wanted, form), form.content_type, f"messages.{form.ending}")


async def _messages(hub: Hub, wanted: Wanted, form: Format) -> AsyncIterator[bytes]:
    yield form.head(MESSAGE_COLUMNS)
    async for page in hub.messages.pages(wanted):
        yield form.messages(page)


# ---------------------------------------------------------------------- what is asked for


def _format(given: Attributes) -> Format:
    wanted = given.get("format", "csv")
    if not isinstance(wanted, str) or wanted not in FORMATS:
        raise InvalidInput(f"format is {str(wanted)[:40]!r}: give csv or jsonl")
    return FORMATS[wanted]()


def _time(given: Attributes, name: str) -> float | None:
    at = time_in(given, name)
    if at is not None and math.isnan(at):
        raise InvalidInput(f"{name} must be a time: milliseconds since 1970, or ISO text such as 2026-11-22T04:00:00Z")
    return at


def _kinds(kind: Value) -> tuple[SeriesKind, ...]:
    kinds: tuple[SeriesKind, ...] = get_args(SeriesKind)
    if kind is None:
        return kinds
    found = tuple(each for each in kinds if each == kind)
    if not found:
        raise InvalidInput(f"kind is {str(kind)[:40]!r}: give one of {', '.join(kinds)}")
    return found


def _names(given: Value) -> list[str]:
    """Names that stand in a list, or in a text with commas between."""
    names = [part.strip() for text in texts_in(given, "series") for part in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


_SPAN: Final = (
    maybe("after", "", "a time in milliseconds since 1970, or as ISO text", schema=DATE),
    maybe("before", "", "likewise", schema=DATE),
)
_FORMAT: Final = maybe("format", "string", "csv, or jsonl for one JSON object a line", schema={"enum": list(FORMATS)})

OPERATIONS: Final = (
    Operation(
        "exportHistory",
        ("GET",),
        "/api/history/export",
        "Hand out as a file what attributes, variables and entities were; only over HTTP",
        "events:read",
        "",
        export_history,
        (
            maybe("series", "", "names with commas between: lamp.state, $x, light.lamp; all without it"),
            maybe("kind", "string", "only these", schema={"enum": list(get_args(SeriesKind))}),
            *_SPAN,
            _FORMAT,
        ),
        area=AREA,
        at_once=never,
        streams=STREAMS,
    ),
    Operation(
        "exportMessages",
        ("GET",),
        "/api/messages/export",
        "Hand out messages as a file, oldest first; only over HTTP",
        "messages:read",
        "",
        export_messages,
        (
            maybe("level", "", "a level or a list of levels: error, warn, info, debug"),
            maybe("levelOp", "string", "=, <, <=, >, >= or <>; error is the least level", example="<="),
            maybe("tags", "", "a tag, or several that are all there"),
            maybe("text", "string", "what their text holds somewhere, in any case"),
            *_SPAN,
            _FORMAT,
        ),
        area=AREA,
        at_once=never,
        streams=STREAMS,
    ),
)
