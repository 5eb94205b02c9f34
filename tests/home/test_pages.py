"""What pages promise: devices in an order of their own, for those who may see them."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import CannotStore, Conflict, HallwayError, InvalidConfiguration, InvalidInput, NotFound
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    house = House(a_device("DummySwitch", "one"), a_device("DummySwitch", "two"))
    house.home.pages.add({"id": "start", "name": "Start", "devices": [{"deviceId": "one"}, {"deviceId": "two"}]})
    house.changes.clear()
    return house


def on(house: House, page_id: str = "start") -> list[Any]:
    return [device["deviceId"] for device in house.home.pages.get(page_id).devices]


def test_a_page_is_taken_in(house: House) -> None:
    page = house.home.pages.add({"id": "ü 1", "name": "Ü", "allowedRoles": ["admin"]}, TEST)
    assert (page.id, page.name, page.devices, page.allowed_roles) == ("ü 1", "Ü", (), ("admin",))
    assert [known.id for known in house.home.pages.all()] == ["start", "ü 1"]
    (change,) = house.definitions()
    assert (change.kind, change.key, change.old, change.context) == ("page", "ü 1", None, TEST)
    assert change.new == {"id": "ü 1", "name": "Ü", "devices": [], "allowedRoles": ["admin"]}
    assert house.home.pages.get("start").allowed_roles is None
    assert "allowedRoles" not in house.home.pages.get("start").config


def test_a_page_without_a_name_is_called_by_its_id_and_devices_may_be_plain_ids(house: House) -> None:
    page = house.home.pages.add({"id": "p", "devices": ["one"]}, TEST)
    assert (page.name, page.devices) == ("p", ({"deviceId": "one"},))


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        ({"id": ""}, InvalidInput, ("page id",)),
        ({"id": 5}, InvalidInput, ("page id", "'5'")),
        ({"id": "x" * 256}, InvalidInput, ("too long",)),
        ({"id": "start"}, Conflict, ("page start",)),
        ({"id": "p", "name": ["x"]}, InvalidConfiguration, ("page p", "name")),
        ({"id": "p", "devices": "one"}, InvalidConfiguration, ("page p", "devices")),
        ({"id": "p", "devices": [{"id": "one"}]}, InvalidConfiguration, ("page p", "deviceId")),
        ({"id": "p", "allowedRoles": "admin"}, InvalidConfiguration, ("page p", "allowedRoles")),
        ({"id": "p", "name": "\udfff"}, CannotStore, ("surrogate",)),
    ],
)
def test_what_is_no_page_is_refused(
    house: House, config: dict[str, Any], error: type[HallwayError], words: tuple[str, ...]
) -> None:
    with house.refuses(error, *words):
        house.home.pages.add(config, TEST)


def test_a_page_is_changed_in_part(house: House) -> None:
    assert house.home.pages.change("start", {"name": "Other"}, TEST).name == "Other"
    assert on(house) == ["one", "two"]
    house.home.pages.change("start", {"devicesOrder": ["two"]}, TEST)
    assert on(house) == ["two", "one"]
    house.home.pages.change("start", {"devicesOrder": "two", "allowedRoles": ["guest"]}, TEST)
    assert on(house) == ["two", "one"]
    assert house.home.pages.get("start").allowed_roles == ("guest",)
    assert house.home.pages.change("start", {"devices": ["one"], "allowedRoles": None}, TEST).allowed_roles is None
    assert on(house) == ["one"]
    assert house.edits() == ["page start changed"] * 4


def test_devices_are_put_on_a_page_and_taken_off(house: House) -> None:
    house.home.pages.add_device("start", "not there yet", TEST)
    assert on(house) == ["one", "two", "not there yet"]
    house.home.pages.add_device("start", "one", TEST)
    assert on(house) == ["two", "not there yet", "one"]
    house.home.pages.remove_device("start", "two", TEST)
    assert on(house) == ["not there yet", "one"]
    with house.refuses(NotFound, "device two", "page start"):
        house.home.pages.remove_device("start", "two", TEST)


def test_what_is_written_about_a_device_on_a_page_stays(house: House) -> None:
    house.home.pages.change("start", {"devices": [{"deviceId": "one", "size": 2}, {"deviceId": "two"}]}, TEST)
    house.home.pages.change("start", {"devicesOrder": ["two", "one"]}, TEST)
    assert house.home.pages.get("start").devices == ({"deviceId": "two"}, {"deviceId": "one", "size": 2})


def test_a_device_that_goes_leaves_the_pages_first(house: House) -> None:
    house.home.pages.add({"id": "fixed", "devices": ["one"]}, source="file")
    house.changes.clear()
    house.home.remove_device("one", TEST)
    assert house.edits() == ["page start changed", "device one removed"]
    assert (on(house), on(house, "fixed")) == (["two"], ["one"])


def test_a_page_is_removed(house: House) -> None:
    removed = house.home.pages.remove("start", TEST)
    assert removed.id == "start"
    assert house.home.pages.all() == []
    assert house.home.announcer.gone("page", "start") == removed
    commands: Any = (
        lambda: house.home.pages.remove("start", TEST),
        lambda: house.home.pages.change("start", {}, TEST),
        lambda: house.home.pages.add_device("start", "one", TEST),
        lambda: house.home.pages.get("start"),
    )
    for command in commands:
        with house.refuses(NotFound, "page start"):
            command()


def test_a_page_of_the_file_is_edited_there(house: House) -> None:
    house.home.pages.add({"id": "fixed", "devices": ["one"]}, source="file")
    commands: Any = (
        lambda: house.home.pages.remove("fixed", TEST),
        lambda: house.home.pages.change("fixed", {}, TEST),
        lambda: house.home.pages.add_device("fixed", "two", TEST),
        lambda: house.home.pages.remove_device("fixed", "one", TEST),
    )
    for command in commands:
        with house.refuses(Conflict, "page fixed", "configuration.yaml"):
            command()
