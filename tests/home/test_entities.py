"""What entities promise: whose they are, ids that never move, states that say since when."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.errors import HallwayError
from hallway.home.ids import check_entity_id
from tests.home.homes import NOW, TEST, House, a_device


@pytest.mark.parametrize(
    ("device_id", "entity_id"),
    [("Bed-Light", "switch.bed_light"), ("bed_light", "switch.bed_light"), ("A--b", "switch.a__b"), ("5", "switch.5")],
)
def test_an_entity_is_called_by_its_device(device_id: str, entity_id: str) -> None:
    house = House(a_device("DummySwitch", device_id))
    assert house.home.entities_of(device_id) == (entity_id,)
    assert house.shown(entity_id).state == "off"


def test_a_clash_gets_the_next_number() -> None:
    house = House(*(a_device("DummySwitch", device_id) for device_id in ("bed-light", "bed_light", "Bed_Light")))
    assert [house.home.entities_of(i) for i in ("bed-light", "bed_light", "Bed_Light")] == [
        ("switch.bed_light",),
        ("switch.bed_light_2",),
        ("switch.bed_light_3",),
    ]
    house.act("bed_light", "turnOn")
    assert [house.shown(f"switch.bed_light{n}").state for n in ("", "_2", "_3")] == ["off", "on", "off"]


def test_names_in_other_domains_are_no_clash() -> None:
    house = House(
        a_device("DummySwitch", "a"), a_device("DummyDimmer", "b"), variables=({"name": "a"},), groups=({"id": "a"},)
    )
    assert {state.entity_id for state in house.home.states()} == {"switch.a", "light.b", "variable.a", "group.a"}


def test_variables_are_transliterated_and_clash_too() -> None:
    house = House(variables=({"name": "too-cold"}, {"name": "too_cold"}, {"name": "-"}))
    assert [state.entity_id for state in house.home.states()] == [
        "variable.too_cold",
        "variable.too_cold_2",
        "variable.unnamed",
    ]


def test_an_id_that_an_owner_got_once_is_kept_in_another_home() -> None:
    devices = [a_device("DummySwitch", device_id) for device_id in ("bed-light", "bed_light")]
    first = House(*devices)
    second = House(*reversed(devices), kept_ids=first.home.entities.kept)
    for device_id in ("bed-light", "bed_light"):
        assert second.home.entities_of(device_id) == first.home.entities_of(device_id)


def test_an_id_is_kept_for_an_owner_that_is_away() -> None:
    first = House(a_device("DummySwitch", "bed-light"))
    without = House(a_device("DummySwitch", "bed_light"), kept_ids=first.home.entities.kept)
    assert without.home.entities_of("bed_light") == ("switch.bed_light_2",)
    both = House(*(a_device("DummySwitch", i) for i in ("bed_light", "bed-light")), kept_ids=without.home.entities.kept)
    assert both.home.entities_of("bed-light") == ("switch.bed_light",)
    assert both.home.entities_of("bed_light") == ("switch.bed_light_2",)


def test_an_id_of_another_domain_is_not_kept() -> None:
    house = House(a_device("DummyDimmer", "it"), kept_ids={"device:it:light": "switch.it"})
    assert house.home.entities_of("it") == ("light.it",)


def test_removed_and_added_again_a_device_has_its_entity_again() -> None:
    house = House(a_device("DummySwitch", "bed-light"))
    house.home.remove_device("bed-light", TEST)
    assert house.home.state("switch.bed_light") is None
    house.home.add_device(a_device("DummySwitch", "bed_light"), "store")
    house.home.add_device(a_device("DummySwitch", "bed-light"), "store")
    assert house.home.entities_of("bed-light") == ("switch.bed_light",)


def test_what_was_reported_first_keeps_its_id() -> None:
    house = House()
    house.report("switch.it", "on", watt=5)
    house.home.add_device(a_device("DummySwitch"), "store")
    assert house.home.entities_of("it") == ("switch.it_2",)
    assert house.shows("switch.it") == ("on", {"watt": 5})
    house.act("it", "turnOn")
    house.act("it", "turnOff")
    assert house.home.value("switch-it.state") == "on"


def test_a_device_that_comes_back_leaves_its_id_to_who_reported_it_meanwhile() -> None:
    house = House(a_device("DummySwitch"))
    house.home.remove_device("it", TEST)
    house.report("switch.it", "on", watt=5)
    house.home.add_device(a_device("DummySwitch"), "store")
    assert house.home.entities_of("it") == ("switch.it_2",)
    assert house.shows("switch.it") == ("on", {"watt": 5})
    house.home.remove_device("it", TEST)
    assert house.home.value("switch-it.state") == "on"


def test_a_new_state_has_changed_now() -> None:
    house = House(a_device("DummyDimmer"))
    state = house.shown("light.it")
    assert (state.last_changed, state.last_updated) == (NOW, NOW)


def test_last_changed_moves_with_the_state_and_last_updated_with_the_attributes_too() -> None:
    house = House(a_device("DummyDimmer"))
    times = []
    for level in (50, 60, 60, 0):
        house.clock.advance(10)
        house.act("it", "changeDimlevelTo", dimlevel=level)
        state = house.shown("light.it")
        times.append((state.last_changed - NOW, state.last_updated - NOW))
    assert times == [(10, 10), (10, 20), (10, 20), (40, 40)]


def test_states_come_in_the_order_in_which_the_entities_came() -> None:
    house = House(a_device("DummySwitch", "b"), a_device("DummyTemperatureSensor", "a"), variables=({"name": "v"},))
    house.report("x.y", "1")
    house.act("b", "turnOn")
    assert [state.entity_id for state in house.home.states()] == [
        "switch.b",
        "sensor.a_temperature",
        "sensor.a_humidity",
        "variable.v",
        "x.y",
    ]


def test_the_entities_of_a_domain_are_known() -> None:
    house = House(a_device("DummySwitch", "b"), a_device("DummySwitch", "a"), a_device("DummyDimmer", "c"))
    house.report("switch.far", "on")
    assert house.home.entities.of_domain("switch") == ("switch.b", "switch.a", "switch.far")
    house.home.remove_device("b", TEST)
    assert house.home.entities.of_domain("switch") == ("switch.a", "switch.far")
    assert house.home.entities.of_domain("none") == ()


# Whatever comes and goes, no two owners ever have the same entity.

NAMES = st.sampled_from(["a", "A", "a_2"])
KINDS = st.sampled_from(
    ["switch", "report", "remove", "remove reported", "light", "report in light", "variable", "group"]
)
STEPS = st.lists(st.tuples(KINDS, NAMES), min_size=6, max_size=24)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_no_two_owners_ever_share_an_entity_and_nothing_present_moves(steps: list[tuple[str, str]]) -> None:
    house = House()
    home = house.home
    before: dict[str, tuple[str, ...]] = {}
    for what, name in steps:
        plain = name.lower().replace("-", "_")
        commands: dict[str, Any] = {
            "switch": lambda name=name: home.add_device(a_device("DummySwitch", name), "store"),
            "light": lambda name=name: home.add_device(a_device("DummyDimmer", name), "store"),
            "report": lambda plain=plain: home.report(f"switch.{plain}", "told", {}, TEST),
            "report in light": lambda plain=plain: home.report(f"light.{plain}", "told", {}, TEST),
            "remove": lambda name=name: home.remove_device(name, TEST),
            "remove reported": lambda plain=plain: home.remove_device(f"switch-{plain}", TEST),
            "variable": lambda name=name: home.add_variable({"name": name}),
            "group": lambda name=name: home.add_group({"id": name}),
        }
        try:
            commands[what]()
        except HallwayError:
            continue
        now = {device_id: home.entities_of(device_id) for device_id in home.devices}
        assert all(now[device_id] == entity_ids for device_id, entity_ids in before.items() if device_id in now)
        shown = [entity_id for entity_ids in now.values() for entity_id in entity_ids]
        assert len(shown) == len(set(shown))
        for device_id, entity_ids in now.items():
            for entity_id in entity_ids:
                assert home.entities.owners[entity_id].device is home.devices[device_id]
                assert check_entity_id(entity_id) == entity_id
        assert set(home.entities.states) == set(home.entities.owners)
        before = now


@given(st.permutations(["a-b", "a_b", "A-B", "c"]), st.permutations(["a-b", "a_b", "A-B", "c"]))
def test_whatever_the_order_the_ids_stay(one: list[str], other: list[str]) -> None:
    houses: list[House] = []
    for order in (one, other, one):
        kept = houses[-1].home.entities.kept if houses else None
        houses.append(House(*(a_device("DummySwitch", device_id) for device_id in order), kept_ids=kept))
    for before, after in pairwise(houses):
        assert all(before.home.entities_of(i) == after.home.entities_of(i) for i in one)
