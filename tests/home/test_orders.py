"""What orders promise: what is named comes first, the rest follows as it was, and names need not exist."""

from __future__ import annotations

import pytest

from hallway.errors import CannotStore, InvalidInput
from hallway.home.changes import Kind, Ordered
from tests.home.homes import TEST, House, a_device

KINDS: tuple[Kind, ...] = ("device", "variable", "rule", "page", "group")


@pytest.fixture
def house() -> House:
    house = House(
        *(a_device("DummySwitch", key) for key in "abc"), variables=tuple({"name": key, "value": 1} for key in "abc")
    )
    for key in "abc":
        house.home.rules.add({"id": key, "rule": "when x then y"})
        house.home.pages.add({"id": key})
        house.home.groups.add({"id": key})
    house.changes.clear()
    return house


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_named_comes_first_and_the_rest_follows_as_it_was(house: House, kind: Kind) -> None:
    assert house.home.order(kind) == ("a", "b", "c")
    assert house.home.set_order(kind, ["c", "gone"], TEST) == ("c", "gone")
    assert house.home.order(kind) == ("c", "a", "b")
    house.home.set_order(kind, ["b"], TEST)
    assert house.home.order(kind) == ("b", "c", "a")
    house.home.set_order(kind, [], TEST)
    assert house.home.order(kind) == ("b", "c", "a")


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_is_told_as_it_was_given(house: House, kind: Kind) -> None:
    house.home.set_order(kind, ["c", "gone", "c"], TEST)
    (change,) = house.changes
    assert isinstance(change, Ordered)
    assert (change.kind, change.order, change.whole) == (kind, ("c", "gone", "c"), ("c", "gone", "a", "b"))
    assert change.context == TEST


def test_lists_follow_at_once_but_those_of_devices(house: House) -> None:
    """Clients of old rely on it: devices are listed otherwise after the next start only."""
    for kind in KINDS:
        house.home.set_order(kind, ["c"], TEST)
    assert [rule.id for rule in house.home.rules.all()] == ["c", "a", "b"]
    assert [page.id for page in house.home.pages.all()] == ["c", "a", "b"]
    assert [group.id for group in house.home.groups.all()] == ["c", "a", "b"]
    assert [variable.name for variable in house.home.variables] == ["c", "a", "b"]
    assert list(house.home.devices) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_after_an_order_stands_behind(house: House, kind: Kind) -> None:
    house.home.orders.put_back(kind, ("c", "a", "b"), {"a"})
    assert house.home.order(kind) == ("c", "b", "a")


def test_there_is_no_order_of_other_things(house: House) -> None:
    with house.refuses(InvalidInput, "users", "device"):
        house.home.set_order("user", ["a"], TEST)
    assert not house.home.orders.has("user")


def test_an_order_that_is_too_long_or_cannot_be_kept_is_refused(house: House) -> None:
    with house.refuses(InvalidInput, "100001"):
        house.home.set_order("page", [str(number) for number in range(100_001)], TEST)
    with house.refuses(CannotStore):
        house.home.set_order("page", ["\ud800"], TEST)
