"""Actions on variables."""

import pytest

from hallway.errors import HallwayError
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("action", "name", "value"),
    [
        ("set $n to 5", "n", 5),
        ("set $n := $n * 2 + 1", "n", 21),
        ("set $n = (1+2)*3", "n", 9),
        ("$n := 5", "n", 5),
        ('set $word to "a {$n + 1} b"', "word", "a 11 b"),
        ('set $n to "7"', "n", 7),
    ],
)
def test_a_variable_gets_a_value(house: RuleHouse, action: str, name: str, value: object) -> None:
    with house.nothing_happens():
        assert str(house.simulate(action)).startswith(f"would set ${name}")
    house.execute(action)
    assert house.home.value(name) == value


@pytest.mark.parametrize(
    "action",
    ["set n to 5", "set $word to a", "set $lamp.state to 5", "set $n to 5 W", "set $n to", "set $nope to 5", "$n 5"],
)
def test_what_is_no_assignment_is_refused(house: RuleHouse, action: str) -> None:
    assert not house.does(action)


def test_what_is_computed_can_be_named_but_not_set(house: RuleHouse) -> None:
    assert house.does("set $double to 5")
    with pytest.raises(HallwayError):
        house.execute("set $double to 5")
