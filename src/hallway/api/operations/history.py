"""Our own operations on what was: samples, a course in a few points, roll-ups, how the store does, what it costs.

Everybody is told what they may read. It must not know where the past is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from typing import Final, NamedTuple, get_args

from hallway.api.operations.base import Ask, Hub, Operation, never
from hallway.api.operations.large_results import close
from hallway.api.operations.logging_cost import Cost, cost_of, usual_bytes
from hallway.api.operations.past_names import NOTHING_KEPT, past_of, readable
from hallway.api.operations.pimatic.attribute_times import logging_of
from hallway.api.operations.pimatic.coercion import number_of
from hallway.api.operations.pimatic.declaring import DATE, data, maybe, text_in
from hallway.api.operations.pimatic.forms import milliseconds
from hallway.api.operations.pimatic.message_criteria import time_in
from hallway.errors import Forbidden, InvalidInput, Unavailable
from hallway.home.logging_times import checked
from hallway.home.past import MOST_BYTES, SECONDS_OF, Known, Sample, Series, Span
from hallway.home.values import Attributes, Value

AREA: Final = "history"
MOST_SAMPLES: Final = 10_000
MOST_POINTS: Final = 5_000
MOST_BUCKETS: Final = 20_000
DAY: Final = 86_400.0
_PLACE: Final = re.compile(r"(-?[0-9]{1,15})\.([0-9]{1,6})", re.ASCII)


class Place(NamedTuple):
    """Between two samples: those before it were told, so many of them at this time in seconds since 1970."""

    at: float
    told: int

    @property
    def text(self) -> str:
        """As it is given back and forth."""
        return f"{round(self.at * 1000)}.{self.told}"


async def get_samples(hub: Hub, ask: Ask) -> Attributes:
    known = await readable(past_of(hub), ask.caller, text_in(ask.data, "series"))
    limit = _count(ask.data, "limit", MOST_SAMPLES, 1000)
    descending = ask.data.get("newest") in (True, "true")
    after, before = _time(ask.data, "after"), _time(ask.data, "before")
    place = _place_in(ask.data)
    if place is not None and descending:
        before = place.at if before is None else min(before, place.at)
    elif place is not None:
        after = place.at if after is None else max(after, place.at)
    most = limit + 1 + (0 if place is None else place.told)
    pieces = past_of(hub).merged([known.series], after, before, descending=descending, limit=most)
    try:
        found, is_all = await _some(pieces, limit, place)
    finally:
        await close(pieces)
    return _course(known, found) | ({} if is_all else {"next": _place_behind(found, place).text})


async def _some(
    pieces: AsyncIterator[list[tuple[Series, Sample]]], limit: int, place: Place | None
) -> tuple[list[Sample], bool]:
    """The samples behind a place, no more than are to be told at once; and whether these are all."""
    found: list[Sample] = []
    size, skipped = 0, 0
    async for piece in pieces:
        for _series, sample in piece:
            if place is not None and sample.at == place.at and skipped < place.told:
                skipped += 1
                continue
            size += sample.size
            if len(found) == limit or (found and size > MOST_BYTES):
                return found, False
            found.append(sample)
    return found, True


def _place_in(given: Attributes) -> Place | None:
    """Where to go on; None: nowhere, begin."""
    cursor = given.get("cursor")
    if cursor is None:
        return None
    found = _PLACE.fullmatch(str(cursor))
    if found is None:
        raise InvalidInput(f"cursor is {str(cursor)[:40]!r}: give `next` of the answer before")
    return Place(int(found[1]) / 1000, int(found[2]))


def _place_behind(found: list[Sample], place: Place | None) -> Place:
    """Behind the last of these, which came behind another place."""
    at = found[-1].at
    told = sum(sample.at == at for sample in found)
    return Place(at, told + (place.told if place is not None and place.at == at else 0))


async def get_points(hub: Hub, ask: Ask) -> Attributes:
    known = await readable(past_of(hub), ask.caller, text_in(ask.data, "series"))
    after, before = _span(hub, ask.data, DAY)
    count = _count(ask.data, "count", MOST_POINTS, 500)
    return _course(known, await past_of(hub).points(known.series, after, before, count))


async def get_buckets(hub: Hub, ask: Ask) -> Attributes:
    known = await readable(past_of(hub), ask.caller, text_in(ask.data, "series"))
    spans: tuple[Span, ...] = get_args(Span)
    wanted = [span for span in spans if span == ask.data.get("span", "hour")]
    if not wanted:
        raise InvalidInput(f"span is {str(ask.data.get('span'))[:40]!r}: give one of {', '.join(spans)}")
    (span,) = wanted
    after, before = _span(hub, ask.data, 100 * SECONDS_OF[span])
    if (before - after) / SECONDS_OF[span] > MOST_BUCKETS:
        raise InvalidInput(f"from after to before there are more than {MOST_BUCKETS} spans: give times nearer together")
    buckets = await past_of(hub).buckets(known.series, span, after, before)
    names = ("least", "most", "mean", "last", "count", "rise")
    columns: Attributes = {name: [getattr(bucket, name) for bucket in buckets] for name in names}
    return {"times": [milliseconds(bucket.at) for bucket in buckets], **columns}


async def get_status(hub: Hub, _ask: Ask) -> Attributes:
    if hub.past_status is None:
        raise Unavailable(NOTHING_KEPT)
    return await hub.past_status()


async def preview(hub: Hub, ask: Ask) -> Attributes:
    if not ask.caller.may("devices:read"):
        raise Forbidden(f"previewDeviceAttributeLogging tells of devices: {ask.caller.name} lacks devices:read")
    now = logging_of(hub.kept)
    wanted = checked(ask.data.get("attributeLogging"))
    all_known = await past_of(hub).known("attribute")
    usual = usual_bytes(all_known)
    costs = [cost_of(known, now, wanted, usual) for known in all_known]
    costs.sort(key=lambda cost: -cost.bytes)
    present = [cost_of(known, now, now, usual) for known in all_known]
    return {
        "attributes": [_cost_form(cost) for cost in costs],
        "wanted": _total(costs),
        "now": _total(present),
    }


def _cost_form(cost: Cost) -> Attributes:
    _, device_id, name = cost.known.series
    return {"deviceId": device_id, "attributeName": name, **_sizes(cost.rows, cost.bytes, cost.kept)}


def _total(costs: list[Cost]) -> Attributes:
    return _sizes(*(math.fsum(getattr(cost, name) for cost in costs) for name in ("rows", "bytes", "kept")))


def _sizes(rows: float, size: float, kept: float) -> Attributes:
    return {"rowsPerDay": round(rows, 1), "bytesPerDay": round(size), "bytesKept": round(kept)}


# ---------------------------------------------------------------------- checks and forms


def _time(given: Attributes, name: str) -> float | None:
    at = time_in(given, name)
    if at is not None and not math.isfinite(at):
        raise InvalidInput(f"{name} must be a time: milliseconds since 1970, or ISO text such as 2026-11-22T04:00:00Z")
    return at


def _span(hub: Hub, given: Attributes, seconds: float) -> tuple[float, float]:
    """From a time to another; the last so many seconds where nothing is said."""
    after, before = _time(given, "after"), _time(given, "before")
    end = hub.home.clock.now() if before is None else before
    begin = end - seconds if after is None else after
    if begin > end:
        raise InvalidInput("after must not be later than before")
    return begin, end


def _count(given: Attributes, name: str, most: int, usual: int) -> int:
    number = usual if given.get(name) is None else number_of(name, given[name])
    if not 1 <= number <= most:
        raise InvalidInput(f"{name} is {number:g}: give a number from 1 to {most}")
    return int(number)


def _course(known: Known, samples: list[Sample]) -> Attributes:
    values: list[Value] = [sample.value for sample in samples]
    told: Attributes = {"type": known.type, "times": [milliseconds(sample.at) for sample in samples], "values": values}
    if known.series.kind == "entity":
        told["attributes"] = [(sample.more or {}).get("attributes") for sample in samples]
    return told


_SERIES: Final = data(
    "series",
    "string",
    "an attribute (lamp.state), a variable ($x) or an entity (light.lamp)",
    example="outside.temperature",
)
_SPAN: Final = (
    maybe("after", "", "a time in milliseconds since 1970, or as ISO text", schema=DATE),
    maybe("before", "", "likewise; now without it", schema=DATE),
)

OPERATIONS: Final = (
    Operation(
        "getHistorySamples",
        ("GET",),
        "/api/history/samples",
        "List what an attribute, a variable or an entity was, oldest first",
        "events:read",
        "samples",
        get_samples,
        (
            _SERIES,
            *_SPAN,
            maybe("limit", "number", f"how many at most, up to {MOST_SAMPLES}", example=100),
            maybe("newest", "boolean", "newest first"),
            maybe("cursor", "string", "where to go on: `next` of the answer before, which is there when there is more"),
        ),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "getHistoryPoints",
        ("GET",),
        "/api/history/points",
        "Show the course of something in a few points, its lowest and highest among them",
        "events:read",
        "points",
        get_points,
        (_SERIES, *_SPAN, maybe("count", "number", f"how many points at most, up to {MOST_POINTS}", example=200)),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "getHistoryBuckets",
        ("GET",),
        "/api/history/buckets",
        "Tell the lowest, highest, mean and last value of each five minutes, hour or day, and by how much it rose",
        "events:read",
        "buckets",
        get_buckets,
        (_SERIES, *_SPAN, maybe("span", "string", "of UTC; an hour without it", schema={"enum": list(get_args(Span))})),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "getHistoryStatus",
        ("GET",),
        "/api/history/status",
        "Tell how the store of the past does: what waits, what was written, how large it is, what is wrong",
        "events:read",
        "status",
        get_status,
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "previewDeviceAttributeLogging",
        ("POST",),
        "/api/history/preview",
        "Tell what a list of rules for how long attributes are kept would cost, in rows and bytes a day",
        "events:read",
        "preview",
        preview,
        (data("attributeLogging", "array", "objects with deviceId, attributeName, type, interval, expire"),),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
)
