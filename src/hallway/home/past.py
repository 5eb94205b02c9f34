"""What was: the values that attributes, variables and entities had, and what can be asked about them.

Types and the question book alone. It must not know where the past is kept, nor who asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from hallway.home.values import Attributes, Value, encode

SeriesKind = Literal["attribute", "variable", "entity"]
Span = Literal["5min", "hour", "day"]
SECONDS_OF: Final[dict[Span, int]] = {"5min": 300, "hour": 3600, "day": 86_400}
MOST_BYTES: Final = 16_000_000
"""What is told at once is not longer than this, more or less."""
NUMBER_BYTES: Final = 16
"""A time, and a value that is neither text, list nor object."""


class Series(NamedTuple):
    """What has values over time: an attribute (device id and name), a variable (its name) or an entity (its id)."""

    kind: SeriesKind
    owner: str
    name: str = ""


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value at a time, in seconds since 1970 with three decimals.

    more: for an entity `{"attributes": {…}}`, with `last_changed` beside it when the state text is older than `at`. The
    value of an entity is its state text, and None where it came to its end.
    """

    at: float
    value: Value
    more: Attributes | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes to tell it."""
        return NUMBER_BYTES + size_of(self.value) + (0 if self.more is None else size_of(self.more))


class Known(msgspec.Struct, frozen=True, gc=False):
    """A series of which something is kept. number: its number there; count, bytes: samples, and what they take.

    first, last: times in seconds since 1970, None while there is no sample; type, discrete: as of the attribute.
    """

    number: int
    series: Series
    type: str
    discrete: bool
    count: int
    first: float | None
    last: float | None
    bytes: int


class Bucket(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a number was in a span of time that begins at `at`.

    mean: over time, as each value holds until the next one; last: the value at the end; count: samples in it; rise: by
    how much it went up in all, a fall below half of what it was counting as a meter that began anew.
    """

    at: float
    least: float
    most: float
    mean: float
    last: float
    count: int
    rise: float


class Columns(msgspec.Struct, frozen=True):
    """Samples of one series as columns of equal length, oldest first. mores: empty when no sample has more."""

    series: Series
    ats: Sequence[float]
    values: Sequence[Value]
    mores: Sequence[Attributes | None] = ()


class Past(Protocol):
    """What can be asked. Times are in seconds since 1970 and belong to the span themselves; None: without end.

    Every answer holds what was recorded up to the moment of the question, written to the disk or not.
    """

    def columns(
        self, series: Sequence[Series], after: float | None = None, before: float | None = None
    ) -> AsyncIterator[Columns]:
        """All samples, series by series, each in pieces of at most some thousands, oldest first."""
        ...

    def merged(
        self,
        series: Sequence[Series] | None,
        after: float | None = None,
        before: float | None = None,
        *,
        descending: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[list[tuple[Series, Sample]]]:
        """Samples of all these series (None: of all attributes) in the order of time, in pieces."""
        ...

    async def at(self, series: Sequence[Series], moment: float) -> dict[Series, Sample]:
        """The last sample of each at or before a moment; series that had none yet are left out."""
        ...

    async def points(self, series: Series, after: float, before: float, count: int) -> list[Sample]:
        """At most so many samples that show the course of a series, its lowest and highest points among them."""
        ...

    async def buckets(self, series: Series, span: Span, after: float, before: float) -> list[Bucket]:
        """Minimum, maximum, mean, last value, count and rise of each 5 minutes, hour or day (of UTC), oldest first."""
        ...

    async def known(self, kind: SeriesKind | None = None) -> list[Known]:
        """All series of which something is kept, also of things that are gone."""
        ...

    async def forget(self, number: int) -> int | None:
        """Keep nothing of a series any more: how many samples went; None: there is none of that number."""
        ...


def size_of(value: Value) -> int:
    """About how many bytes a text, a list or an object takes; nothing for others."""
    if isinstance(value, str):
        return len(value)
    return len(encode(value)) if isinstance(value, list | dict) else 0
