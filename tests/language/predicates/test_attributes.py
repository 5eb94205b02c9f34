"""What an attribute of any device is."""

import pytest

from hallway.language.conditions import AttributeIs, NotUpdated
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("comparison", "comparator"),
    [
        ("is", "=="),
        ("=", "=="),
        ("==", "=="),
        ("equals", "=="),
        ("is equal to", "=="),
        ("is not", "!="),
        ("isnt", "!="),
        ("!=", "!="),
        ("<", "<"),
        ("less", "<"),
        ("below", "<"),
        ("is below", "<"),
        ("is less than", "<"),
        (">", ">"),
        ("is greater", ">"),
        ("greater than", ">"),
        ("is above", ">"),
        ("<=", "<="),
        ("is less or equal than", "<="),
        (">=", ">="),
        ("is greater or equal than", ">="),
        ("is equal or greater than", ">="),
    ],
)
def test_numbers_compare_in_many_words(house: RuleHouse, comparison: str, comparator: str) -> None:
    test = house.test(f"temperature of outside {comparison} 20")
    assert test == AttributeIs("outside", "temperature", comparator, 20)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("literal", "value"),
    [("20", 20), ("-5", -5), ("20.5", 20.5), ("20°C", 20), ("20C", 20), ("20 c", 20), ("20 °C", 20)],
)
def test_numbers_may_have_their_unit(house: RuleHouse, literal: str, value: float) -> None:
    assert house.test(f"temperature of outside > {literal}") == AttributeIs("outside", "temperature", ">", value)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("state of lamp is on", AttributeIs("lamp", "state", "==", value=True)),
        ("state of Hall Lamp != off", AttributeIs("lamp", "state", "!=", value=False)),
        ("state of fan is Aus", AttributeIs("fan", "state", "==", value=False)),
        ("presence of motion is absent", AttributeIs("motion", "presence", "==", value=False)),
        ("running of clock is true", AttributeIs("clock", "running", "==", value=True)),
        ("mode of heating is auto", AttributeIs("heating", "mode", "==", "auto")),
        ('mode of heating is not "eco"', AttributeIs("heating", "mode", "!=", "eco")),
        ('button of remote = "up"', AttributeIs("remote", "button", "==", "up")),
        ("position of the blind equals up", AttributeIs("blind", "position", "==", "up")),
        ("humidity of outside > 50%", AttributeIs("outside", "humidity", ">", 50)),
    ],
)
def test_words_and_texts_compare_as_equal_or_not(house: RuleHouse, condition: str, expected: AttributeIs) -> None:
    assert house.test(condition) == expected


@pytest.mark.parametrize(
    "condition",
    [
        "state of fan is on",  # it says An and Aus
        "state of lamp > on",
        "the state of lamp is on",
        "temperature of lamp > 20",
        "temperature of outside > $n",
        "temperature of outside > 10 + 10",
        "temperature of outside is smaller than 20",
        "temperature of outside > warm",
        f"temperature of outside > {'9' * 400}",
        "button of remote is up",
        "mode of heating > auto",
    ],
)
def test_what_does_not_fit_the_attribute_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


def test_an_attribute_may_not_have_been_updated_for_a_time(house: RuleHouse) -> None:
    assert house.test("temperature of outside was not updated for 5 minutes") == NotUpdated(
        "outside", "temperature", 300
    )
    assert house.test("temperature of outside was not updated for 1.5 hours") == NotUpdated(
        "outside", "temperature", 5400
    )
    for unfinished in ("", " for 5", " for $n minutes", " for minutes"):
        assert not house.accepts(f"temperature of outside was not updated{unfinished}")
