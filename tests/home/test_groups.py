"""What groups promise: they show their members, and follow them."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import CannotStore, Conflict, InvalidConfiguration, InvalidInput, NotFound
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


# ---------------------------------------------------------------------- editing


@pytest.fixture
def edited() -> House:
    house = House(a_device("DummySwitch", "one"), a_device("DummySwitch", "two"))
    house.home.groups.add({"id": "a", "name": "A", "devices": ["one", "two"], "rules": ["r"], "variables": ["v"]})
    house.home.groups.add({"id": "b"})
    house.changes.clear()
    return house


def test_a_group_is_added_once_and_may_have_any_name(edited: House) -> None:
    group = edited.home.groups.add({"id": "ü g", "name": 5}, TEST)
    assert (group.id, group.name, edited.shows("group.ue_g")[1]["friendly_name"]) == ("ü g", 5, "5")
    assert edited.definitions()[0].new == {"id": "ü g", "name": 5, "devices": [], "rules": [], "variables": []}
    with edited.refuses(Conflict, "group a"):
        edited.home.groups.add({"id": "a"}, TEST)
    with edited.refuses(InvalidConfiguration, "group c", "name"):
        edited.home.groups.add({"id": "c", "name": {}}, TEST)


def test_a_group_is_changed_in_part(edited: House) -> None:
    assert edited.home.groups.change("a", {"name": "Other"}, TEST).devices == ("one", "two")
    assert edited.home.groups.change("a", {"devicesOrder": ["two"], "rulesOrder": "r"}, TEST).devices == ("two", "one")
    assert edited.home.groups.change("a", {"devices": ["two"]}, TEST).rules == ("r",)
    assert edited.shows("group.a")[1] == {"auto": False, "entity_id": ["switch.two"], "friendly_name": "Other"}
    assert edited.edits() == ["group a changed"] * 3
    with edited.refuses(NotFound, "group nope"):
        edited.home.groups.change("nope", {}, TEST)


def test_whoever_enters_a_group_leaves_the_one_before(edited: House) -> None:
    edited.act("one", "turnOn")
    edited.changes.clear()
    group = edited.home.groups.add_member("b", "device", "one", TEST)
    assert group.devices == ("one",)
    assert edited.home.groups.get("a").devices == ("two",)
    assert edited.edits() == ["group a changed", "group b changed"]
    assert (edited.shown("group.a").state, edited.shown("group.b").state) == ("off", "on")
    assert edited.home.groups.of_device("one") == ("b",)


@pytest.mark.parametrize(
    ("position", "members"),
    [(None, "xyz-r"), (0, "r-xyz"), (1, "x-r-yz"), (99, "xyz-r"), (-1, "xy-r-z")],
)
def test_a_member_gets_the_position_that_is_asked_for(edited: House, position: int | None, members: str) -> None:
    for rule in "xyz":
        edited.home.groups.add_member("b", "rule", rule, TEST)
    assert edited.home.groups.add_member("b", "rule", "r", TEST, position).rules == tuple(members.replace("-", ""))


def test_a_member_that_comes_again_moves(edited: House) -> None:
    edited.home.groups.add_member("a", "device", "one", TEST)
    assert edited.home.groups.get("a").devices == ("two", "one")
    edited.home.groups.add_member("a", "variable", "not there", TEST)
    assert edited.home.groups.get("a").variables == ("v", "not there")


def test_a_member_is_taken_out(edited: House) -> None:
    assert edited.home.groups.remove_member("a", "device", "one", TEST).devices == ("two",)
    for group_id, word in (("a", "no group"), ("nope", "no group")):
        with edited.refuses(NotFound, "device one", word):
            edited.home.groups.remove_member(group_id, "device", "one", TEST)
    with edited.refuses(NotFound, "rule r", "it is in a"):
        edited.home.groups.remove_member("b", "rule", "r", TEST)


def test_a_group_is_removed_with_its_entity(edited: House) -> None:
    removed = edited.home.groups.remove("a", TEST)
    assert removed.name == "A"
    assert edited.home.state("group.a") is None
    assert edited.home.groups.of_device("one") == ()
    assert edited.home.announcer.gone("group", "a") == removed
    edited.act("one", "turnOn")
    with edited.refuses(NotFound, "group a"):
        edited.home.groups.remove("a", TEST)
    edited.home.groups.add({"id": "a", "devices": ["one"]}, TEST)
    assert edited.shown("group.a").state == "on"


def test_a_group_of_the_file_is_edited_there(house: House) -> None:
    commands: Any = (
        lambda: house.home.groups.change("Down-Stairs", {"name": "x"}, TEST),
        lambda: house.home.groups.remove("Down-Stairs", TEST),
        lambda: house.home.groups.add_member("Down-Stairs", "rule", "r", TEST),
        lambda: house.home.groups.remove_member("Down-Stairs", "device", "one", TEST),
    )
    for command in commands:
        with house.refuses(Conflict, "group Down-Stairs", "configuration.yaml"):
            command()
    house.home.groups.add({"id": "b"})
    house.home.groups.add_member("b", "device", "one", TEST)
    assert house.home.groups.of_device("one") == ("Down-Stairs", "b")
    with house.refuses(CannotStore):
        house.home.groups.add_member("b", "rule", "\ud800", TEST)
