"""What attributes were, as pimatic's clients ask for it: events in an order, some of them, or means of them.

It reads the past piece by piece and holds no more than is told. It must not know where the past is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from math import isnan
from typing import Final, Literal, Protocol

import msgspec

from hallway.errors import InvalidInput
from hallway.home.past import MOST_BYTES, NUMBER_BYTES, Past, Sample, Series, size_of
from hallway.home.values import Value

MOST_EVENTS: Final = 10_000
"""More events than these are not told at once."""
MOST_SORTED: Final = 100_000
"""The events before those that are told, and these, where they are put in another order than that of time."""
Column = Literal["time", "value", "deviceId", "attributeName", "type"]


class KnownAttribute(msgspec.Struct, frozen=True):
    """An attribute of which something is kept; id: its number there."""

    id: int
    device_id: str
    name: str
    type: str
    discrete: bool


class Event(msgspec.Struct, frozen=True, gc=False):
    """An attribute had a value at a time in seconds since 1970."""

    device_id: str
    attribute: str
    type: str
    at: float
    value: Value

    @property
    def size(self) -> int:
        """About how many bytes it takes to tell it."""
        return NUMBER_BYTES + size_of(self.value)


class Wanted(msgspec.Struct, frozen=True):
    """Which events: of these devices and attributes (None: all), between two times, in an order, and how many.

    every: seconds of a span of time of which the mean is wanted, instead of single numbers.
    """

    devices: frozenset[str] | None = None
    attributes: frozenset[str] | None = None
    after: float | None = None
    before: float | None = None
    order: Column = "time"
    descending: bool = True
    offset: int = 0
    limit: int = MOST_EVENTS
    every: float | None = None


class History(Protocol):
    """What can be asked about attributes."""

    async def events(self, wanted: Wanted) -> list[Event]:
        """The events that are wanted: the first of them, where all would be more than MOST_BYTES.

        InvalidInput: what stands before them is too much to be put in another order than that of time.
        """
        ...

    async def attributes(self) -> list[KnownAttribute]:
        """All attributes of which something is kept, also of devices that are gone."""
        ...

    async def counts(self) -> dict[int, int]:
        """How many events are kept of each attribute, by its number."""
        ...

    async def forget(self, number: int) -> int | None:
        """Keep nothing of that attribute any more: how many events went; None: there is none of that number."""
        ...

    async def tidy(self) -> None:
        """Give back to the disk what is not in use any more."""
        ...


class PastHistory:
    """The history of a home out of its past. tidy: gives back what is not in use."""

    def __init__(self, past: Past, tidy: Callable[[], Awaitable[None]]) -> None:
        self._past = past
        self._tidy = tidy

    async def tidy(self) -> None:
        await self._tidy()

    async def attributes(self) -> list[KnownAttribute]:
        return [
            KnownAttribute(known.number, known.series.owner, known.series.name, known.type, known.discrete)
            for known in await self._past.known("attribute")
        ]

    async def counts(self) -> dict[int, int]:
        return {known.number: known.count for known in await self._past.known("attribute") if known.count}

    async def forget(self, number: int) -> int | None:
        if all(known.number != number for known in await self._past.known("attribute")):
            return None
        return await self._past.forget(number)

    async def events(self, wanted: Wanted) -> list[Event]:
        if wanted.limit <= 0 or any(time is not None and isnan(time) for time in (wanted.after, wanted.before)):
            return []
        if wanted.order == "time" and not wanted.every:
            return await self._newest_or_oldest(wanted)
        if wanted.offset + wanted.limit > MOST_SORTED:
            raise InvalidInput(f"offset and limit must not be more than {MOST_SORTED} together in this order")
        best = _Best(wanted.offset + wanted.limit, lambda event: _sorted_by(event, wanted.order), wanted.descending)
        spans = _Spans(wanted.every) if wanted.every else None
        async for events in self._pieces(wanted, descending=False, limit=None):
            best.add(events if spans is None else spans.take(events))
        if spans is not None:
            best.add(spans.rest())
        found = best.all()
        if best.is_cut and len(found) <= wanted.offset:
            raise InvalidInput("more than 16 MB stand before these in this order: give times that are nearer together")
        return found[wanted.offset :]

    async def _newest_or_oldest(self, wanted: Wanted) -> list[Event]:
        found, left, size = list[Event](), wanted.offset, 0
        limit = wanted.offset + wanted.limit
        async for events in self._pieces(wanted, descending=wanted.descending, limit=limit):
            skipped = min(left, len(events))
            left -= skipped
            for event in events[skipped:]:
                found.append(event)
                size += event.size
                if size > MOST_BYTES:
                    return found
        return found[: wanted.limit]

    async def _pieces(self, wanted: Wanted, *, descending: bool, limit: int | None) -> AsyncIterator[list[Event]]:
        """The events in the order of time."""
        types = {
            known.series: known.type for known in await self._past.known("attribute") if _fits(known.series, wanted)
        }
        if not types:
            return
        pieces = self._past.merged(list(types), wanted.after, wanted.before, descending=descending, limit=limit)
        async for piece in pieces:
            yield [_event(series, types[series], sample) for series, sample in piece]


def _fits(series: Series, wanted: Wanted) -> bool:
    devices, attributes = wanted.devices, wanted.attributes
    return (devices is None or series.owner in devices) and (attributes is None or series.name in attributes)


def _event(series: Series, value_type: str, sample: Sample) -> Event:
    return Event(series.owner, series.name, value_type, sample.at, sample.value)


class _Best:
    """The first so many of all that are added, in an order."""

    def __init__(self, count: int, key: Callable[[Event], tuple[int, float, str]], descending: bool) -> None:
        self._count = count
        self._key = key
        self._descending = descending
        self._events: list[Event] = []
        self._size = 0
        self.is_cut = False
        """Whether there were more that were too much."""

    def add(self, events: Iterable[Event]) -> None:
        """Some more, in the order of time."""
        for event in events:
            self._events.append(event)
            self._size += event.size
            if len(self._events) > 2 * self._count + MOST_EVENTS or self._size > 2 * MOST_BYTES:
                self.all()

    def all(self) -> list[Event]:
        """Those that are the first now; more than MOST_BYTES are not held."""
        first = sorted(self._events, key=self._key, reverse=self._descending)[: self._count]
        self._events, self._size = [], 0
        for event in first:
            self._events.append(event)
            self._size += event.size
            if self._size > MOST_BYTES:
                self.is_cut = self.is_cut or len(self._events) < len(first)
                break
        return self._events


def _sorted_by(event: Event, order: Column) -> tuple[int, float, str]:
    """Numbers come before texts, and no value before all."""
    chosen: Value = {
        "time": event.at,
        "value": event.value,
        "deviceId": event.device_id,
        "attributeName": event.attribute,
        "type": event.type,
    }[order]
    if chosen is None:
        return 0, 0.0, ""
    return (1, float(chosen), "") if isinstance(chosen, int | float) else (2, 0.0, str(chosen))


class _Spans:
    """Means of numbers in spans of time, each at the time of its first event; what is no number stays as it is."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._open: dict[tuple[str, str], _Mean] = {}

    def take(self, events: Iterable[Event]) -> Iterator[Event]:
        """Go on with events in the order of time: those that are complete."""
        for event in events:
            if event.type != "number" or not isinstance(event.value, int | float):
                yield event
                continue
            key = event.device_id, event.attribute
            span = self._open.get(key)
            if span is None or span.first.at // self._every != event.at // self._every:
                if span is not None:
                    yield span.event()
                span = self._open[key] = _Mean(event)
            span.add(event.value)

    def rest(self) -> Iterator[Event]:
        """What was not complete."""
        return map(_Mean.event, self._open.values())


class _Mean:
    """Of a span of time. first: the event that it began with."""

    def __init__(self, first: Event) -> None:
        self.first = first
        self._total = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        self._total += value
        self._count += 1

    def event(self) -> Event:
        return msgspec.structs.replace(self.first, value=self._total / self._count)
