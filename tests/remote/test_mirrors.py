"""The event bus and the state machine that mirror a hub, fed over the stream or by forwarding."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from hallway import remote
from hallway.remote import API, Event, EventBus, EventOrigin, EventReceiver, State, StateMachine
from hallway.remote.mirrors import _StreamSource
from tests.peers.ports import free_port
from tests.remote.fake_hub import BED, LIGHTS, FakeHub, Hub, api_of, wait_until

CHECK_EVERY = 0.2


@pytest.fixture(params=["stream", "receiver"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextlib.contextmanager
def connected(api: API, way: str) -> Iterator[StateMachine]:
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(EventReceiver(api)) if way == "receiver" else None
        states = StateMachine(EventBus(api), api)
        states.connect(receiver, check_every=CHECK_EVERY)
        stack.callback(states.disconnect)
        yield states


@pytest.fixture
def states(api: API, way: str) -> Iterator[StateMachine]:
    """A connected mirror of each kind of hub, fed in each way."""
    with connected(api, way) as states:
        yield states


def heard(bus: EventBus, event_type: str) -> list[Event]:
    """The events of a type that the listeners are told from now on."""
    events: list[Event] = []
    bus.listen(event_type, events.append)
    return events


def wait_until_it_is(states: StateMachine, entity_id: str, state: str) -> None:
    wait_until(lambda: states.is_state(entity_id, state), f"{entity_id} is {state} in the mirror")


def test_a_mirror_shows_what_the_hub_has(states: StateMachine, api: API) -> None:
    assert set(states.entity_ids()) == {state.entity_id for state in states.all()} >= LIGHTS
    assert set(states.entity_ids("LIGHT")) == LIGHTS
    assert states.get("Light.Bed_Light") == remote.get_state(api, BED)
    assert states.get("light.nowhere") is None
    assert not states.is_state("light.nowhere", "on")


def test_a_mirror_follows_the_hub(states: StateMachine, api: API) -> None:
    for service, state in (("turn_on", "on"), ("turn_off", "off")):
        remote.call_service(api, "light", service, {"entity_id": BED})
        wait_until_it_is(states, BED, state)


def test_what_is_set_in_a_mirror_is_written_to_the_hub_and_comes_back(states: StateMachine, api: API) -> None:
    assert states.set("test.thing", "x", {"a": 1})
    assert remote.get_state(api, "test.thing") == State("test.thing", "x", {"a": 1})
    wait_until(lambda: states.get("test.thing") == State("test.thing", "x", {"a": 1}), "the mirror follows")
    assert not states.set("no entity id", "x")


def test_an_event_that_is_fired_here_comes_back_from_the_hub(states: StateMachine) -> None:
    events, every = heard(states.bus, "mine"), heard(states.bus, remote.MATCH_ALL)
    states.bus.fire("mine", {"n": 1})
    states.bus.fire("others")
    wait_until(lambda: "others" in {event.event_type for event in every}, "both have come back")
    assert [(event.data, event.origin) for event in events] == [({"n": 1}, EventOrigin.remote)]


def test_a_mirror_follows_a_hub_that_was_restarted(states: StateMachine, home: Hub, api: API) -> None:
    states.set("test.before", "1")
    home.restart()
    wait_until(lambda: remote.set_state(api, "test.after", str(time.monotonic())), "the hub is back")
    last = remote.get_state(api, "test.after")
    wait_until(lambda: states.get("test.after") == last, "the mirror has caught up")
    remote.set_state(api, "test.later", "2")
    wait_until(lambda: states.is_state("test.later", "2") and states.connected, "the mirror follows again")
    assert {s.entity_id: s for s in states.all()} == {s.entity_id: s for s in remote.get_states(api)}


def test_a_mirror_of_a_lost_hub_keeps_what_it_knew(states: StateMachine, home: Hub) -> None:
    assert states.connected
    before = states.all()
    home.kill()
    wait_until(lambda: not states.connected, "the loss is noticed")
    assert states.all() == before
    states.mirror()
    assert states.all() == before
    began = time.monotonic()
    states.disconnect()
    assert time.monotonic() - began < 15
    if isinstance(home, FakeHub):
        home.start()


def test_a_hub_that_was_away_for_a_while_is_found_again(fake: FakeHub, way: str) -> None:
    with connected(api_of(fake), way) as states:
        fake.kill()
        wait_until(lambda: not states.connected, "the loss is noticed")
        time.sleep(1)
        fake.start()
        wait_until(lambda: states.connected, "the hub is found again")


def test_what_changed_while_the_hub_was_lost_is_told(fake: FakeHub, way: str) -> None:
    api = api_of(fake)
    remote.set_state(api, "test.gone", "x")
    with connected(api, way) as states:
        fake.kill()
        wait_until(lambda: not states.connected, "the loss is noticed")
        told = heard(states.bus, "state_changed")
        fake.start()
        wait_until(lambda: states.connected, "the hub is found again")
        remote.set_state(api, BED, "on")
        wait_until_it_is(states, BED, "on")
        fake.kill()
        wait_until(lambda: not states.connected, "the loss is noticed")
        fake.start()  # which forgets everything: the light is off
        wait_until(lambda: states.connected, "the hub is found again")
        assert [(event.data["entity_id"], event.data.get("new_state")) for event in told] == [
            ("test.gone", None),
            (BED, State(BED, "on")),
            (BED, State(BED, "off")),
        ]
        assert told[0].data["old_state"] == State("test.gone", "x")
        assert {event.origin for event in told} == {EventOrigin.remote}


def test_a_removed_entity_is_removed_from_the_mirror(fake: FakeHub, way: str) -> None:
    with connected(api_of(fake), way) as states:
        fake.remove(BED)
        wait_until(lambda: states.get(BED) is None, "the entity is gone")
        assert set(states.entity_ids()) == LIGHTS - {BED}


def test_a_change_that_tells_no_state_is_not_applied(fake: FakeHub, way: str) -> None:
    with connected(api_of(fake), way) as states:
        known, events = states.all(), heard(states.bus, "last")
        for data in ({"entity_id": BED, "new_state": {"junk": 1}}, {"entity_id": 5}, {}):
            fake.fire("state_changed", data)
        fake.fire("last", {})
        wait_until(lambda: events, "all have come")
        assert states.all() == known


def test_states_of_a_mirror_are_copies(fake: FakeHub) -> None:
    api = api_of(fake)
    with remote.mirror(api) as states:
        changed = heard(states.bus, "state_changed")
        states.set(BED, "on", {"a": 1})
        wait_until(lambda: changed, "the change is told")
        for state in (states.get(BED), *states.all(), changed[0].data["new_state"]):
            state.state = "spoilt"
            state.attributes["a"] = "spoilt"
        assert states.get(BED) == State(BED, "on", {"a": 1})


def test_an_event_that_comes_while_the_states_are_fetched_wins(fake: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    api = api_of(fake)
    with remote.mirror(api) as states:
        send = api.send

        def slow(*args: object, **kwargs: object) -> object:
            answer = send(*args, **kwargs)  # type: ignore[arg-type]
            content = answer.read()
            fake.write(BED, "on", {})
            fake.remove("light.ceiling_lights")
            wait_until(lambda: not states.get("light.ceiling_lights"), "the events come")
            monkeypatch.setattr(answer, "read", lambda: content)
            return answer

        monkeypatch.setattr(api, "send", slow)
        states.mirror()
        assert states.is_state(BED, "on")
        assert set(states.entity_ids()) == LIGHTS - {"light.ceiling_lights"}


def test_without_a_stream_a_mirror_has_its_events_forwarded(fake: FakeHub) -> None:
    fake.has_stream = False
    with remote.mirror(api_of(fake)) as states:
        assert len(fake.targets) == 1
        fake.write(BED, "on", {})
        wait_until_it_is(states, BED, "on")
    assert fake.targets == {}


def test_without_stream_and_forwarding_a_mirror_cannot_connect(fake: FakeHub) -> None:
    fake.has_stream = False
    fake.odd["/api/event_forwarding"] = (404, b"")
    with pytest.raises(remote.RefusedError, match="event forwarding: 404"), remote.mirror(api_of(fake)):
        pytest.fail("there is nothing to mirror")


def test_a_mirror_of_nobody_cannot_be_connected(fake: FakeHub) -> None:
    for api in (API("127.0.0.1", None, free_port()), API(fake.host, "wrong", fake.port)):
        states = StateMachine(EventBus(api), api)
        assert (states.all(), states.connected) == ([], False)
        with pytest.raises(remote.HomeAssistantError):
            states.connect()
        with EventReceiver(api) as receiver, pytest.raises(remote.HomeAssistantError):
            states.connect(receiver)
        states.disconnect()


def test_a_mirror_is_connected_once_at_a_time_and_any_number_of_times(fake: FakeHub) -> None:
    api = api_of(fake)
    states = StateMachine(EventBus(api), api)
    for value in ("1", "2"):
        states.connect()
        with pytest.raises(remote.HomeAssistantError, match="connected already"):
            states.connect()
        states.set("test.x", value)
        wait_until_it_is(states, "test.x", value)
        states.disconnect()
        states.disconnect()
        assert not states.connected


def test_a_mirror_follows_events_that_a_program_feeds_to_its_bus(fake: FakeHub) -> None:
    api = api_of(fake)
    states = StateMachine(EventBus(api), api)
    new = State("test.x", "fed")
    states.bus.fire("state_changed", {"entity_id": "test.x", "new_state": new}, EventOrigin.remote)
    assert states.get("test.x") == new
    assert ("POST", "/api/events/state_changed") not in {request[:2] for request in fake.requests}


def test_a_listener_may_call_the_hub_and_end_the_mirror(states: StateMachine, api: API) -> None:
    done = threading.Event()

    def on_button(_: Event) -> None:
        remote.call_service(api, "light", "turn_on", {"entity_id": BED})
        states.disconnect()
        done.set()

    states.bus.listen("button", on_button)
    states.bus.fire("button")
    assert done.wait(45)
    assert remote.is_state(api, BED, "on")


def test_after_the_disconnection_no_listener_is_called(fake: FakeHub, way: str) -> None:
    with connected(api_of(fake), way) as states:
        events, fired = heard(states.bus, "x"), threading.Event()

        def disconnect(_: Event) -> None:
            fired.wait(45)
            states.disconnect()

        states.bus.listen("x", disconnect)
        for _ in range(3):
            fake.fire("x", {})
        fired.set()
        wait_until(lambda: not states.connected, "the listener has disconnected")
    assert len(events) == 1


def test_a_disconnection_does_not_wait_for_the_next_check(fake: FakeHub) -> None:
    api = api_of(fake)
    with EventReceiver(api) as receiver:
        states = StateMachine(EventBus(api), api)
        states.connect(receiver, check_every=60)
        followers = {thread for thread in threading.enumerate() if "_follow" in thread.name}
        began = time.monotonic()
        states.disconnect()
        assert time.monotonic() - began < 30  # and not after 60
        assert followers
        assert not any(follower.is_alive() for follower in followers)


def test_a_stream_that_is_opened_while_the_mirror_is_disconnected_is_closed(fake: FakeHub) -> None:
    source = _StreamSource(api_of(fake))
    source.close()
    with pytest.raises(remote.HomeAssistantError, match="has closed its stream"):
        next(source.open())


def test_a_listener_that_fails_is_logged_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus(API("127.0.0.1"))
    bus.listen("x", lambda _: 1 / 0)
    events = heard(bus, "x")
    bus.fire("x", {"a": 1}, EventOrigin.remote)
    assert [event.data for event in events] == [{"a": 1}]
    assert "A listener of x failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_listeners_are_counted_called_once_and_removed() -> None:
    bus = EventBus(API("127.0.0.1"), None)
    once: list[Event] = []
    always: list[Event] = []
    bus.listen("x", always.append)
    bus.listen_once("x", once.append)
    never = bus.listen_once("x", once.append)
    assert bus.listeners == {"x": 3}
    assert [bus.remove_listener("x", never), bus.remove_listener("x", never)] == [True, False]
    for _ in range(2):
        bus.fire("x", origin=EventOrigin.remote)
    assert (len(once), len(always), bus.listeners) == (1, 2, {"x": 1})
    assert bus.remove_listener("x", always.append)
    assert bus.listeners == {}


def test_time_is_told_to_the_listeners_here_only(fake: FakeHub) -> None:
    bus = EventBus(api_of(fake))
    events = heard(bus, "time_changed")
    bus.fire("time_changed")
    assert len(events) == 1
    assert fake.requests == []
