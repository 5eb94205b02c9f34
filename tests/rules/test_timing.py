"""Rules by the clock, the calendar and the sun: when they run, also around clock changes, jumps and restarts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hallway.home.changes import Said
from hallway.home.values import Attributes
from hallway.rules.sun import Place
from tests.rules.houses import NOW, RuledHouse
from tests.rules.time_docs import BEGIN, PAGE, ZONES, live_through, table, turns

HOUR = 3600.0
DAY = 24 * HOUR


def said_at(house: RuledHouse, zone: str = "UTC") -> list[str]:
    """When rules said something, in local time."""
    moments = (change.at for change in house.changes if isinstance(change, Said) and change.message.level == "info")
    return [f"{datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone)):%a %H:%M:%S}" for moment in moments]


# ---------------------------------------------------------------------- when the clocks change


@pytest.mark.parametrize("zone", ZONES)
def test_around_clock_changes_everything_happens_once_and_lasts_as_long_as_it_says(zone: str) -> None:
    for turn in turns(ZoneInfo(zone)):
        lived = live_through(turn)
        around = [moment for moment in lived.fixed if abs(moment - turn.at) < HOUR]
        assert len(around) == 1
        assert around == [turn.at] if turn.by > 0 else around[0] < turn.at
        assert {later - earlier for earlier, later in zip(lived.ticks, lived.ticks[1:], strict=False)} == {HOUR}
        assert lived.lasted - (turn.at - HOUR) == 3 * HOUR
        assert lived.night[1] - lived.night[0] == pytest.approx(8 * HOUR - turn.by, abs=1)


def test_the_page_shows_what_happens() -> None:
    assert PAGE.read_text("utf-8").partition(BEGIN)[2].strip() == table().strip()


# ---------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("its 9:00", ["Fri 09:00:00", "Sat 09:00:00", "Sun 09:00:00"]),
        ("its saturday 10pm", ["Sat 22:00:00"]),
        ("its saturday", ["Sat 00:00:00"]),
        ("its after 22:00", ["Fri 22:00:00", "Sat 22:00:00", "Sun 22:00:00"]),
        ("its before 6:00", ["Sat 00:00:00", "Sun 00:00:00", "Mon 00:00:00"]),
        ("its between 23:00 and 1:00", ["Fri 23:00:00", "Sat 23:00:00", "Sun 23:00:00"]),
        ("its between saturday and sunday", ["Sat 00:00:00"]),
        ("its 17.1. 12:30", ["Sun 12:30:00"]),
        ("its after 16.1.2027 noon", ["Sat 12:00:00"]),
        ("its before saturday", ["Mon 00:00:00"]),
        ("its after saturday", ["Sun 00:00:00"]),
        ("every 1 day", ["Sat 00:00:00", "Sun 00:00:00", "Mon 00:00:00"]),
    ],
)
def test_what_a_phrase_means_from_a_friday_morning_on(phrase: str, expected: list[str]) -> None:
    house = RuledHouse(f'when {phrase} then log "now"')
    house.wait(2.9 * DAY)
    assert said_at(house) == expected


def test_a_window_is_a_condition_and_a_point_is_none() -> None:
    house = RuledHouse(
        'when ding is pressed and if its after 7:30 then log "window"',
        'when ding is pressed and its 8:00 then log "point"',
    )
    house.ring()
    assert house.said == ["rule r0: window"]


def test_a_rule_made_in_a_window_waits_for_the_next_one() -> None:
    house = RuledHouse('when its after 7:30 then log "now"')
    house.wait(DAY)
    assert said_at(house) == ["Sat 07:30:00"]


def test_a_window_can_be_asked_to_last() -> None:
    house = RuledHouse('when its after 9:00 for 2 hours then log "now"')
    house.wait(DAY)
    assert said_at(house) == ["Fri 11:00:00"]


def test_a_time_may_stand_in_a_variable_and_change() -> None:
    house = RuledHouse('when its $word then log "now"')
    assert [error.partition(":")[0] for error in house.errors] == ["rule r0"]
    house.set("word", "9:15")
    house.wait(DAY)
    house.set("word", "10pm")
    house.wait(DAY)
    assert said_at(house) == ["Fri 09:15:00", "Sat 22:00:00"]
    house.set("word", "whenever")
    house.wait(3 * DAY)
    assert len(said_at(house)) == 2
    assert len(house.errors) == 2


def test_intervals_follow_their_variables_and_are_never_nothing() -> None:
    house = RuledHouse({"rule": 'when every $x seconds then log "tick"', "again": "together"})
    house.wait(1)
    assert 5 <= len(house.heard()) <= 10
    house.set("x", 60)
    house.wait(600)
    assert len(house.heard()) == 10


@pytest.mark.parametrize("length", ["0.0000001 seconds", "0 seconds", "1 ms", "0.1 seconds"])
@pytest.mark.parametrize("early", [0.0, 0.0004])
def test_there_are_ten_ticks_a_second_at_most_also_when_timers_come_early(
    monkeypatch: pytest.MonkeyPatch, length: str, early: float
) -> None:
    rule: Attributes = {"rule": f'when every {length} then log "tick"', "again": "together"}
    house = RuledHouse(rule, start=False)
    later = house.clock.call_later
    monkeypatch.setattr(house.clock, "call_later", lambda seconds, done: later(max(seconds - early, 0.0), done))
    house.start()
    house.wait(10.05)
    assert len(house.heard()) == 100


def test_a_length_that_changes_all_the_time_does_not_bring_ticks_nearer() -> None:
    house = RuledHouse({"rule": 'when every $x seconds then log "tick"', "again": "together"})
    for number in range(1000):
        house.set("x", 0.1 + number % 7 / 1000)
        house.wait(0.01)
    moments = [change.at for change in house.changes if isinstance(change, Said) and change.message.level == "info"]
    apart = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(moments) > 20
    assert min(apart) > 0.098


# ---------------------------------------------------------------------- the sun


def test_the_sun_starts_rules_where_the_home_is() -> None:
    amsterdam = Place(52.37, 4.9)
    house = RuledHouse(
        'when its 30 minutes before sunset then log "a"',
        'when its after sunrise then log "b"',
        'when its before sunrise then log "c"',
        zone=ZoneInfo("Europe/Amsterdam"),
        place=amsterdam,
    )
    house.wait(DAY)
    assert [time[:9] for time in said_at(house, "Europe/Amsterdam")] == ["Fri 16:26", "Sat 00:00", "Sat 08:42"]


def test_where_the_sun_does_not_rise_nothing_happens_at_sunrise() -> None:
    house = RuledHouse(
        'when its sunrise then log "a"',
        'when its after sunrise then log "b"',
        'when its before sunrise then log "c"',
        zone=ZoneInfo("Europe/Oslo"),
        place=Place(78.2, 15.6),
    )
    house.wait(3 * DAY)
    assert house.heard() == []


def test_without_a_place_a_rule_by_the_sun_says_what_is_missing() -> None:
    house = RuledHouse('when its sunrise then log "a"')
    assert len(house.errors) == 1
    assert "latitude" in house.errors[0]


# ---------------------------------------------------------------------- when the clock is set


def test_a_clock_put_forward_a_little_makes_rules_run_late() -> None:
    house = RuledHouse('when its 9:00 then log "now"', 'when its after 9:00 then log "after"')
    house.wait(HOUR - 300)
    house.clock.set_wall(NOW + HOUR + 300)
    house.wait(61)
    assert sorted(house.heard()) == ["rule r0: now", "rule r1: after"]
    assert 300 <= house.traces()[0].late <= 361
    house.wait(DAY)
    assert len(house.heard()) == 2


def test_a_clock_put_forward_far_makes_rules_skip() -> None:
    house = RuledHouse('when its 9:00 then log "now"', 'when its between 9:00 and 21:00 then log "after"')
    house.clock.set_wall(NOW + 5 * HOUR)
    house.wait(61)
    assert house.heard() == []
    assert house.results("r0") == house.results("r1") == ["skipped"]
    house.wait(DAY)
    assert said_at(house) == ["Sat 09:00:00", "Sat 09:00:00"]


def test_a_clock_put_back_a_little_repeats_nothing() -> None:
    house = RuledHouse('when its 9:00 then log "now"', 'when its after 9:00 then log "after"')
    house.wait(HOUR + 60)
    house.clock.set_wall(NOW + HOUR - 600)
    house.wait(HOUR)
    assert len(house.heard()) == 2
    house.wait(DAY)
    assert len(house.heard()) == 2


def test_a_clock_that_was_wrong_is_believed_from_now_on() -> None:
    house = RuledHouse('when its 9:00 then log "now"', now=NOW + 50 * 365 * DAY)
    house.wait(DAY)
    house.heard()
    house.clock.set_wall(NOW)
    house.wait(2 * HOUR)
    assert house.heard() == ["now"]


def test_durations_notice_nothing_of_a_clock_that_is_set() -> None:
    house = RuledHouse('when lamp is on for 10 minutes then log "long" and log "later" after 10 minutes')
    house.turn("lamp", True)
    house.wait(60)
    house.clock.set_wall(NOW + 5 * HOUR)
    house.wait(539)
    assert house.heard() == []
    house.wait(2)
    house.clock.set_wall(NOW)
    house.wait(598)
    assert house.heard() == ["long"]
    house.wait(2)
    assert house.heard() == ["later"]


# ---------------------------------------------------------------------- over a restart


@pytest.mark.parametrize("phrase", ["its 9:00", "its after 9:00", "its between 9:00 and 17:00"])
@pytest.mark.parametrize(
    ("until", "late", "result"), [(600, 15, "ran"), (600, 5, "skipped"), (2 * HOUR, 15, "skipped")]
)
def test_a_time_that_came_while_the_hub_was_away_is_made_up_for_if_it_is_not_too_late(
    phrase: str, until: float, late: float, result: str
) -> None:
    house = RuledHouse({"rule": f'when {phrase} then log "now"', "late": late})
    house.wait(HOUR - 60)
    house.restart(after=60 + until)
    assert house.results() == [result]
    assert house.traces()[0].late == until
    assert house.heard() == (["now"] if result == "ran" else [])
    house.restart(after=1)
    assert house.heard() == []
    house.wait(DAY)
    assert house.heard() == ["now"]


def test_after_days_away_only_the_last_time_counts() -> None:
    house = RuledHouse('when its 9:00 then log "now"')
    house.restart(after=3 * DAY + HOUR + 300)
    assert house.heard() == ["now"]
    assert house.traces()[0].late == 300


def test_a_window_that_is_over_again_is_not_made_up_for() -> None:
    house = RuledHouse('when its between 9:00 and 9:05 then log "now"')
    house.restart(after=HOUR + 600)
    assert house.heard() == []


def test_a_restart_within_a_window_is_no_news() -> None:
    house = RuledHouse('when its after 9:00 then log "now"')
    house.wait(2 * HOUR)
    assert house.heard() == ["now"]
    house.restart(after=HOUR)
    house.wait(2 * HOUR)
    assert house.heard() == []


def test_ticks_are_not_made_up_for() -> None:
    house = RuledHouse('when every 10 minutes then log "tick"')
    house.restart(after=HOUR + 60)
    assert house.heard() == []
    house.wait(600)
    assert house.heard() == ["tick"]
