"""Things happen at their times, in order, and a clock that is set is noticed."""

from __future__ import annotations

import pytest

from hallway.clock import VirtualClock
from hallway.rules.agenda import LOOKED_AT_EVERY, Agenda
from tests.rules.houses import NOW


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


def test_things_happen_at_their_times_once_it_has_started(clock: VirtualClock) -> None:
    agenda, done = Agenda(clock), list[tuple[str, float]]()
    for name, seconds in (("late", 5000.0), ("soon", 3.0), ("same", 3.0), ("over", -10.0)):
        agenda.at(NOW + seconds, lambda name=name: done.append((name, clock.now() - NOW)))  # type: ignore[misc]
    clock.advance(1)
    assert done == []
    agenda.start()
    gone = agenda.at(NOW + 4, lambda: done.append(("gone", 0)))
    gone()
    clock.advance(6000)
    assert done == [("over", 1), ("soon", 3), ("same", 3), ("late", 5000)]


def test_nothing_happens_after_its_end(clock: VirtualClock) -> None:
    agenda, done = Agenda(clock), list[str]()
    agenda.start()
    agenda.at(NOW + 5, lambda: done.append("x"))
    agenda.stop()
    clock.advance(100)
    assert done == []


@pytest.mark.parametrize("seconds", [3600.0, -3600.0, 5.0])
def test_a_clock_that_is_set_is_noticed_within_a_minute(clock: VirtualClock, seconds: float) -> None:
    agenda, jumps = Agenda(clock), list[float]()
    agenda.start()
    unhear = agenda.on_jump(jumps.append)
    clock.advance(1000)
    assert jumps == []
    clock.set_wall(clock.now() + seconds)
    clock.advance(LOOKED_AT_EVERY)
    assert jumps == [pytest.approx(seconds)]
    unhear()
    clock.set_wall(clock.now() + 100)
    clock.advance(LOOKED_AT_EVERY)
    assert len(jumps) == 1
