"""What roll-ups promise: least, most, mean over time, last value, count and rise, however the samples are cut up."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.home.past import Bucket, Span
from hallway.store.history.rollups import (
    SPANS,
    Row,
    Running,
    combined,
    roll,
    rolled_up,
    running_bytes,
    running_of,
    until,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def rolled(*samples: tuple[int, Any], span: Span = "5min", moment: int = DAY * 10_000) -> list[Bucket]:
    """All buckets of a span that are complete at a moment."""
    running, done = roll(None, [at for at, _ in samples], [value for _, value in samples])
    rows = done[SPANS.index(span)]
    last = None if running is None else until(running, moment, span)
    return combined([*rows, last] if last else rows)


def test_a_bucket_knows_least_most_last_and_count() -> None:
    (bucket,) = rolled((0, 20), (MINUTE, 23), (2 * MINUTE, 21))
    assert (bucket.at, bucket.least, bucket.most, bucket.last, bucket.count) == (0, 20, 23, 21, 3)


def test_its_mean_is_over_time_as_each_value_holds_until_the_next() -> None:
    (bucket,) = rolled((0, 10), (4 * MINUTE, 20))
    assert bucket.mean == 12


def test_a_value_is_held_into_the_next_bucket_and_counts_there_too() -> None:
    _, second = rolled((0, 10), (9 * MINUTE, 20))
    assert (second.at, second.least, second.most, second.mean, second.count) == (300, 10, 20, 12, 1)


def test_what_was_held_up_to_the_very_beginning_does_not_count() -> None:
    _, second = rolled((0, 10), (5 * MINUTE, 20))
    assert (second.least, second.most, second.mean) == (20, 20, 20)


def test_a_span_without_a_sample_has_no_bucket() -> None:
    assert [bucket.at for bucket in rolled((0, 1), (HOUR, 2))] == [0, 3600]


def test_but_an_hour_counts_what_was_held_in_all_of_it() -> None:
    (bucket,) = rolled((0, 10), (45 * MINUTE, 20), span="hour")
    assert bucket.mean == 12.5


def test_time_before_the_first_sample_counts_for_nothing() -> None:
    (bucket,) = rolled((4 * MINUTE, 10))
    assert bucket.mean == 10


def test_time_without_a_number_counts_for_nothing() -> None:
    (bucket,) = rolled((0, 10), (MINUTE, "unavailable"), (4 * MINUTE, 20))
    assert (bucket.mean, bucket.count) == (15, 2)


def test_true_and_false_are_one_and_zero() -> None:
    (bucket,) = rolled((0, True), (MINUTE, False))
    assert (bucket.least, bucket.most, bucket.mean, bucket.last) == (0, 1, 0.2, 0)


@pytest.mark.parametrize("value", ["on", None, math.nan, math.inf, [1], 10**400])
def test_what_is_no_number_has_no_roll_ups(value: Any) -> None:
    assert rolled((0, value), (DAY, value)) == []


def test_a_rise_is_the_sum_of_what_went_up() -> None:
    (bucket,) = rolled((0, 10.0), (1, 12.5), (2, 12.0), (3, 13.0))
    assert bucket.rise == 3.5


def test_a_meter_that_began_anew_has_risen_from_zero() -> None:
    first, second = rolled((0, 1000.0), (1, 1001.0), (5 * MINUTE, 2.0), (6 * MINUTE, 3.0))
    assert (first.rise, second.rise) == (1, 3)


def test_a_rise_over_a_time_without_a_number_is_not_lost() -> None:
    (bucket,) = rolled((0, 10), (MINUTE, None), (2 * MINUTE, 14))
    assert bucket.rise == 4


def test_a_rise_has_no_noise_of_reckoning() -> None:
    (bucket,) = rolled((0, 0.1), (1, 0.2), (2, 0.30000000000000004), (3, 0.4))
    assert bucket.rise == 0.3


def test_a_bucket_is_complete_when_its_time_is_over() -> None:
    running, _ = roll(None, [0], [10])
    assert running is not None
    assert until(running, 5 * MINUTE - 1, "5min") is None
    assert until(running, 5 * MINUTE, "5min") == (0, 10.0, 10.0, 10.0, 10.0, 1, 0.0)
    assert until(running, 5 * MINUTE, "5min") is not None  # asking changes nothing


def test_a_clock_that_was_set_back_leaves_one_bucket_for_each_time() -> None:
    buckets = rolled((0, 1), (HOUR, 2))
    running, done = roll(None, [0, HOUR], [1, 2])
    running, again = roll(running, [MINUTE, HOUR + MINUTE], [5, 6])
    assert running is not None
    rest = until(running, 2 * HOUR, "5min")
    assert rest is not None
    merged = combined(sorted([*done[0], *again[0], rest], key=lambda row: row[0]))
    assert [bucket.at for bucket in merged] == [bucket.at for bucket in buckets]
    assert [(bucket.least, bucket.most, bucket.count) for bucket in merged] == [(1, 5, 2), (2, 6, 2)]


def test_a_state_that_cannot_be_read_is_none() -> None:
    assert running_of(b"\xff") is None
    assert running_of(None) is None


VALUES = st.floats(-1e6, 1e6) | st.integers(-100, 100) | st.booleans() | st.none() | st.just("off")
STEPS = st.integers(0, 40 * MINUTE) | st.integers(0, 3) | st.just(5 * MINUTE) | st.just(DAY)
SAMPLES = st.lists(st.tuples(STEPS, VALUES), max_size=30)


@given(SAMPLES, st.integers(1, 8), st.sampled_from(SPANS))
def test_how_samples_are_cut_up_makes_no_difference(steps: list[tuple[int, Any]], size: int, span: Span) -> None:
    ats, at = [], 0
    for step, _ in steps:
        at += step
        ats.append(at)
    values = [value for _, value in steps]
    number = SPANS.index(span)
    _, whole = roll(None, ats, values)
    running: Running | None = None
    rows: list[Row] = []
    for begin in range(0, len(ats), size):
        running, done = roll(running, ats[begin : begin + size], values[begin : begin + size])
        running = running and running_of(running_bytes(running))
        rows += done[number]
    assert len(rows) == len(whole[number])
    for one, other in zip(rows, whole[number], strict=True):
        assert one[:3] == other[:3]
        assert one[3] == pytest.approx(other[3], rel=1e-6, abs=1e-2)
        assert one[4:6] == other[4:6]
        assert one[6] == pytest.approx(other[6], rel=1e-9, abs=1e-5)


@given(SAMPLES, STEPS, st.sampled_from(SPANS))
def test_one_span_alone_is_as_all_of_them_with_nothing_known_after_the_moment(
    steps: list[tuple[int, Any]], more: int, span: Span
) -> None:
    ats = list(accumulate(step for step, _ in steps))
    values = [value for _, value in steps]
    moment = ats[-1] + more if ats else more
    _, done = roll(None, [*ats, moment, moment + 2 * DAY], [*values, None, None])
    assert rolled_up(ats, values, span, moment) == combined(done[SPANS.index(span)])


@given(SAMPLES)
def test_a_mean_lies_between_least_and_most(steps: list[tuple[int, Any]]) -> None:
    at, samples = 0, []
    for step, value in steps:
        at += step
        samples.append((at, value))
    for span in SPANS:
        for bucket in rolled(*samples, span=span):
            assert bucket.least <= bucket.mean <= bucket.most
            assert bucket.least <= bucket.last <= bucket.most
            assert bucket.count > 0
            assert bucket.rise >= 0
