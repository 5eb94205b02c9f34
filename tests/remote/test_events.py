"""Events of a hub: over its stream, and forwarded to a server of our own."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from hallway import remote
from hallway.remote import API, Event, EventOrigin, EventReceiver, State
from tests.peers.ports import free_port
from tests.remote.fake_hub import BED, FakeHub, api_of, ask, wait_until


@pytest.fixture
def receiver(fake: FakeHub) -> Iterator[EventReceiver]:
    with EventReceiver(api_of(fake)) as receiver:
        yield receiver


def test_a_stream_yields_the_events_since_it_was_opened_in_order(api: API) -> None:
    with remote.stream(api) as events:
        for n in range(5):
            remote.fire_event(api, "count", {"n": n, "text": "ü\n"})
        seen = [next(event for event in events if event.event_type == "count") for _ in range(5)]
    assert [event.data for event in seen] == [{"n": n, "text": "ü\n"} for n in range(5)]
    assert {event.origin for event in seen} == {EventOrigin.remote}


def test_a_stream_tells_states_of_a_change(api: API) -> None:
    remote.set_state(api, "test.x", "1")
    with remote.stream(api, ["state_changed"]) as events:
        remote.set_state(api, "test.x", "2", {"a": 1})
        event = next(event for event in events if event.data["entity_id"] == "test.x")
    assert event.data["old_state"] == State("test.x", "1")
    assert event.data["new_state"] == State("test.x", "2", {"a": 1})


@pytest.mark.parametrize("restrict", ["wanted", ["wanted"], {"wanted", "other"}])
def test_a_stream_can_be_restricted(api: API, restrict: str | list[str]) -> None:
    with remote.stream(api, restrict) as events:
        for event_type in ("unwanted", "want", "wanted"):
            remote.fire_event(api, event_type)
        assert next(events).event_type == "wanted"


def test_a_stream_that_another_thread_closes_ends(api: API) -> None:
    events = remote.stream(api)
    seen: list[list[Event]] = []
    thread = threading.Thread(target=lambda: seen.append(list(events)))
    thread.start()
    remote.fire_event(api, "x")
    events.close()
    thread.join(45)
    assert not thread.is_alive()
    assert len(seen) == 1
    assert list(events) == []


def test_a_stream_ends_when_the_hub_stops(fake: FakeHub) -> None:
    events = remote.stream(api_of(fake))
    fake.fire("last", {})
    assert next(events).event_type == "last"
    fake.kill()
    assert list(events) == []
    fake.start()


def test_what_is_no_event_is_skipped(fake: FakeHub) -> None:
    with remote.stream(api_of(fake)) as events:
        for line in (b"ping", b"no json", b"5", b"{}", b"[]", b"[" * 100_000, b'{"event_type": "x", "data": 5}'):
            fake.streams[0].put(line)
        event = next(events)
    assert (event.event_type, event.data) == ("x", {})


@pytest.mark.parametrize(("status", "path"), [(401, ""), (404, "stream"), (500, "stream")])
def test_a_stream_that_the_hub_refuses_is_an_error(fake: FakeHub, status: int, path: str) -> None:
    api = api_of(fake) if path else API(fake.host, "wrong", fake.port)
    fake.odd = {"/api/stream": (status, b"")} if path else {}
    with pytest.raises(remote.RefusedError, match=str(status)) as refused:
        remote.stream(api)
    assert refused.value.status_code == status


def test_a_stream_of_nobody_is_an_error() -> None:
    with pytest.raises(remote.HomeAssistantError, match="cannot open the stream"):
        remote.stream(API("127.0.0.1", None, free_port()))


def test_a_receiver_yields_what_a_hub_forwards(api: API) -> None:
    with EventReceiver(api) as receiver:
        assert remote.connect_remote_events(api, receiver.api)
        remote.fire_event(api, "told", {"a": [1, None, "ü"]})
        remote.set_state(api, "test.x", "forwarded")
        told, changed = Event("unseen"), Event("unseen")
        for event in receiver:
            told = event if event.event_type == "told" else told
            if event.event_type == "state_changed" and event.data["entity_id"] == "test.x":
                changed = event
                break
        assert (told.data, told.origin) == ({"a": [1, None, "ü"]}, EventOrigin.remote)
        assert changed.data["new_state"] == State("test.x", "forwarded")
        assert remote.disconnect_remote_events(api, receiver.api)
        wait_until(lambda: list(receiver.events(0)) == [], "what was under way has come")
        remote.fire_event(api, "after")
        assert list(receiver.events(0.2)) == []


def test_a_receiver_that_cannot_be_reached_is_not_registered(api: API, caplog: pytest.LogCaptureFixture) -> None:
    assert not remote.connect_remote_events(api, API("127.0.0.1", "x", free_port()))
    assert "setting up event forwarding: 422" in caplog.text


def test_a_receiver_answers_only_who_knows_its_password(receiver: EventReceiver) -> None:
    url, password = receiver.api.base_url, str(receiver.api.api_password)
    assert len(password) > 20
    assert [ask(f"{url}/api/", given) for given in (password, "", "x")] == [200, 401, 401]
    assert ask(f"{url}/api/events/x", "wrong", b"{}") == 401
    assert list(receiver.events(0)) == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/events/some%20type", b'{"a": 1}', 200),
        ("/api/events/some%20type?x=y", b"", 200),
        ("/api/events/x", b"{", 422),
        ("/api/events/x", b"[" * 100_000, 422),
        ("/api/states/x.y", b"{}", 404),
        ("/api/states", None, 404),
    ],
)
def test_a_receiver_takes_events_and_nothing_else(
    receiver: EventReceiver, path: str, body: bytes | None, status: int
) -> None:
    assert ask(f"{receiver.api.base_url}{path}", str(receiver.api.api_password), body) == status
    expected = [("some type", json.loads(body or b"{}"))] if status == 200 else []
    assert [(event.event_type, event.data) for event in receiver.events(0)] == expected


@pytest.mark.parametrize("length", ["10000001", "-1", "many"])
def test_a_receiver_refuses_a_body_that_is_too_long(receiver: EventReceiver, length: str) -> None:
    with socket.create_connection((receiver.api.host, receiver.api.port), 45) as connection:
        connection.sendall(f"POST /api/events/x HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.0 413 ")


def test_a_receiver_that_is_not_read_refuses_more_events_at_last(
    receiver: EventReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver._events.maxsize = 2
    url, password = f"{receiver.api.base_url}/api/events/x", str(receiver.api.api_password)
    assert [ask(url, password, b"{}") for _ in range(3)] == [200, 200, 503]
    assert len(list(receiver.events(0))) == 2
    assert ask(url, password, b"{}") == 200


def test_a_receiver_listens_only_on_the_address_that_faces_the_hub(receiver: EventReceiver) -> None:
    assert receiver._server.server_address == ("127.0.0.1", receiver.api.port)
    assert receiver.api.host == "127.0.0.1"


def test_a_receiver_is_announced_as_told(fake: FakeHub) -> None:
    port = free_port()
    with EventReceiver(api_of(fake), host="0.0.0.0", port=port, announce="my.name") as receiver:
        assert (receiver.api.host, receiver.api.port) == ("my.name", port)
        assert ask(f"http://127.0.0.1:{port}/api/", str(receiver.api.api_password)) == 200
        with pytest.raises(remote.HomeAssistantError, match="cannot listen"):
            EventReceiver(api_of(fake), port=port)


def test_stopping_a_receiver_ends_the_iteration_of_another_thread(receiver: EventReceiver) -> None:
    seen: list[list[Event]] = []
    thread = threading.Thread(target=lambda: seen.append(list(receiver)))
    thread.start()
    receiver.stop()
    thread.join(45)
    assert seen == [[]]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((receiver.api.host, receiver.api.port), 5)


def test_an_event_is_written_as_the_hub_does(fake: FakeHub) -> None:
    event = Event("x", {"a": 1})
    assert event.as_dict() | {"time_fired": ""} == {
        "event_type": "x",
        "data": {"a": 1},
        "origin": "LOCAL",
        "time_fired": "",
    }
    with remote.stream(api_of(fake), "x") as events:
        fake.fire("x", {"a": 1})
        assert next(events).as_dict() == event.as_dict() | {"origin": "REMOTE", "time_fired": "10:00:00 01-12-2014"}


def test_the_hub_is_told_nothing_of_a_reading(fake: FakeHub) -> None:
    with remote.stream(api_of(fake)):
        remote.get_state(api_of(fake), BED)
        assert fake.streams[0].empty()
