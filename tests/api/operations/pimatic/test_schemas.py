"""The JSON schema of each device class, with what pimatic's editors read of it."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.api.operations.pimatic.schemas import config_schema
from hallway.home.classes import CLASSES

LABELS = {
    "ButtonsDevice": "xLink",
    "InputDevice": "xLink",
    "VariablesDevice": "xLink xAttributeOptions",
    "VariableInputDevice": "xLink",
    "VariableTimeInputDevice": "xLink",
    "DummySwitch": "xLink xConfirm xOnLabel xOffLabel",
    "DummyDimmer": "xLink",
    "DummyShutter": "xLink xConfirm xUpLabel xDownLabel xStoppedLabel",
    "DummyHeatingThermostat": "xLink",
    "DummyContactSensor": "xLink xClosedLabel xOpenedLabel",
    "DummyPresenceSensor": "xLink xPresentLabel xAbsentLabel",
    "DummyTemperatureSensor": "xLink xAttributeOptions",
    "Timer": "xLink xAttributeOptions",
}


def schema(name: str) -> dict[str, Any]:
    return config_schema(CLASSES[name])


@pytest.mark.parametrize("name", LABELS)
def test_each_class_has_its_extensions(name: str) -> None:
    written = schema(name)
    assert written["extensions"] == LABELS[name].split()
    assert {"id", "name", "class", *LABELS[name].split()} <= set(written["properties"])
    assert (written["type"], written["additionalProperties"]) == ("object", False)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("DummySwitch", "DummySwitch config"),
        ("DummyTemperatureSensor", "DummyTemperatureSensor config options"),
        ("Timer", "timer config"),
    ],
)
def test_titles(name: str, title: str) -> None:
    assert schema(name)["title"] == title


def test_what_is_needed_comes_first() -> None:
    assert schema("VariableInputDevice")["required"] == ["variable", "id", "name", "class"]


def test_options_have_their_types_defaults_and_choices() -> None:
    written = {
        name: {key: value for key, value in option.items() if key != "description"}
        for name, option in schema("InputDevice")["properties"].items()
    }
    assert written["type"] == {
        "type": "string",
        "default": "string",
        "enum": ["string", "number"],
        "_normalized": True,
    }
    assert written["min"] == {"type": "number", "_normalized": True}


def test_lists_are_edited_as_tables() -> None:
    buttons = schema("ButtonsDevice")["properties"]["buttons"]
    assert (buttons["default"], buttons["format"]) == ([], "table")
    assert buttons["items"]["required"] == ["id", "text"]
    assert buttons["items"]["properties"]["id"] == {"type": "string", "_normalized": True}
    assert buttons["items"]["properties"]["confirm"]["default"] is False
    options = schema("Timer")["properties"]["xAttributeOptions"]
    assert "format" not in options
    assert options["items"]["required"] == ["name"]
