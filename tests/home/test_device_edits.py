"""What editing devices promises: all is checked first, values of what stays are kept, and what names them follows."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import CannotStore, Conflict, HallwayError, InvalidConfiguration, NotFound
from hallway.home.announcing import BUILT_IN
from hallway.home.changes import Updated
from tests.home.homes import NOW, TEST, House, a_device, only


@pytest.fixture
def house() -> House:
    return House(
        a_device("DummyDimmer", "lamp"),
        a_device("DummyShutter", "blind", rollingTime=10),
        variables=({"name": "n", "value": 1},),
    )


def test_a_device_that_is_added_says_what_it_is(house: House) -> None:
    house.clock.advance(5)
    device = house.home.add_device(a_device("DummyDimmer", "new"), "store", TEST)
    assert house.edits() == ["device new added"]
    assert [change.new for change in house.updates()] == [{"dimlevel": 0, "state": False}]
    assert [entry.at for entry in device.held("state").history] == [NOW + 5]
    assert {change.context for change in house.changes} == {TEST}


def test_a_device_that_is_added_computes_and_shows_at_once(house: House) -> None:
    house.home.add_device(
        a_device("VariablesDevice", "sum", variables=[{"name": "q", "expression": "$n + 1", "type": "number"}]), "store"
    )
    house.home.add_device(a_device("VariableInputDevice", "field", variable="n"), "store")
    assert (house.value("q", "sum"), house.value("input", "field")) == (2, 1)
    house.home.set_variable("n", 5, TEST)
    assert (house.value("q", "sum"), house.value("input", "field")) == (6, 5)


def test_a_device_that_computes_nonsense_stands_there_without_a_value(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    wanted: Any = [{"name": "q", "expression": "$nope +"}]
    house.home.add_device(a_device("VariablesDevice", "sum", variables=wanted), "store")
    assert house.value("q", "sum") is None
    assert "device sum: q is not computed" in caplog.text


def test_a_device_gets_another_name_and_keeps_its_values(house: House) -> None:
    house.act("lamp", "changeDimlevelTo", dimlevel=40)
    house.changes.clear()
    device = house.home.change_device({"id": "lamp", "class": "DummyDimmer", "name": "Büro"}, TEST)
    assert house.device("lamp") is device
    assert (device.name, house.values("lamp")) == ("Büro", {"dimlevel": 40, "state": True})
    assert house.shows("light.lamp") == ("on", {"friendly_name": "Büro", "brightness": 102})
    assert house.edits() == ["device lamp changed"]
    assert house.definitions()[0].old == {"id": "lamp", "class": "DummyDimmer"}
    assert only(house.updates()).new == {"dimlevel": 40, "state": True}
    assert list(house.home.devices) == ["lamp", "blind"]


def test_a_device_of_another_class_has_other_entities(house: House) -> None:
    house.act("lamp", "turnOn")
    house.changes.clear()
    house.home.change_device({"id": "lamp", "class": "DummySwitch"}, TEST)
    assert house.home.entities_of("lamp") == ("switch.lamp",)
    assert house.values("lamp") == {"state": True}
    assert house.home.state("light.lamp") is None
    assert [(moved.entity_id, moved.new is not None) for moved in house.definitions()[0].states] == [
        ("light.lamp", False),
        ("switch.lamp", True),
    ]
    house.home.change_device({"id": "lamp", "class": "DummyDimmer"}, TEST)
    assert house.values("lamp") == {"dimlevel": 0, "state": True}


def test_a_value_of_another_kind_is_not_kept(house: House) -> None:
    house.home.add_device(a_device("InputDevice", "field"), "store")
    house.act("field", "changeInputTo", value="text")
    house.home.change_device({"id": "field", "class": "InputDevice", "type": "number"}, TEST)
    assert house.value("input", "field") == 0


def test_what_a_device_was_going_to_do_does_not_happen_to_the_new_one(house: House) -> None:
    house.act("blind", "moveByPercentage", percentage=50)
    house.home.change_device({"id": "blind", "class": "DummyShutter", "rollingTime": 1}, TEST)
    assert house.plans() == {}


def test_a_parked_device_that_is_mended_comes_alive(house: House) -> None:
    house.home.park_device({"id": "bad", "class": "Nope"}, "store", "why")
    house.changes.clear()
    device = house.home.change_device({"id": "bad", "class": "DummySwitch"}, TEST)
    assert device.error is None
    assert house.home.state("problem.bad") is None
    assert house.home.entities_of("bad") == ("switch.bad",)
    house.act("bad", "turnOn")
    assert house.shown("switch.bad").state == "on"


def test_what_is_computed_from_a_device_follows_its_change() -> None:
    wanted: Any = [{"name": "q", "expression": "$n + 1"}]
    house = House(
        a_device("VariablesDevice", "sum", variables=wanted),
        variables=({"name": "n", "value": 1}, {"name": "more", "expression": "$sum.q * 10"}),
    )
    assert house.home.value("more") == 20
    wanted = [{"name": "q", "expression": "$n + 2"}, {"name": "r", "expression": "$more"}]
    house.home.change_device(a_device("VariablesDevice", "sum", variables=wanted), TEST)
    assert (house.home.value("more"), house.value("r", "sum")) == (30, 30)
    house.home.set_variable("n", 5, TEST)
    assert (house.value("q", "sum"), house.home.value("more")) == (7, 70)


def test_a_field_that_shows_another_variable_follows_that_one(house: House) -> None:
    house.home.add_variable({"name": "m", "value": 7})
    house.home.add_device(a_device("VariableInputDevice", "field", variable="n"), "store")
    house.home.change_device(a_device("VariableInputDevice", "field", variable="m"), TEST)
    assert house.value("input", "field") == 7
    house.home.set_variable("n", 2, TEST)
    assert house.value("input", "field") == 7
    house.home.set_variable("m", 8, TEST)
    assert house.value("input", "field") == 8


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        ({"id": "nope", "class": "DummySwitch"}, NotFound, ("device nope",)),
        ({"class": "DummySwitch"}, NotFound, ("device",)),
        ({"id": "lamp"}, InvalidConfiguration, ("device class",)),
        ({"id": "lamp", "class": "Nope"}, InvalidConfiguration, ("'Nope'",)),
        ({"id": "lamp", "class": "DummyShutter", "rollingTime": "fast"}, InvalidConfiguration, ("rollingTime",)),
        ({"id": "lamp", "class": "Sun"}, InvalidConfiguration, ("Sun",)),
        ({"id": "lamp", "class": "DummySwitch", "name": "\ud800"}, CannotStore, ("surrogate",)),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    house: House, config: dict[str, Any], error: type[HallwayError], words: tuple[str, ...]
) -> None:
    house.act("blind", "moveUp")
    with house.refuses(error, *words):
        house.home.change_device(config, TEST)


@pytest.mark.parametrize(("source", "word"), [("file", "configuration.yaml"), (BUILT_IN, "the hub's own")])
def test_what_stands_elsewhere_is_edited_there(source: str, word: str) -> None:
    house = House()
    house.home.add_device(a_device("DummySwitch"), source)
    with house.refuses(Conflict, "device it", word):
        house.home.change_device(a_device("DummySwitch"), TEST)
    with house.refuses(Conflict, "device it", word):
        house.home.remove_device("it", TEST)


def test_a_reported_state_has_no_config_to_change(house: House) -> None:
    house.report("weather.sun", "bright")
    with house.refuses(InvalidConfiguration, "weather-sun"):
        house.home.change_device({"id": "weather-sun", "class": "DummySwitch"}, TEST)


def test_a_device_that_goes_leaves_groups_and_pages_first(house: House) -> None:
    house.home.groups.add({"id": "g", "devices": ["blind", "lamp"]})
    house.home.pages.add({"id": "p", "devices": ["lamp"]})
    house.changes.clear()
    device = house.device("lamp")
    assert house.home.remove_device("lamp", TEST) is device
    assert house.edits() == ["group g changed", "page p changed", "device lamp removed"]
    assert house.home.groups.get("g").devices == ("blind",)
    assert house.home.announcer.gone("device", "lamp") is device
    assert {change.context for change in house.definitions()} == {TEST}


def test_a_device_of_another_hub_that_goes_keeps_its_place_for_when_it_comes_back(house: House) -> None:
    house.home.report_new("light.far", "on", {}, TEST, "link:cellar")
    house.home.groups.add({"id": "g", "devices": ["light-far"]})
    house.home.remove_device("light-far", TEST)
    assert house.home.groups.get("g").devices == ("light-far",)


def test_a_device_that_comes_back_begins_anew(house: House) -> None:
    house.act("lamp", "turnOn")
    house.home.remove_device("lamp", TEST)
    house.home.add_device(a_device("DummyDimmer", "lamp"), "store", TEST)
    assert house.values("lamp") == {"dimlevel": 0, "state": False}


def test_before_the_home_is_complete_nothing_is_computed_and_nothing_is_said() -> None:
    house = House()
    house.home.formulas.complete = False
    house.home.add_device(a_device("DummySwitch"), "store")
    assert [change for change in house.changes if isinstance(change, Updated)] == []


def test_only_so_many_things_that_are_gone_are_remembered() -> None:
    house = House()
    for number in range(120):
        house.home.pages.add({"id": str(number)})
        house.home.pages.remove(str(number), TEST)
    assert house.home.announcer.gone("page", "0") is None
    assert house.home.announcer.gone("page", "119") is not None
    assert house.home.announcer.gone("page", "never") is None
