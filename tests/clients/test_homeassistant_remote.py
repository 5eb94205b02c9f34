"""`homeassistant.remote`, the Python client that the document of 2014 names: five releases from 2015 to 2019.

Every function of each release is called; what it returns is compared with what the hub shows to others.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.peers.environments import plain_environment, release
from tests.peers.ports import free_port
from tests.peers.rest import Listening, Rest
from tests.peers.targets import Target
from tests.peers.waiting import stays, wait_until

# the first test of a fresh machine fetches the releases
pytestmark = pytest.mark.timeout(600)

ALL = ("0.7.0.1", "0.12.0", "0.17.3", "0.42.4", "0.85.1")
WITH_REMOVE_STATE = ("0.17.3", "0.42.4", "0.85.1")
WITH_GET_CONFIG = ("0.42.4", "0.85.1")
READING_DATES = ("0.7.0.1", "0.12.0", "0.17.3")
WRITING_DATES = ("0.42.4", "0.85.1")
WITH_FORWARDING = ("0.7.0.1", "0.12.0", "0.17.3", "0.42.4")
FORMAT = "%H:%M:%S %d-%m-%Y"


class Failed(AssertionError):
    """The client raised."""


class Client:
    """A release of `homeassistant.remote` in a process of its own; see remote_program.py."""

    def __init__(self, version: str, home: Rest) -> None:
        self._command = [str(release(version)), str(Path(__file__).with_name("remote_program.py"))]
        self._home = home
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=plain_environment()
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate(timeout=60)

    def call(self, function: str, *arguments: object) -> Any:
        """What the function returns. AssertionError when the client logs an error."""
        said = self.say(function, *arguments)
        assert said["logged"] == []
        return said["result"]

    def say(self, function: str, *arguments: object, server: Rest | None = None) -> dict[str, Any]:
        """What it returns and logs. Failed when it raises."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = {"api": address(server or self._home), "call": function, "arguments": arguments}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise Failed(said["error"])
        return dict(said)


def address(server: Rest | Target) -> dict[str, Any]:
    password = server.password if isinstance(server, Rest) else "targetpw"
    return {"host": server.host, "port": server.port, "password": password}


@pytest.fixture(scope="module", params=ALL)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def client(version: str, home: Rest) -> Iterator[Client]:
    with Client(version, home) as running:
        yield running


