"""The past of a house as a list in memory, for tests of what asks it; who records writes into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from hallway.home.past import SECONDS_OF, Bucket, Columns, Known, Sample, Series, SeriesKind, Span
from hallway.home.values import Attributes, Value
from hallway.store.history.rollups import rolled_up
from hallway.store.history.tail import Track


class ListedPast:
    """Implements Past, and what a recorder writes to. piece: so many samples are told at once."""

    def __init__(self, piece: int = 3) -> None:
        self._piece = piece
        self.tracks: dict[Series, Track] = {}
        self.samples: dict[Series, list[Sample]] = {}
        self.asked = 0

    def track(self, series: Series, value_type: str, discrete: bool) -> Track:
        track = self.tracks.setdefault(series, Track(series, value_type, discrete, len(self.tracks) + 1))
        track.type, track.discrete = value_type, discrete
        return track

    def known_series(self, series: Series) -> bool:
        return series in self.samples

    def record(self, track: Track, at: int, value: Value, more: Attributes | None = None) -> None:
        self.samples.setdefault(track.series, []).append(Sample(at / 1000, value, more))

    def put(self, series: Series, *samples: tuple[float, Value], value_type: str = "number") -> None:
        """Some samples, as a test wants them."""
        track = self.track(series, value_type, value_type != "number")
        for at, value in samples:
            self.record(track, round(at * 1000), value)

    def add(self, series: Series, *samples: Sample) -> None:
        """Some samples with what is said beside them."""
        track = self.track(series, "number", False)
        for sample in samples:
            self.record(track, round(sample.at * 1000), sample.value, sample.more)

    def of(self, series: Series, after: float | None = None, before: float | None = None) -> list[Sample]:
        """What there is of a series, in the order of time."""
        begin, end = (-1e18 if after is None else after), (1e18 if before is None else before)
        return sorted(
            (sample for sample in self.samples.get(series, []) if begin <= sample.at <= end), key=lambda each: each.at
        )

    async def columns(
        self, series: Sequence[Series], after: float | None = None, before: float | None = None
    ) -> AsyncIterator[Columns]:
        for each in series:
            found = self.of(each, after, before)
            for begin in range(0, len(found), self._piece):
                piece = found[begin : begin + self._piece]
                mores = [sample.more for sample in piece]
                yield Columns(
                    each,
                    [sample.at for sample in piece],
                    [sample.value for sample in piece],
                    mores if any(more is not None for more in mores) else (),
                )

    async def merged(
        self,
        series: Sequence[Series] | None,
        after: float | None = None,
        before: float | None = None,
        *,
        descending: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[list[tuple[Series, Sample]]]:
        self.asked += 1
        wanted = [each for each in self.samples if each.kind == "attribute"] if series is None else series
        pairs = [(each, sample) for each in wanted for sample in self.of(each, after, before)]
        pairs.sort(key=lambda pair: pair[1].at, reverse=descending)
        pairs = pairs[:limit]
        for begin in range(0, len(pairs), self._piece):
            yield pairs[begin : begin + self._piece]

    async def at(self, series: Sequence[Series], moment: float) -> dict[Series, Sample]:
        found = {each: self.of(each, None, moment) for each in series}
        return {each: samples[-1] for each, samples in found.items() if samples}

    async def points(self, series: Series, after: float, before: float, count: int) -> list[Sample]:
        return self.of(series, after, before)[:count]

    async def buckets(self, series: Series, span: Span, after: float, before: float) -> list[Bucket]:
        found = self.of(series, after // SECONDS_OF[span] * SECONDS_OF[span], before)
        return rolled_up([round(each.at * 1000) for each in found], [each.value for each in found], span, 0)

    async def known(self, kind: SeriesKind | None = None) -> list[Known]:
        return [
            Known(track.number, series, track.type, track.discrete, len(samples), samples[0].at, samples[-1].at, 10)
            for series, samples in self.samples.items()
            if kind in (None, series.kind) and (track := self.tracks[series]) is not None
        ]

    async def forget(self, number: int) -> int | None:
        for series, track in self.tracks.items():
            if track.number == number and series in self.samples:
                return len(self.samples.pop(series))
        return None

    async def tidy(self) -> None:
        """Nothing is to be tidied."""


class Written:
    """What a recorder writes to: a ListedPast."""

    def __init__(self, past: ListedPast) -> None:
        self._past = past
        self.track = past.track
        self.record = past.record
        self.known = past.known_series
