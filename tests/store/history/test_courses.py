"""A course in a few points keeps its first and last, its lowest and highest."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hallway.home.past import Bucket, Sample
from hallway.store.history.courses import course, thinned


@given(values=st.lists(st.floats(-1e6, 1e6), max_size=200), count=st.integers(0, 50))
def test_of_samples(values: list[float], count: int) -> None:
    samples = [Sample(float(at), value) for at, value in enumerate(values)]
    few = thinned(samples, count)
    assert len(few) <= count or few == samples
    assert few == sorted(few, key=lambda sample: sample.at)
    assert set(map(repr, few)) <= set(map(repr, samples))
    if count >= 4 and samples:
        assert (few[0], few[-1]) == (samples[0], samples[-1])
        shown = [float(str(sample.value)) for sample in few]
        assert (min(shown), max(shown)) == (min(values), max(values))


def test_of_texts_some_are_left() -> None:
    samples = [Sample(float(at), f"state {at}") for at in range(100)]
    few = thinned(samples, 10)
    assert 4 <= len(few) <= 10
    assert (few[0], few[-1]) == (samples[0], samples[-1])


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=100), count=st.integers(2, 50))
def test_of_buckets(values: list[float], count: int) -> None:
    buckets = [Bucket(at * 300.0, value - 1, value + 1, value, value, 3, 0.0) for at, value in enumerate(values)]
    points = course(buckets, 300, count)
    assert 1 <= len(points) <= count
    assert points == sorted(points, key=lambda point: point.at)
    shown = [float(str(point.value)) for point in points]
    assert min(shown) == min(values) - 1
    assert max(shown) == max(values) + 1


NUMBERS = st.integers(-3, 3) | st.floats(-1e6, 1e6)


@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=100), count=st.integers(2, 50))
def test_each_part_of_buckets_shows_its_first_lowest_and_its_first_highest(
    pairs: list[tuple[float, float]], count: int
) -> None:
    buckets = [Bucket(at * 300.0, min(two), max(two), min(two), max(two), 3, 0.0) for at, two in enumerate(pairs)]
    parts = min(len(buckets), max(count // 2, 1))
    edges = [len(buckets) * number // parts for number in range(parts + 1)]
    expected: list[Sample] = []
    for begin, end in pairwise(edges):
        part = buckets[begin:end]
        least, most = min(bucket.least for bucket in part), max(bucket.most for bucket in part)
        low = next(Sample(bucket.at + 75, least) for bucket in part if bucket.least == least)
        high = next(Sample(bucket.at + 225, most) for bucket in part if bucket.most == most)
        expected += sorted([low, high], key=lambda point: point.at) if least != most else [low]
    assert course(buckets, 300, count) == expected[:count]
