"""What following promises: registration and states are renewed, echoes are known, calls come to an end."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hallway.errors import NotFound, Unreachable
from hallway.home.calls import Call
from hallway.home.changes import AnyChange, Fired
from hallway.home.values import Attributes
from hallway.links import following
from hallway.links.following import CALL_LIFE, SETTLE, Announced, Follower
from hallway.links.loops import MOST_ALIKE
from tests.links.stubs import HERE, HOST, PORT, Asked, StubLine, StubPeer, World, settled

LINK = "link.192_0_2_7_8123"
LAMP: Attributes = {"entity_id": "light.lamp", "state": "off", "attributes": {"friendly_name": "Lamp"}}
NO_ATTRIBUTES: Attributes = {}


class FarHub:
    """A hub of 2014 to be followed, as far as it can be asked."""

    def __init__(self) -> None:
        self.states: Any = [LAMP]
        self.services: Any = [{"domain": "light", "services": ["turn_on", "turn_off"]}]
        self.version = "0.7.0"
        self.status = 200

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if self.status != 200:
            return self.status, {"message": "no"}
        said = {
            "/api/states": self.states,
            "/api/services": self.services,
            "/api/config": {"version": self.version},
        }
        return 200, said.get(asked.path, {})


class Forwards:
    """Event forwarding, as a follower sees it."""

    def __init__(self) -> None:
        self.known: set[tuple[str, tuple[str, int]]] = set()
        self.targets: set[str] = set()

    def follows(self, origin: str, address: tuple[str, int]) -> None:
        self.known.add((origin, address))

    def reaches(self, origin: str) -> bool:
        return origin in self.targets


class Case:
    """A home that follows the far hub, by the name `far`."""

    def __init__(self, announce: str = "") -> None:
        self.world = World()
        self.home = self.world.home
        self.far = FarHub()
        self.forwards = Forwards()
        self.lines: list[StubLine] = []
        self.follower = Follower(self.home, "far", self._line, Announced(announce, 8124, "our token"), self.forwards)
        self.home.services.elsewhere = self.follower.offers
        self.events: list[tuple[str, Attributes]] = []
        self.home.changes.subscribe(self._note)

    def _line(self) -> StubLine:
        peer = StubPeer()
        peer.answer = self.far.answer
        self.lines.append(StubLine(peer))
        return self.lines[-1]

    def _note(self, change: AnyChange) -> None:
        if isinstance(change, Fired):
            self.events.append((change.event_type, change.data))

    @property
    def listening(self) -> StubPeer:
        return self.lines[0].stub

    @property
    def asking(self) -> StubPeer:
        return self.lines[1].stub

    @property
    def link(self) -> Any:
        """State and last_error of the link."""
        state, attributes = self.world.shown(LINK)
        return state, attributes.get("last_error")

    async def connect(self) -> None:
        self.follower.start()
        await settled()
        assert self.link == ("connected", None)
        self.forget()

    def forget(self) -> None:
        for line in self.lines:
            line.stub.requests.clear()
        self.events.clear()

    def unreachable(self) -> None:
        for line in self.lines:
            line.stub.answer = None

    def reachable(self) -> None:
        for line in self.lines:
            line.stub.answer = self.far.answer

    def call(self, domain: str, service: str, **data: Any) -> Call:
        return self.home.call_service(domain, service, data, HERE)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    case = Case()
    yield case
    await case.follower.stop()


# ---------------------------------------------------------------------- connecting


async def test_it_registers_first_and_then_fetches_what_there_is(case: Case) -> None:
    case.follower.start()
    assert case.link[0] == "connecting"
    await settled()
    told = {"host": "192.0.2.1", "port": 8124, "api_password": "our token"}
    assert case.listening.requests == [
        Asked("POST", "/api/event_forwarding", told, ""),
        Asked("GET", "/api/states", None, ""),
        Asked("GET", "/api/services", None, ""),
        Asked("GET", "/api/config", None, ""),
    ]
    assert case.world.shown("light.lamp") == ("off", {"friendly_name": "Lamp"})
    assert case.world.shown(LINK)[1] == {"friendly_name": f"{HOST}:{PORT}", "direction": "from"}
    assert "our token" not in str(case.home.states())


async def test_an_announced_host_takes_the_place_of_the_address() -> None:
    case = Case("hub.example")
    case.follower.start()
    await settled()
    assert case.listening.requests[0].data["host"] == "hub.example"
    await case.follower.stop()


async def test_registration_and_states_are_renewed_every_ten_seconds(case: Case) -> None:
    await case.connect()
    case.far.states = [{**LAMP, "state": "on"}]
    await case.world.pass_time(9.5)
    assert case.listening.requests == []
    await case.world.pass_time(0.5)
    assert [asked.path for asked in case.listening.requests] == [
        "/api/event_forwarding",
        "/api/states",
        "/api/services",
    ]
    assert case.world.shown("light.lamp")[0] == "on"


async def test_what_it_tells_while_it_is_asked_is_newer_than_its_answer(case: Case) -> None:
    await case.connect()
    is_on: Attributes = {"entity_id": "light.lamp", "new_state": {**LAMP, "state": "on"}}
    case.lines[0].open.clear()
    await case.world.pass_time(10)
    case.follower.told("state_changed", is_on, ())
    case.lines[0].open.set()
    await settled()
    assert case.world.shown("light.lamp")[0] == "on"
    await case.world.pass_time(10)
    assert case.world.shown("light.lamp")[0] == "off"


async def test_a_hub_that_is_away_is_tried_with_growing_pauses(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hallway.links")
    case.unreachable()
    case.follower.start()
    tries: list[float] = []
    for _ in range(220):
        before = len(case.listening.requests)
        await settled()
        tries += [case.world.clock.monotonic()] * (len(case.listening.requests) - before)
        case.world.clock.advance(0.5)
    assert tries == [0, 1, 3, 7, 15, 31, 61, 91]
    assert case.link == ("retrying", "192.0.2.7 port 8123 does not answer: it is a stub")
    case.reachable()
    await case.world.pass_time(30)
    assert case.link == ("connected", None)
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        f"{LINK} is tried again and again",
        f"{LINK} is connected",
    ]


async def test_a_hub_that_has_got_another_password_is_told_as_such(case: Case) -> None:
    await case.connect()
    case.far.status = 401
    await case.world.pass_time(10)
    assert case.link == ("retrying", "192.0.2.7 port 8123 does not take the password")
    assert case.world.shown("light.lamp")[0] == "off"
    case.far.status = 200
    await case.world.pass_time(2)
    assert case.link == ("connected", None)


async def test_a_hub_that_cannot_reach_us_is_told_with_the_address_that_it_tried(case: Case) -> None:
    case.far.status = 422
    case.follower.start()
    await settled()
    why = "answered 422 to the wish for its events, told to send them to 192.0.2.1 port 8124"
    assert case.link == ("retrying", f'192.0.2.7 port 8123 {why}: {{"message": "no"}}')


@pytest.mark.parametrize("what", ["states", "services"])
async def test_what_is_no_list_is_not_taken_for_an_empty_home(case: Case, what: str) -> None:
    await case.connect()
    setattr(case.far, what, {"message": "starting"})
    for _ in range(4):
        await case.world.pass_time(31)
    assert case.link[0] == "retrying"
    assert case.world.shown("light.lamp")[0] == "off"


async def test_a_fault_of_ours_does_not_end_the_following(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    def fault(_asked: Asked) -> tuple[int, Any]:
        raise RuntimeError("a fault")

    case.listening.answer = fault
    case.follower.start()
    await settled()
    assert case.link == ("retrying", "RuntimeError: a fault")
    assert "following far failed" in caplog.text
    case.reachable()
    await case.world.pass_time(1)
    assert case.link == ("connected", None)


async def test_an_entity_that_is_gone_there_is_gone_here_a_minute_later(case: Case) -> None:
    await case.connect()
    case.far.states = []
    await case.world.pass_time(65)
    assert case.home.state("light.lamp") is not None
    await case.world.pass_time(10)
    assert case.home.state("light.lamp") is None


# ---------------------------------------------------------------------- what it tells


async def test_what_it_tells_is_heard_here_with_the_hubs_passed_and_not_told_back(case: Case) -> None:
    await case.connect()
    heard: list[AnyChange] = []
    case.home.changes.watch("event:bell", heard.append)
    case.follower.told("bell", {"n": 1}, ("attic", "far"))
    await settled()
    (bell,) = heard
    assert isinstance(bell, Fired)
    assert (bell.data, bell.remote, bell.context.origin, bell.context.hops) == (
        {"n": 1},
        True,
        "link:far",
        ("attic", "far"),
    )
    assert case.asking.requests == []


async def test_its_states_change_here_without_being_events_of_ours(case: Case) -> None:
    await case.connect()
    case.follower.told("state_changed", {"entity_id": "light.lamp", "new_state": {**LAMP, "state": "on"}}, ())
    case.follower.told("state_changed", {"entity_id": "light.new", "new_state": {**LAMP, "entity_id": "light.new"}}, ())
    case.follower.told("state_changed", {"entity_id": "light.new", "new_state": None}, ())
    odd_ones: tuple[Attributes, ...] = ({}, {"entity_id": 5}, {"entity_id": "light.lamp", "new_state": "on"})
    for odd in odd_ones:
        case.follower.told("state_changed", odd, ())
    assert case.world.shown("light.lamp")[0] == "on"
    assert case.home.state("light.new") is None
    assert case.events == []


@pytest.mark.parametrize("event_type", ["homeassistant_start", "homeassistant_stop"])
async def test_its_start_and_its_end_are_not_ours(case: Case, event_type: str) -> None:
    await case.connect()
    case.follower.told(event_type, {}, ())
    assert case.events == []


async def test_a_call_that_it_carries_out_itself_is_none_for_us(case: Case) -> None:
    await case.connect()
    case.home.add_device({"id": "ours", "class": "DummyDimmer"}, "file")
    case.forget()
    case.follower.told("call_service", {"domain": "light", "service": "turn_on", "service_call_id": "x"}, ())
    assert case.events == []
    assert case.world.shown("light.ours")[0] == "off"


async def test_a_call_that_only_we_can_carry_out_is_and_it_hears_so(case: Case) -> None:
    await case.connect()
    case.home.add_device({"id": "ac", "class": "DummySwitch"}, "file")
    await settled()
    case.forget()
    case.follower.told("call_service", {"domain": "switch", "service": "turn_on", "service_call_id": "x-1"}, ())
    await settled()
    assert case.world.shown("switch.ac")[0] == "on"
    assert case.asking.requests == [Asked("POST", "/api/events/service_executed", {"service_call_id": "x-1"}, "here")]


# ---------------------------------------------------------------------- what it is told


async def test_it_hears_our_events_but_not_our_states_clock_start_and_end(case: Case) -> None:
    await case.connect()
    case.world.fire("bell", {"n": 1})
    case.world.fire("time_changed")
    case.world.fire("homeassistant_stop")
    case.home.report("garden.gate", "open", {}, HERE)
    await settled()
    assert case.asking.requests == [Asked("POST", "/api/events/bell", {"n": 1}, "here")]


async def test_an_event_from_another_hub_goes_on_with_the_hubs_passed(case: Case) -> None:
    await case.connect()
    case.world.hear("bell", {}, "attic")
    await settled()
    assert case.asking.only("/api/events/bell").hops == "attic,here"


async def test_what_it_echoes_is_not_heard_twice(case: Case) -> None:
    await case.connect()
    case.world.fire("bell", {"n": 1, "m": 2})
    await settled()
    case.follower.told("bell", {"m": 2, "n": 1}, ())
    assert case.events == [("bell", {"n": 1, "m": 2})]
    case.follower.told("bell", {"n": 1, "m": 2}, ())
    assert len(case.events) == 2


async def test_a_hub_of_our_kind_echoes_nothing_so_that_equal_events_of_its_own_count(case: Case) -> None:
    await case.connect()
    case.listening.is_kin = True
    case.world.fire("bell")
    await settled()
    case.follower.told("bell", {}, ("far",))
    assert len(case.events) == 2


async def test_one_that_follows_us_gets_our_events_that_way_and_its_echo_is_one_all_the_same(case: Case) -> None:
    await case.connect()
    case.forwards.targets.add("link:far")
    case.world.fire("bell")
    await settled()
    assert case.asking.requests == []
    case.follower.told("bell", {}, ())
    assert len(case.events) == 1


async def test_forwarding_is_told_the_address_at_which_it_is_reached(case: Case) -> None:
    case.listening.reached = "192.0.2.200"
    await case.connect()
    assert case.forwards.known == {("link:far", ("192.0.2.200", PORT))}


async def test_while_it_is_away_it_is_told_nothing_and_nothing_is_kept_for_it(case: Case) -> None:
    await case.connect()
    case.unreachable()
    await case.world.pass_time(10)
    case.forget()
    case.world.fire("bell")
    await settled()
    assert case.asking.requests == []
    case.reachable()
    await case.world.pass_time(30)
    assert case.asking.requests == []


async def test_an_event_that_goes_round_is_not_told_for_ever(case: Case) -> None:
    await case.connect()
    for _ in range(2 * MOST_ALIKE):
        case.world.hear("bell", {"n": 1})
    await case.world.pass_time(5)
    assert len(case.asking.requests) == MOST_ALIKE
    assert "as if it went round" in case.link[1]
    assert case.link[0] == "connected"


async def test_a_service_of_ours_that_it_has_too_is_not_announced(case: Case) -> None:
    await case.connect()
    case.world.fire("service_registered", {"domain": "light", "service": "turn_on"})
    case.world.fire("service_registered", {"domain": "light", "service": "blink"})
    await settled()
    assert case.asking.events == [("service_registered", {"domain": "light", "service": "blink"})]


# ---------------------------------------------------------------------- calls and writes


async def test_a_call_to_its_entity_goes_there_and_is_done_when_it_says_so(case: Case) -> None:
    await case.connect()
    case.home.add_device({"id": "ours", "class": "DummyDimmer"}, "file")
    await settled()
    case.forget()
    call = case.call("light", "turn_on", entity_id=["light.lamp", "light.ours"], brightness=77)
    await settled()
    asked = case.asking.only("/api/events/call_service")
    call_id = asked.data.pop("service_call_id")
    assert asked.data == {"domain": "light", "service": "turn_on", "entity_id": ["light.lamp"], "brightness": 77}
    assert asked.hops == "here"
    assert not call.done
    case.follower.told("service_executed", {"service_call_id": call_id}, ())
    before = call.done
    case.world.clock.advance(SETTLE)
    assert (before, call.done, call.error) == (False, True, None)


async def test_a_hub_of_our_kind_has_told_everything_when_it_says_that_it_is_done(case: Case) -> None:
    await case.connect()
    case.listening.is_kin = True
    call = case.follower.call("light", "turn_on", {"entity_id": ["light.lamp"]})
    await settled()
    call_id = case.asking.only("/api/events/call_service").data["service_call_id"]
    case.follower.told("service_executed", {"service_call_id": call_id}, ("far",))
    assert call.done


async def test_calls_have_ids_that_no_other_call_has_had_also_before_a_restart() -> None:
    ids: set[str] = set()
    for _ in range(2):
        case = Case()
        await case.connect()
        for _ in range(3):
            case.follower.call("light", "turn_on", NO_ATTRIBUTES)
        await settled()
        ids |= {data["service_call_id"] for _type, data in case.asking.events}
        await case.follower.stop()
    assert len(ids) == 6
    assert all(call_id.startswith("here-") for call_id in ids)


@pytest.mark.parametrize(
    ("version", "nested"), [("0.7.0", False), ("0.12.0", False), ("0.13.1", True), ("0.42.4", True)]
)
async def test_a_hub_from_0_13_on_gets_the_arguments_where_it_looks_for_them(
    case: Case, version: str, nested: bool
) -> None:
    case.far.version = version
    await case.connect()
    case.follower.call("light", "turn_on", {"entity_id": ["light.lamp"]})
    case.call("light", "turn_off", entity_id="light.lamp")
    await settled()
    ours, whole = (data for _type, data in case.asking.events)
    assert ours.get("service_data") == ({"entity_id": ["light.lamp"]} if nested else None)
    assert whole.get("service_data") == ({"entity_id": "light.lamp"} if nested else None)
    assert ("entity_id" in ours, "entity_id" in whole) == (not nested, not nested)


async def test_a_service_that_only_it_has_runs_there(case: Case) -> None:
    case.far.services = [{"domain": "notify", "services": {"notify": {"description": "as later versions say it"}}}]
    await case.connect()
    call = case.call("notify", "notify", message="Zoë rang")
    await settled()
    asked = case.asking.only("/api/events/call_service").data
    assert asked["message"] == "Zoë rang"
    case.follower.told("call_service", asked, ())
    case.follower.told("service_executed", {"service_call_id": asked["service_call_id"]}, ())
    case.world.clock.advance(SETTLE)
    assert call.done
    assert [event_type for event_type, _data in case.events] == ["call_service", "service_executed"]


async def test_what_has_no_services_of_its_own_is_reached_by_the_general_ones(case: Case) -> None:
    group: Attributes = {"entity_id": "group.all", "state": "on", "attributes": {}}
    case.far.states = [LAMP, group]
    case.far.services.append({"domain": "homeassistant", "services": ["turn_on", "turn_off"]})
    await case.connect()
    case.call("homeassistant", "turn_on", entity_id="group.all")
    case.home.add_device({"id": "ours", "class": "DummyDimmer"}, "file")
    case.call("light", "turn_on", entity_id="group.all")
    await settled()
    asked = [data for event_type, data in case.asking.events if event_type == "call_service"]
    assert [(data["domain"], data["entity_id"]) for data in asked] == [
        ("homeassistant", ["group.all"]),
        ("light", ["group.all"]),
    ]


async def test_a_service_that_nobody_has_is_not_found(case: Case) -> None:
    await case.connect()
    with pytest.raises(NotFound):
        case.call("nobody", "knows")


async def test_a_call_that_is_never_executed_comes_to_an_end(case: Case) -> None:
    await case.connect()
    call = case.follower.call("light", "turn_on", NO_ATTRIBUTES)
    await case.world.pass_time(CALL_LIFE)
    assert isinstance(call.error, Unreachable)
    assert str(call.error) == "far did not say within 15 s that light.turn_on was executed"
    assert case.follower._open == {}


async def test_a_call_fails_when_that_hub_cannot_be_asked_and_the_link_is_looked_at(case: Case) -> None:
    await case.connect()
    case.unreachable()
    mirrored = case.follower.call("light", "turn_on", {"entity_id": ["light.lamp"]})
    whole = case.call("light", "turn_on", entity_id="light.lamp")
    await settled()
    assert isinstance(mirrored.error, Unreachable)
    assert isinstance(whole.error, Unreachable)
    assert case.link[0] == "retrying"


async def test_a_call_that_gets_through_shows_that_it_is_back(case: Case) -> None:
    await case.connect()
    case.unreachable()
    await case.world.pass_time(45)
    case.reachable()
    case.follower.call("light", "turn_on", {"entity_id": ["light.lamp"]})
    await settled()
    assert case.link == ("connected", None)


async def test_writing_a_state_writes_it_there_and_then_it_shows_here(case: Case) -> None:
    await case.connect()
    case.lines[1].open.clear()
    call = case.follower.write("light.lamp", "on", {"brightness": 5})
    await settled()
    assert case.world.shown("light.lamp")[0] == "off"
    case.lines[1].open.set()
    await settled()
    assert case.asking.requests == [
        Asked("POST", "/api/states/light.lamp", {"state": "on", "attributes": {"brightness": 5}}, "")
    ]
    assert call.done
    assert case.world.shown("light.lamp") == ("on", {"brightness": 5})


async def test_a_state_that_it_does_not_take_is_not_shown(case: Case) -> None:
    await case.connect()
    case.far.status = 400
    call = case.follower.write("light.lamp", "on", {})
    await settled()
    assert isinstance(call.error, Unreachable)
    assert case.world.shown("light.lamp")[0] == "off"


# ---------------------------------------------------------------------- the end


async def test_at_the_end_it_is_told_that_it_need_not_tell_us_any_more(case: Case) -> None:
    await case.connect()
    await case.follower.stop()
    told = {"host": "192.0.2.1", "port": 8124}
    assert case.listening.requests == [Asked("DELETE", "/api/event_forwarding", told, "")]
    assert [line.closed for line in case.lines] == [True, True]
    case.world.fire("bell")
    await settled()
    assert case.asking.requests == []


async def test_at_the_end_a_hub_that_hangs_is_not_awaited_for_long(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PARTING", 0.2)
    await case.connect()
    for line in case.lines:
        line.open.clear()
    started = time.monotonic()
    await case.follower.stop()
    assert time.monotonic() - started < 15


async def test_at_the_end_a_hub_that_is_away_is_not_told(case: Case) -> None:
    case.unreachable()
    case.follower.start()
    await settled()
    case.forget()
    await case.follower.stop()
    assert case.listening.requests == []
