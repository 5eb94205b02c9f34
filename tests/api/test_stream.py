"""The event stream over the door: its form, what it leaves out, how it ends, and clients that do not read."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from tests.api.wire import EventStream, Wire, fire, note, request, said, settled_memory
from tests.hubs import RunningHub
from tests.peers.hub import rest
from tests.peers.rest import Listening
from tests.peers.waiting import wait_until

MB = 1_000_000


def listeners(hub: RunningHub) -> int:
    counts = hub.ask("GET", "/api/events").json()
    return sum(entry["listener_count"] for entry in counts if entry["event"] == "*")


def test_a_ping_comes_first_and_events_are_one_line_each(door: RunningHub) -> None:
    with EventStream(door) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["transfer-encoding"] == "chunked"
        assert "set-cookie" not in stream.headers
        fire(door, "two_lines", {"text": "one\ntwo\r\nthree\u2028"})
        message = stream.message()
    assert message.startswith(b'data: {"event_type":"two_lines","data":{"text":')
    assert b"\n" not in message
    assert json.loads(message[6:])["data"]["text"] == "one\ntwo\r\nthree\u2028"


def test_a_new_entity_has_no_old_state(door: RunningHub) -> None:
    with EventStream(door) as stream:
        door.ask("POST", "/api/states/stream.fresh", {"state": "1"})
        (event,) = stream.heard()
    assert list(event["data"]) == ["entity_id", "new_state"]
    assert (event["event_type"], event["origin"]) == ("state_changed", "LOCAL")


def test_events_come_once_and_in_order_to_everybody(door: RunningHub) -> None:
    streams = [EventStream(door) for _ in range(5)]
    for number in range(200):
        fire(door, "numbered", {"n": number})
    fire(door, "the_last")
    for stream in streams:
        with stream:
            assert [event["data"]["n"] for event in stream.until("the_last")[:-1]] == list(range(200))


@pytest.mark.parametrize("query", ["?restrict=wanted,the_last", "?restrict=%20the_last%20,,wanted"])
def test_a_restricted_stream_has_only_what_is_named(door: RunningHub, query: str) -> None:
    with EventStream(door, query) as stream:
        fire(door, "unwanted")
        fire(door, "wanted")
        door.ask("POST", "/api/states/stream.unwanted", {"state": time.monotonic()})
        assert [event["event_type"] for event in stream.heard()] == ["wanted"]


@pytest.mark.parametrize("query", ["?restrict=", "?restrict=,%20,"])
def test_an_empty_restriction_is_none(door: RunningHub, query: str) -> None:
    with EventStream(door, query) as stream:
        fire(door, "anything")
        assert [event["event_type"] for event in stream.heard()] == ["anything"]


def test_the_time_is_not_streamed(door: RunningHub) -> None:
    with EventStream(door) as stream:
        time.sleep(1.2)
        assert stream.heard() == []


def test_without_password_there_is_an_answer_instead_of_a_stream(door: RunningHub) -> None:
    with Wire(door) as wire:
        wire.send(request("GET", "/api/stream"))
        said(wire.answer(), 401)


def test_http_1_0_gets_the_stream_without_chunks(door: RunningHub) -> None:
    with socket.create_connection((door.host, door.port), 45) as old:
        old.sendall(request("GET", "/api/stream", version="1.0", X_HA_Access=door.password))
        heard = b""
        while b"data: ping\n\n" not in heard:
            heard += old.recv(1000)
        door.ask("POST", "/api/events/for_old_ones", {"a": 1})
        while b"for_old_ones" not in heard:
            heard += old.recv(1000)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"chunked" not in head
    assert body.startswith(b"data: ping\n\ndata: {")


def test_a_stream_ends_well_when_the_hub_stops(hub: RunningHub) -> None:
    with EventStream(hub) as stream:
        hub.ask("POST", "/api/states/stream.before", {"state": "1"})
        assert hub.stop() == 0
        assert stream.event()["data"]["entity_id"] == "stream.before"
        with pytest.raises(EOFError, match="the stream has ended"):
            stream.event()
        assert stream.wire.is_closed()


def test_a_stream_ends_when_a_client_asks_the_hub_to_stop(hub: RunningHub) -> None:
    with EventStream(hub) as stream:
        assert hub.ask("POST", "/api/services/homeassistant/stop").status == 200
        heard = [stream.event()["event_type"], stream.event()["event_type"]]
        with pytest.raises(EOFError, match="the stream has ended"):
            stream.event()
    assert heard == ["call_service", "service_executed"]


@pytest.mark.parametrize("rudely", [True, False])
def test_a_client_that_goes_away_is_forgotten(door: RunningHub, rudely: bool) -> None:
    wait_until(lambda: listeners(door) == 0, 45, "the streams of other tests are over")
    streams = [EventStream(door) for _ in range(3)]
    assert listeners(door) == 3
    for stream in streams:
        if rudely:
            stream.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.wire.socket.close()
    fire(door, "after_them")
    wait_until(lambda: listeners(door) == 0, 45, "the streams are forgotten")


def test_a_client_that_never_reads_costs_little_and_gets_the_last_values_when_it_wakes(hub: RunningHub) -> None:
    entities = [f"sensor.stream_{number}" for number in range(20)]
    with EventStream(hub, receive_buffer=4096) as asleep, Listening(rest(hub)) as awake, Wire(hub) as writer:
        post_all(writer, entities, 0)
        before = settled_memory(hub)
        for turn in range(1, 300):
            post_all(writer, entities, turn)
        grown = hub.process.memory_info().rss - before
        fire(hub, "the_last")
        awake.hears("the_last")
        told = [(data["entity_id"], data["new_state"]["state"]) for data in awake.of("state_changed")]
        late = [(e["data"]["entity_id"], e["data"]["new_state"]["state"]) for e in asleep.until("the_last")[:-1]]
    note(f"the sleeper got {len(late)} of {len(told)} events, the hub grew by {grown / MB:.1f} MB")
    assert told == [(entity_id, str(turn)) for turn in range(300) for entity_id in entities]
    assert dict(late) == dict(told) == dict.fromkeys(entities, "299")
    assert len(late) < len(told) - 1000
    assert grown < 15 * MB


def post_all(writer: Wire, entities: list[str], turn: int) -> None:
    for entity_id in entities:
        data: dict[str, Any] = {"state": turn, "attributes": {"padding": "x" * 1000}}
        assert writer.ask("POST", f"/api/states/{entity_id}", data).status in {200, 201}


def test_a_client_that_stays_too_far_behind_is_let_go_and_the_others_go_on(hub: RunningHub) -> None:
    rounds = 6000
    with EventStream(hub, receive_buffer=4096) as asleep, Listening(rest(hub)) as awake, Wire(hub) as writer:
        before = settled_memory(hub)
        for number in range(rounds):
            assert writer.ask("POST", "/api/events/flood", {"n": number, "padding": "x" * 2000}).status == 200
        assert hub.process.memory_info().rss - before < 25 * MB
        fire(hub, "the_last")
        awake.hears("the_last")
        assert [data["n"] for data in awake.of("flood")] == list(range(rounds))
        with pytest.raises((EOFError, ConnectionError)):
            asleep.until("the_last")
    assert "was let go" in hub.log
