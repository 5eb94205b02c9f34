"""What plans promise: they happen once, at their time, and go on after a restart."""

from __future__ import annotations

import pytest

from hallway.clock import VirtualClock
from hallway.home.changes import Context
from hallway.home.devices import Effects, Later
from hallway.home.pending import Due, Pending
from tests.home.homes import NOW, TEST


class Notes:
    """Pending with a record of what it said."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.happened: list[tuple[str, str, float]] = []
        self.noted: list[tuple[str, str, float | None, str]] = []
        self.pending = Pending(self.clock, self._run, self._note)

    def _run(self, device_id: str, name: str, context: Context) -> None:
        assert context == Context(f"timer:{device_id}")
        self.happened.append((device_id, name, self.clock.now() - NOW))

    def _note(self, device_id: str, name: str, due: float | None, context: Context) -> None:
        self.noted.append((device_id, name, None if due is None else due - NOW, context.origin))

    def plan(self, device_id: str, name: str, seconds: float) -> None:
        self.pending.follow(device_id, Effects(later=(Later(name, seconds),)), TEST)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def test_what_is_planned_happens_once_at_its_time(notes: Notes) -> None:
    notes.plan("it", "stop", 5)
    assert notes.pending.all() == [Due("it", "stop", NOW + 5)]
    notes.clock.advance(4.999)
    assert notes.happened == []
    notes.clock.advance(100)
    assert notes.happened == [("it", "stop", 5)]
    assert notes.pending.all() == []
    assert notes.noted == [("it", "stop", 5, "test"), ("it", "stop", None, "timer:it")]


def test_what_is_cancelled_does_not_happen(notes: Notes) -> None:
    notes.plan("it", "stop", 5)
    notes.pending.follow("it", Effects(cancel=("stop", "other")), TEST)
    notes.clock.advance(100)
    assert notes.happened == []
    assert notes.noted[1:] == [("it", "stop", None, "test")]


def test_a_plan_takes_the_place_of_the_one_of_its_name(notes: Notes) -> None:
    notes.plan("it", "stop", 5)
    notes.plan("it", "other", 6)
    notes.plan("that", "stop", 7)
    notes.clock.advance(4)
    notes.plan("it", "stop", 5)
    notes.clock.advance(100)
    assert notes.happened == [("it", "other", 6), ("that", "stop", 7), ("it", "stop", 9)]


def test_all_plans_of_a_device_can_be_dropped(notes: Notes) -> None:
    notes.plan("it", "stop", 5)
    notes.plan("it", "other", 6)
    notes.plan("that", "stop", 7)
    notes.pending.cancel_all("it", TEST)
    assert notes.pending.all() == [Due("that", "stop", NOW + 7)]
    notes.clock.advance(100)
    assert notes.happened == [("that", "stop", 7)]


def test_durations_are_elapsed_time_whatever_the_wall_clock_does(notes: Notes) -> None:
    notes.plan("it", "stop", 10)
    notes.clock.set_wall(NOW + 86_400)
    notes.clock.advance(9)
    assert notes.happened == []
    notes.clock.advance(1)
    assert len(notes.happened) == 1


def test_after_a_restart_plans_go_on_and_what_fell_into_the_gap_happens_at_once(notes: Notes) -> None:
    notes.pending.restore(Due("it", "stop", NOW + 3))
    notes.pending.restore(Due("that", "stop", NOW - 60))
    assert notes.noted == []
    notes.clock.advance(0)
    assert notes.happened == [("that", "stop", 0)]
    notes.clock.advance(3)
    assert notes.happened == [("that", "stop", 0), ("it", "stop", 3)]
