"""Two hallways, of which one follows the other, or each the other: what passes between them and what survives."""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest

from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, RunningHub
from tests.peers.hub import link_of, linked_to, rest
from tests.peers.rest import Listening, Rest
from tests.peers.waiting import stays, wait_until

_SOON = 45.0
_AGAIN = 60.0
_QUIET = 0.5
_PROMPT = 8.0
"""A call that nobody carries out, or of which nobody tells that it is done, is answered after ten seconds."""

HOUSE = DEMO_DEVICES
SHED = """\
devices:
  - {id: shed_lamp, class: DummyDimmer, name: Shed Lamp}
  - {id: door, class: DummyShutter, name: Shed Door}
"""


class Two(NamedTuple):
    """The house, and a shed that follows it."""

    house: RunningHub
    shed: RunningHub

    @property
    def at_house(self) -> Rest:
        return rest(self.house)

    @property
    def at_shed(self) -> Rest:
        return rest(self.shed)

    def wait_until_linked(self) -> None:
        link = link_of(self.at_house)
        wait_until(lambda: self.at_shed.value(link) == "connected", _AGAIN, "the shed follows the house")


@pytest.fixture
def two(start_hub: StartHub) -> Two:
    house = start_hub(HOUSE)
    pair = Two(house, start_hub(linked_to(rest(house)) + SHED))
    pair.wait_until_linked()
    return pair


@pytest.fixture
def mutual(two: Two) -> Two:
    """Each follows the other."""
    two.house.configure(linked_to(two.at_shed) + HOUSE)
    two.house.restart()
    link = link_of(two.at_shed)
    wait_until(lambda: two.at_house.value(link) == "connected", _AGAIN, "the house follows the shed")
    two.wait_until_linked()
    return two


def essence(server: Rest, entity: str) -> tuple[str, object] | None:
    state = server.state(entity)
    return None if state is None else (state["state"], state["attributes"])


# ---------------------------------------------------------------------- one follows the other


def test_all_states_of_the_house_are_states_of_the_shed(two: Two) -> None:
    names = [entity for entity in two.at_house.states() if not entity.startswith("link.")]
    assert len(names) >= 7
    assert [essence(two.at_shed, name) for name in names] == [essence(two.at_house, name) for name in names]
    assert two.at_house.state("light.shed_lamp") is None


def test_a_lamp_of_the_house_is_switched_from_the_shed(two: Two) -> None:
    lamp = "light.bed_light"
    assert two.at_shed.call("light", "turn_on", {"entity_id": lamp, "brightness": 77}) < _PROMPT
    assert essence(two.at_house, lamp) == essence(two.at_shed, lamp)
    assert two.at_house.attribute(lamp, "brightness") == 77
    assert two.at_shed.call("homeassistant", "turn_off", {"entity_id": [lamp, "light.shed_lamp"]}) < _PROMPT
    assert (two.at_house.value(lamp), two.at_shed.value(lamp)) == ("off", "off")


def test_all_lights_are_all_lights_of_both(two: Two) -> None:
    assert two.at_shed.call("light", "turn_on") < _PROMPT
    lights = {name: state["state"] for name, state in two.at_shed.states().items() if name.startswith("light.")}
    assert len(lights) == 4
    assert set(lights.values()) == {"on"}
    assert two.at_house.value("light.bed_light") == "on"


def test_a_call_is_carried_out_once(two: Two) -> None:
    for expected in ("on", "off", "on"):
        two.at_shed.call("switch", "toggle", {"entity_id": "switch.ac"})
        assert two.at_house.value("switch.ac") == expected


def test_a_service_that_only_the_shed_has_runs_there_when_the_house_calls_it(two: Two) -> None:
    assert "cover" not in {item["domain"] for item in two.at_house.ask("GET", "/api/services").json()}
    assert two.at_house.call("cover", "open_cover", {"entity_id": "cover.door"}) < _PROMPT
    assert two.at_shed.value("cover.door") == "open"


def test_events_pass_both_ways_and_each_is_heard_once(two: Two) -> None:
    with Listening(two.at_house) as house, Listening(two.at_shed) as shed:
        two.at_house.fire("from_house", {"n": 1})
        two.at_shed.fire("from_shed", {"n": 2})
        for stream in (house, shed):
            stream.hears("from_house")
            stream.hears("from_shed")

        def heard() -> list[int]:
            return [len(stream.of(name)) for stream in (house, shed) for name in ("from_house", "from_shed")]

        stays(lambda: heard() == [1] * 4, _QUIET, "each event once at each hub")


def test_equal_events_of_both_count_each(two: Two) -> None:
    with Listening(two.at_house) as house, Listening(two.at_shed) as shed:
        for _ in range(3):
            two.at_shed.fire("bell")
            two.at_house.fire("bell")
        wait_until(lambda: (len(house.of("bell")), len(shed.of("bell"))) == (6, 6), _SOON, "six bells at each")
        stays(lambda: (len(house.of("bell")), len(shed.of("bell"))) == (6, 6), _QUIET, "six bells at each")


def test_a_state_that_is_written_at_the_shed_is_written_at_the_house(two: Two) -> None:
    two.at_house.set_state("garden.gate", "shut")
    wait_until(lambda: two.at_shed.value("garden.gate") == "shut", _SOON, "the gate at the shed")
    two.at_shed.set_state("garden.gate", "open", {"by": "shed"})
    assert essence(two.at_house, "garden.gate") == ("open", {"by": "shed"})
    assert essence(two.at_shed, "garden.gate") == ("open", {"by": "shed"})


