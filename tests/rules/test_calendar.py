"""The calendar agrees with a slow one that looks at every half hour, in any time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.language.times import Day, Modifier, Moment, TimeOfDay
from hallway.rules.calendar import Calendar, Point, Span, SunAt
from hallway.rules.sun import Place, Sun

ZONES = st.sampled_from(
    ["UTC", "Europe/Amsterdam", "America/Havana", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kathmandu"]
)
STEP = 900
DAYS = 9
days = st.one_of(
    st.none(),
    st.builds(lambda weekday: Day(weekday=weekday), st.integers(0, 6)),
    st.builds(lambda month, day: Day(month=month, day=day), st.integers(1, 12), st.integers(1, 28)),
)
times = st.builds(TimeOfDay, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
moments = st.builds(Moment, days, times)
suns = st.builds(SunAt, st.sampled_from(["sunrise", "sunset"]), st.sampled_from([0.0, 1800.0, -5400.0]))
starts = st.integers(
    int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // STEP, int(datetime(2028, 1, 1, tzinfo=UTC).timestamp()) // STEP
).map(lambda number: number * STEP)


def shown(moment: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone)


def slow_occurrences(moment: Moment, zone: ZoneInfo, start: int) -> list[float]:
    """The first moment of each fitting day at which the clocks show that time or a later one."""
    found = []
    reached: set[date] = set()
    at = moment.time or TimeOfDay(0)
    for number in range(-3 * 96, DAYS * 96):
        now = shown(start + number * STEP, zone)
        if number > -3 * 96 + 30 and (now.hour, now.minute) >= (at.hour, at.minute) and now.date() not in reached:
            reached.add(now.date())
            if _fits(moment.day, now):
                found.append(now.timestamp())
    return [each for each in found if each > start]


def _fits(day: Day | None, now: datetime) -> bool:
    if day is None:
        return True
    return now.weekday() == day.weekday if day.weekday is not None else (now.month, now.day) == (day.month, day.day)


@settings(max_examples=60, deadline=None)
@given(moments, ZONES, starts)
def test_the_next_occurrence_is_the_first_that_the_clocks_show(moment: Moment, zone_name: str, start: int) -> None:
    zone = ZoneInfo(zone_name)
    expected = slow_occurrences(moment, zone, start)
    found = Calendar(zone).next(moment, start)
    if expected:
        assert found == expected[0]
    else:
        assert found is None or found > start + (DAYS - 1) * 86_400


@settings(max_examples=200, deadline=None)
@given(moments, ZONES, starts)
def test_what_is_next_is_last_afterwards(moment: Moment, zone_name: str, start: int) -> None:
    calendar = Calendar(ZoneInfo(zone_name))
    found = calendar.next(moment, start)
    assert found is not None
    assert found > start
    assert calendar.last(moment, found) == found
    before = calendar.last(moment, found - 1)
    assert before is None or before <= start


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["before", "after", "between", "exact"]),
    st.one_of(
        moments, st.builds(SunAt, st.sampled_from(["sunrise", "sunset"]), st.sampled_from([0.0, 1800.0, -5400.0]))
    ),
    moments,
    ZONES,
    starts,
)
def test_a_window_turns_exactly_where_it_says_it_will(
    modifier: Modifier, first: Point, last: Moment, zone_name: str, start: int
) -> None:
    calendar = Calendar(ZoneInfo(zone_name), Sun(Place(52, 5)))
    if modifier == "exact":
        first = Moment(first.day, None) if isinstance(first, Moment) and first.day else Moment(Day(weekday=2))
    span = Span(modifier, first, last if modifier == "between" else None)
    now = float(start)
    for _ in range(4):
        turn = calendar.next_turn(span, now)
        if turn is None:
            return
        assert turn > now
        inside = calendar.is_in(span, now)
        for part in (0.01, 0.37, 0.99):
            assert calendar.is_in(span, now + (turn - now) * part) is inside
        now = turn


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Amsterdam", date(2027, 3, 28), TimeOfDay(2, 30), "2027-03-28 03:00:00+0200"),
        ("Europe/Amsterdam", date(2027, 10, 31), TimeOfDay(2, 30), "2027-10-31 02:30:00+0200"),
        ("Australia/Lord_Howe", date(2026, 10, 4), TimeOfDay(2, 10), "2026-10-04 02:30:00+1100"),
        ("America/Sao_Paulo", date(2018, 11, 4), TimeOfDay(0), "2018-11-04 01:00:00-0200"),
        ("Pacific/Apia", date(2011, 12, 30), TimeOfDay(8), "2011-12-31 00:00:00+1400"),
    ],
)
def test_times_that_are_skipped_or_come_twice(zone: str, day: date, at: TimeOfDay, expected: str) -> None:
    assert f"{shown(Calendar(ZoneInfo(zone)).moment(day, at), ZoneInfo(zone)):%Y-%m-%d %H:%M:%S%z}" == expected


def test_the_29th_of_february_comes_again_and_other_days_that_never_were_do_not() -> None:
    calendar = Calendar(UTC)
    leap = Moment(Day(month=2, day=29), TimeOfDay(12))
    found = calendar.next(leap, datetime(2096, 3, 1, tzinfo=UTC).timestamp())
    assert found == datetime(2104, 2, 29, 12, tzinfo=UTC).timestamp()
    assert calendar.next(Moment(Day(month=2, day=29, year=2027)), 0.0) is None
    assert calendar.next(Moment(Day(month=1, day=1, year=2020)), datetime(2027, 1, 1, tzinfo=UTC).timestamp()) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/New_York"])
@pytest.mark.parametrize("modifier", ["exact", "before", "after", "between"])
@pytest.mark.parametrize("year", [1, 9998, 9999])
@pytest.mark.parametrize("at", [None, TimeOfDay(0), TimeOfDay(23, 59)])
def test_years_at_the_ends_of_the_calendar_never_come(
    zone: str, modifier: Modifier, year: int, at: TimeOfDay | None
) -> None:
    calendar = Calendar(ZoneInfo(zone))
    for day in (Day(month=1, day=1, year=year), Day(month=12, day=31, year=year)):
        point = Moment(day, at)
        assert (calendar.next(point, 0), calendar.last(point, 0)) == (None, None)
        span = Span(modifier, point, point if modifier == "between" else None)
        assert not calendar.is_in(span, 0)
        assert calendar.next_turn(span, 0) is None
