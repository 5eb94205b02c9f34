"""The real servers talk to each other, so that a failure against hallway is hallway's.

Nothing here knows hallway: a real master, real slaves, and the recording target in a slave's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.environments import release
from tests.peers.homeassistant07 import Master, Slave
from tests.peers.rest import Listening
from tests.peers.targets import Target
from tests.peers.waiting import stays, wait_until

# the first test of a fresh machine fetches the releases
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with Master(release("0.7.0.1"), tmp_path_factory.mktemp("master")) as running:
        yield running


@pytest.fixture(params=["0.7.0.1", "0.12.0"])
def slave(request: pytest.FixtureRequest, master: Master, tmp_path: Path) -> Iterator[Slave]:
    with Slave(release(request.param), tmp_path / "slave", master.rest) as running:
        yield running


def test_a_slave_has_the_masters_states_from_its_start(master: Master, slave: Slave) -> None:
    ours, theirs = master.rest.states(), slave.states()
    assert {name: state["state"] for name, state in theirs.items()} == {
        name: state["state"] for name, state in ours.items()
    }
    assert "light.bed_light" in theirs


def test_a_state_of_the_master_reaches_the_slave(master: Master, slave: Slave) -> None:
    master.rest.set_state("peers.m", slave.rest.port, {"unit": "°C"})
    wait_until(lambda: slave.value("peers.m") == str(slave.rest.port), 60, "the state at the slave")
    assert slave.states()["peers.m"]["attributes"] == {"unit": "°C"}


def test_a_state_of_the_slave_is_written_at_the_master_and_comes_back(master: Master, slave: Slave) -> None:
    slave.set_state("peers.s", str(slave.rest.port))
    assert master.rest.value("peers.s") == str(slave.rest.port)
    wait_until(lambda: slave.value("peers.s") == str(slave.rest.port), 60, "the echo at the slave")


def test_events_pass_both_ways_and_the_slave_hears_its_own_once(master: Master, slave: Slave) -> None:
    with Listening(master.rest) as stream:
        slave.fire("peers_up", {"n": 1})
        master.rest.fire("peers_down", {"n": [2, None]})
        assert stream.hears("peers_up") == {"n": 1}
        assert slave.hears("peers_down") == [{"n": [2, None]}]
        assert slave.hears("peers_up") == [{"n": 1}]
        stays(lambda: len(slave.heard("peers_up")) == 1, 0.3, "heard once")


def test_services_pass_both_ways(master: Master, slave: Slave) -> None:
    for service, state in [("turn_on", "on"), ("turn_off", "off")]:
        assert slave.call_service("switch", service, {"entity_id": "switch.ac"}) < 9
        assert master.rest.value("switch.ac") == state
    slave.register_service("peers", "hello")
    slave.hears("service_registered")
    assert master.rest.call("peers", "hello", {"x": 1}) < 9
    assert [call["data"]["x"] for call in slave.calls()] == [1]


def test_a_stopped_slave_hears_nothing_and_a_new_one_on_its_port_everything_once(master: Master, slave: Slave) -> None:
    slave.stop()
    master.rest.fire("peers_meanwhile")
    slave.start()
    master.rest.fire("peers_again")
    slave.hears("peers_again")
    stays(lambda: len(slave.heard("peers_again")) == 1, 0.3, "heard once")
    assert slave.heard("peers_meanwhile") == []


def test_a_master_that_was_killed_comes_back_on_its_port_without_its_slaves(tmp_path: Path) -> None:
    with (
        Master(release("0.7.0.1"), tmp_path / "master") as master,
        Slave(release("0.7.0.1"), tmp_path / "slave", master.rest) as slave,
    ):
        master.kill()
        assert not master.rest.answers()
        master.start()
        master.rest.fire("peers_forgotten")
        stays(lambda: slave.heard("peers_forgotten") == [], 0.5, "the real master forgets its registrations")


def test_the_recording_target_passes_for_a_slave_dies_and_comes_back(master: Master) -> None:
    with Target() as target:
        assert master.rest.forward_to(target.host, target.port, "targetpw").status_code == 200
        master.rest.fire("peers_one", {"n": 1})
        wait_until(lambda: target.events("peers_one"), 60, "the event at the target")
        target.die()
        assert master.rest.forward_to(target.host, target.port, "targetpw").status_code == 422
        target.come_back()
        master.rest.fire("peers_two")
        wait_until(lambda: target.events("peers_two"), 60, "the next event at the target")
        assert master.rest.ask("DELETE", "/api/event_forwarding", {"host": target.host, "port": target.port}).ok
        assert [(each.method, each.path) for each in target.received[:1]] == [("GET", "/api/")]
        assert {each.headers["x-ha-access"] for each in target.received} == {"targetpw"}
        assert target.events("peers_one")[0].data == {"n": 1}
