"""Two Node clients from npm: `homeassistant` (promises over REST) and `node-home-assistant` (REST and the stream)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lines import Lines
from tests.peers.environments import NodeClient, modules_of, plain_environment, program
from tests.peers.rest import Listening, Rest
from tests.peers.waiting import wait_until

# the first test of a fresh machine fetches the clients
pytestmark = pytest.mark.timeout(600)

PROGRAMS = Path(__file__).with_name("programs")
PROMISES = NodeClient("homeassistant", "0.2.0")
STREAMING = NodeClient("node-home-assistant", "0.0.3")


class Promises:
    """The client `homeassistant`; each use is a process that makes some calls and ends."""

    def __init__(self, home: Rest, password: str | None = None) -> None:
        self._folder = modules_of(PROMISES)
        self._options = {
            "host": f"http://{home.host}",
            "port": home.port,
            "password": home.password if password is None else password,
        }

    def run(self, *calls: tuple[object, ...]) -> list[Any]:
        """What the calls resolve to. AssertionError when one is rejected."""
        script = PROGRAMS / "homeassistant.js"
        given = json.dumps([str(self._folder), self._options, calls])
        done = subprocess.run(
            [str(program("node")), str(script), given],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=plain_environment(),
        )
        said = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line for line in said if "error" in line] == [], done.stderr
        assert len(said) == len(calls), done.stderr
        return [line.get("result") for line in said]


@pytest.fixture
def promises(home: Rest) -> Promises:
    return Promises(home)


def test_homeassistant_reads_status_config_and_bootstrap(promises: Promises) -> None:
    status, config, bootstrap = promises.run(("", "status"), ("", "config"), ("", "bootstrap"))
    assert status == {"message": "API running."}
    assert config["location_name"] == "Real"
    assert set(bootstrap) == {"config", "events", "services", "states"}
    assert bootstrap["config"] == config


def test_homeassistant_lists_states_services_and_events(promises: Promises, home: Rest) -> None:
    home.set_state("clients.node", "ready", {"unit": "°C"})
    states, services, events = promises.run(("states", "list"), ("services", "list"), ("events", "list"))
    assert {state["entity_id"]: state for state in states} == home.states()
    assert "turn_on" in {each["domain"]: each["services"] for each in services}["light"]
    assert all(set(each) == {"event", "listener_count"} for each in events)


def test_homeassistant_reads_and_updates_one_state(promises: Promises, home: Rest) -> None:
    home.set_state("clients.number", 1)
    short, full, updated, made, missing = promises.run(
        ("states", "get", "clients", "number"),
        ("states", "get", "clients", "clients.number"),
        ("states", "update", "clients", "number", {"state": "Größe ☕", "attributes": {"n": [1, None]}}),
        ("states", "update", "clients", "made", '{"state": 3}'),
        ("states", "get", "clients", "nobody"),
    )
    assert (short, short["state"]) == (full, "1")
    assert (updated["state"], updated["attributes"]) == ("Größe ☕", {"n": [1, None]})
    assert (made["entity_id"], home.value("clients.made")) == ("clients.made", "3")
    assert missing == {"message": "State does not exist."}


def test_homeassistant_calls_services_by_name_and_with_data(promises: Promises, home: Rest) -> None:
    home.call("light", "turn_off")
    by_name, with_data = promises.run(
        ("services", "call", "turn_on", "light", "bed_light"),
        ("services", "call", "turn_on", "light", {"entity_id": "light.kitchen_lights", "brightness": 70}),
    )
    assert "light.bed_light" in {state["entity_id"] for state in by_name}
    assert "light.kitchen_lights" in {state["entity_id"] for state in with_data}
    assert (home.value("light.bed_light"), home.attribute("light.kitchen_lights", "brightness")) == ("on", 70)


def test_homeassistant_fires_events(promises: Promises, home: Rest) -> None:
    with Listening(home) as stream:
        fired, empty = promises.run(
            ("events", "fire", "node_full", {"who": "Zoë"}), ("events", "fire", "node_empty", {})
        )
        assert stream.hears("node_full") == {"who": "Zoë"}
        assert stream.hears("node_empty") == {}
    assert (fired, empty) == ({"message": "Event node_full fired."}, {"message": "Event node_empty fired."})


def test_homeassistant_with_a_wrong_password_is_told_so(home: Rest) -> None:
    told = {"message": "API password missing or incorrect."}
    assert Promises(home, "wrong").run(("", "status"), ("states", "list")) == [told, told]


@pytest.fixture
def streaming(home: Rest, tmp_path: Path) -> Iterator[Lines]:
    """The client `node-home-assistant`, connected to the stream and with its first picture of the home."""
    home.set_state("clients.streamed", "before")
    config = {"baseUrl": home.url, "apiPass": home.password}
    given = json.dumps([str(modules_of(STREAMING)), config])
    with Lines([program("node"), PROGRAMS / "node-home-assistant.js", given], tmp_path / "node.log") as running:
        running.hears("ha_events:open")
        for name in ("states", "availableServices", "availableEvents"):
            wait_until(lambda name=name: running.ask("cached", name)["result"], 60, name)  # type: ignore[misc]
        yield running


def test_node_home_assistant_has_the_home_from_its_start(streaming: Lines, home: Rest) -> None:
    assert streaming.ask("cached", "states")["result"] == home.states()
    assert "light" in {each["domain"] for each in streaming.ask("cached", "availableServices")["result"]}
    assert all(
        set(each) == {"event", "listener_count"} for each in streaming.ask("cached", "availableEvents")["result"]
    )


def test_node_home_assistant_follows_states_and_events(streaming: Lines, home: Rest) -> None:
    home.set_state("clients.streamed", "after", {"unit": "°C"})
    changed = streaming.hears("ha_events:state_changed:clients.streamed")
    assert changed["event"]["old_state"]["state"] == "before"
    assert (changed["event"]["new_state"]["state"], changed["event"]["new_state"]["attributes"]) == (
        "after",
        {"unit": "°C"},
    )
    assert streaming.ask("cached", "states")["result"]["clients.streamed"] == home.state("clients.streamed")
    home.fire("node_streamed", {"n": 1})
    assert streaming.hears("ha_events:node_streamed")["event"] == {"n": 1}
    assert streaming.heard("ha_events:error") == []
    assert streaming.heard("ha_events:close") == []


def test_node_home_assistant_calls_services(streaming: Lines, home: Rest) -> None:
    home.call("switch", "turn_off")
    answer = streaming.ask("callService", "switch", "turn_on", {"entity_id": "switch.ac"})["result"]
    assert "switch.ac" in {state["entity_id"] for state in answer}
    assert home.value("switch.ac") == "on"
    assert streaming.hears("ha_events:state_changed:switch.ac")["event"]["new_state"]["state"] == "on"
    assert "404" in streaming.ask("callService", "clients", "nothing")["error"]
