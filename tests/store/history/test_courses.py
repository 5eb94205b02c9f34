"""A course in a few points keeps its first and last, its lowest and highest."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.clock import VirtualClock
from hallway.home.past import Bucket, Sample, Series
from hallway.home.values import Value
from hallway.store.history import history
from hallway.store.history.courses import Thinning, course, thinned
from tests.store.history.pasts import Past, chunks


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


VALUES = NUMBERS | st.booleans() | st.none() | st.sampled_from(["on", "off"])


@given(values=st.lists(VALUES, max_size=100), cuts=st.lists(st.integers(0, 100), max_size=10), count=st.integers(0, 40))
def test_samples_that_come_in_pieces_are_chosen_as_those_that_come_at_once(
    values: list[Value], cuts: list[int], count: int
) -> None:
    samples = [Sample(float(at), value) for at, value in enumerate(values)]
    thinning = Thinning(len(samples), count)
    for begin, end in pairwise([0, *sorted(cuts), max([len(samples), *cuts])]):
        piece = samples[begin:end]
        thinning.add([sample.value for sample in piece], piece.__getitem__)
    chosen = thinning.chosen()
    assert chosen == thinned(samples, count) == all_at_once(samples, count)
    assert thinning.size == sum(sample.size for sample in chosen)


def all_at_once(samples: list[Sample], count: int) -> list[Sample]:
    """What is chosen, said in another way."""
    if len(samples) <= count:
        return samples
    if count <= 1:
        return samples[-1:] if count else []
    inner, parts = samples[1:-1], min((count - 2) // 2, len(samples) - 2)
    chosen = [samples[0]]
    for number in range(parts):
        part = inner[len(inner) * number // parts : len(inner) * (number + 1) // parts]
        numbers = [sample for sample in part if isinstance(sample.value, int | float)]
        numbers.sort(key=lambda sample: (sample.value, sample.at))
        both = {sample.at: sample for sample in (*numbers[:1], *numbers[-1:])}
        chosen += [both[at] for at in sorted(both)] or part[:1]
    return [*chosen, samples[-1]]


T0 = 1_800_000_000.0
LAMP, COMFORT = Series("entity", "light.lamp"), Series("variable", "comfort")


@pytest.mark.parametrize("count", [0, 1, 2, 5, 40, 299, 300])
async def test_the_course_of_more_than_is_held_is_that_of_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    monkeypatch.setattr(history, "RAW_AT_MOST", 30)
    for number in range(300):
        value, more = "on" if number % 3 else number % 70, {"attributes": {"brightness": number}}
        past.record(LAMP, T0 + number, value, more, kind="string")
        past.record(COMFORT, T0 + number, f"state {number}", kind="string")
        if number in {100, 200}:
            await past.store.flow.fold()
    for series in (LAMP, COMFORT):
        assert await past.store.points(series, T0 - 1, T0 + 1000, count) == thinned(past.of(series), count)
    await past.close()


async def test_the_course_of_long_texts_has_fewer_points_where_it_would_be_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    monkeypatch.setattr(history, "MOST_BYTES", 20_000)
    monkeypatch.setattr(history, "HELD_BYTES", 10_000)
    for number in range(200):
        past.record(COMFORT, T0 + number, f"{number} " + 997 * "x", kind="string")
    few = await past.store.points(COMFORT, T0 - 1, T0 + 1000, 100)
    assert 5 <= len(few) <= 20
    everything = past.of(COMFORT)
    assert (few[0], few[-1]) == (everything[0], everything[-1])
    await past.close()


async def test_samples_without_roll_ups_are_rolled_up_while_they_are_read(tmp_path: Path) -> None:
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    count, outside = 60_000, Series("attribute", "outside", "temperature")
    for number in range(count):
        past.record(outside, T0 + number, number % 977 / 7)
        if number % 20_000 == 0:
            await past.store.flow.fold()
    await past.store.flow.fold()
    before = await past.store.buckets(outside, "5min", T0, T0 + count)
    while await past.archive.expire_buckets("5min", round((T0 + count) * 1000), most=1000):
        pass
    tracemalloc.start()
    try:
        after = await past.store.buckets(outside, "5min", T0, T0 + count)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(after) >= count // 300
    assert after[: len(before) - 1] == before[:-1]
    assert peak < 32 * count
    await past.close()


async def test_the_course_of_many_states_is_not_held_in_memory_as_a_whole(tmp_path: Path) -> None:
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    count, note = 30_000, 300 * "x"
    for number in range(count):
        past.record(LAMP, T0 + number, "on", {"attributes": {"note": f"{number} {note}"}}, kind="string")
        if number % 5000 == 0:
            await past.store.flow.fold()
    await past.store.flow.fold()
    tracemalloc.start()
    try:
        few = await past.store.points(LAMP, T0 - 1, T0 + count, 10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (few[0], few[-1]) == (past.of(LAMP)[0], past.of(LAMP)[-1])
    assert peak < count * len(note)
    await past.close()
