"""The operations of the Home Assistant API on what was: states over a day, the last states of one entity, the logbook.

Everybody sees the past of those entities that they may see now. It must not know how a request or answer is written.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hallway.access.callers import Caller
from hallway.api.operations.base import Ask, Hub, Operation, Parameter, never
from hallway.api.operations.entity_scopes import may_see
from hallway.api.operations.large_results import Entries, StateLists, StatePiece, close
from hallway.api.operations.logbook_lines import Line, grouped, line_of_message, line_of_sample
from hallway.api.operations.past_names import past_of
from hallway.errors import InvalidInput
from hallway.home.changes import State
from hallway.home.logbook import TAG
from hallway.home.messages import Wanted
from hallway.home.past import Past, Sample, Series
from hallway.home.values import Attributes, python_text

DAY: Final = 86_400.0
LAST_STATES: Final = 5
AT_ONCE: Final = 200
"""Entities whose beginning is looked up together."""
_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
Span = tuple[float, float]


# ---------------------------------------------------------------------- states


async def states_of_a_day(hub: Hub, ask: Ask) -> StateLists:
    """The states of each entity in the 24 hours up to now, or on a day, with the one that it began with."""
    now = hub.home.clock.now()
    after, before = _day_in(hub, ask) or (now - DAY, now)
    filtered = ask.data.get("filter_entity_id")
    wanted = None if not filtered else [each.strip().lower() for each in python_text(filtered).split(",")]
    past = past_of(hub)
    series = [each for each in await _entities(past, ask.caller, before) if wanted is None or each.owner in wanted]
    return StateLists(_lists(past, series, (after, before)))


async def _lists(past: Past, series: list[Series], span: Span) -> AsyncIterator[StatePiece]:
    after, before = span
    for number in range(0, len(series), AT_ONCE):
        some = series[number : number + AT_ONCE]
        at_first = await past.at(some, after)
        opened = set[Series]()
        async for columns in past.columns(some, after, before):
            begins = columns.series not in opened
            states = _began(columns.series, at_first.get(columns.series), after) if begins else []
            mores = columns.mores or [None] * len(columns.ats)
            samples = (Sample(*each) for each in zip(columns.ats, columns.values, mores, strict=True))
            states += [_state(columns.series.owner, each) for each in samples if _moved(each) and each.at > after]
            if states:
                opened.add(columns.series)
                yield StatePiece(states, begins)
            await asyncio.sleep(0)
        for each in some:
            if each not in opened and (began := _began(each, at_first.get(each), after)):
                yield StatePiece(began, begins=True)


def _began(series: Series, sample: Sample | None, after: float) -> list[State]:
    """What the entity showed at the beginning, if there was one."""
    if sample is None or sample.value is None:
        return []
    return [_state(series.owner, Sample(after, sample.value, sample.more))]


def _moved(sample: Sample) -> bool:
    """Whether the text of the state changed then, and not only its attributes; an entity that went shows nothing."""
    return sample.value is not None and (sample.more is None or "last_changed" not in sample.more)


def _state(entity_id: str, sample: Sample) -> State:
    attributes = (sample.more or {}).get("attributes")
    shown: Attributes = attributes if isinstance(attributes, dict) else {}
    return State(entity_id, python_text(sample.value), shown, sample.at, sample.at)


async def last_states(hub: Hub, ask: Ask) -> list[State]:
    """The last five states of an entity, the newest first."""
    series = Series("entity", ask.path[0].lower())
    found = list[State]()
    if not may_see(ask.caller, series.owner):
        return found
    pieces = past_of(hub).merged([series], descending=True)
    try:
        async for piece in pieces:
            found += [_state(series.owner, sample) for _series, sample in piece if _moved(sample)]
            if len(found) >= LAST_STATES:
                break
    finally:
        await close(pieces)
    return found[:LAST_STATES]


# ---------------------------------------------------------------------- logbook


async def logbook(hub: Hub, ask: Ask) -> Entries:
    """What happened since midnight, or on a day, in sentences."""
    after, before = _day_in(hub, ask) or _day(hub, datetime.fromtimestamp(hub.home.clock.now(), _zone(hub)))
    past = past_of(hub)
    series = await _entities(past, ask.caller, before)
    new = {known.series: known.first for known in await past.known("entity")}
    return Entries(grouped(_in_order(_moves(past, series, new, (after, before)), _messages(hub, ask, (after, before)))))


async def _moves(
    past: Past, series: list[Series], new: dict[Series, float | None], span: Span
) -> AsyncIterator[list[Line]]:
    """Entities that showed something else. Of one that is new nothing is told: it did not change."""
    if not series:
        return
    async for piece in past.merged(series, *span):
        yield [line_of_sample(each, sample) for each, sample in piece if _moved(sample) and sample.at != new.get(each)]
        await asyncio.sleep(0)


async def _messages(hub: Hub, ask: Ask, span: Span) -> AsyncIterator[list[Line]]:
    async for page in hub.messages.pages(Wanted(tags=frozenset({TAG}), after=span[0], before=span[1])):
        lines = [line_of_message(message) for message in page]
        yield [line for line in lines if not line.entity_id or may_see(ask.caller, line.entity_id)]


async def _in_order(one: AsyncIterator[list[Line]], other: AsyncIterator[list[Line]]) -> AsyncIterator[list[Line]]:
    """Lines of two sources, each in the order of time, in the order of time."""
    left, right = await _next(one), await _next(other)
    while left or right:
        # what is not later than the end of both pieces can be told: more may only come behind it
        end = min(piece[-1].at for piece in (left, right) if piece)
        yield sorted((line for line in (*left, *right) if line.at <= end), key=lambda line: line.at)
        left = [line for line in left if line.at > end] or (await _next(one) if left else [])
        right = [line for line in right if line.at > end] or (await _next(other) if right else [])


async def _next(source: AsyncIterator[list[Line]]) -> list[Line]:
    """The next piece that holds something; an empty one at the end."""
    async for piece in source:
        if piece:
            return piece
    return []


# ---------------------------------------------------------------------- common


async def _entities(past: Past, caller: Caller, before: float) -> list[Series]:
    """All entities of which something is kept from before a moment, as far as the caller may see them, by id."""
    return sorted(
        known.series
        for known in await past.known("entity")
        if (known.first is None or known.first <= before) and may_see(caller, known.series.owner)
    )


def _day_in(hub: Hub, ask: Ask) -> Span | None:
    """The day that the path names; None when what stands there does not look like one, as in the original."""
    found = _DATE.match(ask.path[0]) if ask.path else None
    if found is None:
        return None
    try:
        return _day(hub, datetime(*map(int, found.groups()), tzinfo=_zone(hub)))  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        raise InvalidInput(f"there is no day {found[0]}: give one as year-month-day, like 2026-11-22") from None


def _day(hub: Hub, within: datetime) -> Span:
    """From midnight to midnight by the clock of the home, the second one left out."""
    midnight = within.replace(hour=0, minute=0, second=0, microsecond=0)
    following = (midnight + timedelta(days=1)).replace(tzinfo=_zone(hub))
    return midnight.timestamp(), following.timestamp() - 0.001


def _zone(hub: Hub) -> ZoneInfo:
    return ZoneInfo(hub.info.time_zone)


_DAY_IN_PATH: Final = Parameter(
    "date", "path", "a day as year-month-day", required=True, example="2026-11-22", schema={"pattern": "[^/]*"}
)
_FILTER: Final = Parameter("filter_entity_id", "data", "only this entity; several with commas between")

OPERATIONS: Final = (
    Operation(
        "history",
        ("GET",),
        "/api/history/period",
        "List what each entity showed in the last 24 hours",
        "events:read",
        "state_lists",
        states_of_a_day,
        (_FILTER,),
        at_once=never,
    ),
    Operation(
        "history_of_day",
        ("GET",),
        "/api/history/period/{date}",
        "List what each entity showed on a day; what is no date counts as none",
        "events:read",
        "state_lists",
        states_of_a_day,
        (_DAY_IN_PATH, _FILTER),
        open_ended=True,
        at_once=never,
    ),
    Operation(
        "recent_states",
        ("GET",),
        "/api/history/entity/{entity_id}/recent_states",
        "List the last five states of an entity, the newest first",
        "events:read",
        "past_states",
        last_states,
        (Parameter("entity_id", "path", "domain.object_id, in any case", required=True, example="light.bed_light"),),
        at_once=never,
    ),
    Operation(
        "logbook",
        ("GET",),
        "/api/logbook",
        "Tell what happened since midnight, in sentences",
        "events:read",
        "entries",
        logbook,
        at_once=never,
    ),
    Operation(
        "logbook_of_day",
        ("GET",),
        "/api/logbook/{date}",
        "Tell what happened on a day, in sentences; what is no date counts as today",
        "events:read",
        "entries",
        logbook,
        (_DAY_IN_PATH,),
        open_ended=True,
        at_once=never,
    ),
)
