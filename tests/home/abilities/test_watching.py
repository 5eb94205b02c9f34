"""What devices promise that the hub itself observes: the sun, a process."""

from __future__ import annotations

import pytest

from hallway.errors import NotFound
from tests.home.homes import TEST, House


@pytest.fixture
def house() -> House:
    house = House()
    house.home.add_device({"id": "sun", "name": "Sun", "class": "Sun"}, "built-in")
    house.home.add_device({"id": "process-web", "name": "Web", "class": "Process", "object": "web"}, "built-in")
    return house


def test_before_the_first_look_it_shows_unknown(house: House) -> None:
    assert house.values("sun") == {"state": None, "next_rising": None, "next_setting": None}
    assert house.shows("sun.sun") == ("unknown", {"friendly_name": "Sun"})
    assert house.shows("process.web") == ("unknown", {"friendly_name": "Web"})


def test_what_is_seen_is_shown_with_its_details(house: House) -> None:
    house.home.set_values("sun", {"state": "above_horizon", "next_setting": "soon"}, TEST)
    assert house.shows("sun.sun") == ("above_horizon", {"next_setting": "soon", "friendly_name": "Sun"})
    house.home.set_values("process-web", {"state": "on"}, TEST)
    assert house.shows("process.web") == ("on", {"friendly_name": "Web"})


def test_people_can_do_nothing_to_it(house: House) -> None:
    with house.refuses(NotFound, "it has: none"):
        house.act("sun", "turnOn")
    assert "sun" not in house.home.services.listing()


def test_a_report_is_what_was_seen(house: House) -> None:
    house.home.set_values("sun", {"next_rising": "before", "next_setting": "kept"}, TEST)
    house.report("sun.sun", "below_horizon", next_rising="later", moon="full")
    assert house.values("sun") == {"state": "below_horizon", "next_rising": "later", "next_setting": "kept"}
    assert house.shows("sun.sun") == ("below_horizon", {"next_rising": "later", "moon": "full"})
