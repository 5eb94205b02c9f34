"""What groups promise: they show their members, and follow them."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidConfiguration, InvalidInput, NotFound
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    return House(
        a_device("DummyDimmer", "one"),
        a_device("DummySwitch", "two"),
        a_device("DummyTemperatureSensor", "t"),
        groups=({"id": "Down-Stairs", "name": "Downstairs", "devices": ["one", "two", "t", "later"]},),
    )


def test_a_group_shows_the_entities_of_its_members(house: House) -> None:
    assert house.shows("group.down_stairs") == (
        "off",
        {
            "auto": False,
            "entity_id": ["light.one", "switch.two", "sensor.t_temperature", "sensor.t_humidity"],
            "friendly_name": "Downstairs",
        },
    )


def test_a_group_is_on_while_any_member_is(house: House) -> None:
    states = []
    for device_id, action in (("one", "turnOn"), ("two", "turnOn"), ("one", "turnOff"), ("two", "turnOff")):
        house.act(device_id, action)
        states.append(house.shown("group.down_stairs").state)
    assert states == ["on", "on", "on", "off"]
    assert [moved.new.state for moved in house.moved() if moved.entity_id == "group.down_stairs" and moved.new] == [
        "on",
        "off",
    ]


@pytest.mark.parametrize(
    ("state", "group"),
    [
        ("on", "on"),
        ("open", "on"),
        ("playing", "on"),
        ("running", "on"),
        ("home", "on"),
        ("off", "off"),
        ("bright", "off"),
    ],
)
def test_states_that_count_as_on(state: str, group: str) -> None:
    house = House(groups=({"id": "g", "devices": ["weather-sun"]},))
    house.report("weather.sun", state)
    assert house.shown("group.g").state == group


def test_the_change_of_a_group_follows_from_that_of_its_member(house: House) -> None:
    house.act("one", "turnOn")
    member, group = house.updates()
    assert (group.device_id, group.old, group.new) == ("group:Down-Stairs", {}, {})
    assert group.context == TEST.following("group", member.seq)


def test_a_group_that_shows_the_same_is_no_change(house: House) -> None:
    house.act("one", "changeDimlevelTo", dimlevel=10)
    house.changes.clear()
    house.act("one", "changeDimlevelTo", dimlevel=20)
    house.act("t", "changeTemperatureTo", temperature=20)
    assert [moved.entity_id for moved in house.moved()] == ["light.one", "sensor.t_temperature"]


def test_members_that_come_and_go_are_followed(house: House) -> None:
    house.home.add_device(a_device("DummySwitch", "later"), "store")
    assert house.shows("group.down_stairs")[1]["entity_id"] == [
        "light.one",
        "switch.two",
        "sensor.t_temperature",
        "sensor.t_humidity",
        "switch.later",
    ]
    house.act("later", "turnOn")
    assert house.shown("group.down_stairs").state == "on"
    house.home.remove_device("later", TEST)
    assert house.shown("group.down_stairs").state == "off"


def test_a_device_may_stand_in_several_groups() -> None:
    house = House(a_device("DummySwitch"), groups=({"id": "a", "devices": ["it"]}, {"id": "b", "devices": ["it"]}))
    house.act("it", "turnOn")
    assert (house.shown("group.a").state, house.shown("group.b").state) == ("on", "on")
    assert house.home.groups.of_device("it") == ("a", "b")


def test_a_group_of_the_same_id_takes_the_place_of_the_old_one(house: House) -> None:
    house.home.add_group({"id": "Down-Stairs", "devices": ["two"]})
    assert house.shows("group.down_stairs")[1] == {
        "auto": False,
        "entity_id": ["switch.two"],
        "friendly_name": "Down-Stairs",
    }
    house.act("one", "turnOn")
    assert house.shown("group.down_stairs").state == "off"
    assert house.home.groups.of_device("one") == ()
    assert [state.entity_id for state in house.home.states() if state.entity_id.startswith("group.")] == [
        "group.down_stairs"
    ]


def test_a_group_without_members_is_off() -> None:
    house = House(groups=({"id": "g"},))
    assert house.shows("group.g") == ("off", {"auto": False, "entity_id": [], "friendly_name": "g"})


def test_rules_and_variables_stand_in_a_group_for_their_order(house: House) -> None:
    group = house.home.add_group({"id": "g", "name": None, "devices": [], "rules": ["r1"], "variables": ["x", "y"]})
    assert (group.name, group.devices, group.rules, group.variables) == ("g", (), ("r1",), ("x", "y"))
    assert house.home.groups.get("g") is group
    with pytest.raises(NotFound, match="there is no group nope"):
        house.home.groups.get("nope")


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        ({}, InvalidInput, ("group id", "None")),
        ({"id": "a\nb"}, InvalidInput, ("'a\\nb'",)),
        ({"id": "g", "devices": "one"}, InvalidConfiguration, ("group g", "devices", "list")),
        ({"id": "g", "rules": [5]}, InvalidConfiguration, ("group g", "rules", "list")),
        ({"id": "g", "variables": {"a": 1}}, InvalidConfiguration, ("group g", "variables", "list")),
    ],
)
def test_what_is_no_group_is_refused(house: House, config: Any, error: Any, words: tuple[str, ...]) -> None:
    with house.refuses(error, *words):
        house.home.add_group(config)


def test_a_report_on_a_group_stays_until_a_member_moves(house: House) -> None:
    house.report("group.down_stairs", "party", lamps=3)
    assert house.shows("group.down_stairs") == ("party", {"lamps": 3})
    house.act("one", "turnOn")
    assert house.shown("group.down_stairs").state == "on"
