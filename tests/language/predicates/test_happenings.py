"""What happens at a moment: buttons, start, intervals, events."""

import pytest

from hallway.language.conditions import ButtonPressed, EventFired, Every, Starting
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    "condition",
    ["up pressed", "up is pressed", "the up is pressed", "up button is pressed", "the Go Up button is pressed"],
)
def test_a_button_is_pressed(house: RuleHouse, condition: str) -> None:
    assert house.test(condition) == ButtonPressed("remote", "up")


@pytest.mark.parametrize("condition", ["down is pressed", "remote is pressed", "go up is pressed", "up is pushed"])
def test_what_is_no_button_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


def test_the_hub_starts(house: RuleHouse) -> None:
    assert house.test("pimatic is starting") == Starting()
    assert house.test("hallway is starting") == Starting()


@pytest.mark.parametrize(("condition", "unit"), [("every 5 minutes", "minutes"), ("every 0.5 hours", "hours")])
def test_something_happens_again_and_again(house: RuleHouse, condition: str, unit: str) -> None:
    test = house.test(condition)
    assert isinstance(test, Every)
    assert test.duration.unit == unit
    assert house.accepts("every $n + 1 minutes")


@pytest.mark.parametrize("condition", ["every minute", "every day", "every 5", "every week", "every"])
def test_an_interval_needs_a_number_and_a_unit(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


@pytest.mark.parametrize(
    ("condition", "data"),
    [
        ('event "bell" is fired', {}),
        ('event "bell" is fired with door = front, times = 2', {"door": "front", "times": 2}),
        ('event "bell" is fired with text = "a, b", on = true, x = -1.5', {"text": "a, b", "on": True, "x": -1.5}),
        ('event "bell" is fired with {"door": {"side": ["left"]}}', {"door": {"side": ["left"]}}),
    ],
)
def test_an_event_is_fired(house: RuleHouse, condition: str, data: dict[str, object]) -> None:
    assert house.test(condition) == EventFired("bell", data)  # type: ignore[arg-type]
    assert house.accepts(f"{condition} and lamp is on")


@pytest.mark.parametrize(
    "condition",
    ['event "" is fired', "event bell is fired", 'event "bell"', 'event "bell" is fired with x',
     'event "bell" is fired with {"x": NaN}', 'event "bell" is fired with {"x": 1'],
)  # fmt: skip
def test_what_is_no_event_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


@pytest.mark.parametrize("condition", ["up is pressed", "pimatic is starting", "every 5 minutes", 'event "x" is fired'])
def test_an_event_cannot_last_and_is_no_mere_condition(house: RuleHouse, condition: str) -> None:
    assert house.test(condition).is_event
    assert "cannot last" in house.wrong(f'when {condition} for 5 seconds then log "x"').reason
    assert "and if" in house.wrong(f'when lamp is on and if {condition} then log "x"').reason
