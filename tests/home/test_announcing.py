"""How large a definition may be: one that is larger is refused wherever it comes from, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hallway.errors import TooLarge
from hallway.home.announcing import MAX_DEFINITION, check_definition
from hallway.home.home import Home
from tests.home.homes import TEST, House, a_device

HUGE = "x" * MAX_DEFINITION
HALF = "y" * (MAX_DEFINITION // 2)
RULE = 'when lamp is on then log "a"'

EDITS: dict[str, Callable[[Home], Any]] = {
    "add device": lambda home: home.add_device({"id": "new", "class": "DummySwitch", "name": HUGE}, "store", TEST),
    "change device": lambda home: home.change_device({"id": "lamp", "class": "DummySwitch", "name": HUGE}, TEST),
    "add variable": lambda home: home.add_variable({"name": "v", "value": 1, "unit": HUGE}, TEST),
    "change variable": lambda home: home.change_variable({"name": "n", "value": 1, "unit": HUGE}, TEST),
    "compute variable": lambda home: home.change_variable({"name": "n", "expression": f'"{HUGE}"'}, TEST),
    "add rule": lambda home: home.rules.add({"id": "new", "name": HUGE, "rule": RULE}, TEST),
    "change rule": lambda home: home.rules.change("r", {"name": HUGE}, TEST),
    "add page": lambda home: home.pages.add({"id": "new", "name": HUGE}, TEST),
    "change page": lambda home: home.pages.change("p", {"name": HUGE}, TEST),
    "put on page": lambda home: home.pages.add_device("p", HALF, TEST),
    "add group": lambda home: home.groups.add({"id": "new", "name": HUGE}, TEST),
    "change group": lambda home: home.groups.change("g", {"name": HUGE}, TEST),
    "put into group": lambda home: home.groups.add_member("g", "device", "z" * len(HALF), TEST),
    "order": lambda home: home.set_order("page", (HUGE,), TEST),
}


@pytest.fixture
def house() -> House:
    house = House(a_device("DummySwitch", "lamp"), variables=({"name": "n", "value": 1},))
    house.home.groups.add({"id": "g", "devices": [HALF]})
    house.home.groups.add({"id": "other", "devices": ["z" * len(HALF)]})
    house.home.rules.add({"id": "r", "rule": RULE})
    house.home.pages.add({"id": "p", "devices": [{"deviceId": "y" + HALF}]})
    house.changes.clear()
    return house


@pytest.mark.parametrize("edit", EDITS)
def test_a_definition_that_is_too_large_is_refused_and_changes_nothing(house: House, edit: str) -> None:
    with house.refuses(TooLarge, "1 MB at most"):
        EDITS[edit](house.home)


def test_a_value_is_no_definition_and_may_be_larger(house: House) -> None:
    house.home.add_variable({"name": "v", "value": HUGE}, TEST)
    house.home.change_variable({"name": "n", "value": HUGE}, TEST)
    house.home.set_variable("n", [HUGE], TEST)
    assert house.home.value("n") == [HUGE]


def test_a_definition_may_have_exactly_as_much() -> None:
    check_definition("x" * (MAX_DEFINITION - 2))
    with pytest.raises(TooLarge):
        check_definition("x" * (MAX_DEFINITION - 1))
