"""What device classes promise: pimatic's attributes, actions and options, and clear words for a wrong config."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hallway.errors import InvalidConfiguration
from hallway.home.classes import CLASSES, STORE_CLASS, class_named
from hallway.home.devices import Attribute, Device
from tests.home.homes import House, a_device

UNSET = msgspec.UNSET
BOOLEAN, NUMBER, STRING = "boolean", "number", "string"

# Attribute: (name, type, unit, label, labels, enum, discrete, acronym, initial value).
# Action: (name, parameters, what it returns).
STATE: Any = ("state", BOOLEAN, None, "State", ("on", "off"), (), True, None, False)
INPUT_ACTION: Any = ("changeInputTo", {"value": STRING}, None)
TEXT_INPUT: Any = ("input", STRING, None, "Input", (), (), True, None, "")
NUMBER_INPUT: Any = ("input", NUMBER, "", "Input", (), (), False, None, 0)
POSITIONS = ("up", "down", "stopped")

RECORDED: dict[str, Any] = {
    "DummySwitch": (
        "switch",
        ("Actuator", "SwitchActuator"),
        [STATE],
        [
            ("turnOn", {}, None),
            ("turnOff", {}, None),
            ("changeStateTo", {"state": BOOLEAN}, None),
            ("toggle", {}, None),
            ("getState", {}, BOOLEAN),
        ],
    ),
    "DummyDimmer": (
        "dimmer",
        ("Actuator", "SwitchActuator", "DimmerActuator"),
        [("dimlevel", NUMBER, "%", "Dimlevel", (), (), False, None, 0), STATE],
        [
            ("changeDimlevelTo", {"dimlevel": NUMBER}, None),
            ("changeStateTo", {"state": BOOLEAN}, None),
            ("turnOn", {}, None),
            ("turnOff", {}, None),
            ("toggle", {}, None),
        ],
    ),
    "DummyShutter": (
        "shutter",
        ("Actuator", "ShutterController"),
        [("position", STRING, None, "Position", POSITIONS, POSITIONS, True, None, "stopped")],
        [
            ("moveUp", {}, None),
            ("moveDown", {}, None),
            ("stop", {}, None),
            ("moveToPosition", {"state": STRING}, None),
            ("moveByPercentage", {"percentage": NUMBER}, None),
        ],
    ),
    "DummyHeatingThermostat": (
        "thermostat",
        ("HeatingThermostat",),
        [
            ("temperatureSetpoint", NUMBER, "°C", "Temperature Setpoint", (), (), True, None, 20),
            ("valve", NUMBER, "%", "Valve", (), (), True, None, None),
            ("mode", STRING, None, "Mode", (), ("auto", "manu", "boost"), True, None, "auto"),
            ("battery", STRING, None, "Battery", (), ("ok", "low"), True, None, "ok"),
            ("synced", BOOLEAN, None, "Synced", ("true", "false"), (), True, None, True),
        ],
        [
            ("changeModeTo", {"mode": STRING}, None),
            ("changeTemperatureTo", {"temperatureSetpoint": NUMBER}, None),
            ("changeValveTo", {"valve": NUMBER}, None),
        ],
    ),
    "DummyContactSensor": (
        "contact",
        ("Sensor", "ContactSensor"),
        [("contact", BOOLEAN, None, "Contact", ("closed", "opened"), (), True, None, False)],
        [("changeContactTo", {"contact": BOOLEAN}, None)],
    ),
    "DummyPresenceSensor": (
        "presence",
        ("Sensor", "PresenceSensor"),
        [("presence", BOOLEAN, None, "Presence", ("present", "absent"), (), True, None, False)],
        [("changePresenceTo", {"presence": BOOLEAN}, None)],
    ),
    "DummyTemperatureSensor": (
        "temperature",
        ("Sensor", "TemperatureSensor"),
        [
            ("temperature", NUMBER, "°C", "Temperature", (), (), False, "T", UNSET),
            ("humidity", NUMBER, "%", "Humidity", (), (), False, None, UNSET),
        ],
        [("changeTemperatureTo", {"temperature": NUMBER}, None), ("changeHumidityTo", {"humidity": NUMBER}, None)],
    ),
    "ButtonsDevice": (
        "buttons",
        (),
        [("button", STRING, None, "Button", (), (), True, None, None)],
        [("buttonPressed", {"buttonId": STRING}, None)],
    ),
    "InputDevice": ("input", (), [TEXT_INPUT], [INPUT_ACTION]),
    "VariablesDevice": ("device", (), [], []),
    "VariableInputDevice": ("input", ("InputDevice",), [TEXT_INPUT], [INPUT_ACTION]),
    "VariableTimeInputDevice": ("inputTime", ("InputDevice", "VariableInputDevice"), [TEXT_INPUT], [INPUT_ACTION]),
    "Timer": (
        "timer",
        (),
        [
            ("time", NUMBER, "s", "Time", (), (), False, None, 0),
            ("running", BOOLEAN, None, "Running", ("true", "false"), (), True, None, False),
        ],
        [("startTimer", {}, None), ("stopTimer", {}, None), ("resetTimer", {}, None)],
    ),
    "DummyAVPlayer": (
        "musicplayer",
        ("AVPlayer",),
        [
            ("currentArtist", STRING, None, "Artist", (), (), True, None, ""),
            ("currentTitle", STRING, None, "Title", (), (), True, None, ""),
            ("state", STRING, None, "State", (), ("play", "pause", "stop"), True, None, "stop"),
            ("volume", NUMBER, "%", "Volume", (), (), False, None, 50),
        ],
        [(name, {}, None) for name in ("play", "pause", "stop", "next", "previous")]
        + [("setVolume", {"volume": NUMBER}, None)],
    ),
}


def made(class_name: str, **options: Any) -> Device:
    if class_name.startswith("Variable") and "Input" in class_name:
        options = {"variable": "v", **options}
    config = a_device(class_name, **options)
    return Device(config, class_named(class_name).abilities(config), "file")


def described(a: Attribute) -> Any:
    return (a.name, a.type, a.unit, a.label, a.labels, a.enum, a.discrete, a.acronym, a.initial)


def actions(device: Device) -> Any:
    return [(a.name, {p.name: p.type for p in a.parameters}, a.returns) for a in device.actions.values()]


def test_every_class_for_people_is_recorded_here() -> None:
    """But for the one that is hallway's own."""
    assert {name for name, known in CLASSES.items() if not known.built_in} == {*RECORDED, STORE_CLASS}
    assert {name for name, known in CLASSES.items() if known.built_in} == {"Sun", "Process", "Backup", "reported"}


