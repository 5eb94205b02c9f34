"""Event forwarding of hallway to targets that hang, die and come back, and between hallways in a ring.

The targets write down what they get, header by header; a real slave cannot.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.peers.hub import Hub, StartHub, link_of, rest
from tests.peers.ports import listener
from tests.peers.rest import Listening, Rest
from tests.peers.targets import Target
from tests.peers.waiting import stays, wait_until

_SOON = 45.0
_AGAIN = 60.0
_QUIET = 0.5
_PATIENCE = 4.5
"""A target that hangs is given up after five seconds: who would wait for it needs longer."""
_QUEUE = 1000
_TARGETS = 32
_ALL = 5.0 * _TARGETS
"""How long all would take, one after the other."""


@pytest.fixture
def target(hub: Hub) -> Iterator[Target]:
    """A target that is registered at the hub."""
    with Target() as listening:
        _register(hub, listening)
        yield listening


def _register(hub: Hub, target: Target) -> None:
    answer = rest(hub).forward_to(target.host, target.port, "targetpw")
    assert answer.status_code == 200, answer.text


def _try_to_register(hub: Hub, target: Target) -> None:
    with contextlib.suppress(requests.RequestException):  # the hub may close the connection at its end
        rest(hub).forward_to(target.host, target.port, "targetpw")


def _link(target: Target) -> str:
    return link_of(Rest(target.host, target.port, "targetpw"))


def _flood(hub: Hub, count: int) -> float:
    """Fires that many numbered events; the seconds of the slowest."""
    slowest = 0.0
    with requests.Session() as session:
        session.headers["X-HA-Access"] = hub.password
        for number in range(count):
            started = time.monotonic()
            answer = session.post(f"{rest(hub).url}/api/events/flood", json={"n": number}, timeout=45)
            slowest = max(slowest, time.monotonic() - started)
            assert answer.status_code == 200
    return slowest


def _flooded(target: Target) -> list[int]:
    return [each.data["n"] for each in target.events("flood")]


def test_a_target_is_validated_and_then_gets_each_event_as_it_was_fired(hub: Hub, target: Target) -> None:
    rest(hub).fire("doorbell", {"k": [1, None]})
    wait_until(lambda: target.events("doorbell"), _SOON, "the event at the target")
    first = target.received[0]
    assert (first.method, first.path) == ("GET", "/api/")
    event = target.events("doorbell")[0]
    assert (event.method, event.data) == ("POST", {"k": [1, None]})
    assert {each.headers["x-ha-access"] for each in target.received} == {"targetpw"}


def test_events_arrive_in_the_order_in_which_they_were_fired(hub: Hub, target: Target) -> None:
    _flood(hub, 300)
    wait_until(lambda: len(_flooded(target)) >= 300, _AGAIN, "300 events at the target")
    stays(lambda: _flooded(target) == list(range(300)), _QUIET, "each once and in order")


def test_the_clock_of_the_hub_is_not_forwarded(hub: Hub, target: Target) -> None:
    rest(hub).fire("time_changed", {"now": "whenever"})
    rest(hub).fire("afterwards")
    wait_until(lambda: target.events("afterwards"), _SOON, "the event after it at the target")
    assert target.events("time_changed") == []


def test_our_password_is_in_nothing_that_a_target_gets(hub: Hub, target: Target) -> None:
    ours = rest(hub)
    secret = {"api_password": hub.password}
    for path in ("/api/events/told", "/api/services/switch/turn_on", "/api/services/only/slaves_have"):
        # nobody executes the last one: it would be answered after ten seconds
        for query, body in ((f"?api_password={hub.password}", {"by": "query"}), ("", {"by": "body", **secret})):
            patience = 0.5 if path.endswith("slaves_have") else 45
            with contextlib.suppress(requests.Timeout):
                requests.post(f"{ours.url}{path}{query}", json=body, timeout=patience)
    requests.post(f"{ours.url}/api/states/garden.gate", json={"state": "open", **secret}, timeout=45)
    ours.fire("the_last")
    wait_until(lambda: target.events("the_last"), _SOON, "the last event at the target")
    assert [each.data for each in target.events("told")] == [{"by": "query"}, {"by": "body"}]
    assert [each.data["service"] for each in target.events("call_service")] == [
        *["turn_on"] * 2,
        *["slaves_have"] * 2,
    ]
    assert [each for each in target.received if hub.password in str(each)] == []


def test_the_password_of_a_target_is_shown_to_nobody(hub: Hub) -> None:
    with Listening(rest(hub)) as stream, Target() as target:
        _register(hub, target)
        rest(hub).fire("the_last")
        stream.hears("the_last")
        assert "targetpw" not in str(stream.events)
        assert "targetpw" not in str(rest(hub).states())


@pytest.mark.parametrize("trouble", ["die", "hang"])
def test_a_target_in_trouble_holds_up_nobody(hub: Hub, target: Target, trouble: str) -> None:
    with Target() as healthy:
        _register(hub, healthy)
        getattr(target, trouble)()
        assert _flood(hub, 50) < _PATIENCE
        assert rest(hub).call("light", "turn_on", {"entity_id": "light.bed_light"}) < _PATIENCE
        wait_until(lambda: _flooded(healthy) == list(range(50)), _SOON, "all events at the healthy target")
        wait_until(lambda: rest(hub).value(_link(target)) == "retrying", _AGAIN, "the link notices")
        assert rest(hub).attribute(_link(target), "last_error")
        assert rest(hub).value(_link(healthy)) == "connected"


def test_the_most_targets_that_there_may_be_all_hang_and_hold_up_nobody(hub: Hub) -> None:
    with ExitStack() as stack:
        targets = [stack.enter_context(Target()) for _ in range(_TARGETS)]
        for target in targets:
            _register(hub, target)
        refused = rest(hub).forward_to("127.0.0.1", hub.port, hub.password)
        assert (refused.status_code, refused.json()["message"]) == (
            400,
            f"events are forwarded to {_TARGETS} hubs already; cancel one first",
        )
        healthy, *hanging = targets
        for target in hanging:
            target.hang()
        assert _flood(hub, 50) < _PATIENCE
        assert rest(hub).call("light", "turn_on", {"entity_id": "light.bed_light"}) < _PATIENCE
        wait_until(lambda: _flooded(healthy) == list(range(50)), _SOON, "all events at the healthy target")
        assert listener(hub.port).num_threads() < 2 * _TARGETS
        # a slave that comes back is checked while all others hang
        started = time.monotonic()
        _register(hub, healthy)
        assert time.monotonic() - started < _PATIENCE
        started = time.monotonic()
        assert hub.stop() == 0
        assert time.monotonic() - started < _ALL / 10


def test_a_registration_that_is_being_checked_does_not_hold_up_the_end(hub: Hub) -> None:
    with Target() as target:
        target.hang()
        registering = threading.Thread(target=_try_to_register, args=(hub, target), daemon=True)
        registering.start()
        wait_until(lambda: target.received, _SOON, "the question to the target")
        started = time.monotonic()
        assert hub.stop() == 0
        assert time.monotonic() - started < 15
        registering.join(_SOON)


def test_what_happened_before_the_end_still_goes_out_and_the_end_itself_does_not(hub: Hub, target: Target) -> None:
    _flood(hub, 20)
    assert hub.stop() == 0
    assert _flooded(target) == list(range(20))
    hub.restart()
    rest(hub).fire("afterwards")
    wait_until(lambda: target.events("afterwards"), _AGAIN, "the event at the target")
    assert target.events("homeassistant_stop") == []
    assert target.events("homeassistant_start") == []


def test_a_target_that_registers_again_gets_what_it_missed_at_once(hub: Hub, target: Target) -> None:
    target.die()
    _flood(hub, 5)
    wait_until(lambda: rest(hub).value(_link(target)) == "retrying", _AGAIN, "the link notices")
    time.sleep(7.5)  # the fourth try has failed, the fifth comes eight seconds later
    target.come_back()
    _register(hub, target)
    wait_until(lambda: _flooded(target) == list(range(5)), 6.5, "the missed events at the target")


def test_a_target_that_does_not_take_an_event_gets_the_others(hub: Hub, target: Target) -> None:
    target.refuses["odd"] = 404
    rest(hub).fire("odd")
    rest(hub).fire("even")
    wait_until(lambda: target.events("even"), _SOON, "the next event at the target")
    assert len(target.events("odd")) == 1
    wait_until(lambda: rest(hub).attribute(_link(target), "dropped") == 1, _SOON, "the link counts it")
    assert "404 to event odd" in rest(hub).attribute(_link(target), "last_error")


def test_a_target_that_has_got_another_password_gets_what_it_missed_once_that_is_told(hub: Hub, target: Target) -> None:
    target.refuses["flood"] = 401
    _flood(hub, 3)
    wait_until(lambda: rest(hub).value(_link(target)) == "retrying", _SOON, "the link notices")
    target.refuses.clear()
    target.received.clear()
    answer = rest(hub).forward_to(target.host, target.port, "the new one")
    assert answer.status_code == 200
    wait_until(lambda: len(target.events("flood")) == 3, _SOON, "the missed events at the target")
    assert {each.headers["x-ha-access"] for each in target.received} == {"the new one"}
    hub.kill()
    hub.restart()
    target.received.clear()
    rest(hub).fire("afterwards")
    wait_until(lambda: target.events("afterwards"), _AGAIN, "the event at the target")
    assert {each.headers["x-ha-access"] for each in target.received} == {"the new one"}


def test_a_cancelled_registration_is_no_entity_any_more(hub: Hub, target: Target) -> None:
    assert rest(hub).value(_link(target)) == "connected"
    there = {"host": target.host, "port": target.port}
    rest(hub).ask("DELETE", "/api/event_forwarding", there)
    assert rest(hub).state(_link(target)) is None


def test_a_target_that_comes_back_gets_what_it_missed_in_order(hub: Hub, target: Target) -> None:
    target.die()
    _flood(hub, 50)
    wait_until(lambda: rest(hub).value(_link(target)) == "retrying", _AGAIN, "the link notices")
    target.come_back()
    wait_until(lambda: len(_flooded(target)) >= 50, _AGAIN, "the missed events at the target")
    assert _flooded(target) == list(range(50))
    wait_until(lambda: rest(hub).value(_link(target)) == "connected", _AGAIN, "the link is well again")
    assert rest(hub).attribute(_link(target), "dropped") == 0


def test_what_waits_for_a_dead_target_is_bounded_and_the_newest_of_it_is_kept(hub: Hub, target: Target) -> None:
    process = listener(hub.port)
    target.die()
    _flood(hub, 1200)
    full = process.memory_info().rss, process.num_threads(), process.num_fds()
    _flood(hub, 1500)
    wait_until(lambda: rest(hub).attribute(_link(target), "dropped") > 0, _SOON, "the link tells that it drops events")
    assert rest(hub).value(_link(target)) == "retrying"
    assert rest(hub).attribute(_link(target), "queued") <= _QUEUE
    assert process.memory_info().rss - full[0] < 8_000_000
    assert process.num_threads() < full[1] + 50  # some come with the first work of a kind, not one for each event
    assert process.num_fds() < full[2] + 50
    target.come_back()
    _register(hub, target)
    wait_until(lambda: len(_flooded(target)) >= _QUEUE, _SOON, "what waited at the target")
    wait_until(lambda: rest(hub).attribute(_link(target), "queued") == 0, _SOON, "nothing waits any more")
    assert _flooded(target) == list(range(1500 - _QUEUE, 1500))
    assert rest(hub).attribute(_link(target), "dropped") == 2700 - _QUEUE


def test_a_registration_survives_kill_9(hub: Hub, target: Target) -> None:
    hub.kill()
    hub.restart()
    rest(hub).fire("back_again", {"n": 1})
    wait_until(lambda: target.events("back_again"), _AGAIN, "the event at the target")
    assert [each.data for each in target.events("back_again")] == [{"n": 1}]
    assert {each.headers["x-ha-access"] for each in target.received} == {"targetpw"}


def test_a_cancelled_registration_does_not_come_back_after_a_restart(hub: Hub, target: Target) -> None:
    there = {"host": target.host, "port": target.port}
    assert rest(hub).ask("DELETE", "/api/event_forwarding", there).status_code == 200
    hub.kill()
    hub.restart()
    before = len(target.received)
    rest(hub).fire("into_the_void")
    stays(lambda: len(target.received) == before, 2 * _QUIET, "nothing at the target")


@pytest.mark.parametrize("members", [2, 3])
def test_in_a_ring_of_hubs_an_event_arrives_once_at_each(start_hub: StartHub, members: int) -> None:
    hubs = [start_hub("") for _ in range(members)]
    ring = [rest(hub) for hub in hubs]
    for hub, following in zip(ring, ring[1:] + ring[:1], strict=True):
        answer = hub.forward_to(following.host, following.port, following.password)
        assert answer.status_code == 200, answer.text
    with ExitStack() as stack:
        streams = [stack.enter_context(Listening(hub)) for hub in ring]

        def heard() -> list[list[int]]:
            return [sorted(data["from"] for data in stream.of("round_trip")) for stream in streams]

        for number, hub in enumerate(ring):
            hub.fire("round_trip", {"from": number})
        once_each = [list(range(members))] * members
        wait_until(lambda: heard() == once_each, _SOON, "each event at each hub")
        stays(lambda: heard() == once_each, 1, "each event once")
