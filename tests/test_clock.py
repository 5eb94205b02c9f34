"""What clocks promise: time that can be injected, timers on elapsed time, and a test that moves it by hand."""

from __future__ import annotations

import asyncio
import time

import pytest

from hallway.clock import Clock, SystemClock, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1000.0)


def test_a_virtual_clock_stands_still_until_it_is_moved(clock: VirtualClock) -> None:
    assert (clock.now(), clock.monotonic()) == (1000, 0)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (1002.5, 2.5)
    clock.advance(0)
    assert (clock.now(), clock.monotonic()) == (1002.5, 2.5)


def test_timers_run_in_the_order_of_their_time_and_see_that_time(clock: VirtualClock) -> None:
    seen: list[tuple[str, float, float]] = []
    for name, seconds in (("late", 5), ("first", 1), ("second", 1), ("now", 0), ("past", -3)):
        clock.call_later(seconds, lambda name=name: seen.append((name, clock.now(), clock.monotonic())))  # type: ignore[misc]
    assert seen == []
    clock.advance(10)
    assert seen == [
        ("now", 1000, 0),
        ("past", 1000, 0),
        ("first", 1001, 1),
        ("second", 1001, 1),
        ("late", 1005, 5),
    ]
    clock.advance(100)
    assert len(seen) == 5


def test_a_timer_runs_at_its_time_and_not_before(clock: VirtualClock) -> None:
    seen: list[float] = []
    clock.call_later(5, lambda: seen.append(clock.now()))
    clock.advance(4.999)
    assert seen == []
    clock.advance(0.001)
    assert len(seen) == 1


def test_a_cancelled_timer_does_not_run(clock: VirtualClock) -> None:
    seen: list[str] = []
    cancel = clock.call_later(5, lambda: seen.append("cancelled"))
    clock.call_later(5, lambda: seen.append("left"))
    cancel()
    cancel()
    clock.advance(10)
    assert seen == ["left"]
    cancel()


def test_timers_may_be_set_by_timers(clock: VirtualClock) -> None:
    seen: list[float] = []

    def tick() -> None:
        seen.append(clock.monotonic())
        clock.call_later(1, tick)

    clock.call_later(1, tick)
    clock.advance(3.5)
    assert seen == [1, 2, 3]


def test_setting_the_wall_clock_leaves_elapsed_time_alone(clock: VirtualClock) -> None:
    seen: list[float] = []
    clock.call_later(10, lambda: seen.append(clock.now()))
    clock.set_wall(50_000)
    assert (clock.now(), clock.monotonic()) == (50_000, 0)
    clock.advance(9)
    assert seen == []
    clock.advance(1)
    assert seen == [50_010]
    clock.set_wall(5)
    assert (clock.now(), clock.monotonic()) == (5, 10)


async def test_the_system_clock_tells_the_time_of_the_machine() -> None:
    clock: Clock = SystemClock(asyncio.get_running_loop())
    assert clock.now() == pytest.approx(time.time(), abs=60)
    first = clock.monotonic()
    assert first == pytest.approx(time.monotonic(), abs=60)
    assert clock.monotonic() >= first


async def test_its_timers_run_in_the_event_loop() -> None:
    clock = SystemClock(asyncio.get_running_loop())
    ran = asyncio.Event()
    started = clock.monotonic()
    clock.call_later(0.02, ran.set)
    assert not ran.is_set()
    await asyncio.wait_for(ran.wait(), 100)
    assert clock.monotonic() - started >= 0.019


@pytest.mark.parametrize("seconds", [0, -5])
async def test_what_is_due_already_runs_at_once_but_never_inside_the_call(seconds: float) -> None:
    ran = asyncio.Event()
    SystemClock(asyncio.get_running_loop()).call_later(seconds, ran.set)
    assert not ran.is_set()
    await asyncio.wait_for(ran.wait(), 100)


async def test_its_timers_can_be_cancelled() -> None:
    clock = SystemClock(asyncio.get_running_loop())
    seen: list[str] = []
    last = asyncio.Event()
    clock.call_later(0.005, lambda: seen.append("cancelled"))()
    clock.call_later(0.01, last.set)
    await asyncio.wait_for(last.wait(), 100)
    assert seen == []
