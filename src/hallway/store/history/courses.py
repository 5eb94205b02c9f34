"""The course of a series in a few points: the lowest and highest of each part of the time, where it was numbers.

Pure. It must not know where samples or buckets come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

from hallway.home.past import Bucket, Sample
from hallway.home.values import Value

_LEAST: Final = attrgetter("least")
_MOST: Final = attrgetter("most")


def thinned(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most so many of the samples; the first, the last, the lowest and the highest are among them from four on."""
    if len(samples) <= count:
        return list(samples)
    if count <= 1:
        return list(samples[-1:]) if count else []
    inner = max((count - 2) // 2, 0)
    chosen = {0, len(samples) - 1}
    for begin, end in _parts(1, len(samples) - 1, inner):
        chosen |= _extremes([sample.value for sample in samples[begin:end]], begin)
    return [samples[place] for place in sorted(chosen)]


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


def _extremes(values: Sequence[Value], begin: int) -> set[int]:
    """The places of the lowest and the highest number; of the first value where there is none."""
    numbers = [(value, place) for place, value in enumerate(values, begin) if isinstance(value, int | float)]
    if not numbers:
        return {begin}
    return {min(numbers)[1], max(numbers)[1]}
