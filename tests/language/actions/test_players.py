"""Actions of players."""

import pytest

from tests.home.homes import TEST, a_device
from tests.language.rule_house import RuleHouse


@pytest.fixture
def house() -> RuleHouse:
    return RuleHouse(a_device("DummyAVPlayer", "radio", name="Kitchen Radio"))


@pytest.mark.parametrize(
    ("action", "attribute", "value"),
    [
        ("play radio", "state", "play"),
        ("pause the Kitchen Radio", "state", "pause"),
        ("stop radio", "state", "stop"),
        ("next radio", "state", "play"),
        ("play next song on radio", "state", "play"),
        ("play previous on radio", "state", "play"),
        ("change volume of radio to 30%", "volume", 30),
        ("change volume of radio to $n * 20", "volume", 100),
    ],
)
def test_a_player_is_told_what_to_do(house: RuleHouse, action: str, attribute: str, value: object) -> None:
    house.deed(action).run(house.home, TEST)
    assert house.value(attribute, "radio") == value


def test_players_are_proposed_where_there_is_one(house: RuleHouse) -> None:
    assert {"play ", "pause "} <= house.proposes_actions("p")
    assert {"play ", "pause "} & RuleHouse().proposes_actions("p") == set()


def test_lamps_do_not_play(house: RuleHouse) -> None:
    assert not house.does("play lamp")
    assert not house.does("pause")
