"""Streams alone, on a clock that the test moves: pings, what one turn writes, and what waits for a slow line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hallway.api.operations.forms import event_bytes
from hallway.api.stream import MOST_WAITING, MOST_WAITING_BYTES, PING, PING_EVERY, Streams, as_it_is, chunk
from hallway.clock import VirtualClock
from hallway.home.bus import Event
from hallway.home.changes import Context
from hallway.home.home import Home

HTTP = Context("homeassistant")


class SlowLine:
    """A connection that takes what is pushed, while it is not paused."""

    def __init__(self) -> None:
        self.pushed: list[bytes] = []
        self.pushing_paused = False
        self.gone = False
        self.aborted = False
        self._writable: Callable[[], None] | None = None

    def push(self, data: bytes) -> None:
        self.pushed.append(data)

    def on_writable(self, callback: Callable[[], None] | None) -> None:
        self._writable = callback

    def abort(self) -> None:
        self.aborted = self.gone = True

    def wake(self) -> None:
        self.pushing_paused = False
        assert self._writable is not None
        self._writable()

    def leave(self) -> None:
        self.gone = True
        assert self._writable is not None
        self._writable()


class House:
    """A home with its streams, in the loop of the test."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.home = Home(self.clock)
        self.streams = Streams(self.home.bus, self.clock, asyncio.get_running_loop(), event_bytes)
        self.serving: list[asyncio.Task[None]] = []

    async def open(self, *only: str, hears: Callable[[Event], bool] | None = None) -> SlowLine:
        line = SlowLine()
        self.serving.append(asyncio.create_task(self.streams.serve(line, frozenset(only), hears=hears)))
        await asyncio.sleep(0)
        assert line.pushed.pop() == chunk(PING)
        return line

    async def report(self, entity_id: str, *states: str) -> None:
        for state in states:
            self.home.report(entity_id, state, {}, HTTP)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def house() -> House:
    return House()


async def test_a_ping_comes_every_fifty_seconds(house: House) -> None:
    assert PING_EVERY == 50
    line = await house.open()
    house.clock.advance(49.9)
    assert line.pushed == []
    house.clock.advance(0.2)
    assert line.pushed == [chunk(b"data: ping\n\n")]
    house.clock.advance(500)
    assert line.pushed == [chunk(b"data: ping\n\n")] * 11


async def test_a_line_that_does_not_keep_up_is_not_pinged(house: House) -> None:
    line = await house.open()
    line.pushing_paused = True
    house.clock.advance(200)
    assert line.pushed == []


async def test_what_happens_in_one_turn_is_one_write(house: House) -> None:
    line = await house.open()
    await house.report("sensor.one", "1", "2", "3")
    assert len(line.pushed) == 1
    assert line.pushed[0].count(b"data: {") == 3


async def test_while_a_line_is_behind_the_last_state_of_each_entity_waits_for_it(house: House) -> None:
    line, other = await house.open(), await house.open()
    line.pushing_paused = True
    for turn in range(MOST_WAITING * 3):
        await house.report(f"sensor.entity_{turn % 3}", f"{turn}.0")
    assert line.pushed == []
    assert len(other.pushed) == MOST_WAITING * 3
    line.wake()
    (late,) = line.pushed
    assert late.count(b"data: {") == 3
    assert [late.index(b'"state":"%d.0"' % turn) for turn in range(MOST_WAITING * 3 - 3, MOST_WAITING * 3)]
    await house.report("sensor.entity_0", "on time")
    assert line.pushed[-1] == other.pushed[-1]


async def test_a_line_too_many_events_behind_is_let_go(house: House) -> None:
    line = await house.open()
    line.pushing_paused = True
    for number in range(MOST_WAITING):
        house.home.fire("flood", {"n": number}, HTTP)
    await house.report("sensor.one")
    assert len(house.streams) == 1
    await house.report("sensor.one", "one too many")
    assert line.aborted
    assert len(house.streams) == 0
    await asyncio.wait_for(house.serving[0], 15)


async def test_a_line_that_is_gone_is_forgotten_at_once(house: House) -> None:
    line = await house.open()
    line.leave()
    await asyncio.wait_for(house.serving[0], 15)
    assert len(house.streams) == 0
    assert "*" not in house.home.bus.counts()


async def test_a_restricted_line_gets_its_types_only(house: House) -> None:
    line = await house.open("wanted")
    house.home.fire("wanted", {}, HTTP)
    house.home.fire("unwanted", {}, HTTP)
    await house.report("sensor.one", "1")
    assert b"".join(line.pushed).count(b"data: {") == 1


async def test_a_line_gets_what_it_may_hear_only_also_while_it_is_behind(house: House) -> None:
    line = await house.open(hears=lambda event: event.event_type != "secret")
    of_types = await house.open("secret", hears=lambda event: event.event_type != "secret")
    everything = await house.open()
    for paused in (False, True):
        line.pushing_paused = paused
        house.home.fire("secret", {}, HTTP)
        house.home.fire("open", {}, HTTP)
        await house.report("sensor.one", str(paused))
    line.wake()
    assert b"secret" not in b"".join(line.pushed)
    assert [data.count(b"data: {") for data in line.pushed] == [2, 2]
    assert of_types.pushed == []
    assert [data.count(b"data: {") for data in everything.pushed] == [3, 3]


async def test_whether_it_may_be_heard_is_asked_of_every_event_also_of_types_not_wanted(house: House) -> None:
    asked: list[str] = []

    def hears(event: Event) -> bool:
        asked.append(event.event_type)
        return True

    await house.open("wanted", hears=hears)
    house.home.fire("unwanted", {}, HTTP)
    house.home.fire("wanted", {}, HTTP)
    await house.report("sensor.one")
    assert asked == ["unwanted", "wanted"]


async def test_the_end_comes_after_what_has_happened(house: House) -> None:
    line = await house.open()
    house.home.fire("just_now", {}, HTTP)
    house.streams.end_all()
    assert b"just_now" in line.pushed[0]
    await asyncio.wait_for(house.serving[0], 15)


async def test_a_slow_line_with_too_many_bytes_waiting_is_let_go(house: House) -> None:
    line = await house.open()
    line.pushing_paused = True
    large = "x" * (MOST_WAITING_BYTES // 4)
    for number in range(3):
        house.home.fire("large", {"n": number, "text": large}, HTTP)
        await asyncio.sleep(0)
    assert len(house.streams) == 1
    house.home.fire("large", {"text": large}, HTTP)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.aborted
    assert len(house.streams) == 0


async def test_each_stream_counts_as_a_listener_of_everything(house: House) -> None:
    await house.open()
    await house.open("x")
    assert house.home.bus.counts()["*"] == 2


async def test_a_client_that_knows_no_chunks_gets_the_plain_lines(house: House) -> None:
    line = SlowLine()
    house.serving.append(asyncio.create_task(house.streams.serve(line, frozenset(), as_it_is)))
    await asyncio.sleep(0)
    house.home.fire("plain", {}, HTTP)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.pushed[0] == PING
    assert line.pushed[1].startswith(b'data: {"event_type":"plain"')
