"""The JSON of devices, variables and the rest, as pimatic's clients read it; texts for people are our own."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.recent import Recent
from hallway.home.home import BUILT_IN
from hallway.home.values import Value
from tests.home.homes import NOW, TEST, House, a_device

MS = int(NOW * 1000)


def shown(house: House, device_id: str = "it") -> Any:
    """The form of a device as it reads."""
    forms = Forms(house.home, Recent(house.home))
    return orjson.loads(orjson.dumps(forms.device(house.home.device(device_id))))


def without_texts(form: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if key != "description"}


def test_a_switch() -> None:
    form = shown(House(a_device("DummySwitch", name="Lamp", xOnLabel="An", xOffLabel="Aus", xLink="http://x.example")))
    assert list(form) == [
        "id",
        "name",
        "template",
        "attributes",
        "actions",
        "config",
        "configDefaults",
        "capabilities",
    ]
    assert (form["id"], form["name"], form["template"]) == ("it", "Lamp", "switch")
    assert [without_texts(attribute) for attribute in form["attributes"]] == [
        {
            "type": "boolean",
            "labels": ["An", "Aus"],
            "label": "State",
            "discrete": True,
            "name": "state",
            "value": False,
            "history": [{"t": MS, "v": False}],
            "lastUpdate": MS,
        }
    ]
    assert [without_texts(action) for action in form["actions"]] == [
        {"name": "turnOn"},
        {"name": "turnOff"},
        {"params": {"state": {"type": "boolean"}}, "name": "changeStateTo"},
        {"name": "toggle"},
        {"returns": {"state": {"type": "boolean"}}, "name": "getState"},
    ]
    assert all(action["description"] for action in form["actions"])
    assert form["config"]["xOnLabel"] == "An"
    assert form["configDefaults"] == {}
    assert form["capabilities"] == ["Actuator", "SwitchActuator"]


def test_labels_of_values_that_have_names_stand_by_name() -> None:
    attribute = shown(House(a_device("DummyShutter", xUpLabel="auf")))["attributes"][0]
    assert attribute["enum"] == ["up", "down", "stopped"]
    assert attribute["labels"] == {"up": "auf", "down": "down", "stopped": "stopped"}


def test_an_attribute_that_was_never_measured_has_no_value() -> None:
    attribute = shown(House(a_device("DummyTemperatureSensor")))["attributes"][0]
    assert "value" not in attribute
    assert attribute["history"] == [{"t": MS}]
    assert attribute["lastUpdate"] == MS
    assert (attribute["unit"], attribute["acronym"]) == ("°C", "T")


def test_an_attribute_that_was_never_computed_has_null_and_no_history() -> None:
    variables: list[Value] = [{"name": "warm", "expression": "$sensor.temperature + 1", "type": "number"}]
    house = House(a_device("VariablesDevice", variables=variables), a_device("DummyTemperatureSensor", "sensor"))
    attribute = shown(house)["attributes"][0]
    assert (attribute["value"], attribute["history"], "lastUpdate" in attribute) == (None, [], False)


def test_actions_that_only_dummies_have_carry_no_description() -> None:
    form = shown(House(a_device("DummyHeatingThermostat")))
    assert form["actions"] == [
        {"params": {"mode": {"type": "string"}}, "name": "changeModeTo"},
        {"params": {"temperatureSetpoint": {"type": "number"}}, "name": "changeTemperatureTo"},
        {"params": {"valve": {"type": "number"}}, "name": "changeValveTo"},
    ]
    assert form["configDefaults"]["comfyTemp"] == 21


def test_lists_that_a_config_leaves_out_are_there() -> None:
    form = shown(House(a_device("ButtonsDevice")))
    assert form["config"] == {"id": "it", "class": "ButtonsDevice", "buttons": []}
    assert form["configDefaults"] == {"enableActiveButton": True, "buttons": []}


def test_a_device_says_how_its_attributes_are_shown() -> None:
    options: list[Value] = [{"name": "humidity", "hidden": True, "displaySparkline": False, "displayFormat": "fixed"}]
    first, second = shown(House(a_device("DummyTemperatureSensor", xAttributeOptions=options)))["attributes"]
    assert "hidden" not in first
    assert (second["hidden"], second["displaySparkline"], second["displayFormat"]) == (True, False, "fixed")


def test_history_holds_thirty_values_and_the_time_of_the_last() -> None:
    house = House(a_device("DummyTemperatureSensor"))
    forms = Forms(house.home, Recent(house.home))
    for degrees in range(40):
        house.clock.advance(1)
        house.act("it", "changeTemperatureTo", temperature=degrees)
    attribute = orjson.loads(orjson.dumps(forms.device(house.device())))["attributes"][0]
    assert [entry["v"] for entry in attribute["history"]] == list(range(10, 40))
    assert attribute["lastUpdate"] == attribute["history"][-1]["t"] == MS + 40_000


def test_a_form_is_written_once_and_anew_when_the_device_changes() -> None:
    house = House(a_device("DummySwitch"), a_device("DummySwitch", "other"))
    forms = Forms(house.home, Recent(house.home))
    first = forms.device(house.device())
    house.act("other", "turnOn")
    assert forms.device(house.device()) is first
    house.act("it", "turnOn")
    assert forms.device(house.device()) is not first
    assert orjson.loads(orjson.dumps(forms.device(house.device())))["attributes"][0]["value"] is True


def test_a_device_that_was_changed_or_removed_is_not_shown_as_it_was() -> None:
    house = House()
    forms = Forms(house.home, Recent(house.home))
    for name in ("Old", "New"):
        house.home.add_device({"id": "it", "name": name, "class": "DummySwitch"}, "store", TEST)
        assert orjson.loads(orjson.dumps(forms.device(house.device())))["name"] == name
        house.home.change_device({"id": "it", "name": f"{name}er", "class": "DummySwitch"}, TEST)
        assert orjson.loads(orjson.dumps(forms.device(house.device())))["name"] == f"{name}er"
        house.home.remove_device("it", TEST)


def test_a_device_that_comes_is_shown_before_its_values() -> None:
    house = House()
    forms = Forms(house.home, Recent(house.home))
    device = house.home.add_device({"id": "it", "name": "It", "class": "DummySwitch"}, "store", TEST)
    attribute = forms.new_device(device)["attributes"]
    assert isinstance(attribute, list)
    assert isinstance(attribute[0], dict)
    assert (attribute[0]["value"], attribute[0]["history"], "lastUpdate" in attribute[0]) == (None, [], False)
    assert forms.device_form(device)["attributes"] != attribute


def test_a_device_that_is_parked_keeps_its_config() -> None:
    house = House()
    house.home.park_device({"id": "it", "class": "Nonsense", "name": "It"}, "file", "there is no such class")
    form = shown(house)
    assert (form["template"], form["attributes"], form["actions"]) == ("device", [], [])
    assert form["config"]["class"] == "Nonsense"


def test_a_reported_state_is_a_device_with_all_its_scalars() -> None:
    house = House()
    house.report("weather.sun", "bright", temperature=21.5, unit_of_measurement="lx", nested={"a": 1})
    house.clock.advance(5)
    form = shown(house, "weather-sun")
    assert (form["template"], form["actions"], form["capabilities"]) == ("device", [], [])
    assert [(a["name"], a["value"], a["lastUpdate"]) for a in form["attributes"]] == [
        ("state", "bright", MS),
        ("temperature", 21.5, MS),
        ("unit_of_measurement", "lx", MS),
    ]
    assert form["attributes"][0]["unit"] == "lx"


@pytest.mark.parametrize("class_name", ["Sun", "Process"])
def test_devices_of_the_hub_itself_are_complete_too(class_name: str) -> None:
    house = House()
    house.home.add_device({"id": "it", "name": "It", "class": class_name}, BUILT_IN)
    form = shown(house)
    assert form["attributes"][0]["name"] == "state"
    assert form["attributes"][0]["lastUpdate"] == MS
    assert (form["actions"], form["configDefaults"], form["capabilities"]) == ([], {}, [])


def test_variables() -> None:
    house = House(
        a_device("DummyTemperatureSensor"),
        variables=(
            {"name": "limit", "value": "21.5", "unit": "°C"},
            {"name": "more", "expression": "$limit + 1"},
            {"name": "nothing", "value": None},
        ),
    )
    house.act("it", "changeHumidityTo", humidity=55)
    forms = Forms(house.home, Recent(house.home))
    assert forms.variables() == [
        {"name": "it.temperature", "readonly": True, "type": "attribute", "unit": "°C"},
        {"name": "it.humidity", "readonly": True, "type": "attribute", "value": 55, "unit": "%"},
        {"name": "limit", "readonly": False, "type": "value", "value": 21.5, "unit": "°C"},
        {
            "name": "more",
            "readonly": False,
            "type": "expression",
            "value": 22.5,
            "unit": "",
            "exprInputStr": "$limit + 1",
            "exprTokens": ["$limit", "+", 1],
        },
        {"name": "nothing", "readonly": False, "type": "value", "value": None, "unit": ""},
    ]
    assert forms.variable("it.humidity") == forms.variables()[1]
    assert [forms.variable(name) for name in ("nope", "nope.x", "it.nope", "")] == [None] * 4


def test_an_attribute_whose_text_is_a_number_is_a_number_as_variable() -> None:
    house = House(a_device("InputDevice"))
    house.act("it", "changeInputTo", value="5")
    variable = Forms(house.home, Recent(house.home)).variable("it.input")
    assert variable is not None
    assert variable["value"] == 5
    assert shown(house)["attributes"][0]["value"] == "5"
