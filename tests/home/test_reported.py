"""What reported states promise: whatever somebody posts is an entity, and a device with attributes to read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from hallway.errors import InvalidConfiguration, InvalidInput, NotFound
from hallway.home.changes import Defined, Updated
from hallway.home.classes import REPORTED
from hallway.home.reported import reported_attributes, reported_value
from hallway.home.values import same
from tests.home.homes import NOW, TEST, House, a_device, only
from tests.home.strategies import ATTRIBUTES, STATE_TEXTS


@pytest.fixture
def house() -> House:
    return House()


def test_the_first_report_makes_a_device(house: House) -> None:
    state, new = house.report("Weather.Sun", "bright", friendly_name="Sunshine", lux=5)
    assert new
    assert (state.entity_id, state.state, state.attributes) == (
        "weather.sun",
        "bright",
        {"friendly_name": "Sunshine", "lux": 5},
    )
    assert state.last_changed == state.last_updated == NOW
    device = house.device("weather-sun")
    assert (device.name, device.class_name, device.source) == ("Sunshine", REPORTED, "reported")
    assert house.home.entities_of("weather-sun") == ("weather.sun",)
    definition = only(house.changes)
    assert isinstance(definition, Defined)
    assert (definition.kind, definition.key, definition.old) == ("device", "weather-sun", None)
    assert definition.new == {"id": "weather-sun", "name": "Sunshine", "class": "reported", "entity": "weather.sun"}
    moved = only(list(definition.states))
    assert (moved.old, moved.new, moved.told_by) == (None, state, "reported")


def test_without_a_friendly_name_the_device_is_called_by_its_entity(house: House) -> None:
    house.report("weather.sun", "bright")
    assert house.device("weather-sun").name == "weather.sun"


def test_the_state_is_found_in_any_case(house: House) -> None:
    house.report("weather.sun", "bright")
    assert house.home.state("WEATHER.Sun") is house.shown("weather.sun")
    assert house.home.state("weather.moon") is None


def test_a_report_replaces_all_attributes(house: House) -> None:
    house.report("weather.sun", "bright", a=1, b=2)
    state, new = house.report("weather.sun", "bright", b=3)
    assert not new
    assert state.attributes == {"b": 3}
    assert house.shows("weather.sun") == ("bright", {"b": 3})


def test_last_changed_moves_with_the_state_and_last_updated_with_every_report(house: House) -> None:
    house.report("weather.sun", "bright", a=1)
    house.clock.advance(10)
    state, _ = house.report("weather.sun", "bright", a=2)
    assert (state.last_changed, state.last_updated) == (NOW, NOW + 10)
    house.clock.advance(10)
    state, _ = house.report("weather.sun", "dull", a=2)
    assert (state.last_changed, state.last_updated) == (NOW + 20, NOW + 20)


def test_nothing_happens_when_nothing_differs(house: House) -> None:
    before, _ = house.report("weather.sun", "bright", a=1, b={"c": [1, 2]})
    house.clock.advance(10)
    with house.nothing_happens():
        state, new = house.report("Weather.sun", "bright", b={"c": [1, 2]}, a=1)
    assert (state, new) == (before, False)


@pytest.mark.parametrize(("one", "other"), [(1, True), (True, 1), (1, 1.0), ([0], [False]), ({"x": 1.0}, {"x": 1})])
def test_true_and_one_differ(house: House, one: Any, other: Any) -> None:
    house.report("weather.sun", "bright", a=one)
    house.report("weather.sun", "bright", a=other)
    assert repr(house.shows("weather.sun")[1]["a"]) == repr(other)


def test_a_report_is_a_change_of_its_entity_alone(house: House) -> None:
    before, _ = house.report("weather.sun", "bright")
    house.changes.clear()
    after, _ = house.report("weather.sun", "dull")
    change = only(house.changes)
    assert isinstance(change, Updated)
    assert (change.device_id, change.old, change.new, change.context) == ("weather-sun", {}, {}, TEST)
    moved = only(list(change.states))
    assert (moved.old, moved.new, moved.told_by) == (before, after, "reported")


@pytest.mark.parametrize("entity_id", ["weather", "a.b.c", "weather.sun-set", "", "wea ther.sun", "weather.\n"])
def test_an_id_without_the_right_form_is_refused(house: House, entity_id: str) -> None:
    with house.refuses(InvalidInput, "entity id", "domain.object_id"):
        house.report(entity_id, "on")


def test_letters_of_all_languages_are_kept(house: House) -> None:
    house.report("sensor.Küche", "é♥😀", k="°C")
    assert house.shows("sensor.küche") == ("é♥😀", {"k": "°C"})
    assert house.home.value("sensor-küche.state") == "é♥😀"
    assert house.home.value("sensor-küche.k") == "°C"


def test_its_values_can_be_read_by_the_name_of_device_and_attribute(house: House) -> None:
    house.report(
        "weather.sun", "bright", lux=5, ok=True, text="t", none=None, nested={"a": 1}, many=[1], state="hidden"
    )
    read = {name: house.home.value(f"weather-sun.{name}") for name in ("state", "lux", "ok", "text", "none")}
    assert read == {"state": "bright", "lux": 5, "ok": True, "text": "t", "none": None}
    for name in ("nested", "many", "gone"):
        with pytest.raises(NotFound, match=f"weather.sun was reported without {name}"):
            house.home.value(f"weather-sun.{name}")


def test_its_unit_is_that_of_the_state(house: House) -> None:
    house.report("sensor.power", "5", unit_of_measurement="W", peak=9)
    assert house.home.unit("sensor-power.state") == "W"
    assert house.home.unit("sensor-power.peak") == ""
    assert house.home.unit("sensor-power.gone") == ""
    house.report("sensor.power", "5", unit_of_measurement=5)
    assert house.home.unit("sensor-power.state") == ""


def test_it_has_the_state_and_one_attribute_for_each_scalar(house: House) -> None:
    state, _ = house.report("weather.sun", "bright", lux_now=5, ok=True, text="t", none=None, nested={}, state="hidden")
    found = reported_attributes(state)
    assert {name: (a.type, a.label, a.discrete, a.labels) for name, a in found.items()} == {
        "state": ("string", "State", True, ()),
        "lux_now": ("number", "Lux now", False, ()),
        "ok": ("boolean", "Ok", True, ("true", "false")),
        "text": ("string", "Text", True, ()),
        "none": ("string", "None", True, ()),
    }
    assert {name: reported_value(state, name) for name in found} == {
        "state": "bright",
        "lux_now": 5,
        "ok": True,
        "text": "t",
        "none": None,
    }


def test_expressions_can_name_it_and_follow_it(house: House) -> None:
    house.report("weather.sun", "20", lux=5)
    assert {"weather-sun.state", "weather-sun.lux"} <= house.home.value_names()
    house.home.add_variables(({"name": "more", "expression": "$weather-sun.state + $weather-sun.lux"},))
    assert house.home.value("more") == 25
    house.report("weather.sun", "30", lux=6)
    assert house.home.value("more") == 36
    house.report("weather.sun", "30")
    assert house.home.value("more") == 36


def test_it_can_be_told_nothing_to_do(house: House) -> None:
    house.report("weather.sun", "bright")
    with house.refuses(NotFound, "weather-sun has no action turnOn", "none"):
        house.act("weather-sun", "turnOn")


def test_no_definition_can_be_of_its_class(house: House) -> None:
    with house.refuses(InvalidConfiguration, "class reported", "hub's own"):
        house.home.add_device(a_device(REPORTED), "file")


def test_a_device_of_that_id_keeps_it() -> None:
    house = House(a_device("DummySwitch", "weather-sun"))
    house.report("weather.sun", "bright")
    assert house.home.value("weather-sun.state") is False
    assert house.home.value("weather-sun_2.state") == "bright"
    assert house.home.entities_of("weather-sun_2") == ("weather.sun",)


def test_removed_it_is_gone_and_a_report_brings_it_back(house: House) -> None:
    house.report("weather.sun", "bright")
    house.home.remove_device("weather-sun", TEST)
    assert house.home.state("weather.sun") is None
    with pytest.raises(NotFound, match="there is no device weather-sun"):
        house.home.value("weather-sun.state")
    _, new = house.report("weather.sun", "dull")
    assert new
    assert house.home.value("weather-sun.state") == "dull"


@given(STATE_TEXTS, ATTRIBUTES, STATE_TEXTS, ATTRIBUTES)
def test_what_was_reported_last_is_what_is_shown(state: str, attributes: Any, state2: str, attributes2: Any) -> None:
    house = House()
    house.home.report("a.b", state, attributes, TEST)
    house.home.report("a.b", state2, attributes2, TEST)
    assert house.shown("a.b").state == state2
    assert same(house.shown("a.b").attributes, attributes2)
    for name in reported_attributes(house.shown("a.b")):
        assert house.home.value(f"a-b.{name}") == (state2 if name == "state" else attributes2[name])
