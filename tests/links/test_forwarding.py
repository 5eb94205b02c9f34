"""What event forwarding promises: which events go where with which hops, and how hubs register and go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from hallway.errors import InvalidInput, Unavailable, Unreachable
from hallway.home.changes import Context
from hallway.home.values import Attributes
from hallway.links.forwarding import MOST_TARGETS, MOST_VALIDATED, EventForwarding
from hallway.links.loops import MOST_ALIKE, STOPPED_FOR
from tests.links.stubs import CALLER, HERE, HOST, PORT, Asked, Kept, StubLine, StubPeer, World, settled

LINK = "link.192_0_2_7_8123"
FOLLOWED = "192.0.2.9"


class Case:
    """A home whose events are forwarded; every line leads to a stub."""

    def __init__(self) -> None:
        self.world = World()
        self.kept = Kept()
        self.lines: list[StubLine] = []
        self.open_at_first = True
        self.forwarding = EventForwarding(self.world.home, self.kept, self._line_to, {(FOLLOWED, PORT): "link:cellar"})

    def _line_to(self, host: str, port: int, password: str) -> StubLine:
        line = StubLine(StubPeer(host, port, password))
        if not self.open_at_first:
            line.open.clear()
        self.lines.append(line)
        return line

    async def register(self, host: str = HOST, password: str = "theirs") -> StubPeer:
        await self.forwarding.register(host, PORT, password, CALLER)
        await settled()
        return self.lines[-1].stub


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    case = Case()
    yield case
    await case.forwarding.stop()


# ---------------------------------------------------------------------- which events go out, and how


async def test_a_target_is_validated_and_then_gets_each_event_as_it_was_fired(case: Case) -> None:
    peer = await case.register()
    case.world.fire("doorbell", {"k": [1, None], "who": "Zoë"})
    case.world.fire("nothing_to_say")
    await settled()
    assert peer.requests == [
        Asked("GET", "/api/", None, ""),
        Asked("POST", "/api/events/doorbell", {"k": [1, None], "who": "Zoë"}, "here"),
        Asked("POST", "/api/events/nothing_to_say", {}, "here"),
    ]


async def test_a_state_goes_out_in_the_form_of_2014(case: Case) -> None:
    peer = await case.register()
    case.world.home.report("garden.gate", "open", {"by": "Zoë"}, HERE)
    case.world.clock.advance(60)
    case.world.home.report("garden.gate", "shut", {}, HERE)
    await settled()
    first, second = (data for event_type, data in peer.events if event_type == "state_changed")
    opened = {"last_changed": "08:00:00 15-01-2027", "last_updated": "08:00:00 15-01-2027"}
    shut = {"last_changed": "08:01:00 15-01-2027", "last_updated": "08:01:00 15-01-2027"}
    gate = {"entity_id": "garden.gate"}
    old = {**gate, "state": "open", "attributes": {"by": "Zoë"}, **opened}
    assert first == {**gate, "new_state": old}
    assert second == {**gate, "old_state": old, "new_state": {**gate, "state": "shut", "attributes": {}, **shut}}


async def test_an_event_from_the_network_carries_on_the_hubs_it_has_passed(case: Case) -> None:
    peer = await case.register()
    case.world.hear("doorbell", {}, "attic", "cellar")
    await settled()
    assert peer.only("/api/events/doorbell").hops == "attic,cellar,here"


async def test_what_an_event_from_the_network_leads_to_has_passed_no_other_hub(case: Case) -> None:
    peer = await case.register()
    home = case.world.home
    home.add_device({"id": "ac", "class": "DummySwitch"}, "file")
    data: Attributes = {"domain": "switch", "service": "turn_on", "entity_id": "switch.ac", "service_call_id": "x-1"}
    case.world.hear("call_service", data, "attic")
    await settled()
    assert peer.only("/api/events/call_service").hops == "attic,here"
    moved = peer.requests[-2]
    assert (moved.path, moved.data["new_state"]["state"], moved.hops) == ("/api/events/state_changed", "on", "here")
    assert peer.only("/api/events/service_executed").hops == "here"


@pytest.mark.parametrize("event_type", ["time_changed", "homeassistant_start", "homeassistant_stop"])
async def test_the_clock_the_start_and_the_end_are_the_hubs_own(case: Case, event_type: str) -> None:
    peer = await case.register()
    case.world.fire(event_type)
    case.world.fire("afterwards")
    await settled()
    assert peer.events == [("afterwards", {})]


async def test_a_call_that_ends_this_hub_ends_no_other(case: Case) -> None:
    peer = await case.register()
    case.world.fire("call_service", {"domain": "homeassistant", "service": "stop", "service_call_id": "x"})
    case.world.fire("call_service", {"domain": "homeassistant", "service": "turn_on", "service_call_id": "y"})
    await settled()
    calls = [data["service"] for event_type, data in peer.events if event_type == "call_service"]
    assert calls == ["turn_on"]


async def test_what_links_show_is_not_told(case: Case) -> None:
    peer = await case.register()
    await case.register("192.0.2.8")
    case.world.home.report("link.of_somebody", "connected", {}, HERE)
    await settled()
    assert peer.events == []


async def test_a_password_is_in_nothing_that_goes_out(case: Case) -> None:
    peer = await case.register()
    case.world.hear("told", {"n": 1, "api_password": "ours"})
    case.world.fire("call_service", {"domain": "light", "service": "turn_on", "api_password": "ours"})
    await settled()
    assert peer.events == [("told", {"n": 1}), ("call_service", {"domain": "light", "service": "turn_on"})]


async def test_the_password_of_a_target_is_shown_nowhere(case: Case) -> None:
    await case.register(password="theirs alone")
    assert "theirs alone" not in str(case.world.home.states())


# ---------------------------------------------------------------------- a hub that we follow as well


async def test_a_hub_that_we_follow_does_not_get_back_what_it_told_us(case: Case) -> None:
    peer = await case.register(FOLLOWED)
    home, told = case.world.home, Context("link:cellar")
    home.fire("cellar_wet", {}, told, remote=True)
    home.report_new("cellar.water", "12", {}, told, "link:cellar")
    home.report("cellar.water", "13", {}, told)
    case.world.fire("ours")
    await settled()
    assert peer.events == [("ours", {})]


async def test_it_gets_our_states_also_when_what_it_told_us_led_to_them(case: Case) -> None:
    peer = await case.register(FOLLOWED)
    case.world.home.report("cellar.pump", "on", {}, Context("link:cellar"))
    await settled()
    assert [data["entity_id"] for _type, data in peer.events] == ["cellar.pump"]


async def test_other_targets_get_what_a_hub_that_we_follow_told_us(case: Case) -> None:
    peer = await case.register()
    case.world.home.fire("cellar_wet", {}, Context("link:cellar", hops=("cellar",)), remote=True)
    await settled()
    assert peer.only("/api/events/cellar_wet").hops == "cellar,here"


async def test_a_hub_that_we_follow_is_known_by_its_other_address_too(case: Case) -> None:
    peer = await case.register()
    assert not case.forwarding.reaches("link:attic")
    case.forwarding.follows("link:attic", (HOST, PORT))
    assert case.forwarding.reaches("link:attic")
    case.world.home.fire("attic_hot", {}, Context("link:attic"), remote=True)
    await settled()
    assert peer.events == []


async def test_the_links_in_both_directions_have_entities_of_their_own(case: Case) -> None:
    await case.register(FOLLOWED)
    assert case.world.shown("link.192_0_2_9_8123_to")[1]["direction"] == "to"
    assert case.world.home.state("link.192_0_2_9_8123") is None


# ---------------------------------------------------------------------- registering and going


async def test_a_registration_is_kept_and_shown(case: Case) -> None:
    await case.register()
    assert case.kept.defined == [(f"{HOST}:{PORT}", {"host": HOST, "port": PORT, "api_password": "theirs"})]
    assert case.world.shown(LINK)[0] == "connected"
    assert len(case.forwarding) == 1


async def test_a_target_that_does_not_answer_as_it_should_is_refused(case: Case) -> None:
    case.open_at_first = False
    for answer, why in (
        (None, "Unable to validate API: 192.0.2.7 port 8123 does not answer"),
        (401, "Unable to validate API: 192.0.2.7 port 8123 answered 401"),
    ):
        registering = asyncio.create_task(case.register())
        await settled()
        case.lines[-1].stub.answer = None if answer is None else lambda _asked: (401, {})
        case.lines[-1].open.set()
        with pytest.raises(Unreachable, match=why):
            await registering
        assert case.lines[-1].closed
    assert case.kept.defined == []
    assert len(case.forwarding) == 0
    assert case.world.home.state(LINK) is None


async def test_registering_again_writes_nothing_and_loses_nothing(case: Case) -> None:
    first = await case.register()
    first.answer = None
    case.world.fire("missed")
    await case.world.pass_time(10)
    first.answer = lambda _asked: (200, {})
    again = await case.register()
    assert len(case.kept.defined) == 1
    assert case.lines[-1].closed
    assert again.events == []
    assert first.events[-1] == ("missed", {})
    first.requests.clear()
    case.world.fire("afterwards")
    await settled()
    assert first.events == [("afterwards", {})]


async def test_registering_with_another_password_goes_on_with_it(case: Case) -> None:
    first = await case.register()
    first.answer = lambda _asked: (401, {})
    case.world.fire("missed")
    await settled()
    newer = await case.register(password="newer")
    assert [key for key, _body in case.kept.defined] == [f"{HOST}:{PORT}"] * 2
    assert case.lines[0].closed
    assert newer.events == [("missed", {})]
    assert len(case.forwarding) == 1


async def test_two_registrations_of_one_hub_at_a_time_make_one_target(case: Case) -> None:
    await asyncio.gather(*(case.forwarding.register(HOST, PORT, "theirs", CALLER) for _ in range(3)))
    case.world.fire("doorbell")
    await settled()
    assert [line.stub.events for line in case.lines] == [[("doorbell", {})], [], []]
    assert [line.closed for line in case.lines] == [False, True, True]


async def test_only_so_many_registrations_are_checked_at_a_time(case: Case) -> None:
    case.open_at_first = False
    registering = [asyncio.create_task(case.register(f"192.0.2.{number}")) for number in range(10, 20)]
    await settled()
    assert sum(line.works for line in case.lines) == MOST_VALIDATED
    for line in case.lines:
        line.open.set()
    await asyncio.gather(*registering)
    assert len(case.forwarding) == 10


async def test_there_may_be_so_many_targets_and_each_of_them_may_register_again(case: Case) -> None:
    for number in range(MOST_TARGETS):
        await case.register(f"10.0.0.{number}")
    with pytest.raises(InvalidInput, match="cancel one first"):
        await case.register()
    await case.register("10.0.0.5")
    assert len(case.forwarding) == MOST_TARGETS


async def test_a_registration_that_cannot_be_kept_is_none(case: Case) -> None:
    async def full(*_definition: object) -> None:
        raise Unavailable("the disk is full")

    case.kept.define = full  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await case.register()
    assert len(case.forwarding) == 0
    assert case.lines[-1].closed


async def test_a_cancelled_registration_is_forgotten(case: Case) -> None:
    peer = await case.register()
    await case.forwarding.cancel(HOST, PORT, CALLER)
    case.world.fire("into_the_void")
    await settled()
    assert peer.events == []
    assert case.kept.defined[-1] == (f"{HOST}:{PORT}", None)
    assert case.world.home.state(LINK) is None
    assert "*" not in case.world.home.bus.counts()


async def test_cancelling_what_was_never_registered_does_nothing(case: Case) -> None:
    await case.forwarding.cancel(HOST, PORT, CALLER)
    assert case.kept.defined == []


async def test_a_restored_registration_shows_whether_the_target_is_there(case: Case) -> None:
    case.forwarding.restore(HOST, PORT, "theirs")
    assert case.world.shown(LINK)[0] == "connecting"
    await settled()
    assert case.world.shown(LINK)[0] == "connected"
    assert [asked.path for asked in case.lines[-1].stub.requests] == ["/api/"]


async def test_a_host_with_a_very_long_name_can_be_shown(case: Case) -> None:
    case.forwarding.restore("x" * 255, PORT, "theirs")
    assert len(case.world.home.entities.of_domain("link")) == 1


# ---------------------------------------------------------------------- loops


async def test_an_event_that_goes_round_is_stopped_shown_and_logged_once(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hallway.links")
    peer = await case.register()

    def echo(asked: Asked) -> tuple[int, dict[str, int]]:
        """A hub of 2014 that forwards to us as well, and knows no hops."""
        case.world.hear(asked.path.removeprefix("/api/events/"), asked.data)
        return 200, {}

    peer.answer = echo
    case.world.fire("doorbell", {"n": 1})
    case.world.home.report("garden.gate", "open", {}, HERE)
    await case.world.pass_time(3)
    assert peer.events.count(("doorbell", {"n": 1})) == 1 + MOST_ALIKE
    assert len(peer.events) == 2 + 2 * MOST_ALIKE
    state, attributes = case.world.shown(LINK)
    assert state == "connected"
    assert "as if it went round" in str(attributes["last_error"])
    assert len(caplog.records) == 1
    peer.answer = lambda _asked: (200, {})
    peer.requests.clear()
    case.world.hear("doorbell", {"n": 1})
    case.world.hear("doorbell", {"n": 2})
    case.world.fire("doorbell", {"n": 1})
    await settled()
    assert peer.events == [("doorbell", {"n": 2}), ("doorbell", {"n": 1})]
    case.world.clock.advance(STOPPED_FOR)
    case.world.hear("doorbell", {"n": 1})
    await settled()
    assert len(peer.events) == 3


async def test_events_of_our_own_are_never_taken_for_a_loop(case: Case) -> None:
    peer = await case.register()
    for _ in range(3 * MOST_ALIKE):
        case.world.fire("tick")
    await settled()
    assert len(peer.events) == 3 * MOST_ALIKE


# ---------------------------------------------------------------------- the end


async def test_at_the_end_what_has_happened_still_goes_out(case: Case) -> None:
    peer = await case.register()
    case.world.fire("the_last")
    await case.forwarding.stop()
    assert peer.events == [("the_last", {})]
    assert case.world.shown(LINK)[0] == "connected"
    assert case.kept.defined[-1][1] is not None


async def test_at_the_end_a_target_that_hangs_is_not_awaited_for_long(case: Case) -> None:
    await case.register()
    case.lines[-1].open.clear()
    case.world.fire("the_last")
    started = time.monotonic()
    await case.forwarding.stop()
    assert time.monotonic() - started < 15
    assert case.lines[-1].closed