def test_both_show_the_link(two: Two) -> None:
    assert two.at_shed.attribute(link_of(two.at_house), "direction") == "from"
    assert two.at_house.attribute(link_of(two.at_shed), "direction") == "to"


@pytest.mark.parametrize("killed", ["house", "shed"])
def test_after_kill_9_of_either_they_are_linked_again(two: Two, killed: str) -> None:
    hub: RunningHub = getattr(two, killed)
    hub.kill()
    two_left = two.at_shed if killed == "house" else two.at_house
    two_left.set_state("meanwhile.here", "yes")
    hub.restart()
    two.wait_until_linked()
    two.at_house.set_state("garden.gate", "open")
    wait_until(lambda: two.at_shed.value("garden.gate") == "open", _SOON, "a new state at the shed")
    with Listening(two.at_shed) as shed:
        two.at_house.fire("again")
        shed.hears("again", seconds=_AGAIN)
        stays(lambda: len(shed.of("again")) == 1, _QUIET, "heard once")
    assert two.at_shed.call("switch", "turn_on", {"entity_id": "switch.ac"}) < _PROMPT
    assert two.at_house.value("switch.ac") == "on"


def test_a_shed_that_is_stopped_needs_no_events_any_more(two: Two) -> None:
    assert two.shed.stop() == 0
    assert two.at_house.state(link_of(two.at_shed)) is None


def test_a_house_that_gets_another_password_is_told_at_the_link_until_the_shed_knows_it(two: Two) -> None:
    new = "another secret"
    http = f'http: {{port: {two.house.port}, api_password: "{new}"}}\n'
    two.house.configure(http + HOUSE)
    two.house.stop()
    two.house.password = new
    two.house.start()
    link = link_of(two.at_house)
    two.at_shed.fire("anybody_there")
    wait_until(lambda: two.at_shed.value(link) == "retrying", _SOON, "the link notices at once")
    wait_until(
        lambda: "does not take the password" in str(two.at_shed.attribute(link, "last_error")), _AGAIN, "the reason"
    )
    assert two.at_shed.ask("POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"}).status_code == 422
    assert two.at_shed.call("light", "turn_on", {"entity_id": "light.shed_lamp"}) < 4.5  # not after 5
    two.shed.configure(linked_to(rest(two.house)) + SHED)
    two.shed.restart()
    two.wait_until_linked()


def test_an_unreachable_house_does_not_hold_up_the_end_of_the_shed(two: Two) -> None:
    two.house.process.suspend()
    try:
        two.at_shed.fire("into_the_void")
        started = time.monotonic()
        assert two.shed.stop() == 0
        assert time.monotonic() - started < 15
    finally:
        two.house.process.resume()


# ---------------------------------------------------------------------- each follows the other


def test_each_switches_what_the_other_has(mutual: Two) -> None:
    for server, other, lamp in (
        (mutual.at_shed, mutual.at_house, "light.bed_light"),
        (mutual.at_house, mutual.at_shed, "light.shed_lamp"),
    ):
        assert server.call("light", "toggle", {"entity_id": lamp}) < _PROMPT
        assert (other.value(lamp), server.value(lamp)) == ("on", "on")
        stays(lambda other=other, lamp=lamp: other.value(lamp) == "on", _QUIET, "toggled once")  # type: ignore[misc]


def test_what_one_changes_is_seen_by_the_other_and_comes_to_rest(mutual: Two) -> None:
    with Listening(mutual.at_house) as house, Listening(mutual.at_shed) as shed:
        mutual.at_house.call("light", "turn_on", {"entity_id": "light.bed_light"})
        mutual.at_shed.set_state("shed.door", "open")
        wait_until(lambda: mutual.at_shed.value("light.bed_light") == "on", _SOON, "the lamp at the shed")
        wait_until(lambda: mutual.at_house.value("shed.door") == "open", _SOON, "the door at the house")

        def moves() -> list[int]:
            return [
                len([data for data in stream.of("state_changed") if data["entity_id"] == entity])
                for stream in (house, shed)
                for entity in ("light.bed_light", "shed.door")
            ]

        wait_until(lambda: moves() == [1] * 4, _SOON, "each change once at each hub")
        stays(lambda: moves() == [1] * 4, 2 * _QUIET, "each change once at each hub")


def test_an_event_of_either_is_heard_once_at_each(mutual: Two) -> None:
    with Listening(mutual.at_house) as house, Listening(mutual.at_shed) as shed:
        mutual.at_house.fire("from_house", {"n": 1})
        mutual.at_shed.fire("from_shed", {"n": 2})

        def heard() -> list[int]:
            return [len(stream.of(name)) for stream in (house, shed) for name in ("from_house", "from_shed")]

        wait_until(lambda: heard() == [1] * 4, _SOON, "each event at each hub")
        stays(lambda: heard() == [1] * 4, 2 * _QUIET, "each event once at each hub")


def test_the_two_directions_are_two_entities(mutual: Two) -> None:
    for server, other in ((mutual.at_house, mutual.at_shed), (mutual.at_shed, mutual.at_house)):
        link = link_of(other)
        assert server.attribute(link, "direction") == "from"
        assert server.attribute(f"{link}_to", "direction") == "to"
        assert (server.value(link), server.value(f"{link}_to")) == ("connected", "connected")
