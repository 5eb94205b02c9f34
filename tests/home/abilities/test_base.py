"""What all abilities share: texts that become values, and reports of any shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.home.abilities.base import Ability, boolean_of, number_of, on_off
from hallway.home.classes import CLASSES
from hallway.home.devices import Device
from hallway.home.values import encode, python_text
from tests.home.homes import TEST, House, a_device
from tests.home.strategies import ATTRIBUTES, STATE_TEXTS

NEEDED: dict[str, dict[str, Any]] = {
    "VariableInputDevice": {"variable": "v"},
    "VariableTimeInputDevice": {"variable": "v"},
    "ButtonsDevice": {"buttons": [{"id": "a", "text": "A"}]},
    "VariablesDevice": {
        "variables": [{"name": "a", "expression": "1", "type": "number"}, {"name": "b", "expression": "2"}]
    },
}
CLASS_NAMES = [name for name, known in CLASSES.items() if not known.built_in]


@pytest.mark.parametrize(("value", "state"), [(True, "on"), (False, "off"), (None, "unknown")])
def test_a_boolean_shows_as_on_off_or_unknown(value: bool | None, state: str) -> None:
    assert on_off(value) == state


@pytest.mark.parametrize(("state", "value"), [("on", True), ("On", True), ("OFF", False), ("open", None), ("", None)])
def test_on_and_off_are_read_in_any_case(state: str, value: bool | None) -> None:
    assert boolean_of(state) is value


@pytest.mark.parametrize(
    ("state", "number"),
    [("5", 5), ("-5", -5), ("5.0", 5.0), ("5.25", 5.25), ("1e3", 1000.0), (" 7 ", 7), ("0", 0), (".5", 0.5)],
)
def test_a_state_that_is_a_number_is_read_as_one(state: str, number: float) -> None:
    assert number_of(state) == number
    assert type(number_of(state)) is type(number)


@pytest.mark.parametrize("state", ["", "x", "5 °C", "5,5", "nan", "inf", "-Infinity", "1e999", "None", "1_000", "0x10"])
def test_a_state_that_is_no_number_is_read_as_none(state: str) -> None:
    assert number_of(state) is None


@given(st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_comes_back_from_the_state_that_shows_it(number: float) -> None:
    assert number_of(python_text(number)) == number


@pytest.mark.parametrize("class_name", CLASS_NAMES)
@given(state=STATE_TEXTS, attributes=ATTRIBUTES)
def test_whatever_is_reported_about_a_device_is_kept_and_shown(class_name: str, state: str, attributes: Any) -> None:
    house = House(a_device(class_name, **NEEDED.get(class_name, {})))
    for entity_id in house.home.entities_of("it"):
        shown, new = house.home.report(entity_id, state, attributes, TEST)
        assert not new
        assert (shown.state, shown.attributes) == (state, attributes) == house.shows(entity_id)
        device = house.device()
        for ability in device.abilities:
            state_text, described = ability.show(device)
            assert isinstance(state_text, str)
            encode(described)


def test_an_ability_that_plans_nothing_owns_no_plan() -> None:
    device = Device({"id": "it"}, (), "file")
    assert not Ability().owns("anything")
    assert Ability().read(device, "on", {}) == {}
    assert Ability().attributes() == () == Ability().actions()
