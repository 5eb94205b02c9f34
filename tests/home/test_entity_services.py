"""What the services of entities promise: whom they reach, that all is checked first, groups, variables, other hubs."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput, NotFound, Unreachable
from hallway.home.calls import Call, done
from hallway.home.classes import CLASSES
from hallway.home.entity_services import entity_ids_in
from hallway.home.values import Attributes
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    return House(
        a_device("DummyDimmer", "one"),
        a_device("DummyDimmer", "two"),
        a_device("DummySwitch", "fan"),
        a_device("DummyShutter", "blind"),
        a_device("DummyContactSensor", "door"),
        a_device("DummyHeatingThermostat", "heating"),
        variables=(
            {"name": "x", "value": 1},
            {"name": "too-cold", "value": 2},
            {"name": "double", "expression": "$x * 2"},
        ),
        groups=({"id": "mixed", "devices": ["one", "fan", "door", "blind"]}, {"id": "empty"}),
    )


def on(house: House) -> set[str]:
    return {
        state.entity_id
        for state in house.home.states()
        if state.state == "on" and state.entity_id != "binary_sensor.door"
    }


@pytest.mark.parametrize(
    ("data", "reached"),
    [
        ({"entity_id": "light.one"}, {"light.one"}),
        ({"entity_id": "Light.ONE"}, {"light.one"}),
        ({"entity_id": ["light.one", "light.two"]}, {"light.one", "light.two"}),
        ({"entity_id": ["LIGHT.two", "light.two"]}, {"light.two"}),
        ({}, {"light.one", "light.two"}),
        ({"entity_id": None}, {"light.one", "light.two"}),
        ({"entity_id": []}, set()),
        ({"entity_id": ""}, set()),
        ({"entity_id": "light.none"}, set()),
        ({"entity_id": ["light.none", "light.one"]}, {"light.one"}),
        ({"entity_id": "light.one,light.two"}, set()),
        ({"entity_id": "switch.fan"}, set()),
        ({"entity_id": "group.mixed"}, set()),
    ],
)
def test_a_service_reaches_the_entities_named_or_all_of_its_domain(house: House, data: Any, reached: set[str]) -> None:
    assert house.call("light.turn_on", **data).done
    assert on(house) - {"group.mixed"} == reached


@pytest.mark.parametrize("entity_id", [5, {"a": 1}, True, ["light.one", 5], [["light.one"]]])
def test_entity_ids_are_texts(house: House, entity_id: Any) -> None:
    for name in ("light.turn_on", "homeassistant.turn_on"):
        with house.refuses(InvalidInput, "entity_id", "light.hall"):
            house.call(name, entity_id=entity_id)


@pytest.mark.parametrize(
    ("data", "ids"), [({}, None), ({"entity_id": "A.B"}, ["a.b"]), ({"entity_id": ["A.B", "c.d"]}, ["a.b", "c.d"])]
)
def test_entity_ids_are_read_in_lower_case(data: Attributes, ids: Any) -> None:
    assert entity_ids_in(data) == ids


def test_all_entities_are_checked_before_the_first_device_acts() -> None:
    house = House(
        a_device("ButtonsDevice", "a", buttons=[{"id": "x", "text": "X"}]),
        a_device("ButtonsDevice", "b", buttons=[{"id": "y", "text": "Y"}]),
    )
    with house.refuses(InvalidInput, "device b", "it has: y"):
        house.call("buttons.press", button="x")


def test_a_call_by_event_that_one_device_would_refuse_reaches_none() -> None:
    house = House(a_device("InputDevice", "text"), a_device("InputDevice", "number", type="number"))
    house.home.fire("call_service", {"domain": "input", "service": "set_value", "value": "milk"}, TEST)
    assert house.updates() == []


@pytest.mark.parametrize(
    ("service", "entity_id", "after"),
    [
        ("turn_on", "light.one", {"light.one", "group.mixed"}),
        ("turn_on", "group.mixed", {"light.one", "switch.fan", "group.mixed"}),
        ("turn_on", ["group.mixed", "light.two", "light.one"], {"light.one", "light.two", "switch.fan", "group.mixed"}),
        ("turn_on", "group.empty", set()),
        ("turn_on", "group.none", set()),
        ("turn_on", "cover.blind", set()),
        ("turn_on", "binary_sensor.door", set()),
        ("turn_on", "thermostat.heating", set()),
        ("toggle", "group.mixed", {"light.one", "switch.fan", "group.mixed"}),
    ],
)
def test_homeassistant_services_reach_everything_switchable(
    house: House, service: str, entity_id: Any, after: set[str]
) -> None:
    house.act("door", "changeContactTo", contact=True)
    assert house.call(f"homeassistant.{service}", entity_id=entity_id).done
    assert on(house) == after


def test_homeassistant_turn_off_turns_all_members_off(house: House) -> None:
    house.act("door", "changeContactTo", contact=True)
    house.call("homeassistant.turn_on", entity_id=["group.mixed", "light.two"])
    house.call("homeassistant.turn_off", entity_id="GROUP.mixed")
    assert on(house) == {"light.two"}


def test_homeassistant_services_without_entities_do_nothing_and_say_so(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    assert house.call("homeassistant.turn_on").done
    assert house.updates() == []
    assert "homeassistant.turn_on was called without entity_id" in caplog.text


def test_a_call_for_all_leads_to_one_call_for_each_domain(house: House) -> None:
    house.call("homeassistant.turn_on", entity_id=["switch.fan", "light.one", "light.two"], brightness=51)
    calls = [fired.data for fired in house.fired() if fired.event_type == "call_service"]
    assert [(data["domain"], data["service"], data["entity_id"]) for data in calls] == [
        ("homeassistant", "turn_on", ["switch.fan", "light.one", "light.two"]),
        ("switch", "turn_on", ["switch.fan"]),
        ("light", "turn_on", ["light.one", "light.two"]),
    ]
    assert house.value("dimlevel", "two") == 20
    executed = [fired for fired in house.fired() if fired.event_type == "service_executed"]
    assert len(executed) == 3
    assert executed[-1].data["service_call_id"] == calls[0]["service_call_id"]


def test_a_call_for_all_is_checked_for_all_before_the_first_acts(house: House) -> None:
    with house.refuses(InvalidInput, "brightness", "number"):
        house.call("homeassistant.turn_on", entity_id=["switch.fan", "light.one"], brightness="bright")


def test_by_event_too_it_is_checked_for_all_before_the_first_acts(house: House) -> None:
    data: Attributes = {
        "domain": "homeassistant",
        "service": "turn_on",
        "entity_id": ["switch.fan", "light.one"],
        "brightness": "x",
    }
    house.home.fire("call_service", data, TEST)
    assert house.updates() == []


@pytest.mark.parametrize(
    "data", [{"entity_id": "variable.x"}, {"name": "x"}, {"name": "$x"}, {"entity_id": ["variable.X"]}]
)
def test_variable_set_sets_a_variable(house: House, data: Any) -> None:
    assert house.call("variable.set", value="5", **data).done
    assert house.home.value("x") == 5
    assert house.shown("variable.x").state == "5"


def test_variable_set_finds_the_variable_behind_its_entity(house: House) -> None:
    house.call("variable.set", entity_id="variable.too_cold", value=[1, {"a": None}])
    assert house.home.value("too-cold") == [1, {"a": None}]


def test_variable_set_takes_null(house: House) -> None:
    house.call("variable.set", name="x", value=None)
    assert house.home.value("x") is None
    assert house.shown("variable.x").state == "unknown"


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ({"name": "x"}, InvalidInput, ("value",)),
        ({"value": 1}, NotFound, ("entity_id", "name")),
        ({"value": 1, "entity_id": "variable.none"}, NotFound, ("variable.<name>",)),
        ({"value": 1, "entity_id": "light.one"}, NotFound, ("variable.<name>",)),
        ({"value": 1, "name": "none"}, NotFound, ("$none",)),
        ({"value": 1, "name": "double"}, InvalidInput, ("$double", "computed")),
        ({"value": 1, "entity_id": ["variable.x", "variable.double"]}, InvalidInput, ("$double", "computed")),
        ({"value": 1, "entity_id": 5}, InvalidInput, ("entity_id",)),
    ],
)
def test_variable_set_refuses_what_it_cannot_set(house: House, data: Any, error: Any, words: tuple[str, ...]) -> None:
    with house.refuses(error, *words):
        house.call("variable.set", **data)


@pytest.mark.parametrize("name", [name for name, known in CLASSES.items() if not known.built_in])
def test_every_field_of_a_service_is_described(name: str) -> None:
    needed: Any = {"variable": "v"} if name.startswith("Variable") and "Input" in name else {}
    house = House(a_device(name, **needed))
    for services in house.home.services.listing().values():
        for offered in services.values():
            assert offered.description
            assert all(field.name and field.description for field in offered.fields)


class FarHub:
    """A hub whose states are mirrored: notes what it is asked for and answers with the call it is given."""

    def __init__(self, answer: Call) -> None:
        self.asked: list[tuple[str, str, Attributes]] = []
        self.answer = answer

    def call(self, domain: str, service: str, data: Attributes) -> Call:
        self.asked.append((domain, service, data))
        return self.answer

    def write(self, entity_id: str, state: str, attributes: Attributes) -> Call:
        raise AssertionError(f"nobody writes {entity_id} = {state} {attributes}")


def with_mirror(house: House, answer: Call) -> FarHub:
    """The house mirrors light.far and siren.far of another hub."""
    far = FarHub(answer)
    house.home.mirrors["cellar"] = far
    for entity_id in ("light.far", "siren.far"):
        house.home.report_new(entity_id, "off", {}, TEST, "link:cellar")
    return far


def test_a_mirrored_entity_is_called_at_its_own_hub(house: House) -> None:
    running = Call()
    far = with_mirror(house, running)
    call = house.call("light.turn_on", entity_id=["light.one", "light.far"], brightness=51)
    assert far.asked == [("light", "turn_on", {"entity_id": ["light.far"], "brightness": 51})]
    assert on(house) == {"light.one", "group.mixed"}
    assert house.shown("light.far").state == "off"
    assert not call.done
    running.finish()
    assert call.done


def test_all_of_a_domain_is_all_of_it_on_other_hubs_too(house: House) -> None:
    far = with_mirror(house, done())
    house.call("light.turn_off")
    assert far.asked == [("light", "turn_off", {"entity_id": ["light.far"]})]


def test_what_is_not_mirrored_does_not_trouble_the_other_hub(house: House) -> None:
    far = with_mirror(house, done())
    house.call("light.turn_on", entity_id="light.one")
    house.call("switch.turn_on")
    assert far.asked == []


def test_a_domain_that_only_another_hub_has_is_reached_for_all(house: House) -> None:
    far = with_mirror(house, done())
    assert house.call("homeassistant.turn_on", entity_id=["siren.far", "light.far", "light.one"]).done
    assert far.asked == [
        ("siren", "turn_on", {"entity_id": ["siren.far"]}),
        ("light", "turn_on", {"entity_id": ["light.far"]}),
    ]
    assert "light.one" in on(house)


def test_the_error_of_the_other_hub_is_the_error_of_the_call(house: House) -> None:
    failed = Call()
    failed.fail(Unreachable("cellar is flooded"))
    with_mirror(house, failed)
    for name in ("light.turn_on", "homeassistant.turn_on"):
        call = house.call(name, entity_id="light.far")
        assert isinstance(call.error, Unreachable)


def test_a_mirror_whose_link_is_gone_is_left_aside(house: House) -> None:
    with_mirror(house, done())
    del house.home.mirrors["cellar"]
    assert house.call("light.turn_on", entity_id="light.far").done
