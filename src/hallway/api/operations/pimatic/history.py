"""What attributes were: as much of it as stands in memory, the last 30 values of each.

A store that keeps more can take its place: it only has to be a `History`. It must not know who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from typing import Literal, Protocol

import msgspec

from hallway.api.operations.pimatic.recent import Recent
from hallway.home.changes import AnyChange, Defined
from hallway.home.home import Home
from hallway.home.values import Value

MOST_EVENTS = 10_000
"""More events than these are not told at once."""
MOST_GONE = 10_000
"""As many devices that are gone are remembered."""
AT_ONCE = 500
"""Devices that are looked at before others get their turn."""
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
    """Where the past is kept."""

    async def events(self, wanted: Wanted) -> list[Event]:
        """The events that are wanted."""
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


class RecentHistory:
    """The history of a home as far as it stands in memory."""

    def __init__(self, home: Home, recent: Recent) -> None:
        self._home = home
        self._recent = recent
        self._known: dict[str, dict[str, KnownAttribute]] = {}
        self._gone: dict[str, None] = {}
        self._forgotten: dict[tuple[str, str], float] = {}
        self._last = 0
        for device_id in home.devices:
            self._take_in(device_id)
        home.changes.subscribe(self._follow)

    def _follow(self, change: AnyChange) -> None:
        if not isinstance(change, Defined) or change.kind != "device":
            return
        if change.new is not None:
            self._take_in(change.key)
            return
        self._gone[change.key] = None
        while len(self._gone) > MOST_GONE:
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self._known.pop(oldest, None)

    def _take_in(self, device_id: str) -> None:
        """Number the attributes of a device that have no number yet."""
        known = self._known.setdefault(device_id, {})
        self._gone.pop(device_id, None)
        for attribute in self._recent.attributes(self._home.devices[device_id]).values():
            before = known.get(attribute.name)
            self._last += before is None
            number = self._last if before is None else before.id
            known[attribute.name] = KnownAttribute(
                number, device_id, attribute.name, attribute.type, attribute.discrete
            )

    # ------------------------------------------------------------------ asked

    async def attributes(self) -> list[KnownAttribute]:
        return [known async for known in self._all(None)]

    async def counts(self) -> dict[int, int]:
        found = {known.id: sum(1 for _ in self._of(known)) async for known in self._all(None)}
        return {number: count for number, count in found.items() if count}

    async def events(self, wanted: Wanted) -> list[Event]:
        found = list[Event]()
        async for known in self._all(wanted.devices):
            if wanted.attributes is None or known.name in wanted.attributes:
                found += [event for event in self._of(known) if _between(event, wanted)]
        if wanted.every:
            found = means(found, wanted.every)
        found.sort(key=lambda event: _sorted_by(event, wanted.order), reverse=wanted.descending)
        return found[wanted.offset :][: wanted.limit]

    async def forget(self, number: int) -> int | None:
        async for known in self._all(None):
            if known.id == number:
                return self._forget(known)
        return None

    # ------------------------------------------------------------------ inside

    async def _all(self, devices: Collection[str] | None) -> AsyncIterator[KnownAttribute]:
        """All attributes, or those of some devices. A large home is looked through in pieces: others want to go on."""
        wanted = list(self._known) if devices is None else [name for name in self._known if name in devices]
        for number, device_id in enumerate(wanted, 1):
            if device_id in self._home.devices:
                self._take_in(device_id)
            for known in list(self._known.get(device_id, {}).values()):
                yield known
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _of(self, known: KnownAttribute) -> Iterator[Event]:
        device = self._home.devices.get(known.device_id)
        if device is None or known.name not in self._recent.attributes(device):
            return
        since = self._forgotten.get((known.device_id, known.name))
        for moment in self._recent.moments(device, known.name):
            if since is None or moment.at > since:
                value = None if isinstance(moment.value, msgspec.UnsetType) else moment.value
                yield Event(known.device_id, known.name, known.type, moment.at, value)

    def _forget(self, known: KnownAttribute) -> int:
        count = sum(1 for _ in self._of(known))
        device = self._home.devices.get(known.device_id)
        if device is not None and known.name in self._recent.attributes(device):
            self._forgotten[known.device_id, known.name] = self._home.clock.now()
        else:
            del self._known[known.device_id][known.name]
        return count


def _between(event: Event, wanted: Wanted) -> bool:
    after, before = wanted.after, wanted.before
    return (after is None or event.at >= after) and (before is None or event.at <= before)


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


def means(events: list[Event], every: float) -> list[Event]:
    """The mean of the numbers in each span of that many seconds, at the time of its first; others stay as they are."""
    others, spans = list[Event](), dict[tuple[str, str, int], list[Event]]()
    for event in sorted(events, key=lambda event: event.at):
        if event.type == "number" and isinstance(event.value, int | float):
            spans.setdefault((event.device_id, event.attribute, int(event.at // every)), []).append(event)
        else:
            others.append(event)
    return [*others, *(_mean(span) for span in spans.values())]


def _mean(span: list[Event]) -> Event:
    numbers = [float(event.value) for event in span if isinstance(event.value, int | float)]
    return msgspec.structs.replace(span[0], value=sum(numbers) / len(numbers))
