"""What a row of buttons promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from tests.home.homes import House, a_device

BUTTONS: Any = [{"id": "btn-a", "text": "Press A"}, {"id": "btn-b", "text": "Press B", "confirm": True}]


@pytest.fixture
def house() -> House:
    return House(a_device("ButtonsDevice", name="Remote", buttons=BUTTONS))


def test_no_button_of_a_new_device_was_pressed(house: House) -> None:
    assert house.values() == {"button": None}
    assert house.shows("buttons.it") == ("unknown", {"buttons": ["btn-a", "btn-b"], "friendly_name": "Remote"})


def test_a_pressed_button_is_shown(house: House) -> None:
    house.act("it", "buttonPressed", buttonId="btn-b")
    assert house.values() == {"button": "btn-b"}
    assert house.shown("buttons.it").state == "btn-b"


def test_each_press_counts_also_of_the_same_button(house: House) -> None:
    for _ in range(3):
        house.act("it", "buttonPressed", buttonId="btn-a")
    assert [update.new for update in house.updates()] == [{"button": "btn-a"}] * 3
    assert len(house.moved()) == 1


@pytest.mark.parametrize("given", ["nope", "Press A", "", "BTN-A", 1])
def test_a_button_that_is_not_there_is_refused_with_those_there_are(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "it", "btn-a, btn-b"):
        house.act("it", "buttonPressed", buttonId=given)


def test_the_button_must_be_given(house: House) -> None:
    with house.refuses(InvalidInput, "buttonPressed", "needs", "buttonId"):
        house.act("it", "buttonPressed")


def test_without_buttons_none_can_be_pressed() -> None:
    house = House(a_device("ButtonsDevice"))
    with house.refuses(InvalidInput, "it has: none"):
        house.act("it", "buttonPressed", buttonId="x")


def test_a_button_may_be_called_by_a_number() -> None:
    house = House(a_device("ButtonsDevice", buttons=[{"id": "1", "text": "One"}]))
    house.act("it", "buttonPressed", buttonId=1)
    assert house.value("button") == "1"


def test_the_service_presses_a_button(house: House) -> None:
    assert house.call("buttons.press", entity_id="buttons.it", button="btn-a").done
    assert house.value("button") == "btn-a"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, ("press", "needs", "button")),
        ({"button": None}, ("press", "needs", "button")),
        ({"button": "x"}, ("btn-a",)),
    ],
)
def test_the_service_needs_a_button_that_is_there(house: House, data: dict[str, Any], words: tuple[str, ...]) -> None:
    with house.refuses(InvalidInput, *words):
        house.call("buttons.press", entity_id="buttons.it", **data)


@pytest.mark.parametrize(("state", "button"), [("btn-b", "btn-b"), ("nope", None)])
def test_a_report_is_what_the_buttons_say(house: House, state: str, button: str | None) -> None:
    house.report("buttons.it", state, battery=5)
    assert house.value("button") == button
    assert house.shows("buttons.it") == (state, {"battery": 5})


def test_the_reported_state_stays_until_a_button_is_pressed(house: House) -> None:
    house.report("buttons.it", "btn-b", battery=5)
    house.act("it", "buttonPressed", buttonId="btn-b")
    assert house.shows("buttons.it") == ("btn-b", {"buttons": ["btn-a", "btn-b"], "friendly_name": "Remote"})
