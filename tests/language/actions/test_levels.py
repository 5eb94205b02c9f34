"""Actions with a value: dim levels, set points, modes."""

import pytest

from hallway.errors import HallwayError
from tests.home.homes import TEST
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("action", "attribute", "value"),
    [
        ("dim dimmer to 30%", "dimmer.dimlevel", 30),
        ("dim the Floor Lamp to 12.5", "dimmer.dimlevel", 12.5),
        ("dim dimmer to $n * 2%", "dimmer.dimlevel", 20),
        ("dim dimmer to round(10.4)%", "dimmer.dimlevel", 10),
        ("dim dimmer to $n * 20", "dimmer.dimlevel", 100),
        ("dim dimmer to 0 - $n", "dimmer.dimlevel", 0),
        ("set temp of heating to 20", "heating.temperatureSetpoint", 20),
        ("set temp of Office Heating to $n°C", "heating.temperatureSetpoint", 10),
        ("set temp of heating to $n * 5", "heating.temperatureSetpoint", 50),
        ('set mode of heating to "boost"', "heating.mode", "boost"),
        ('set mode of heating to "$word"', "heating.mode", "hello"),
        ('set mode of heating to "boost" mode', "heating.mode", "boost"),
        ("set temp of outside to 21.5", "outside.temperature", 21.5),
    ],
)
def test_levels_are_set_and_put_back(house: RuleHouse, action: str, attribute: str, value: object) -> None:
    device, _, name = attribute.partition(".")
    house.act("dimmer", "changeDimlevelTo", dimlevel=7)
    house.act("heating", "changeTemperatureTo", temperatureSetpoint=7)
    house.act("heating", "changeModeTo", mode="auto")
    house.act("outside", "changeTemperatureTo", temperature=7)
    before = house.value(name, device)
    deed = house.deed(action)
    assert deed.lasts
    undo = deed.run(house.home, TEST).undo
    assert house.value(name, device) == value
    assert undo
    undo.run(house.home, TEST)
    assert house.value(name, device) == before


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("dim dimmer to -1%", "at least 0%"),
        ("dim dimmer to 130%", "at most 100%"),
        ("set temp of heating to 33", "at most 32°C"),
        ("set temp of heating to -1", "at least 0°C"),
    ],
)
def test_a_number_that_is_written_down_must_be_in_range(house: RuleHouse, action: str, reason: str) -> None:
    assert reason in house.wrong(f"when lamp is on then {action}").reason


@pytest.mark.parametrize(
    "action",
    ['dim dimmer to "a"', "dim lamp to 30%", "dim dimmer 30", "set temperature of heating to 20",
     "set temp of window to 20", "set temp of heating to 20C", "set mode of heating to eco"],
)  # fmt: skip
def test_what_is_no_level_is_refused(house: RuleHouse, action: str) -> None:
    assert not house.does(action)


def test_a_variable_that_is_no_number_is_an_error_when_it_is_needed(house: RuleHouse) -> None:
    with pytest.raises(HallwayError, match="number"):
        house.execute("dim dimmer to $word")
    assert house.value("dimlevel", "dimmer") == 0
