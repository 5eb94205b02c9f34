"""The course of a series in a few points: the lowest and highest of each part of the time, where it was numbers.

Pure. It must not know where samples or buckets come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Final

from hallway.home.past import Bucket, Sample
from hallway.home.values import Value

_LEAST: Final = attrgetter("least")
_MOST: Final = attrgetter("most")


class Thinning:
    """At most `count` of `length` samples, which come piece by piece; no more of them is held than is chosen.

    The first, the last, the lowest and the highest are among them from four on.
    """

    def __init__(self, length: int, count: int) -> None:
        self._parts = _kept(length, count)
        self._part = next(self._parts, None)
        self._place = 0
        self._open: dict[int, Sample] = {}
        self._chosen: list[Sample] = []
        self.size = 0
        """Bytes of what is chosen, about."""

    def add(self, values: Sequence[Value], sample_at: Callable[[int], Sample]) -> None:
        """The next piece: its values, and a sample as a whole by its place in it."""
        start, stop = self._place, self._place + len(values)
        self._place = stop
        while self._part is not None and self._part[0] < stop:
            begin, end = max(self._part[0], start), min(self._part[1], stop)
            places = _extremes(list(enumerate(values[begin - start : end - start], begin)))
            if self._open:
                held = [(place, sample.value) for place, sample in self._open.items()]
                places = _extremes(held + [(place, values[place - start]) for place in sorted(places)])
            self._open = {place: self._open.get(place) or sample_at(place - start) for place in places}
            if self._part[1] > stop:
                return
            self._close()
            self._part = next(self._parts, None)

    def _close(self) -> None:
        samples = [self._open[place] for place in sorted(self._open)]
        self._open = {}
        self._chosen += samples
        self.size += sum(sample.size for sample in samples)

    def chosen(self) -> list[Sample]:
        """All that were chosen; nothing more is to come."""
        self._close()
        return self._chosen


def thinned(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most so many of the samples."""
    thinning = Thinning(len(samples), count)
    thinning.add([sample.value for sample in samples], samples.__getitem__)
    return thinning.chosen()


def course(buckets: Sequence[Bucket], span: float, count: int) -> list[Sample]:
    """At most so many points that show what buckets of that many seconds tell, the lowest and highest among them."""
    points: list[Sample] = []
    early, late = span / 4, 3 * span / 4
    for begin, end in _parts(0, len(buckets), max(count // 2, 1)):
        least = most = buckets[begin]
        if end - begin > 1:
            part = buckets[begin:end]
            least, most = min(part, key=_LEAST), max(part, key=_MOST)
        low = Sample(least.at + early, least.least)
        if least.least == most.most:
            points.append(low)
            continue
        high = Sample(most.at + late, most.most)
        points += (low, high) if low.at <= high.at else (high, low)
    return points[:count] if count > 1 else points[-count:] if count else []


def _parts(begin: int, end: int, count: int) -> Iterator[tuple[int, int]]:
    """So many parts of about the same length, none of them empty."""
    length, count = end - begin, min(count, end - begin)
    for number in range(count):
        yield begin + length * number // count, begin + length * (number + 1) // count


def _kept(length: int, count: int) -> Iterator[tuple[int, int]]:
    """The parts of which the lowest and highest are kept; the first and the last sample are parts of their own."""
    if length <= count:
        yield from _parts(0, length, length)
        return
    if count > 1:
        yield 0, 1
        yield from _parts(1, length - 1, (count - 2) // 2)
    if count:
        yield length - 1, length


def _extremes(values: Sequence[tuple[int, Value]]) -> set[int]:
    """The places of the lowest and the highest number; of the first value where there is none."""
    numbers = [(value, place) for place, value in values if isinstance(value, int | float)]
    if not numbers:
        return {place for place, _value in values[:1]}
    return {min(numbers)[1], max(numbers)[1]}
