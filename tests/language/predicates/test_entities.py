"""What an entity shows."""

import pytest

from hallway.language.conditions import AttributeIs, EntityIs
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("state of weather.sun is above_horizon", EntityIs("weather.sun", "==", "above_horizon")),
        ('state of weather.sun is not "below the horizon"', EntityIs("weather.sun", "!=", "below the horizon")),
        ("state of Sensor.Attic >= 20.5", EntityIs("sensor.attic", ">=", 20.5)),
        ("state of light.hall = true", EntityIs("light.hall", "==", "true")),
    ],
)
def test_an_entity_need_not_exist_yet(house: RuleHouse, condition: str, expected: EntityIs) -> None:
    assert house.test(condition) == expected
    assert house.accepts(f"{condition} for 5 minutes and lamp is on")


def test_devices_come_first(house: RuleHouse) -> None:
    assert house.test("state of lamp is on") == AttributeIs("lamp", "state", "==", value=True)


def test_entities_are_proposed_once_a_dot_is_typed(house: RuleHouse) -> None:
    assert "light.dimmer" in house.proposes("state of light.")
    assert "light.dimmer" not in house.proposes("state of light")


@pytest.mark.parametrize("condition", ["state of weather is up", "state of weather.sun", "state of weather.sun is"])
def test_what_is_no_state_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)
