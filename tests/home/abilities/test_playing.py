"""What an audio or video player promises."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from tests.home.homes import House, a_device

NEW = {"currentArtist": "", "currentTitle": "", "state": "stop", "volume": 50}


@pytest.fixture
def house() -> House:
    return House(a_device("DummyAVPlayer", name="Radio"))


def test_a_new_player_is_idle_at_half_volume(house: House) -> None:
    assert house.values() == NEW
    assert house.shows("media_player.it") == ("idle", {"volume_level": 0.5, "friendly_name": "Radio"})


@pytest.mark.parametrize(
    ("action", "state", "shown"),
    [
        ("play", "play", "playing"),
        ("pause", "pause", "paused"),
        ("stop", "stop", "idle"),
        ("next", "play", "playing"),
        ("previous", "play", "playing"),
    ],
)
def test_its_actions_play_pause_and_stop(house: House, action: str, state: str, shown: str) -> None:
    house.act("it", action)
    assert house.values() == {**NEW, "state": state}
    assert house.shown("media_player.it").state == shown


@pytest.mark.parametrize(
    ("given", "volume", "level"), [(0, 0, 0.0), (100, 100, 1.0), ("33", 33, 0.33), (12.5, 12.5, 0.125)]
)
def test_the_volume_is_a_percentage_here_and_a_share_there(
    house: House, given: Any, volume: float, level: float
) -> None:
    house.act("it", "setVolume", volume=given)
    assert house.value("volume") == volume
    assert house.shows("media_player.it")[1]["volume_level"] == level


@pytest.mark.parametrize("given", [-1, 101, 1e308, pytest.param(10**400, id="huge")])
def test_a_volume_out_of_range_is_refused(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "setVolume", "volume", "0 to 100"):
        house.act("it", "setVolume", volume=given)


@pytest.mark.parametrize("given", ["loud", True, []])
def test_a_volume_is_a_number(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "setVolume", "volume", "number"):
        house.act("it", "setVolume", volume=given)


def test_the_volume_must_be_given(house: House) -> None:
    with house.refuses(InvalidInput, "setVolume", "needs", "volume"):
        house.act("it", "setVolume")


@pytest.mark.parametrize(
    ("service", "shown"),
    [
        ("turn_on", "playing"),
        ("turn_off", "idle"),
        ("media_play", "playing"),
        ("media_pause", "paused"),
        ("media_stop", "idle"),
        ("media_next_track", "playing"),
        ("media_previous_track", "playing"),
    ],
)
def test_its_services_play_pause_and_stop(house: House, service: str, shown: str) -> None:
    house.call(f"media_player.{service}", entity_id="media_player.it")
    assert house.shown("media_player.it").state == shown


def test_play_pause_turns_one_into_the_other(house: House) -> None:
    states = []
    for _ in range(3):
        house.call("media_player.media_play_pause", entity_id="media_player.it")
        states.append(house.value("state"))
    assert states == ["play", "pause", "play"]


@pytest.mark.parametrize(("given", "volume"), [(0.25, 25), (0, 0), (1, 100), ("0.4", 40), (0.004, 0)])
def test_volume_set_takes_a_share(house: House, given: Any, volume: int) -> None:
    house.call("media_player.volume_set", entity_id="media_player.it", volume_level=given)
    assert house.value("volume") == volume


@pytest.mark.parametrize("given", [-0.1, 1.01, 25, 1e307, -1e307, pytest.param(10**400, id="huge")])
def test_volume_set_refuses_more_than_all_and_less_than_nothing(house: House, given: Any) -> None:
    with house.refuses(InvalidInput, "volume_level", "0 to 1"):
        house.call("media_player.volume_set", entity_id="media_player.it", volume_level=given)


@pytest.mark.parametrize(
    ("data", "problem"), [({}, "needs"), ({"volume_level": None}, "needs"), ({"volume_level": "loud"}, "number")]
)
def test_volume_set_needs_a_volume(house: House, data: dict[str, Any], problem: str) -> None:
    with house.refuses(InvalidInput, "volume_level", problem):
        house.call("media_player.volume_set", entity_id="media_player.it", **data)


@pytest.mark.parametrize(
    ("state", "attributes", "said"),
    [
        ("playing", {}, {"state": "play"}),
        ("Paused", {"volume_level": 0.3}, {"state": "pause", "volume": 30}),
        ("idle", {"volume_level": "0.3"}, {"state": "stop", "volume": 30}),
        ("playing", {"volume_level": 1e307}, {"state": "play", "volume": 100}),
        ("playing", {"volume_level": -5}, {"state": "play", "volume": 0}),
        ("playing", {"volume_level": [0.3]}, {"state": "play"}),
        (
            "playing",
            {"media_artist": "Björk", "media_title": 5},
            {"state": "play", "currentArtist": "Björk", "currentTitle": "5"},
        ),
        ("unavailable", {}, {"state": None}),
    ],
)
def test_a_report_is_what_the_player_says(house: House, state: str, attributes: dict[str, Any], said: Any) -> None:
    house.report("media_player.it", state, **attributes)
    assert house.values() == {**NEW, **said}
    assert house.shows("media_player.it") == (state, attributes)


def test_artist_and_title_are_shown_while_there_are_any(house: House) -> None:
    house.report("media_player.it", "playing", media_artist="Björk", media_title="Jóga")
    house.act("it", "pause")
    assert house.shows("media_player.it") == (
        "paused",
        {"volume_level": 0.5, "media_artist": "Björk", "media_title": "Jóga", "friendly_name": "Radio"},
    )


def test_the_reported_state_stays_until_the_player_speaks_again(house: House) -> None:
    house.report("media_player.it", "playing", app_name="Tunes")
    house.act("it", "play")
    assert house.shows("media_player.it") == ("playing", {"app_name": "Tunes"})
    house.act("it", "stop")
    assert house.shows("media_player.it") == ("idle", {"volume_level": 0.5, "friendly_name": "Radio"})
