"""hallway beside real Home Assistant servers of 2015 and 2016: as the master of a slave, as the slave of a master.

The other side is the published package in a process of its own; only what both sides say over the wire counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers.environments import release
from tests.peers.homeassistant07 import Master, Slave
from tests.peers.hub import Hub, StartHub, link_of, linked_to, rest
from tests.peers.rest import Listening, Rest
from tests.peers.waiting import stays, wait_until

# the first test of a fresh machine fetches the releases
pytestmark = pytest.mark.timeout(600)

# a call of 2014 gives up after ten seconds; what is executed elsewhere must be told before
_PROMPT = 9.0
_SOON = 45.0
# both sides try again with growing pauses
_AGAIN = 60.0
_QUIET = 0.5


@pytest.fixture(params=["0.7.0.1", "0.12.0"])
def slave(request: pytest.FixtureRequest, hub: Hub, tmp_path: Path) -> Iterator[Slave]:
    """A real slave of the hub."""
    with Slave(release(request.param), tmp_path / "slave", rest(hub)) as running:
        yield running


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    """A real master with demo devices."""
    with Master(release("0.7.0.1"), tmp_path / "master") as running:
        yield running


@pytest.fixture
def linked(start_hub: StartHub, master: Master) -> Hub:
    """A hub that is the slave of the real master."""
    hub = start_hub(linked_to(master.rest))
    _wait_for_link(hub, master.rest)
    return hub


def _wait_for_link(hub: Hub, other: Rest) -> None:
    wait_until(lambda: rest(hub).value(link_of(other)) == "connected", _AGAIN, f"{link_of(other)} connected")


def _wait_for_value(server: Rest, entity: str, value: str) -> None:
    wait_until(lambda: server.value(entity) == value, _SOON, f"{entity} {value} at {server.url}")


def _essence(states: dict[str, dict[str, Any]]) -> dict[str, tuple[str, dict[str, Any]]]:
    return {entity: (state["state"], state["attributes"]) for entity, state in states.items()}


class TestAsMasterOfARealSlave:
    def test_the_slave_mirrors_every_state_from_its_start(self, hub: Hub, slave: Slave) -> None:
        ours, theirs = _essence(rest(hub).states()), _essence(slave.states())
        assert "light.bed_light" in theirs
        assert "sensor.outside_temperature_temperature" in theirs
        # the slave itself is one of our entities, but only since it registered
        ours.pop(link_of(slave.rest))
        theirs.pop(link_of(slave.rest), None)
        assert theirs == ours

    def test_a_state_written_at_the_hub_reaches_the_slave_once(self, hub: Hub, slave: Slave) -> None:
        rest(hub).set_state("garden.gate", "open", {"by": "Zoë", "times": [1, None, 2.5]})
        rest(hub).set_state("garden.gate", "open", {"by": "Zoë", "times": [1, None, 2.5]})
        wait_until(lambda: slave.value("garden.gate") == "open", _SOON, "garden.gate at the slave")
        assert slave.states()["garden.gate"]["attributes"] == {"by": "Zoë", "times": [1, None, 2.5]}

        def changes() -> list[dict[str, Any]]:
            return [each for each in slave.heard("state_changed") if each["data"]["entity_id"] == "garden.gate"]

        stays(lambda: len(changes()) == 1, _QUIET, "one state_changed at the slave")

    def test_a_device_that_is_switched_at_the_hub_is_switched_in_the_slaves_mirror(
        self, hub: Hub, slave: Slave
    ) -> None:
        rest(hub).call("light", "turn_on", {"entity_id": "light.bed_light", "brightness": 255})
        wait_until(lambda: slave.value("light.bed_light") == "on", _SOON, "light.bed_light at the slave")
        assert slave.states()["light.bed_light"] == rest(hub).state("light.bed_light")

    def test_a_state_written_by_the_slave_is_the_hubs_and_comes_back(self, hub: Hub, slave: Slave) -> None:
        slave.set_state("garden.lamp", "21.5 °C", {"b": 2})
        state = rest(hub).state("garden.lamp")
        assert state is not None
        assert (state["state"], state["attributes"]) == ("21.5 °C", {"b": 2})
        wait_until(lambda: slave.value("garden.lamp") == "21.5 °C", _SOON, "the echo at the slave")

    def test_an_event_of_the_hub_reaches_the_slave_with_and_without_data(self, hub: Hub, slave: Slave) -> None:
        rest(hub).fire("doorbell", {"k": [1, None], "who": "Zoë"})
        rest(hub).fire("nothing_to_say")
        assert slave.hears("doorbell") == [{"k": [1, None], "who": "Zoë"}]
        assert slave.hears("nothing_to_say") == [{}]

    def test_an_event_of_the_slave_is_heard_at_the_hub_and_once_by_the_slave_itself(
        self, hub: Hub, slave: Slave
    ) -> None:
        with Listening(rest(hub)) as stream:
            slave.fire("slave_rang", {"n": 1})
            assert stream.hears("slave_rang") == {"n": 1}
            assert slave.hears("slave_rang") == [{"n": 1}]
            stays(lambda: (len(slave.heard("slave_rang")), len(stream.of("slave_rang"))) == (1, 1), _QUIET, "once")

    def test_the_slave_calls_a_service_of_the_hub_and_hears_that_it_was_executed(self, hub: Hub, slave: Slave) -> None:
        lamp = "light.kitchen_lights"
        assert slave.call_service("light", "turn_on", {"entity_id": lamp, "brightness": 255}) < _PROMPT
        assert rest(hub).value(lamp) == "on"
        assert rest(hub).attribute(lamp, "brightness") == 255
        wait_until(lambda: slave.value(lamp) == "on", _SOON, "the change at the slave")
        assert slave.call_service("light", "turn_off", {"entity_id": lamp}) < _PROMPT
        assert rest(hub).value(lamp) == "off"

    def test_the_hub_calls_a_service_that_only_the_slave_has(self, hub: Hub, slave: Slave) -> None:
        slave.register_service("coffee", "brew")
        slave.hears("service_registered")
        assert rest(hub).call("coffee", "brew", {"cups": 2}) < _PROMPT
        data = slave.calls()[0]["data"]
        assert data.pop("service_call_id")
        assert data == {"cups": 2}

    def test_callers_of_the_slave_reach_the_hub_through_it(self, hub: Hub, slave: Slave) -> None:
        assert slave.rest.call("switch", "turn_on", {"entity_id": "switch.ac"}) < _PROMPT
        assert rest(hub).value("switch.ac") == "on"
        assert slave.rest.states().keys() >= {"switch.ac", "light.bed_light"}

    def test_the_link_to_the_slave_is_an_entity_that_tells_its_state(self, hub: Hub, slave: Slave) -> None:
        _wait_for_link(hub, slave.rest)
        assert rest(hub).attribute(link_of(slave.rest), "direction") == "to"
        assert rest(hub).attribute(link_of(slave.rest), "queued") == 0
        assert rest(hub).attribute(link_of(slave.rest), "dropped") == 0

    def test_a_slave_that_stopped_gets_nothing_more(self, hub: Hub, slave: Slave) -> None:
        slave.stop()
        assert rest(hub).value(link_of(slave.rest)) != "connected"
        rest(hub).fire("meanwhile")
        slave.start()
        rest(hub).fire("afterwards")
        slave.hears("afterwards")
        stays(lambda: len(slave.heard("afterwards")) == 1, _QUIET, "heard once")
        assert slave.heard("meanwhile") == []

    def test_after_kill_9_the_hub_forwards_again_without_the_slave_doing_anything(self, hub: Hub, slave: Slave) -> None:
        hub.kill()
        assert not rest(hub).answers()
        hub.restart()
        rest(hub).fire("back_again", {"n": 1})
        assert slave.hears("back_again", seconds=_AGAIN) == [{"n": 1}]
        rest(hub).set_state("garden.gate", "shut")
        wait_until(lambda: slave.value("garden.gate") == "shut", _SOON, "the state at the slave")
        assert slave.call_service("switch", "turn_on", {"entity_id": "switch.ac"}) < _PROMPT
        assert rest(hub).value("switch.ac") == "on"
        assert len(slave.heard("back_again")) == 1

    def test_an_end_in_good_order_does_not_end_the_slave_and_the_hub_forwards_again(
        self, hub: Hub, slave: Slave
    ) -> None:
        # a slave of that time that is told of homeassistant_stop closes its own server
        assert hub.stop() == 0
        hub.restart()
        rest(hub).fire("back_again")
        slave.hears("back_again", seconds=_AGAIN)
        assert slave.heard("homeassistant_stop") == []
        assert slave.call_service("switch", "turn_on", {"entity_id": "switch.ac"}) < _PROMPT
        assert rest(hub).value("switch.ac") == "on"

    def test_a_slave_that_was_killed_and_comes_back_hears_each_new_event_once(self, hub: Hub, slave: Slave) -> None:
        slave.kill()
        rest(hub).set_state("garden.gate", "ajar")
        wait_until(lambda: rest(hub).value(link_of(slave.rest)) == "retrying", _AGAIN, "the link notices")
        slave.start()
        assert slave.value("garden.gate") == "ajar"
        rest(hub).fire("welcome")
        slave.hears("welcome")
        _wait_for_link(hub, slave.rest)
        stays(lambda: len(slave.heard("welcome")) == 1, _QUIET, "heard once")

    def test_our_password_is_in_nothing_that_the_slave_hears(self, hub: Hub, slave: Slave) -> None:
        rest(hub).ask("POST", f"/api/events/by_query?api_password={hub.password}", {"n": 1})
        rest(hub).ask("POST", "/api/events/by_body", {"n": 2, "api_password": hub.password})
        turn_on = {"entity_id": "switch.ac", "api_password": hub.password}
        rest(hub).ask("POST", "/api/services/switch/turn_on", turn_on)
        assert slave.hears("by_query") == [{"n": 1}]
        assert slave.hears("by_body") == [{"n": 2}]
        wait_until(lambda: slave.value("switch.ac") == "on", _SOON, "the switch at the slave")
        assert hub.password not in str(slave.heard())


class TestAsSlaveOfARealMaster:
    def test_the_masters_states_are_the_hubs(self, linked: Hub, master: Master) -> None:
        ours = _essence(rest(linked).states())
        theirs = _essence(master.rest.states())
        assert "light.ceiling_lights" in theirs
        assert {entity: ours.get(entity) for entity in theirs} == theirs

    def test_the_link_is_an_entity_that_tells_its_state(self, linked: Hub, master: Master) -> None:
        assert rest(linked).attribute(link_of(master.rest), "direction") == "from"
        assert master.rest.password not in str(rest(linked).states())

    def test_a_change_at_the_master_reaches_the_hub(self, linked: Hub, master: Master) -> None:
        for service, state in [("turn_on", "on"), ("turn_off", "off")]:
            master.rest.call("light", service, {"entity_id": "light.bed_light"})
            _wait_for_value(rest(linked), "light.bed_light", state)
            assert (
                _essence(rest(linked).states())["light.bed_light"] == _essence(master.rest.states())["light.bed_light"]
            )

    def test_a_new_entity_of_the_master_appears_at_the_hub(self, linked: Hub, master: Master) -> None:
        master.rest.set_state("cellar.water", 0, {"unit": "cm", "note": "dry — for now"})
        wait_until(lambda: rest(linked).value("cellar.water") == "0", _SOON, "cellar.water at the hub")
        assert rest(linked).attribute("cellar.water", "note") == "dry — for now"

    def test_an_event_of_the_master_is_heard_once_at_the_hub(self, linked: Hub, master: Master) -> None:
        with Listening(rest(linked)) as stream:
            master.rest.fire("cellar_wet", {"k": [1, None]})
            assert stream.hears("cellar_wet") == {"k": [1, None]}
            stays(lambda: len(stream.of("cellar_wet")) == 1, _QUIET, "heard once")

    def test_a_call_for_a_mirrored_entity_returns_when_the_master_has_executed_it(
        self, linked: Hub, master: Master
    ) -> None:
        light = {"entity_id": "light.bed_light"}
        assert rest(linked).call("light", "turn_on", {**light, "brightness": 77}) < _PROMPT
        assert master.rest.value("light.bed_light") == "on"
        assert master.rest.attribute("light.bed_light", "brightness") == 77
        wait_until(lambda: rest(linked).value("light.bed_light") == "on", _SOON, "the change comes back")
        assert rest(linked).call("light", "turn_off", light) < _PROMPT
        assert master.rest.value("light.bed_light") == "off"

    def test_a_service_that_only_the_master_has_runs_there(self, linked: Hub, master: Master) -> None:
        with Listening(master.rest) as theirs, Listening(rest(linked)) as ours:
            assert rest(linked).call("notify", "notify", {"message": "Zoë rang"}) < _PROMPT
            assert theirs.hears("notify")["message"] == "Zoë rang"
            assert ours.hears("notify")["message"] == "Zoë rang"

    def test_writing_a_mirrored_state_writes_the_master_once(self, linked: Hub, master: Master) -> None:
        master.rest.set_state("cellar.door", "shut")
        wait_until(lambda: rest(linked).value("cellar.door") == "shut", _SOON, "cellar.door at the hub")
        with Listening(master.rest) as stream:
            rest(linked).set_state("cellar.door", "open", {"by": "hub"})
            wait_until(lambda: master.rest.value("cellar.door") == "open", _SOON, "cellar.door at the master")
            assert master.rest.attribute("cellar.door", "by") == "hub"
            wait_until(lambda: rest(linked).value("cellar.door") == "open", _SOON, "the change comes back")

            def changes() -> list[dict[str, Any]]:
                return [data for data in stream.of("state_changed") if data["entity_id"] == "cellar.door"]

            wait_until(lambda: len(changes()) == 1, _SOON, "the change on the master's stream")
            stays(lambda: len(changes()) == 1, 2 * _QUIET, "one change at the master")

    def test_a_state_that_the_master_does_not_have_stays_the_hubs_own(self, linked: Hub, master: Master) -> None:
        rest(linked).set_state("attic.window", "open")
        assert rest(linked).value("attic.window") == "open"
        stays(lambda: master.rest.state("attic.window") is None, _QUIET, "not at the master")

    def test_after_kill_9_the_hub_is_a_slave_again_and_has_what_it_missed(self, linked: Hub, master: Master) -> None:
        linked.kill()
        master.rest.set_state("cellar.water", 12)
        linked.restart()
        wait_until(lambda: rest(linked).value("cellar.water") == "12", _AGAIN, "what was missed")
        _wait_for_link(linked, master.rest)
        _hears_once(linked, master)

    def test_a_master_that_was_killed_gets_the_registration_again(self, linked: Hub, master: Master) -> None:
        rest(linked).call("light", "turn_on", {"entity_id": "light.bed_light"})
        master.kill()
        rest(linked).fire("anybody_there")
        wait_until(lambda: rest(linked).value(link_of(master.rest)) != "connected", _SOON, "the link notices at once")
        master.start()
        _wait_for_link(linked, master.rest)
        wait_until(lambda: rest(linked).value("light.bed_light") == "off", _SOON, "the mirror is taken anew")
        _hears_once(linked, master)
        assert rest(linked).call("light", "turn_on", {"entity_id": "light.bed_light"}) < _PROMPT
        assert master.rest.value("light.bed_light") == "on"

    def test_a_master_restarted_too_quickly_to_be_missed_gets_the_registration_again(
        self, linked: Hub, master: Master
    ) -> None:
        master.stop()
        master.start()
        master.rest.set_state("cellar.water", 3)
        wait_until(lambda: rest(linked).value("cellar.water") == "3", _AGAIN, "the change after the restart")
        _hears_once(linked, master)

    def test_a_master_that_is_gone_holds_up_nothing_but_calls_to_it(self, linked: Hub, master: Master) -> None:
        master.kill()
        seconds = [_timed_write(linked, n) for n in range(20)]
        assert max(seconds) < 4.5  # a master that hangs is given up after 5
        started = time.monotonic()
        answer = rest(linked).ask("POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"})
        assert (answer.status_code, time.monotonic() - started < 4.5) == (422, True)
        assert "does not answer" in answer.json()["message"]
        link = link_of(master.rest)
        wait_until(lambda: rest(linked).value(link) == "retrying", _SOON, "the link notices at once")
        assert rest(linked).attribute(link, "last_error")

    def test_a_wrong_password_is_told_at_the_link_and_not_shown(self, start_hub: StartHub, master: Master) -> None:
        hub = start_hub(linked_to(master.rest, password="notthepassword"))
        link = link_of(master.rest)
        wait_until(lambda: rest(hub).attribute(link, "last_error"), _AGAIN, "an error at the link")
        assert rest(hub).value(link) == "retrying"
        assert "notthepassword" not in str(rest(hub).states())
        assert rest(hub).state("light.bed_light") is None


class TestAsSlaveOfALaterMaster:
    @pytest.fixture
    def master(self, tmp_path: Path) -> Iterator[Master]:
        """One that looks for the arguments of a call in another place, and whose dates are the last of the old form."""
        with Master(release("0.17.3"), tmp_path / "master") as running:
            yield running

    def test_states_events_and_the_arguments_of_calls_pass(self, linked: Hub, master: Master) -> None:
        bed, other = "light.bed_light", "light.ceiling_lights"
        assert rest(linked).call("light", "turn_on", {"entity_id": bed, "brightness": 77}) < _PROMPT
        assert master.rest.attribute(bed, "brightness") == 77
        wait_until(lambda: rest(linked).value(bed) == "on", _SOON, "the change comes back")
        # without its arguments that call would mean all lights
        assert rest(linked).call("light", "turn_off", {"entity_id": bed}) < _PROMPT
        assert (master.rest.value(bed), master.rest.value(other)) == ("off", "on")
        _hears_once(linked, master)


class TestBothWays:
    """The master forwards to the hub, and the hub to the master."""

    def test_an_event_is_heard_once_at_each_and_a_call_is_carried_out_once(self, linked: Hub, master: Master) -> None:
        _forward(linked, master)
        with Listening(rest(linked)) as ours, Listening(master.rest) as theirs:
            rest(linked).fire("from_hub", {"n": 1})
            master.rest.fire("from_master", {"n": 2})
            rest(linked).call("light", "turn_on", {"entity_id": "light.bed_light"})

            def heard() -> list[int]:
                return [len(stream.of(name)) for stream in (ours, theirs) for name in ("from_hub", "from_master")]

            wait_until(lambda: heard() == [1] * 4, _SOON, "each event at each")
            stays(lambda: heard() == [1] * 4, _QUIET, "each event once")
            assert master.rest.value("light.bed_light") == "on"
            calls = [data["service_call_id"] for data in theirs.of("call_service")]
            assert len(calls) == len(set(calls))

    def test_both_links_are_shown(self, linked: Hub, master: Master) -> None:
        _forward(linked, master)
        link = link_of(master.rest)
        assert rest(linked).attribute(link, "direction") == "from"
        assert rest(linked).attribute(f"{link}_to", "direction") == "to"


class TestInACircle:
    """Each is registered at the other under its ordinary password, and the real one drops the hops."""

    @pytest.fixture
    def circle(self, hub: Hub, master: Master) -> Hub:
        _forward(hub, master)
        answer = master.rest.forward_to(hub.host, hub.port, hub.password)
        assert answer.status_code == 200, answer.text
        return hub

    def test_what_goes_round_is_stopped_and_told_at_the_link(self, circle: Hub, master: Master) -> None:
        link = link_of(master.rest)
        with Listening(rest(circle)) as stream:
            rest(circle).fire("round_and_round", {"n": 1})
            rest(circle).set_state("garden.gate", "open")
            wait_until(
                lambda: "as if it went round" in str(rest(circle).attribute(link, "last_error")), 2 * _SOON, "the guard"
            )
            wait_until(lambda: _at_rest(stream), 2 * _SOON, "no event goes round any more")
            assert 30 < len(stream.of("round_and_round")) < 40
            rest(circle).fire("another", {"n": 2})
            stream.hears("another")
        assert rest(circle).value(link) == "connected"

    def test_a_call_that_comes_back_is_not_carried_out_again(self, circle: Hub, master: Master) -> None:
        with Listening(rest(circle)) as stream:
            rest(circle).call("light", "turn_on", {"entity_id": "light.bed_light"})
            rest(circle).call("switch", "toggle", {"entity_id": "switch.ac"})
            wait_until(lambda: _at_rest(stream), 2 * _SOON, "no event goes round any more")
            assert len(stream.of("call_service")) > 4
        assert rest(circle).value("switch.ac") == "on"


class TestBetweenARealMasterAndARealSlave:
    @pytest.fixture
    def far(self, linked: Hub, tmp_path: Path) -> Iterator[Slave]:
        """A real slave of the hub that is itself the slave of the real master."""
        with Slave(release("0.7.0.1"), tmp_path / "far", rest(linked)) as running:
            yield running

    def test_a_change_passes_through_the_hub(self, linked: Hub, master: Master, far: Slave) -> None:
        master.rest.call("light", "turn_on", {"entity_id": "light.bed_light"})
        wait_until(lambda: far.value("light.bed_light") == "on", _SOON, "the light at the far slave")
        master.rest.fire("from_afar", {"n": 1})
        assert far.hears("from_afar") == [{"n": 1}]
        stays(lambda: len(far.heard("from_afar")) == 1, _QUIET, "heard once")

    def test_a_service_call_passes_through_the_hub_and_is_answered(
        self, linked: Hub, master: Master, far: Slave
    ) -> None:
        assert far.call_service("light", "turn_off", {"entity_id": "light.kitchen_lights"}) < _PROMPT
        assert master.rest.value("light.kitchen_lights") == "off"
        wait_until(lambda: far.value("light.kitchen_lights") == "off", _SOON, "the change at the far slave")


def _forward(hub: Hub, master: Master) -> None:
    """Let the hub forward its events to the master."""
    answer = rest(hub).forward_to(master.rest.host, master.rest.port, master.rest.password)
    assert answer.status_code == 200, answer.text


def _at_rest(stream: Listening) -> bool:
    before = len(stream.events)
    time.sleep(1)
    return len(stream.events) == before


def _hears_once(linked: Hub, master: Master) -> None:
    with Listening(rest(linked)) as stream:
        master.rest.fire("registered_again")
        stream.hears("registered_again", seconds=_AGAIN)
        stays(lambda: len(stream.of("registered_again")) == 1, _QUIET, "heard once")


def _timed_write(hub: Hub, number: int) -> float:
    started = time.monotonic()
    rest(hub).set_state("attic.window", number)
    return time.monotonic() - started