@pytest.mark.parametrize("class_name", RECORDED)
def test_a_class_has_the_attributes_and_actions_of_pimatic(class_name: str) -> None:
    template, capabilities, attributes, its_actions = RECORDED[class_name]
    known, device = CLASSES[class_name], made(class_name)
    assert (known.template, known.capabilities) == (template, capabilities)
    assert [described(a) for a in device.attributes.values()] == attributes
    assert actions(device) == its_actions


@pytest.mark.parametrize("class_name", RECORDED)
def test_everything_is_described_for_people(class_name: str) -> None:
    device = made(class_name)
    assert all(a.description and a.label for a in device.attributes.values())
    assert all(a.description for a in device.actions.values())
    assert all(option.description for option in CLASSES[class_name].options)


@pytest.mark.parametrize(
    ("class_name", "options", "attribute", "labels"),
    [
        ("DummySwitch", {"xOnLabel": "An", "xOffLabel": "Aus"}, "state", ("An", "Aus")),
        ("DummySwitch", {"xOnLabel": "An"}, "state", ("An", "off")),
        ("DummyContactSensor", {"xClosedLabel": "zu", "xOpenedLabel": "offen"}, "contact", ("zu", "offen")),
        ("DummyPresenceSensor", {"xPresentLabel": "da", "xAbsentLabel": "weg"}, "presence", ("da", "weg")),
        (
            "DummyShutter",
            {"xUpLabel": "auf", "xDownLabel": "ab", "xStoppedLabel": "steht"},
            "position",
            ("auf", "ab", "steht"),
        ),
    ],
)
def test_its_words_can_be_chosen(class_name: str, options: Any, attribute: str, labels: Any) -> None:
    assert made(class_name, **options).attributes[attribute].labels == labels


def test_a_number_field_has_a_number() -> None:
    for class_name in ("InputDevice", "VariableInputDevice"):
        (attribute,) = made(class_name, type="number").attributes.values()
        assert described(attribute) == NUMBER_INPUT


