"""What the guard against events that go round promises: only the same ones in a short time, and little memory."""

from __future__ import annotations

import logging

import pytest

from hallway.clock import VirtualClock
from hallway.home.values import Attributes
from hallway.links.loops import MOST_ALIKE, MOST_KNOWN, SILENT_FOR, STOPPED_FOR, WITHIN, LoopGuard


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def guard(clock: VirtualClock) -> LoopGuard:
    return LoopGuard(clock)


def passed(guard: LoopGuard, times: int, event_type: str = "bell", data: Attributes | None = None) -> int:
    """How many of that many equal events get through."""
    return sum(guard.stops(event_type, data or {}) is None for _ in range(times))


def test_so_many_equal_events_within_ten_seconds_pass_and_no_more(guard: LoopGuard, clock: VirtualClock) -> None:
    assert passed(guard, MOST_ALIKE) == MOST_ALIKE
    clock.advance(WITHIN - 1)
    why = guard.stops("bell", {})
    assert why is not None
    assert "event bell came in more than 30 times within 10 s" in why
    assert guard.stops("bell", {}) == ""


def test_equal_events_that_take_their_time_pass_for_ever(guard: LoopGuard, clock: VirtualClock) -> None:
    for _ in range(20):
        assert passed(guard, MOST_ALIKE) == MOST_ALIKE
        clock.advance(WITHIN + 0.1)


def test_events_that_differ_in_type_or_data_pass(guard: LoopGuard) -> None:
    for number in range(5):
        assert passed(guard, MOST_ALIKE, "bell", {"n": number}) == MOST_ALIKE
        assert passed(guard, MOST_ALIKE, f"bell_{number}") == MOST_ALIKE


def test_after_a_minute_it_may_try_again_and_is_stopped_again(guard: LoopGuard, clock: VirtualClock) -> None:
    passed(guard, MOST_ALIKE + 1)
    clock.advance(STOPPED_FOR - 0.1)
    assert passed(guard, 5) == 0
    clock.advance(0.1)
    assert passed(guard, 100) == MOST_ALIKE


def test_the_order_of_keys_makes_no_difference(guard: LoopGuard) -> None:
    passed(guard, MOST_ALIKE, "bell", {"a": 1, "b": {"c": 2, "d": 3}})
    assert guard.stops("bell", {"b": {"d": 3, "c": 2}, "a": 1})


def test_a_state_is_the_same_whatever_time_a_hub_on_the_way_gave_it(guard: LoopGuard) -> None:
    def stopped(state: str, second: int) -> bool:
        new: Attributes = {"entity_id": "a.b", "state": state, "last_updated": f"08:00:{second:02} 15-01-2027"}
        return guard.stops("state_changed", {"entity_id": "a.b", "new_state": new}) is not None

    assert [stopped("on", second) for second in range(MOST_ALIKE + 1)] == [False] * MOST_ALIKE + [True]
    assert not stopped("off", 1)


def test_it_remembers_no_more_than_a_thousand_events(guard: LoopGuard) -> None:
    for number in range(MOST_KNOWN + 500):
        guard.stops("bell", {"n": number})
    assert len(guard) == MOST_KNOWN


def test_what_goes_round_is_remembered_while_others_pass(guard: LoopGuard) -> None:
    for number in range(10 * MOST_KNOWN):
        guard.stops("flood", {"n": number})
        if number % (MOST_KNOWN // 2) == 0:
            passed(guard, 2)
    assert passed(guard, MOST_ALIKE) < MOST_ALIKE


def test_a_storm_is_logged_once(guard: LoopGuard, clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "hallway.links.loops")
    for number in range(20):
        passed(guard, 50, "bell", {"n": number})
        clock.advance(STOPPED_FOR)
    assert len(caplog.records) == 1
    clock.advance(SILENT_FOR)
    passed(guard, 50)
    assert len(caplog.records) == 2
