"""Events of attributes out of a past: in an order, some of them, means of them."""

from __future__ import annotations

import pytest

from hallway.api.operations.pimatic import history
from hallway.api.operations.pimatic.history import PastHistory, Wanted
from hallway.errors import InvalidInput
from hallway.home.past import Series
from tests.home.listed_past import ListedPast

OUTSIDE, INSIDE = (Series("attribute", device, "temperature") for device in ("outside", "inside"))
LAMP = Series("attribute", "lamp", "state")
NEVER = float("nan")


@pytest.fixture
def past() -> ListedPast:
    past = ListedPast()
    past.put(OUTSIDE, (1, 10), (11, 20), (12, None), (21, 30))
    past.put(INSIDE, (2, 19), (22, 21))
    past.put(LAMP, (5, "on"), (15, "off"), value_type="string")
    past.put(Series("variable", "temperature"), (1, 1))
    return past


async def found(past: ListedPast, wanted: Wanted) -> list[tuple[str, float, object]]:
    events = await PastHistory(past, past.tidy).events(wanted)
    return [(event.device_id, event.at, event.value) for event in events]


async def test_the_newest_come_first(past: ListedPast) -> None:
    assert await found(past, Wanted(limit=3)) == [("inside", 22, 21), ("outside", 21, 30), ("lamp", 15, "off")]
    assert await found(past, Wanted(offset=6, limit=3)) == [("inside", 2, 19), ("outside", 1, 10)]
    assert await found(past, Wanted(limit=0)) == []


async def test_some_devices_attributes_and_times(past: ListedPast) -> None:
    of_lamp = Wanted(devices=frozenset({"lamp", "nope"}), descending=False)
    assert await found(past, of_lamp) == [("lamp", 5, "on"), ("lamp", 15, "off")]
    warm = Wanted(attributes=frozenset({"temperature"}), after=2, before=12, descending=False)
    assert await found(past, warm) == [("inside", 2, 19), ("outside", 11, 20), ("outside", 12, None)]
    assert await found(past, Wanted(devices=frozenset({"nope"}))) == []
    assert await found(past, Wanted(after=NEVER)) == []


async def test_another_order_than_that_of_time(past: ListedPast) -> None:
    values = [value for _, _, value in await found(past, Wanted(order="value", descending=False))]
    assert values == [None, 10, 19, 20, 21, 30, "off", "on"]
    best = await found(past, Wanted(order="value", offset=2, limit=2))
    assert best == [("outside", 21, 30), ("inside", 22, 21)]


async def test_only_the_best_are_held_when_there_are_many(past: ListedPast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_EVENTS", 5)
    for number in range(100):
        past.put(INSIDE, (100 + number, (number * 37) % 100))
    best = await found(past, Wanted(devices=frozenset({"inside"}), order="value", limit=3))
    assert [value for _, _, value in best] == [99, 98, 97]
    with pytest.raises(InvalidInput, match="offset and limit"):
        await found(past, Wanted(order="value", offset=10**9))


async def test_no_more_text_is_told_at_once_than_is_good_for_anybody(
    past: ListedPast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 1000)
    past.put(INSIDE, *((30 + number, f"{number} " + 400 * "x") for number in range(6)))
    inside = frozenset({"inside"})
    assert [at for _, at, _ in await found(past, Wanted(devices=inside))] == [35, 34, 33]
    assert [at for _, at, _ in await found(past, Wanted(devices=inside, offset=3))] == [32, 31, 30]
    by_value = Wanted(devices=inside, order="value", descending=False)
    assert [at for _, at, _ in await found(past, by_value)] == [2, 22, 30, 31, 32]
    by_value = Wanted(devices=inside, order="value", descending=False, offset=4)
    assert [at for _, at, _ in await found(past, by_value)] == [32]
    with pytest.raises(InvalidInput, match="more than 16 MB stand before"):
        await found(past, Wanted(devices=inside, order="value", descending=False, offset=5))
    assert await found(past, Wanted(devices=inside, order="value", descending=False, offset=8, before=31)) == []


async def test_means_of_each_attribute(past: ListedPast) -> None:
    means_of = Wanted(attributes=frozenset({"temperature"}), every=20, descending=False)
    assert await found(past, means_of) == [
        ("outside", 1, 15),
        ("inside", 2, 19),
        ("outside", 12, None),
        ("outside", 21, 30),
        ("inside", 22, 21),
    ]
    past.put(OUTSIDE, (3, 2))
    early = Wanted(devices=frozenset({"outside", "lamp"}), before=14, every=10, descending=False)
    assert await found(past, early) == [
        ("outside", 1, 6),
        ("lamp", 5, "on"),
        ("outside", 11, 20),
        ("outside", 12, None),
    ]


async def test_attributes_are_counted_and_forgotten_and_nothing_else(past: ListedPast) -> None:
    kept = PastHistory(past, past.tidy)
    assert [(known.device_id, known.name, known.type) for known in await kept.attributes()] == [
        ("outside", "temperature", "number"),
        ("inside", "temperature", "number"),
        ("lamp", "state", "string"),
    ]
    assert await kept.counts() == {1: 4, 2: 2, 3: 2}
    assert await kept.forget(4) is None  # it is that of a variable
    assert await kept.forget(1) == 4
    assert await kept.forget(1) is None
    assert await kept.counts() == {2: 2, 3: 2}
