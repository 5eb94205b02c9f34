"""The short history in memory: what it knows of devices that are there, were there, and are many."""

from __future__ import annotations

import asyncio

import pytest

from hallway.api.operations.pimatic import history
from hallway.api.operations.pimatic.history import Event, RecentHistory, Wanted, means
from hallway.api.operations.pimatic.recent import Recent
from tests.home.homes import TEST, House, a_device


def kept(house: House) -> RecentHistory:
    return RecentHistory(house.home, Recent(house.home))


async def test_numbers_of_attributes_never_move() -> None:
    house = House(a_device("DummySwitch", "one"))
    past = kept(house)
    house.home.add_device(a_device("DummyDimmer", "two"), "store", TEST)
    house.home.remove_device("one", TEST)
    house.home.add_device(a_device("DummySwitch", "three"), "store", TEST)
    house.home.add_device(a_device("DummySwitch", "one"), "store", TEST)
    assert {(known.device_id, known.name): known.id for known in await past.attributes()} == {
        ("one", "state"): 1,
        ("two", "dimlevel"): 2,
        ("two", "state"): 3,
        ("three", "state"): 4,
    }


async def test_reported_states_have_their_last_value() -> None:
    house = House()
    past = kept(house)
    house.report("weather.sun", "bright", degrees=21)
    house.clock.advance(1)
    house.report("weather.sun", "dark", degrees=12)
    found = await past.events(Wanted(devices=frozenset({"weather-sun"}), order="attributeName", descending=False))
    assert [(event.attribute, event.value) for event in found] == [("degrees", 12), ("state", "dark")]


async def test_devices_that_are_gone_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_GONE", 2)
    house = House(*(a_device("DummySwitch", f"d{number}") for number in range(4)))
    past = kept(house)
    for number in range(4):
        house.home.remove_device(f"d{number}", TEST)
    assert [known.device_id for known in await past.attributes()] == ["d2", "d3"]
    assert await past.events(Wanted()) == []


async def test_others_get_their_turn_while_a_large_home_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 2)
    house = House(*(a_device("DummySwitch", f"d{number}") for number in range(10)))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    found = await kept(house).events(Wanted(limit=3))
    task.cancel()
    assert len(found) == 3
    assert turns >= 5


async def test_a_device_may_go_while_it_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 1)
    house = House(*(a_device("DummySwitch", f"d{number}") for number in range(4)))
    past = kept(house)
    looking = asyncio.ensure_future(past.events(Wanted(order="deviceId", descending=False)))
    await asyncio.sleep(0)
    house.home.remove_device("d3", TEST)
    assert [event.device_id for event in await looking] == ["d0", "d1", "d2"]


def test_means_are_those_of_numbers_in_each_span() -> None:
    events = [Event("d", "a", "number", at, value) for at, value in ((1, 1), (9, 3), (11, 10), (12, None))]
    text = Event("d", "b", "string", 5, "x")
    assert [(event.at, event.value) for event in means([*events, text], 10)] == [
        (5, "x"),
        (12, None),
        (1, 2),
        (11, 10),
    ]
