"""The names of a home: quick to find, and as it is now."""

from collections.abc import Iterator

import pytest

from hallway.home.changes import State
from hallway.language.vocabulary import Able, Vocabulary, attributes_of, having
from tests.home.homes import TEST, a_device
from tests.language.rule_house import RuleHouse


def test_devices_are_found_by_name_and_by_id_in_any_capitals(house: RuleHouse) -> None:
    names = Vocabulary(house.home)
    lamp = house.device("lamp")
    assert names.named("hall lamp") == (lamp,)
    assert names.with_id("lamp") == (lamp,)
    assert names.device("lamp") is lamp
    assert names.device("Lamp") is None
    assert names.named("nothing") == ()


def test_the_vocabulary_follows_the_home(house: RuleHouse) -> None:
    names = Vocabulary(house.home)
    assert "volume" not in names.attributes
    house.home.add_device(a_device("DummyAVPlayer", "radio", name="Hall Lamp"), "store")
    assert {device.id for device in names.named("hall lamp")} == {"lamp", "radio"}
    assert "volume" in names.attributes
    assert names.able(having("volume")) == (house.device("radio"),)
    house.home.remove_device("radio", TEST)
    assert {device.id for device in names.named("hall lamp")} == {"lamp"}
    assert "volume" not in names.attributes
    assert names.able(having("volume")) == ()
    house.home.add_device(a_device("ButtonsDevice", "bell", buttons=[{"id": "ring", "text": "Ring"}]), "store")
    assert names.button("Ring") == ("bell", "ring", "Ring")
    house.home.remove_device("bell", TEST)
    assert names.button("ring") is None


def test_a_device_must_have_all_that_is_asked(house: RuleHouse) -> None:
    assert Able("a", ("state",), ("toggle",)).fits(house.device("lamp"))
    assert not Able("b", ("state",), ("stop",)).fits(house.device("lamp"))
    assert not Able("c", ("position",)).fits(house.device("lamp"))


def test_values_are_variables_and_attributes(house: RuleHouse) -> None:
    values = Vocabulary(house.home).values
    assert "n" in values
    assert "lamp.state" in values
    assert "lamp" not in values
    assert "lamp.nope" not in values
    assert set(values) == house.home.value_names()
    assert len(values) == len(house.home.value_names())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("n > 5", "n"),
        ("n", "n"),
        ("nine", "n"),
        ("double*2", "double"),
        ("lamp.state.", "lamp.state"),
        ("lamp", ""),
        ("", ""),
        ("-n", ""),
    ],
)
def test_the_longest_name_at_a_place_counts(house: RuleHouse, text: str, name: str) -> None:
    assert Vocabulary(house.home).values.longest_at(f"${text}", 1) == name


def test_a_reported_device_has_the_attributes_that_were_reported(house: RuleHouse) -> None:
    house.report("weather.sun", "up", elevation=3)
    assert list(attributes_of(house.home, house.device("weather-sun"))) == ["state", "elevation"]
    assert "$weather-sun.elevation" in Vocabulary(house.home).variables_listed(settable=False)


def proposed(names: Vocabulary) -> list[list[str]]:
    """All that is proposed of a kind, for each kind."""
    return [
        names.completions_of_devices(having("state")).beginning_with(""),
        names.completions_of_devices(having("contact")).beginning_with(""),
        names.completions_of_attributes().beginning_with(""),
        names.completions_of_buttons().beginning_with(""),
        names.completions_of_values().beginning_with(""),
        names.completions_of_variables().beginning_with(""),
    ]


def edits(house: RuleHouse) -> Iterator[None]:
    """One edit of a home after the other."""
    home = house.home
    home.add_device(a_device("DummySwitch", "new", name="hall lamp"), "store")
    yield
    home.change_device(a_device("DummyContactSensor", "new", name="New Door"), TEST)
    yield
    home.change_device(a_device("DummySwitch", "fan", name="Breeze"), TEST)
    yield
    home.add_device(
        a_device("ButtonsDevice", "bell", buttons=[{"id": "a", "text": "Go Up"}, {"id": "b", "text": "b"}]), "store"
    )
    yield
    home.change_device(a_device("ButtonsDevice", "bell", buttons=[{"id": "up", "text": "Down"}]), TEST)
    yield
    home.set_order("device", ["window", "lamp"], TEST)
    yield
    home.add_variable({"name": "more", "value": 1})
    yield
    home.change_variable({"name": "more", "expression": "$n + 1"}, TEST)
    yield
    house.report("weather.sun", "up", elevation=3)
    yield
    house.report("weather.sun", "up", azimuth=4, elevation=3)
    yield
    for device_id in ("bell", "new", "lamp", "weather-sun"):
        home.remove_device(device_id, TEST)
        yield
    home.remove_variable("more", TEST)
    yield


def test_what_is_proposed_follows_every_edit(house: RuleHouse) -> None:
    names = Vocabulary(house.home)
    proposed(names)
    for _ in edits(house):
        assert proposed(names) == proposed(Vocabulary(house.home))
    assert names.able(having("state")) == Vocabulary(house.home).able(having("state"))


def test_devices_that_came_without_a_word_are_found(house: RuleHouse) -> None:
    assert house.accepts("lamp is on")
    house.home.adopt(State("weather.sun", "up", {"friendly_name": "The Weather"}, 0.0, 0.0))
    assert "$weather-sun.state" in house.proposes("$w")
    vocabulary = house.parser._vocabulary(house.home)
    assert [device.id for device in vocabulary.named("the weather")] == ["weather-sun"]
