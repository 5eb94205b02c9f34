"""What a rest promises: it lasts as long as it was taken for, unless somebody ends it."""

from __future__ import annotations

import asyncio

from hallway.clock import VirtualClock
from hallway.links.waiting import Rest
from tests.links.stubs import settled


async def test_a_rest_lasts_as_long_as_it_was_taken_for() -> None:
    clock = VirtualClock()
    resting = asyncio.create_task(Rest(clock).take(60))
    await settled()
    clock.advance(59.9)
    await settled()
    assert not resting.done()
    clock.advance(0.1)
    await settled()
    assert resting.done()


async def test_a_rest_that_is_ended_leaves_no_timer_for_the_next() -> None:
    clock = VirtualClock()
    rest = Rest(clock)
    resting = asyncio.create_task(rest.take(60))
    await settled()
    rest.end()
    await settled()
    assert resting.done()
    resting = asyncio.create_task(rest.take(100))
    await settled()
    clock.advance(99)
    await settled()
    assert not resting.done()
    resting.cancel()


async def test_an_end_that_comes_before_the_rest_counts_once() -> None:
    rest = Rest(VirtualClock())
    rest.end()
    await rest.take(60)
    resting = asyncio.create_task(rest.take(60))
    await settled()
    assert not resting.done()
    resting.cancel()