def test_a_variables_device_has_the_attributes_that_its_config_names() -> None:
    variables: Any = [
        {"name": "sum", "expression": "1", "type": "number"},
        {"name": "text", "expression": "1", "type": "string"},
        {"name": "tempf", "expression": "1", "type": "number", "unit": "F", "label": "Fahrenheit", "acronym": "TF"},
        {"name": "steps", "expression": "1", "type": "number", "discrete": True, "unit": ""},
        {"name": "plain", "expression": "1", "discrete": False},
    ]
    assert [described(a) for a in made("VariablesDevice", variables=variables).attributes.values()] == [
        ("sum", NUMBER, None, "$sum", (), (), False, None, None),
        ("text", STRING, None, "$text", (), (), True, None, None),
        ("tempf", NUMBER, "F", "Fahrenheit", (), (), False, "TF", None),
        ("steps", NUMBER, "", "$steps", (), (), True, None, None),
        ("plain", STRING, None, "$plain", (), (), False, None, None),
    ]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"class": "DummySwich"}, "there is no device class 'DummySwich', did you mean DummySwitch?"),
        ({"class": "Nope"}, "there is no device class 'Nope', there are: ButtonsDevice, InputDevice"),
        ({"class": ""}, "there is no device class ''"),
        ({}, "there is no device class 'None'"),
        ({"class": 5}, "there is no device class '5'"),
        ({"class": ["DummySwitch"]}, "there is no device class"),
        ({"class": "x" * 500}, "there is no device class 'xxx"),
        ({"class": "DummySwitch", "bogus": 1}, "class DummySwitch has no option bogus"),
        ({"class": "DummySwitch", "xOnlabel": "An"}, "has no option xOnlabel, did you mean xOnLabel?"),
        ({"class": "DummySwitch", "rollingTime": 5}, "class DummySwitch has no option rollingTime"),
        ({"class": "DummySwitch", "name": 5}, "class DummySwitch: name must be a JSON string, not number '5'"),
        ({"class": "DummyShutter", "rollingTime": "abc"}, "rollingTime must be a JSON number, not string 'abc'"),
        ({"class": "DummyPresenceSensor", "autoReset": "yes"}, "autoReset must be a JSON boolean, not string 'yes'"),
        ({"class": "DummyPresenceSensor", "resetTime": 1.5}, "resetTime must be a JSON integer, not number '1.5'"),
        ({"class": "DummyPresenceSensor", "resetTime": True}, "resetTime must be a JSON integer, not boolean"),
        ({"class": "InputDevice", "type": "text"}, "type must be one of string, number, not 'text'"),
        ({"class": "VariableInputDevice"}, "class VariableInputDevice needs the option variable"),
        ({"class": "VariableTimeInputDevice", "variable": None}, "needs the option variable"),
        ({"class": "ButtonsDevice", "buttons": {"a": 1}}, "buttons must be a JSON array, not object"),
        ({"class": "ButtonsDevice", "buttons": ["a"]}, "class ButtonsDevice: buttons 1 must be an object"),
        (
            {"class": "ButtonsDevice", "buttons": [{"id": "a", "text": "A"}, {"id": "b"}]},
            "buttons 2 needs the option text",
        ),
        ({"class": "VariablesDevice", "variables": [{"name": "q"}]}, "variables 1 needs the option expression"),
        (
            {"class": "VariablesDevice", "variables": [{"name": "q", "expression": "1", "typ": "number"}]},
            "did you mean type?",
        ),
        (
            {"class": "DummySwitch", "xAttributeOptions": [{"hidden": True}]},
            "xAttributeOptions 1 needs the option name",
        ),
        ({"class": "Timer", "resolution": 0}, "class Timer: resolution must be more than 0"),
    ],
)
def test_a_wrong_config_is_refused_with_what_is_wrong(config: Any, words: str) -> None:
    house = House()
    with house.refuses(InvalidConfiguration, words):
        house.home.add_device({"id": "it", **config}, "file")
    assert "it" not in house.home.devices


def test_all_that_is_wrong_is_told_at_once() -> None:
    config: Any = {"id": "it", "rollingTime": [], "xUpLabel": 5, "foo": 1}
    with pytest.raises(InvalidConfiguration, match=r"rollingTime.*xUpLabel.*foo"):
        class_named("DummyShutter").abilities(config)


def test_an_option_that_the_class_does_not_have_may_be_left_alone() -> None:
    config: Any = {"id": "it", "rolingTime": 3}
    (shutter,) = class_named("DummyShutter").abilities(config, strict=False)
    assert shutter.attributes()[0].name == "position"
    (hint,) = class_named("DummyShutter").unknown(config)
    assert "did you mean rollingTime?" in hint


def test_an_attribute_named_twice_is_refused() -> None:
    twice: Any = [{"name": "q", "expression": "1"}, {"name": "q", "expression": "2"}]
    with pytest.raises(InvalidConfiguration, match="the variable q stands there twice"):
        made("VariablesDevice", variables=twice)


@pytest.mark.parametrize(
    "options",
    [{"resetTime": 3000.0}, {"resetTime": None, "name": None}, {"xLink": "http://example.org", "xConfirm": True}],
)
def test_what_is_right_is_taken(options: Any) -> None:
    assert class_named("DummyPresenceSensor").problems({"id": "it", **options}) == []


@pytest.mark.parametrize("class_name", ["Sun", "Process", "reported"])
def test_classes_of_the_hub_itself_are_not_for_definitions(class_name: str) -> None:
    house = House()
    with house.refuses(InvalidConfiguration, f"class {class_name}", "hub's own"):
        house.home.add_device(a_device(class_name), "file")
    with pytest.raises(InvalidConfiguration) as caught:
        class_named("nope")
    assert class_name not in caught.value.message
