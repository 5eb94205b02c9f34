"""Services over the door: the answer is what changed, side effects included, and no call waits for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.wire import EventStream, Wire, said
from tests.hubs import RunningHub
from tests.peers.targets import Target


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        for service, entity_ids in (
            ("light/turn_off", ["light.bed_light", "light.ceiling_lights", "light.kitchen_lights"]),
            ("switch/turn_off", ["switch.ac", "switch.decorative_lights"]),
        ):
            assert wire.ask("POST", f"/api/services/{service}", {"entity_id": entity_ids}).status == 200
        yield wire


def call(wire: Wire, service: str, data: Any = None) -> dict[str, str]:
    """Entity → state of what the call answered."""
    answer = wire.ask("POST", f"/api/services/{service}", data)
    assert answer.status == 200, answer.body
    return {state["entity_id"]: state["state"] for state in answer.json()}


def test_the_services_are_listed_by_domain(wire: Wire) -> None:
    listed = wire.ask("GET", "/api/services").json()
    assert all(list(entry) == ["domain", "services"] for entry in listed)
    services = {entry["domain"]: entry["services"] for entry in listed}
    assert {"turn_on", "turn_off", "toggle"} <= set(services["light"])
    assert {"turn_on", "turn_off", "toggle", "stop"} <= set(services["homeassistant"])
    assert services["variable"] == ["set"]


def test_the_answer_is_the_changed_states_with_the_groups_they_are_in(wire: Wire) -> None:
    changed = call(wire, "light/turn_on", {"entity_id": "light.bed_light", "brightness": 120})
    assert changed == {"light.bed_light": "on", "group.lights": "on", "group.mixed": "on"}
    shown = wire.ask("GET", "/api/states/light.bed_light").json()
    assert 118 <= shown["attributes"]["brightness"] <= 122


def test_the_answer_has_the_states_as_they_are_read_afterwards(wire: Wire) -> None:
    for state in wire.ask("POST", "/api/services/light/turn_on", {"entity_id": "light.kitchen_lights"}).json():
        assert state == wire.ask("GET", f"/api/states/{state['entity_id']}").json()


def test_what_did_not_change_is_not_in_the_answer(wire: Wire) -> None:
    call(wire, "light/turn_on", {"entity_id": "light.bed_light"})
    assert call(wire, "light/turn_on", {"entity_id": "light.bed_light"}) == {}
    assert call(wire, "light/turn_on", {"entity_id": "light.ceiling_lights"}) == {"light.ceiling_lights": "on"}


def test_computed_variables_are_in_the_answer(wire: Wire) -> None:
    call(wire, "variable/set", {"name": "answer", "value": 1})
    changed = call(wire, "variable/set", {"entity_id": "variable.answer", "value": 5})
    assert changed == {"variable.answer": "5", "variable.double": "10", "variable.far": "11"}


@pytest.mark.parametrize("name", ["double", "far", "nobody"])
def test_a_variable_that_cannot_be_set_is_told_so(wire: Wire, name: str) -> None:
    answer = wire.ask("POST", "/api/services/variable/set", {"name": name, "value": 5})
    said(answer, 404 if name == "nobody" else 400)


@pytest.mark.parametrize("field", ["LIGHT.Bed_Light", ["Light.BED_light"], ["light.bed_light", "no.body"]])
def test_entities_are_named_in_any_case_alone_or_in_a_list(wire: Wire, field: Any) -> None:
    assert call(wire, "light/turn_on", {"entity_id": field})["light.bed_light"] == "on"


def test_a_text_with_commas_names_nobody(wire: Wire) -> None:
    assert call(wire, "light/turn_on", {"entity_id": "light.bed_light,light.ceiling_lights"}) == {}


def test_without_entity_id_all_of_the_domain_are_meant(wire: Wire) -> None:
    changed = call(wire, "light/turn_on")
    lights = {"light.bed_light", "light.ceiling_lights", "light.kitchen_lights"}
    assert {entity_id for entity_id in changed if entity_id.startswith("light.")} == lights


def test_a_group_reaches_its_members_through_homeassistant(wire: Wire) -> None:
    changed = call(wire, "homeassistant/turn_on", {"entity_id": "group.mixed"})
    assert changed["light.bed_light"] == changed["switch.ac"] == changed["group.mixed"] == "on"


def test_what_follows_a_service_in_the_path_is_not_looked_at(wire: Wire) -> None:
    assert call(wire, "light/turn_on/extra/more", {"entity_id": "light.bed_light"})["light.bed_light"] == "on"


@pytest.mark.parametrize("service", ["light/nothing", "nobody/turn_on", "light/Turn_On", "Light/turn_on"])
def test_a_service_that_nobody_has_is_404_at_once(wire: Wire, service: str) -> None:
    began = time.monotonic()
    assert "there is no service" in said(wire.ask("POST", f"/api/services/{service}", {}), 404)
    assert time.monotonic() - began < 8  # and not after the ten seconds that a service elsewhere has


@pytest.mark.parametrize(
    "data",
    [{"entity_id": 5}, {"entity_id": [1]}, {"entity_id": {"a": 1}}, {"brightness": "bright"}, {"brightness": []}],
)
def test_data_that_does_not_fit_is_told_so_and_nothing_happens(door: RunningHub, wire: Wire, data: Any) -> None:
    before = wire.ask("GET", "/api/states").body
    with EventStream(door) as stream:
        said(wire.ask("POST", "/api/services/light/turn_on", data), 400)
        assert stream.heard() == []
    assert wire.ask("GET", "/api/states").body == before


def test_a_call_is_told_in_order_call_changes_done(door: RunningHub, wire: Wire) -> None:
    data = {"entity_id": "light.bed_light", "domain": "theirs", "service": "theirs", "note": "ü"}
    with EventStream(door) as stream:
        call(wire, "light/turn_on", data)
        events = stream.heard()
    first, last = events[0], events[-1]
    assert (first["event_type"], last["event_type"]) == ("call_service", "service_executed")
    assert {event["event_type"] for event in events[1:-1]} == {"state_changed"}
    assert {event["origin"] for event in events} == {"LOCAL"}
    told = dict(first["data"])
    assert last["data"] == {"service_call_id": told.pop("service_call_id")}
    assert told == {"entity_id": "light.bed_light", "domain": "light", "service": "turn_on", "note": "ü"}


def test_a_remote_service_that_never_answers_is_given_up_after_ten_seconds(hub: RunningHub) -> None:
    with Target() as slave:
        there = {"host": slave.host, "port": slave.port, "api_password": "theirs"}
        assert hub.ask("POST", "/api/event_forwarding", there).status == 200
        announced = {"domain": "robot", "service": "sweep"}
        assert hub.ask("POST", "/api/events/service_registered", announced).status == 200
        began = time.monotonic()
        with Wire(hub) as waiting:
            answer = waiting.ask("POST", "/api/services/robot/sweep", {"room": 1})
        took = time.monotonic() - began
        asked = [event.data for event in slave.events("call_service")]
    assert (answer.status, answer.json()) == (200, [])
    assert 9.5 < took < 30  # the client's own patience ends after 45
    assert [(data["domain"], data["service"], data["room"]) for data in asked] == [("robot", "sweep", 1)]


def test_a_remote_service_is_done_when_the_other_hub_says_so(hub: RunningHub) -> None:
    with Target() as slave, Wire(hub) as waiting:
        there = {"host": slave.host, "port": slave.port, "api_password": "theirs"}
        assert hub.ask("POST", "/api/event_forwarding", there).status == 200
        data = {"room": 1}
        body = b'{"room": 1}'
        head = f"POST /api/services/robot/sweep HTTP/1.1\r\nX-HA-Access: {hub.password}\r\nContent-Length: {len(body)}"
        began = time.monotonic()
        waiting.send(head.encode() + b"\r\n\r\n" + body)
        while not slave.events("call_service"):
            assert time.monotonic() - began < 8
            time.sleep(0.02)
        asked = slave.events("call_service")[0].data
        assert asked["room"] == data["room"]
        hub.ask("POST", "/api/states/robot.one", {"state": "sweeping"})
        hub.ask("POST", "/api/events/service_executed", {"service_call_id": asked["service_call_id"]})
        answer = waiting.answer()
        assert time.monotonic() - began < 9  # and not after ten, when it would be given up
    assert "robot.one" in [state["entity_id"] for state in answer.json()]
