"""What a target promises: order, a bounded queue, back-off, and an entity that tells the truth about it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from hallway.home.bus import CALL_SERVICE
from hallway.links.status import LinkStatus
from hallway.links.targets import BATCH, MOST_BYTES, MOST_QUEUED, Outgoing, Target, deliver
from tests.links.stubs import HOST, PORT, Asked, StubLine, StubPeer, World, settled

LINK = "link.192_0_2_7_8123"


class Case:
    """A target whose hub is a stub."""

    def __init__(self) -> None:
        self.world = World()
        self.peer = StubPeer()
        self.line = StubLine(self.peer)
        self.status = LinkStatus(self.world.home, HOST, PORT, "to")
        self.target = Target(self.world.clock, self.line, self.status)

    def put(self, *numbers: int, event_type: str = "flood") -> None:
        for number in numbers:
            data = b'{"n": %d}' % number
            self.target.put(Outgoing(event_type, data, ("here",), self.world.clock.monotonic()))

    @property
    def arrived(self) -> list[int]:
        """The numbers of all that was posted, tries that failed included."""
        return [data["n"] for _type, data in self.peer.events]

    @property
    def link(self) -> tuple[str, dict[str, object]]:
        state, attributes = self.world.shown(LINK)
        return state, {name: attributes[name] for name in ("queued", "dropped", "last_error") if name in attributes}


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    case = Case()
    case.target.start(proven=True)
    await settled()
    yield case
    await case.target.stop()


def no(status: int) -> tuple[int, str]:
    return status, "no"


async def test_events_are_posted_in_order_each_once(case: Case) -> None:
    case.put(*range(120))
    await settled()
    assert case.arrived == list(range(120))
    assert case.peer.requests[0] == Asked("POST", "/api/events/flood", {"n": 0}, "here")


async def test_events_are_handed_to_the_thread_in_batches(case: Case) -> None:
    case.put(*range(2 * BATCH + 1))
    await settled()
    assert case.line.works == 3


async def test_at_first_it_is_connected_and_nothing_waits(case: Case) -> None:
    assert case.world.shown(LINK) == (
        "connected",
        {"friendly_name": "192.0.2.7:8123", "direction": "to", "queued": 0, "dropped": 0},
    )


async def test_the_pauses_between_tries_double_up_to_a_minute(case: Case) -> None:
    tried: list[float] = []

    def answer(_asked: Asked) -> tuple[int, str]:
        tried.append(case.world.clock.monotonic())
        return no(503)

    case.peer.answer = answer
    case.put(1)
    await case.world.pass_time(250)
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


async def test_a_try_that_moved_something_begins_with_short_pauses_again(case: Case) -> None:
    tried: list[tuple[float, int]] = []

    def answer(asked: Asked) -> tuple[int, str]:
        tried.append((case.world.clock.monotonic(), asked.data["n"]))
        return no(200 if asked.data["n"] == 1 and len(tried) == 4 else 503)

    case.peer.answer = answer
    case.put(1, 2)
    await case.world.pass_time(10)
    assert tried == [(0, 1), (1, 1), (3, 1), (7, 1), (7, 2), (8, 2), (10, 2)]


async def test_a_delivery_stops_at_the_first_failure_and_resumes_there(case: Case) -> None:
    def second_fails(asked: Asked) -> tuple[int, str]:
        return no(500 if asked.data["n"] == 2 else 200)

    case.peer.answer = second_fails
    case.put(1, 2, 3, 4)
    await settled()
    assert case.arrived == [1, 2]
    case.peer.answer = lambda _asked: (200, {})
    await case.world.pass_time(1)
    assert case.arrived == [1, 2, 2, 3, 4]


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503])
async def test_what_speaks_of_the_target_is_tried_again(case: Case, status: int) -> None:
    case.peer.answer = lambda _asked: no(status)
    case.put(1, 2)
    await settled()
    assert case.arrived == [1]
    why = f"192.0.2.7 port 8123 answered {status}"
    assert case.link == ("retrying", {"queued": 2, "dropped": 0, "last_error": why})
    case.peer.answer = lambda _asked: (200, {})
    await case.world.pass_time(1)
    assert case.arrived == [1, 1, 2]
    assert case.link == ("connected", {"queued": 0, "dropped": 0})


@pytest.mark.parametrize("status", [301, 400, 404, 405, 413, 422])
async def test_an_event_that_the_target_does_not_take_is_dropped_and_the_next_one_goes_on(
    case: Case, status: int
) -> None:
    case.peer.answer = lambda asked: no(status if asked.data["n"] == 2 else 200)
    case.put(1, 2, 3)
    await case.world.pass_time(2)
    assert case.arrived == [1, 2, 3]
    why = f"192.0.2.7 port 8123 answered {status} to event flood, which is dropped"
    assert case.link == ("connected", {"queued": 0, "dropped": 1, "last_error": why})


async def test_a_full_queue_drops_the_oldest_and_counts_them(case: Case) -> None:
    case.peer.answer = None
    case.put(0)
    await settled()
    case.put(*range(1, MOST_QUEUED + 5))
    assert case.link == ("retrying", {"queued": 1, "dropped": 0, "last_error": case.link[1]["last_error"]})
    await case.world.pass_time(2)
    assert case.link[1]["queued"] == MOST_QUEUED
    assert case.link[1]["dropped"] == 5
    case.peer.requests.clear()
    case.peer.answer = lambda _asked: (200, {})
    await case.world.pass_time(10)
    assert case.arrived == list(range(5, MOST_QUEUED + 5))
    assert case.link == ("connected", {"queued": 0, "dropped": 5})


async def test_large_events_fill_the_queue_by_their_bytes(case: Case) -> None:
    case.peer.answer = None
    case.put(0)
    await settled()
    large = b'{"n": 1, "text": "%b"}' % (b"x" * (MOST_BYTES // 4))
    for _ in range(6):
        case.target.put(Outgoing("flood", large, ("here",), case.world.clock.monotonic()))
    await case.world.pass_time(2)
    assert case.link[1]["queued"] == 3
    assert case.link[1]["dropped"] == 4


async def test_what_is_under_way_counts_as_waiting(case: Case) -> None:
    case.line.open.clear()
    case.put(0)
    await settled()
    case.put(*range(1, MOST_QUEUED + 1))
    await case.world.pass_time(2)
    assert case.link[1]["queued"] == MOST_QUEUED
    assert case.link[1]["dropped"] == 1
    case.line.open.set()
    await settled()
    assert case.arrived == [0, *range(2, MOST_QUEUED + 1)]


async def test_a_slow_target_is_lagging_until_it_has_caught_up(case: Case) -> None:
    case.line.open.clear()
    case.put(*range(BATCH + 1))
    assert case.link[0] == "connected"
    await case.world.pass_time(2)
    assert case.link == ("lagging", {"queued": BATCH + 1, "dropped": 0})
    case.line.open.set()
    await case.world.pass_time(2)
    assert case.link == ("connected", {"queued": 0, "dropped": 0})


async def test_the_number_that_waits_is_shown_until_it_is_none(case: Case) -> None:
    case.line.open.clear()
    case.put(1, 2, 3)
    case.target.warn("something is odd")
    await case.world.pass_time(2)
    assert case.link == ("connected", {"queued": 3, "dropped": 0, "last_error": "something is odd"})
    case.line.open.set()
    await case.world.pass_time(2)
    assert case.link[1]["queued"] == 0


async def test_events_that_get_through_at_once_do_not_move_the_entity(case: Case) -> None:
    shown = case.world.states_of(LINK)
    for number in range(10):
        case.put(number)
        await case.world.pass_time(3)
    assert shown == []


async def test_a_call_is_not_delivered_when_nobody_waits_for_it_any_more(case: Case) -> None:
    case.peer.answer = None
    case.put(1, event_type=CALL_SERVICE)
    case.put(2)
    await case.world.pass_time(10.5)
    case.put(3, event_type=CALL_SERVICE)
    case.peer.requests.clear()
    case.peer.answer = lambda _asked: (200, {})
    await case.world.pass_time(5)
    assert case.peer.events == [("flood", {"n": 2}), (CALL_SERVICE, {"n": 3})]
    assert case.link == ("connected", {"queued": 0, "dropped": 1})


async def test_a_target_that_shows_itself_is_tried_at_once(case: Case) -> None:
    case.peer.answer = None
    case.put(1)
    await case.world.pass_time(20)
    case.peer.requests.clear()
    case.peer.answer = lambda _asked: (200, {})
    case.target.try_now()
    await settled()
    assert case.arrived == [1]


async def test_over_a_new_line_it_goes_on_with_what_waits(case: Case) -> None:
    case.peer.answer = lambda asked: no(200 if asked.data["n"] < 3 else 401)
    case.put(1, 2, 3, 4)
    await settled()
    newer = StubPeer(password="newer")
    case.target.renew(StubLine(newer))
    await settled()
    assert case.line.closed
    assert [data["n"] for _type, data in newer.events] == [3, 4]
    assert case.target.password == "newer"
    assert case.link[0] == "connected"


async def test_a_new_line_while_events_are_under_way_is_no_failure(case: Case) -> None:
    case.line.open.clear()
    case.put(1, 2)
    await settled()
    newer = StubPeer()
    shown = case.world.states_of(LINK)
    case.target.renew(StubLine(newer))
    case.line.open.set()
    await settled()
    assert "retrying" not in shown
    assert [data["n"] for _type, data in newer.events] == [1, 2]
    assert case.link == ("connected", {"queued": 0, "dropped": 0})


async def test_one_that_was_never_proven_is_asked_before_it_gets_events() -> None:
    case = Case()
    case.peer.answer = None
    case.target.start(proven=False)
    assert case.link[0] == "connecting"
    case.put(1)
    await settled()
    assert case.link[0] == "retrying"
    assert [asked.path for asked in case.peer.requests] == ["/api/"]
    case.peer.answer = lambda asked: (200, {}) if asked.path != "/api/" or len(case.peer.requests) > 2 else no(401)
    await case.world.pass_time(5)
    assert [asked.path for asked in case.peer.requests] == ["/api/", "/api/", "/api/", "/api/events/flood"]
    assert case.link == ("connected", {"queued": 0, "dropped": 0})
    await case.target.stop()


async def test_trouble_is_logged_when_it_begins_and_when_it_ends(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hallway.links")
    case.peer.answer = None
    case.put(1)
    await case.world.pass_time(40)
    case.peer.answer = lambda _asked: (200, {})
    await case.world.pass_time(60)
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        f"{LINK} is tried again and again",
        f"{LINK} is connected",
    ]


async def test_a_fault_of_ours_does_not_end_the_deliveries(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    def fault(_asked: Asked) -> tuple[int, str]:
        raise RuntimeError("a fault")

    case.peer.answer = fault
    case.put(1)
    await settled()
    assert case.link[1]["last_error"] == "RuntimeError: a fault"
    case.peer.answer = lambda _asked: (200, {})
    await case.world.pass_time(1)
    assert case.arrived == [1, 1]
    assert "delivering to 192.0.2.7 failed" in caplog.text


async def test_what_waits_is_awaited_unless_the_target_cannot_be_reached(case: Case) -> None:
    case.put(1, 2)
    await case.target.drained()
    assert case.arrived == [1, 2]
    case.peer.answer = None
    case.put(3)
    await case.target.drained()
    assert case.link[0] == "retrying"
    case.put(4)
    await case.target.drained()


async def test_a_cancelled_target_shows_nothing_and_gets_nothing(case: Case) -> None:
    await case.target.cancel()
    case.put(1)
    await case.world.pass_time(5)
    assert case.arrived == []
    assert case.line.closed
    assert case.world.home.state(LINK) is None


def test_a_line_that_has_ended_stops_a_delivery_between_two_events() -> None:
    peer = StubPeer()

    def end_after_two(asked: Asked) -> tuple[int, dict[str, int]]:
        if asked.data["n"] == 2:
            peer.end()
        return 200, {}

    peer.answer = end_after_two
    delivery = deliver(peer, [Outgoing("flood", b'{"n": %d}' % number, (), 0) for number in (1, 2, 3)])
    assert delivery.done == 2
    assert delivery.failed is not None