def only(*versions: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("version", versions, indirect=True, scope="module")


def test_the_api_is_valid_with_the_right_password_only(client: Client, home: Rest) -> None:
    wrong = Rest(home.host, home.port, "wrong")
    nobody = Rest(home.host, free_port(), home.password)
    said = [client.say("API.validate_api", server=server) for server in (home, wrong, nobody)]
    assert [(each["result"], each["status"]) for each in said] == [
        (True, "ok"),
        (False, "invalid_password"),
        (False, "cannot_connect"),
    ]


def test_event_listeners_are_listed_with_counts(client: Client, home: Rest) -> None:
    wait_until(lambda: _of_everything(home) == [], 45, "the streams of other tests are over")
    with Listening(home):
        listeners = client.call("get_event_listeners")
        assert listeners == home.ask("GET", "/api/events").json()
    assert all(set(each) == {"event", "listener_count"} for each in listeners)
    assert {"event": "*", "listener_count": 1} in listeners


def _of_everything(home: Rest) -> list[Any]:
    return [entry for entry in home.ask("GET", "/api/events").json() if entry["event"] == "*"]


def test_a_fired_event_is_heard_with_its_data_and_without(client: Client, home: Rest, version: str) -> None:
    data = {"who": "Zoë ☕", "n": [1, 2.5, None, {"deep": True}]}
    with Listening(home) as stream:
        client.call("fire_event", f"full_{version}", data)
        client.call("fire_event", f"empty_{version}")
        assert stream.hears(f"full_{version}") == data
        assert stream.hears(f"empty_{version}") == {}


def test_a_state_and_all_states_are_what_the_hub_shows(client: Client, home: Rest) -> None:
    home.set_state("clients.shown", "yes", {"friendly_name": "Shown", "n": 5, "deep": {"list": [1, None]}})
    shown = home.states()
    got = {state["entity_id"]: state for state in client.call("get_states")}
    assert {(name, state["state"]) for name, state in got.items()} == {
        (name, state["state"]) for name, state in shown.items()
    }
    one = client.call("get_state", "clients.shown")
    for state in (one, got["clients.shown"]):
        assert state["state"] == "yes"
        assert state["attributes"] == shown["clients.shown"]["attributes"]
    typed = client.call("get_state", "Clients.SHOWN")
    assert (typed["entity_id"], typed["state"]) == ("clients.shown", "yes")
    assert client.call("get_state", "clients.nobody") is None


@only(*READING_DATES)
def test_the_time_of_the_last_change_is_understood(client: Client, home: Rest, version: str) -> None:
    home.set_state("clients.dated", version)
    shown = home.state("clients.dated")
    assert shown is not None
    wanted = datetime.strptime(shown["last_changed"], FORMAT).replace(tzinfo=UTC)
    time.sleep(1.1)  # who does not understand the date takes the present time
    got = datetime.fromisoformat(client.call("get_state", "clients.dated")["last_changed"]).replace(tzinfo=UTC)
    assert got == wanted


@only(*WRITING_DATES)
def test_a_date_that_a_later_release_does_not_understand_is_no_error(client: Client, home: Rest) -> None:
    home.set_state("clients.dated", "now")
    before = datetime.now(UTC).replace(microsecond=0)
    got = datetime.fromisoformat(client.call("get_state", "clients.dated")["last_changed"]).replace(tzinfo=UTC)
    assert before <= got <= datetime.now(UTC)


def test_a_state_is_set_anew_and_again(client: Client, home: Rest, version: str) -> None:
    entity = f"clients.set_{version.replace('.', '_')}"
    assert client.call("set_state", entity, "one", {"unit": "°C", "n": None}) is True
    assert (home.value(entity), home.attribute(entity, "unit"), home.attribute(entity, "n")) == ("one", "°C", None)
    assert client.call("set_state", entity, 21.5) is True
    state = home.state(entity)
    assert state is not None
    assert (state["state"], state["attributes"]) == ("21.5", {})


def test_a_state_that_cannot_be_set_is_told_and_not_raised(client: Client) -> None:
    said = client.say("set_state", "no_entity_id", "on")
    assert said["result"] is False
    assert "400" in said["logged"][0]


def test_whether_an_entity_shows_a_state_is_told(client: Client, home: Rest) -> None:
    home.set_state("clients.asked", "on")
    assert client.call("is_state", "clients.asked", "on") is True
    assert client.call("is_state", "clients.asked", "off") is False
    assert not client.call("is_state", "clients.nobody", "on")


def test_services_are_listed_by_domain(client: Client) -> None:
    services = {each["domain"]: each["services"] for each in client.call("get_services")}
    assert {"turn_on", "turn_off"} <= set(services["light"])
    assert {"turn_on", "turn_off"} <= set(services["switch"])
    assert {"turn_on", "turn_off"} <= set(services["homeassistant"])


@pytest.mark.parametrize(
    "entities",
    ["light.bed_light", ["light.bed_light"], ["light.bed_light", "light.kitchen_lights"]],
    ids=["a text", "a list", "two"],
)
def test_a_service_reaches_the_entities_it_names(client: Client, home: Rest, entities: str | list[str]) -> None:
    named = [entities] if isinstance(entities, str) else entities
    client.call("call_service", "light", "turn_off")
    client.call("call_service", "light", "turn_on", {"entity_id": entities, "brightness": 120})
    assert {name for name, state in home.states().items() if name.startswith("light.") and state["state"] == "on"} == {
        *named
    }
    assert [home.attribute(name, "brightness") for name in named] == [120] * len(named)


def test_a_service_without_entity_reaches_its_whole_domain(client: Client, home: Rest) -> None:
    for service, state in [("turn_on", "on"), ("turn_off", "off")]:
        client.call("call_service", "light", service)
        lights = {value["state"] for name, value in home.states().items() if name.startswith("light.")}
        assert lights == {state}


def test_a_service_reaches_the_members_of_a_group_and_any_domain(client: Client, home: Rest) -> None:
    for service, state in [("turn_on", "on"), ("turn_off", "off")]:
        client.call("call_service", "homeassistant", service, {"entity_id": "group.mixed"})
        wait_until(lambda state=state: home.value("group.mixed") == state, 60, "the state of the group")  # type: ignore[misc]
        assert (home.value("light.bed_light"), home.value("switch.ac")) == (state, state)


def test_a_service_that_nobody_has_is_told_before_the_client_gives_up(client: Client) -> None:
    said = client.say("call_service", "clients", "nothing", {"n": 1})
    assert "404" in said["logged"][0]


@only(*WITH_REMOVE_STATE)
def test_a_state_cannot_be_removed_and_the_client_is_told(client: Client, home: Rest) -> None:
    home.set_state("clients.stays", "here")
    said = client.say("remove_state", "clients.stays")
    assert said["result"] is False
    assert "405" in said["logged"][0]
    assert home.value("clients.stays") == "here"


@only(*WITH_GET_CONFIG)
def test_the_configuration_is_told(client: Client) -> None:
    config = client.call("get_config")
    assert (config["location_name"], config["time_zone"]) == ("Real", "Europe/Amsterdam")
    assert (config["latitude"], config["longitude"], config["temperature_unit"]) == (52.0, 5.0, "°C")
    assert {"api", "light"} <= set(config["components"])


@only(*WRITING_DATES)
def test_dates_and_sets_arrive_as_the_client_writes_them(client: Client, home: Rest) -> None:
    attributes = {"at": {"a date": "2016-02-03T04:05:06"}, "members": {"a set": ["one"]}}
    assert client.call("set_state", "clients.encoded", "on", attributes) is True
    assert home.attribute("clients.encoded", "at") == "2016-02-03T04:05:06+00:00"
    assert home.attribute("clients.encoded", "members") == ["one"]


def test_a_state_inside_an_event_arrives_as_the_client_writes_it(client: Client, home: Rest, version: str) -> None:
    state = {"a state": ["clients.inner", "on"]}
    with Listening(home) as stream:
        client.call("fire_event", f"inner_{version}", {"entity_id": "clients.inner", "new_state": state})
        data = stream.hears(f"inner_{version}")
        client.call("fire_event", "state_changed", {"entity_id": "clients.inner", "new_state": state})
        changed = stream.hears("state_changed", like=lambda data: bool(data["entity_id"] == "clients.inner"))
    for each in (data, changed):
        assert (each["new_state"]["entity_id"], each["new_state"]["state"]) == ("clients.inner", "on")
    assert home.state("clients.inner") is None


@only(*WITH_FORWARDING)
def test_event_forwarding_is_set_up_and_cancelled(client: Client, home: Rest) -> None:
    with Target() as target:
        assert client.call("connect_remote_events", {"an API": address(target)}) is True
        home.fire("forwarded", {"n": 1})
        wait_until(lambda: target.events("forwarded"), 60, "the event at the target")
        assert client.call("disconnect_remote_events", {"an API": address(target)}) is True
        home.fire("forwarded", {"n": 2})
        stays(lambda: [each.data for each in target.events("forwarded")] == [{"n": 1}], 0.3, "nothing more comes")
    said = client.say("connect_remote_events", {"an API": address(target)})
    assert said["result"] is False
    assert "422" in said["logged"][0]
