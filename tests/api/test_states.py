"""States over the door: what is kept of what is sent, what comes back, and when an event is fired."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.wire import EventStream, Wire, request, said
from tests.hubs import RunningHub

MEMBERS = ["attributes", "entity_id", "last_changed", "last_updated", "state"]
DATE = re.compile(r"\d\d:\d\d:\d\d \d\d-\d\d-\d{4}")


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        yield wire


def test_a_state_has_five_members_in_order_and_dates_in_whole_seconds_utc(wire: Wire) -> None:
    before = int(time.time())
    answer = wire.ask("POST", "/api/states/shape.one", {"state": "on", "attributes": {"k": [1, None, {"a": "ü"}]}})
    state = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert list(state) == MEMBERS
    assert state["attributes"] == {"k": [1, None, {"a": "ü"}]}
    assert DATE.fullmatch(state["last_changed"])
    shown = time.strptime(state["last_changed"] + " UTC", "%H:%M:%S %d-%m-%Y %Z")
    assert before <= (time.mktime(shown) - time.timezone) <= time.time()


def test_the_list_has_every_state_as_it_is_read_alone(wire: Wire) -> None:
    wire.ask("POST", "/api/states/listed.one", {"state": "1"})
    listed = wire.ask("GET", "/api/states").json()
    assert [state for state in listed if state["entity_id"] == "listed.one"]
    for state in listed:
        assert state == wire.ask("GET", f"/api/states/{state['entity_id']}").json()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("5", "5"),
        ("5.0", "5.0"),
        ("1e22", "1e+22"),
        ("-0.0", "-0.0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "True"),
        ("false", "False"),
        ("null", "None"),
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
        ('""', ""),
        ('"21.5 °C ✓"', "21.5 °C ✓"),
        ('"line\\nbreak"', "line\nbreak"),
        ('{"a": 1, "b": [true, null]}', "{'a': 1, 'b': [True, None]}"),
        ('[1, "a"]', "[1, 'a']"),
    ],
)
def test_a_state_of_any_kind_is_kept_as_python_writes_it(wire: Wire, sent: str, kept: str) -> None:
    wire.send(request("POST", "/api/states/kinds.one", b'{"state": %b}' % sent.encode(), X_HA_Access=wire.hub.password))
    assert wire.answer().json()["state"] == kept
    assert wire.ask("GET", "/api/states/kinds.one").json()["state"] == kept


def test_a_long_state_is_kept_whole(wire: Wire) -> None:
    assert wire.ask("POST", "/api/states/long.one", {"state": "x" * 1_000_000}).json()["state"] == "x" * 1_000_000


def test_a_new_entity_is_201_an_existing_one_200_in_whatever_case(wire: Wire) -> None:
    first = wire.ask("POST", "/api/states/Case.First_One", {"state": "1"})
    assert (first.status, first.headers["location"]) == (201, "/api/states/Case.First_One")
    assert first.json()["entity_id"] == "case.first_one"
    again = wire.ask("PUT", "/api/states/CASE.FIRST_ONE", {"state": "2"})
    assert (again.status, again.headers["location"]) == (200, "/api/states/CASE.FIRST_ONE")
    assert again.json()["entity_id"] == "case.first_one"
    assert wire.ask("GET", "/api/states/cAsE.first_one").json()["state"] == "2"


@pytest.mark.parametrize("tail", ["-tail", "/more", "/", "%20", "~", "!/x/y", ";a=b"])
def test_what_follows_an_entity_id_is_not_looked_at(wire: Wire, tail: str) -> None:
    written = wire.ask("POST", f"/api/states/prefix.one{tail}", {"state": tail})
    assert (written.status in {200, 201}, written.headers["location"]) == (True, "/api/states/prefix.one")
    assert wire.ask("GET", f"/api/states/prefix.one{tail}").json()["state"] == tail


def test_nothing_in_an_entity_id_is_percent_decoded(wire: Wire) -> None:
    said(wire.ask("GET", "/api/states/light%2Ebed_light"), 404)


@pytest.mark.parametrize("entity_id", ["plain", "a.", ".a", "a.b.c", "a..b", "a-b.c"])
def test_what_is_no_entity_id_cannot_be_written_nor_read(wire: Wire, entity_id: str) -> None:
    said(wire.ask("POST", f"/api/states/{entity_id}", {"state": "on"}), 400)
    assert said(wire.ask("GET", f"/api/states/{entity_id}"), 404) == "State does not exist."


def test_an_entity_id_may_be_long(wire: Wire) -> None:
    entity_id = "long." + "x" * 10_000
    assert wire.ask("POST", f"/api/states/{entity_id}", {"state": "on"}).json()["entity_id"] == entity_id
    assert wire.ask("GET", f"/api/states/{entity_id}").json()["state"] == "on"


def test_attributes_are_replaced_as_a_whole(wire: Wire) -> None:
    for given, kept in (({"a": 1, "b": 2}, {"a": 1, "b": 2}), ({"c": 3}, {"c": 3}), (None, {}), ({}, {}), ([], {})):
        data: Any = {"state": "on", "attributes": given}
        assert wire.ask("POST", "/api/states/replaced.one", data).json()["attributes"] == kept
    assert wire.ask("POST", "/api/states/replaced.one", {"state": "on"}).json()["attributes"] == {}


@pytest.mark.parametrize("attributes", [[1], [["a", 1]], "abc", 7, True])
def test_attributes_that_are_no_object_are_refused_and_nothing_is_changed(wire: Wire, attributes: Any) -> None:
    wire.ask("POST", "/api/states/kept.one", {"state": "before", "attributes": {"k": 1}})
    before = wire.ask("GET", "/api/states").body
    answer = wire.ask("POST", "/api/states/kept.one", {"state": "after", "attributes": attributes})
    assert said(answer, 400).startswith("attributes must be a JSON object")
    assert wire.ask("GET", "/api/states").body == before


@pytest.mark.parametrize(
    "body",
    [
        rb'{"state": "\ud800"}',
        rb'{"state": "on", "attributes": {"k": "\udfff"}}',
        rb'{"state": "on", "attributes": {"\ud800": 1}}',
        rb'{"state": "on", "attributes": {"k": [{"deep": "\udc00x"}]}}',
    ],
)
def test_half_a_surrogate_pair_is_refused_and_nothing_is_changed(wire: Wire, body: bytes) -> None:
    before = wire.ask("GET", "/api/states").body
    wire.send(request("POST", "/api/states/surrogate.one", body, X_HA_Access=wire.hub.password))
    assert "surrogate" in said(wire.answer(), 422)
    assert wire.ask("GET", "/api/states").body == before


def test_numbers_in_attributes_come_back_as_json_can_say_them(wire: Wire) -> None:
    body = (
        b'{"state": 1, "attributes": {"nan": NaN, "inf": -Infinity, "big": 123456789012345678901234567890, "f": 1.0}}'
    )
    wire.send(request("POST", "/api/states/numbers.one", body, X_HA_Access=wire.hub.password))
    assert wire.answer().status == 201
    text = wire.ask("GET", "/api/states/numbers.one").body
    assert b'"attributes":{"big":123456789012345678901234567890,"f":1.0,"inf":null,"nan":null}' in text
    json.loads(wire.ask("GET", "/api/states").body, parse_constant=pytest.fail)


@pytest.mark.parametrize("data", [None, {}, {"attributes": {}}, {"State": "on"}, [], ""])
def test_without_a_state_nothing_is_written(wire: Wire, data: Any) -> None:
    assert said(wire.ask("POST", "/api/states/without.one", data), 400).startswith("state not specified")
    said(wire.ask("GET", "/api/states/without.one"), 404)


def test_the_query_is_data_under_the_body(wire: Wire) -> None:
    assert wire.ask("POST", "/api/states/query.one?state=from+the%20query").json()["state"] == "from the query"
    assert wire.ask("POST", "/api/states/query.one?state=query", {"state": "body"}).json()["state"] == "body"
    assert wire.ask("POST", "/api/states/query.one?state=first&state=last").json()["state"] == "last"
    assert wire.ask("POST", "/api/states/query.one", [["state", "pairs"]]).json()["state"] == "pairs"


def test_an_unchanged_state_fires_no_event(door: RunningHub, wire: Wire) -> None:
    data = {"state": "same", "attributes": {"k": 1}}
    first = wire.ask("POST", "/api/states/quiet.one", data).json()
    with EventStream(door) as stream:
        time.sleep(1.1)
        again = wire.ask("POST", "/api/states/quiet.one", data)
        assert (again.status, again.json()) == (200, first)
        assert stream.heard() == []


def test_other_attributes_fire_an_event_and_keep_last_changed_a_new_state_moves_it(
    door: RunningHub, wire: Wire
) -> None:
    first = wire.ask("POST", "/api/states/moved.one", {"state": "1"}).json()
    time.sleep(1.1)
    with EventStream(door) as stream:
        second = wire.ask("POST", "/api/states/moved.one", {"state": "1", "attributes": {"k": 1}}).json()
        third = wire.ask("POST", "/api/states/moved.one", {"state": "2", "attributes": {"k": 1}}).json()
        events = [event["data"] for event in stream.heard()]
    assert second["last_changed"] == first["last_changed"] != third["last_changed"]
    assert second["last_updated"] != first["last_updated"]
    assert events == [
        {"entity_id": "moved.one", "old_state": first, "new_state": second},
        {"entity_id": "moved.one", "old_state": second, "new_state": third},
    ]


def test_a_posted_state_of_a_device_is_what_the_device_reports(door: RunningHub, wire: Wire) -> None:
    with EventStream(door) as stream:
        answer = wire.ask("POST", "/api/states/switch.ac", {"state": "on", "attributes": {"power": 3}})
        events = [event["data"] for event in stream.heard() if event["data"].get("entity_id") == "switch.ac"]
    assert (answer.status, answer.json()["state"]) == (200, "on")
    assert wire.ask("GET", "/api/states/switch.ac").json()["state"] == "on"
    assert [event["new_state"]["state"] for event in events] == ["on"]


def test_a_state_survives_a_restart_with_its_times(hub: RunningHub) -> None:
    written = hub.ask("POST", "/api/states/kept.one", {"state": "5", "attributes": {"k": [1.5, "ü"]}}).json()
    hub.kill()
    time.sleep(1.1)
    hub.restart()
    assert hub.ask("GET", "/api/states/kept.one").json() == written


@pytest.mark.parametrize("levels", [200, 245, 300, 900])
def test_a_nested_attribute_is_refused_or_kept_for_good(hub: RunningHub, levels: int) -> None:
    body = b'{"state": 1, "attributes": {"k": ' + b"[" * levels + b"]" * levels + b"}}"
    answer = hub.ask("POST", "/api/states/deep.one", body=body)
    assert answer.status == (201 if levels < 250 else 422)
    before = hub.ask("GET", "/api/states").body
    hub.kill()
    hub.restart()
    assert hub.ask("GET", "/api/states").body == before
