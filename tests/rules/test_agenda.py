"""Things happen at their times, in order, and a clock that is set is noticed."""

from __future__ import annotations

import pytest

from hallway.clock import VirtualClock
from hallway.rules.agenda import FEW, LOOKED_AT_EVERY, Agenda
from tests.rules.houses import NOW, RuledHouse


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


def test_a_time_that_is_put_off_all_the_time_leaves_nothing_behind(clock: VirtualClock) -> None:
    agenda, done = Agenda(clock), list[int]()
    agenda.start()
    cancel = agenda.at(NOW + 1e6, lambda: done.append(0))
    for number in range(1, 2000):
        cancel()
        cancel = agenda.at(NOW + 1e6 - number, lambda number=number: done.append(number))  # type: ignore[misc]
    assert len(agenda._to_do) == 1
    assert len(agenda._entries) <= FEW + 3
    clock.advance(1e6 + 1)
    assert done == [1999]


def test_what_comes_again_and_again_leaves_nothing_behind() -> None:
    house = RuledHouse({"rule": "when every 1 second then set $x to $x + 1", "again": "together"})
    house.wait(1000)
    assert house.home.value("x") == 1000
    agenda = house.engine._agenda
    assert (len(agenda._to_do), len(agenda._entries)) == (1, 1)


def test_a_fault_in_one_thing_does_not_end_the_time_of_others(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    agenda, done = Agenda(clock), list[str]()
    agenda.start()
    agenda.on_jump(broken)
    agenda.on_jump(lambda _seconds: done.append("jump"))
    agenda.at(NOW + 1, broken)
    agenda.at(NOW + 1, lambda: done.append("same"))
    agenda.at(NOW + 200, lambda: done.append("later"))
    clock.advance(100)
    clock.set_wall(clock.now() + 50)
    clock.advance(100)
    assert done == ["same", "jump", "later"]
    assert caplog.text.count("RuntimeError: a fault") == 2


def broken(_seconds: float = 0.0) -> None:
    raise RuntimeError("a fault")


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
