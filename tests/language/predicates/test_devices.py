"""What switches, presence sensors and contacts are said to be."""

import pytest

from hallway.language.conditions import AttributeIs
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("condition", "device", "attribute", "value"),
    [
        ("lamp is on", "lamp", "state", True),
        ("lamp is off", "lamp", "state", False),
        ("lamp is turned on", "lamp", "state", True),
        ("lamp is switched off", "lamp", "state", False),
        ("Hall Lamp is on", "lamp", "state", True),
        ("HALL lamp is on", "lamp", "state", True),
        ("the Hall Lamp is on", "lamp", "state", True),
        ("fan is on", "fan", "state", True),
        ("dimmer is turned off", "dimmer", "state", False),
        ("motion is present", "motion", "presence", True),
        ("motion is absent", "motion", "presence", False),
        ("motion is not present", "motion", "presence", False),
        ("motion reports present", "motion", "presence", True),
        ("Motion Hall signals absent", "motion", "presence", False),
        ("window is opened", "window", "contact", False),
        ("window is open", "window", "contact", False),
        ("window is closed", "window", "contact", True),
        ("window is close", "window", "contact", True),
    ],
)
def test_devices_are_asked_by_id_and_by_name(
    house: RuleHouse, condition: str, device: str, attribute: str, value: bool
) -> None:
    assert house.test(condition) == AttributeIs(device, attribute, "==", value)
    assert not house.test(condition).is_event


@pytest.mark.parametrize(
    "condition",
    [
        "lamp is not on",
        "lamp turned on",
        "lamp equals on",
        "window is not opened",
        "window is on",
        "heating is on",
        "lamp is present",
        "nothing is on",
        "lamp is",
        "lamp",
    ],
)
def test_what_is_no_such_sentence_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


def test_the_token_is_in_the_spelling_of_the_home(house: RuleHouse) -> None:
    (predicate,) = house.predicates("hALL lAMP is on")
    assert predicate.token == "Hall Lamp is on"
    assert predicate.provider == "SwitchPredicateProvider"
