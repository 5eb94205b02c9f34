"""What the home promises as a whole: devices come and go, commands are checked first, nothing is half done."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Conflict, InvalidConfiguration, InvalidInput, NotFound
from hallway.home.changes import Context, Defined, Noted, Planned
from hallway.home.home import Home
from tests.home.homes import NOW, TEST, House, a_device, only


@pytest.fixture
def house() -> House:
    return House(
        a_device("DummyTemperatureSensor", "t", name="Outside"), variables=({"name": "x", "value": 1, "unit": "W"},)
    )


def test_a_device_that_comes_is_one_change_with_all_its_entities(house: House) -> None:
    config = a_device("DummySwitch", "lamp", name="Lamp")
    device = house.home.add_device(config, "file", TEST)
    assert house.device("lamp") is device
    assert (device.source, device.error) == ("file", None)
    definition = only(house.definitions())
    assert (definition.kind, definition.key, definition.old, definition.new, definition.context) == (
        "device",
        "lamp",
        None,
        config,
        TEST,
    )
    assert [(moved.entity_id, moved.old) for moved in definition.states] == [("switch.lamp", None)]


def test_a_device_that_goes_takes_its_entities_and_plans_with_it() -> None:
    house = House(a_device("DummyPresenceSensor"))
    house.act("it", "changePresenceTo", presence=True)
    house.changes.clear()
    house.home.remove_device("it", TEST)
    dropped, gone, noted = house.changes
    assert isinstance(dropped, Planned)
    assert isinstance(gone, Defined)
    assert isinstance(noted, Noted)
    assert noted.note == {"class": "DummyPresenceSensor", "values": {"presence": True}}
    assert (dropped.due, gone.new, gone.old) == (None, None, a_device("DummyPresenceSensor"))
    assert [(moved.entity_id, moved.new) for moved in gone.states] == [("binary_sensor.it", None)]
    assert house.home.states() == []
    assert house.home.entities_of("it") == ()
    house.clock.advance(60)
    assert len(house.changes) == 3


def test_what_is_not_there_is_not_found(house: House) -> None:
    for command in (
        lambda: house.home.device("gone"),
        lambda: house.act("gone", "turnOn"),
        lambda: house.home.remove_device("gone", TEST),
        lambda: house.home.set_values("gone", {}, TEST),
        lambda: house.home.value("gone.state"),
        lambda: house.home.unit("gone.state"),
    ):
        with house.refuses(NotFound, "there is no device gone"):
            command()
    assert house.home.state("gone.gone") is None
    assert house.home.entities_of("gone") == ()


@pytest.mark.parametrize("device_id", [None, "", "a b", 5, "x" * 300])
def test_a_device_needs_an_id(house: House, device_id: Any) -> None:
    with house.refuses(InvalidInput, "device id"):
        house.home.add_device({"id": device_id, "class": "DummySwitch"}, "file")
    with house.refuses(InvalidInput, "device id"):
        house.home.park_device({"id": device_id, "class": "DummySwitch"}, "file", "why")


def test_two_devices_cannot_have_one_id(house: House) -> None:
    with house.refuses(Conflict, "there is a device t already"):
        house.home.add_device(a_device("DummySwitch", "t"), "file")
    with house.refuses(Conflict, "there is a device t already"):
        house.home.park_device(a_device("Nope", "t"), "file", "why")


def test_ids_differ_by_case() -> None:
    house = House(a_device("DummySwitch", "a"), a_device("DummySwitch", "A"))
    house.act("A", "turnOn")
    assert (house.value("state", "a"), house.value("state", "A")) == (False, True)


def test_a_parked_device_is_shown_with_the_reason_and_can_do_nothing(house: House) -> None:
    why = "there is no device class 'Nope'"
    house.home.park_device({"id": "Bad-One", "class": "Nope", "name": "Bad"}, "store", why)
    assert house.shows("problem.bad_one") == (
        "parked",
        {"error": "there is no device class 'Nope'", "friendly_name": "Bad"},
    )
    with house.refuses(InvalidConfiguration, "Bad-One is parked", "no device class 'Nope'"):
        house.act("Bad-One", "turnOn")
    with pytest.raises(NotFound):
        house.home.value("Bad-One.state")
    house.home.remove_device("Bad-One", TEST)
    assert house.home.state("problem.bad_one") is None


def test_a_report_about_a_parked_device_is_shown_and_nothing_else(house: House) -> None:
    house.home.park_device({"id": "bad", "class": "Nope"}, "file", "why")
    house.report("problem.bad", "mended", by="me")
    assert house.shows("problem.bad") == ("mended", {"by": "me"})


def test_values_are_read_by_name(house: House) -> None:
    house.act("t", "changeTemperatureTo", temperature=21)
    assert house.home.value("x") == 1
    assert house.home.value("t.temperature") == 21
    assert (house.home.unit("x"), house.home.unit("t.temperature"), house.home.unit("t.gone")) == ("W", "°C", "")
    assert house.home.value_names() == {"x", "t.temperature", "t.humidity"}


def test_the_home_knows_its_time_and_zone() -> None:
    assert Home(VirtualClock(5.0)).time_zone() is UTC
    home = Home(VirtualClock(5.0), time_zone=ZoneInfo("Europe/Amsterdam"), chance=lambda: 0.25)
    assert (home.now(), home.time_zone(), home.random()) == (5.0, ZoneInfo("Europe/Amsterdam"), 0.25)


def test_every_change_carries_who_and_when(house: House) -> None:
    house.clock.advance(7)
    anna = Context("homeassistant", user="anna", hops=("cellar",))
    house.home.act("t", "changeTemperatureTo", {"temperature": 5}, anna)
    house.home.set_variable("x", 2, anna)
    house.home.fire("bell", {}, anna)
    house.home.report("a.b", "1", {}, anna)
    assert {(change.context, change.at) for change in house.changes} == {(anna, NOW + 7)}


def test_what_was_noted_in_a_state_stays_as_it_was(house: House) -> None:
    before = house.shown("variable.x")
    house.home.set_variable("x", 2, TEST)
    assert before.state == "1"
    with pytest.raises(AttributeError):
        before.state = "3"  # type: ignore[misc]
