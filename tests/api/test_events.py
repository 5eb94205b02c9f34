"""Events over the door: fired, counted, and the two that mean something to the hub itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.wire import EventStream, Wire, said
from tests.hubs import RunningHub
from tests.peers.waiting import wait_until


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        yield wire


@pytest.mark.parametrize(
    ("path", "data", "event_type", "heard"),
    [
        ("Door_Bell.2", {"k": [1, None]}, "Door_Bell.2", {"k": [1, None]}),
        ("plain", None, "plain", {}),
        ("plain", [], "plain", {}),
        ("plain", "", "plain", {}),
        ("plain", [["a", 1]], "plain", {"a": 1}),
        ("plain?a=1&b=2", {"b": 3}, "plain", {"a": "1", "b": 3}),
        ("golden-dash/more", {"k": "ü"}, "golden", {"k": "ü"}),
    ],
)
def test_an_event_is_fired_as_it_was_sent(
    door: RunningHub, wire: Wire, path: str, data: Any, event_type: str, heard: Any
) -> None:
    with EventStream(door) as stream:
        answer = wire.ask("POST", f"/api/events/{path}", data)
        assert (answer.status, answer.json()) == (200, {"message": f"Event {event_type} fired."})
        (event,) = stream.heard()
    assert list(event) == ["event_type", "data", "origin", "time_fired"]
    assert (event["event_type"], event["data"], event["origin"]) == (event_type, heard, "REMOTE")


@pytest.mark.parametrize("data", [None, 5, "abc", [1], {"k": "\ud800"}])
def test_what_cannot_be_data_is_refused_and_not_fired(door: RunningHub, wire: Wire, data: Any) -> None:
    body = b"null" if data is None else None
    with EventStream(door) as stream:
        answer = door.ask("POST", "/api/events/refused", data, body=body)
        said(answer, 422)
        assert stream.heard() == []


@pytest.mark.parametrize("path", ["/api/events/", "/api/events/-", "/api/events/%41"])
def test_an_event_needs_a_name(wire: Wire, path: str) -> None:
    said(wire.ask("POST", path, {}), 404)


def test_a_listener_to_everything_is_counted_while_there_is_a_stream(door: RunningHub, wire: Wire) -> None:
    def everything() -> int:
        listed = wire.ask("GET", "/api/events").json()
        assert all(list(entry) == ["event", "listener_count"] for entry in listed)
        return sum(entry["listener_count"] for entry in listed if entry["event"] == "*")

    wait_until(lambda: everything() == 0, 45, "the streams of other tests are over")
    with EventStream(door):
        assert everything() == 1


def test_a_state_changed_event_from_outside_writes_no_state(door: RunningHub, wire: Wire) -> None:
    before = wire.ask("GET", "/api/states").body
    new = {"entity_id": "foreign.one", "state": "on", "attributes": {}, "last_changed": "no date"}
    with EventStream(door) as stream:
        assert wire.ask("POST", "/api/events/state_changed", {"new_state": new}).status == 200
        assert [event["data"] for event in stream.heard()] == [{"new_state": new}]
    assert wire.ask("GET", "/api/states").body == before


@pytest.mark.parametrize("key", ["old_state", "new_state"])
@pytest.mark.parametrize("entity_id", [5, None, "nodot", "a.b.c", ["a.b"], ""])
def test_a_state_changed_event_about_no_entity_is_refused(
    door: RunningHub, wire: Wire, key: str, entity_id: Any
) -> None:
    with EventStream(door) as stream:
        said(wire.ask("POST", "/api/events/state_changed", {key: {"entity_id": entity_id, "state": "on"}}), 400)
        assert stream.heard() == []


@pytest.mark.parametrize("nested", [False, True])
def test_a_call_service_event_runs_the_service_and_tells_when_it_is_done(
    door: RunningHub, wire: Wire, nested: bool
) -> None:
    wire.ask("POST", "/api/services/switch/turn_off", {"entity_id": "switch.ac"})
    arguments: dict[str, Any] = {"entity_id": "switch.ac"}
    call: dict[str, Any] = {"domain": "switch", "service": "turn_on", "service_call_id": f"theirs-{nested}"}
    call |= {"service_data": arguments} if nested else arguments
    with EventStream(door) as stream:
        assert wire.ask("POST", "/api/events/call_service", call).status == 200
        heard = [(e["event_type"], e["origin"], e["data"]) for e in stream.heard()]
    assert heard[0] == ("call_service", "REMOTE", call)
    assert {kind for kind, _origin, _data in heard[1:-1]} == {"state_changed"}
    assert heard[-1] == ("service_executed", "LOCAL", {"service_call_id": f"theirs-{nested}"})
    assert wire.ask("GET", "/api/states/switch.ac").json()["state"] == "on"


@pytest.mark.parametrize(
    "call",
    [{}, {"domain": "switch"}, {"domain": 5, "service": []}, {"domain": "no", "service": "such"}],
)
def test_a_call_service_event_for_nothing_does_nothing(door: RunningHub, wire: Wire, call: Any) -> None:
    with EventStream(door) as stream:
        assert wire.ask("POST", "/api/events/call_service", call).status == 200
        assert [event["event_type"] for event in stream.heard()] == ["call_service"]
