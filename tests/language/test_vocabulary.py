"""The names of a home: quick to find, and as it is now."""

import pytest

from hallway.language.vocabulary import Able, Completions, Vocabulary, attributes_of, fold, having
from tests.home.homes import TEST, a_device
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("name", "folded"), [("Hall Lamp", "hall lamp"), ("A  b\tC", "a b c"), ("İstanbul", "İstanbul"), ("ÄÖ", "äö")]
)
def test_names_are_looked_up_without_capitals_and_width(name: str, folded: str) -> None:
    assert fold(name) == folded


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


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["Beta", "al", "alpha", "Alpine"]),
        ("a", ["al", "alpha", "Alpine"]),
        ("al", ["alpha", "Alpine"]),
        ("B", ["Beta"]),
        ("b", []),
        ("alpine", []),
        ("z", []),
    ],
)
def test_what_was_typed_is_completed(typed: str, found: list[str]) -> None:
    assert Completions(["Beta", "alpha", "al"], ["Alpine"]).beginning_with(typed) == found
