"""What telling promises: order, one try, nothing late; an echo is known as one; both forms of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hallway.clock import VirtualClock
from hallway.errors import HallwayError
from hallway.home.values import Attributes
from hallway.links.telling import ECHO_LIFE, MOST_WAITING, TOO_LATE, Echoes, Outbox, Post, call_form
from tests.links.stubs import Asked, StubLine, StubPeer, settled


class Case:
    """An outbox to a stub, and what became of its posts."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.peer = StubPeer()
        self.line = StubLine(self.peer)
        self.outbox = Outbox(self.clock, self.line)
        self.fates: list[str] = []

    def put(self, name: str) -> None:
        def failed(error: HallwayError) -> None:
            self.fates.append(f"{name}: {error.message}")

        def answered() -> None:
            self.fates.append(f"{name}: answered")

        self.outbox.put(Post(f"/api/events/{name}", b"{}", ("attic", "here"), failed, answered))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    case = Case()
    working = asyncio.create_task(case.outbox.work())
    yield case
    working.cancel()


async def test_posts_go_out_one_after_the_other(case: Case) -> None:
    for name in ("a", "b", "c"):
        case.put(name)
    await settled()
    assert case.peer.requests[0] == Asked("POST", "/api/events/a", {}, "attic,here")
    assert [event_type for event_type, _data in case.peer.events] == ["a", "b", "c"]
    assert case.fates == ["a: answered", "b: answered", "c: answered"]


async def test_a_post_that_fails_is_not_tried_again_and_the_next_one_is_tried(case: Case) -> None:
    answers = {"/api/events/b": (401, {}), "/api/events/c": (422, {"message": "no"}), "/api/events/d": (201, {})}
    case.peer.answer = lambda asked: answers.get(asked.path, (200, {}))
    for name in ("a", "b", "c", "d"):
        case.put(name)
    await settled()
    assert len(case.peer.requests) == 4
    assert case.fates == [
        "a: answered",
        "b: 192.0.2.7 port 8123 does not take the password",
        'c: 192.0.2.7 port 8123 answered 422 to POST /api/events/c: {"message": "no"}',
        "d: answered",
    ]


async def test_what_waited_too_long_is_not_posted(case: Case) -> None:
    case.line.open.clear()
    case.put("a")
    await settled()
    case.put("b")
    case.clock.advance(TOO_LATE + 0.1)
    case.put("c")
    case.line.open.set()
    await settled()
    assert [event_type for event_type, _data in case.peer.events] == ["a", "c"]
    assert case.fates[1] == "b: 192.0.2.7 did not take in time what was before it"


async def test_only_so_many_wait(case: Case) -> None:
    case.line.open.clear()
    case.put("first")
    await settled()
    for number in range(MOST_WAITING):
        case.put(f"n{number}")
    assert case.fates == []
    case.put("one_more")
    assert case.fates == ["one_more: 1000 posts to 192.0.2.7 are waiting already"]


async def test_a_fault_of_ours_fails_one_post_and_no_other(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    def fault(asked: Asked) -> tuple[int, Attributes]:
        if asked.path.endswith("/a"):
            raise RuntimeError("a fault")
        return 200, {}

    case.peer.answer = fault
    case.put("a")
    case.put("b")
    await settled()
    assert case.fates == ["a: RuntimeError: a fault", "b: answered"]
    assert "a post to 192.0.2.7 failed" in caplog.text


# ---------------------------------------------------------------------- echoes


def test_an_event_that_was_told_comes_back_once() -> None:
    echoes = Echoes(VirtualClock())
    echoes.expect("bell", {"a": 1, "b": [2]})
    assert echoes.take("bell", {"b": [2], "a": 1})
    assert not echoes.take("bell", {"a": 1, "b": [2]})


def test_equal_events_come_back_as_often_as_they_were_told() -> None:
    echoes = Echoes(VirtualClock())
    for _ in range(3):
        echoes.expect("bell", {})
    assert [echoes.take("bell", {}) for _ in range(4)] == [True, True, True, False]


def test_other_events_are_no_echoes() -> None:
    echoes = Echoes(VirtualClock())
    echoes.expect("bell", {"n": 1})
    assert not echoes.take("bell", {"n": 2})
    assert not echoes.take("horn", {"n": 1})


def test_an_echo_that_did_not_come_in_time_is_none() -> None:
    clock = VirtualClock()
    echoes = Echoes(clock)
    echoes.expect("bell", {})
    clock.advance(ECHO_LIFE - 1)
    echoes.expect("bell", {})
    clock.advance(2)
    assert [echoes.take("bell", {}) for _ in range(2)] == [True, False]


def test_echoes_that_never_come_take_little_memory() -> None:
    echoes = Echoes(VirtualClock())
    for number in range(MOST_WAITING + 10):
        echoes.expect("bell", {"n": number})
    assert not echoes.take("bell", {"n": 9})
    assert echoes.take("bell", {"n": 10})


def test_an_event_told_for_ever_without_an_echo_takes_little_memory() -> None:
    clock = VirtualClock()
    echoes = Echoes(clock)
    for _ in range(1000):
        echoes.expect("bell", {})
        clock.advance(1)
    assert len(next(iter(echoes._expected.values()))) <= ECHO_LIFE + 1


# ---------------------------------------------------------------------- calls


def test_the_arguments_of_a_call_stand_beside_the_rest_or_for_themselves() -> None:
    flat: Attributes = {"domain": "light", "service": "turn_on", "service_call_id": "x-1", "entity_id": "light.bed"}
    nested: Attributes = {
        "domain": "light",
        "service": "turn_on",
        "service_call_id": "x-1",
        "service_data": {"entity_id": "light.bed"},
    }
    assert call_form(flat, nested=False) == flat
    assert call_form(flat, nested=True) == nested
    assert call_form(nested, nested=True) == nested
