"""What sessions promise: few, shared, gone when unused or when the password changes."""

from __future__ import annotations

import re

import pytest

from hallway.access.callers import EVERYTHING, Caller
from hallway.access.sessions import LIFE, MOST, SHARED_FOR, Sessions
from hallway.clock import VirtualClock
from hallway.home.changes import Context


def caller(name: str) -> Caller:
    return Caller(name, EVERYTHING, Context(name))


ANNA, BEN = caller("anna"), caller("ben")


@pytest.fixture
def clock() -> VirtualClock:
    clock = VirtualClock()
    clock.advance(100_000)
    return clock


@pytest.fixture
def sessions(clock: VirtualClock) -> Sessions:
    return Sessions(clock)


def test_a_session_stands_for_its_caller(sessions: Sessions) -> None:
    anna, ben = sessions.id_for(ANNA), sessions.id_for(BEN)
    assert (sessions.caller(anna), sessions.caller(ben)) == (ANNA, BEN)
    assert len(sessions) == 2


@pytest.mark.parametrize("session_id", ["", "nope", "x" * 20, "ä"])
def test_what_is_no_session_stands_for_nobody(sessions: Sessions, session_id: str) -> None:
    sessions.id_for(ANNA)
    assert sessions.caller(session_id) is None


def test_an_id_has_twenty_letters_and_digits_and_cannot_be_guessed(sessions: Sessions) -> None:
    ids = {sessions.id_for(caller(f"caller {number}")) for number in range(500)}
    assert len(ids) == 500
    assert all(re.fullmatch("[A-Za-z0-9]{20}", session_id) for session_id in ids)
    assert len({session_id[0] for session_id in ids}) > 30


def test_within_a_minute_a_caller_gets_the_same_session(sessions: Sessions, clock: VirtualClock) -> None:
    first = sessions.id_for(ANNA)
    for _ in range(100):
        assert sessions.id_for(ANNA) == first
    clock.advance(SHARED_FOR - 0.001)
    assert sessions.id_for(ANNA) == first
    clock.advance(0.001)
    assert sessions.id_for(ANNA) != first
    assert len(sessions) == 2


def test_a_session_lives_as_long_as_it_is_used(sessions: Sessions, clock: VirtualClock) -> None:
    session_id = sessions.id_for(ANNA)
    for _ in range(10):
        clock.advance(LIFE)
        assert sessions.caller(session_id) is ANNA
    clock.advance(LIFE + 0.001)
    assert sessions.caller(session_id) is None
    assert len(sessions) == 0


def test_its_life_is_elapsed_time_whatever_the_wall_clock_does(sessions: Sessions, clock: VirtualClock) -> None:
    session_id = sessions.id_for(ANNA)
    clock.set_wall(0)
    assert sessions.caller(session_id) is ANNA
    clock.set_wall(4e9)
    assert sessions.caller(session_id) is ANNA


def test_dead_sessions_make_room_for_new_ones(sessions: Sessions, clock: VirtualClock) -> None:
    for number in range(10):
        sessions.id_for(caller(f"caller {number}"))
    clock.advance(LIFE + 1)
    sessions.id_for(ANNA)
    assert len(sessions) == 1


def test_there_are_never_more_than_a_thousand_and_the_longest_unused_goes(
    sessions: Sessions, clock: VirtualClock
) -> None:
    ids = []
    for number in range(MOST):
        ids.append(sessions.id_for(caller(f"caller {number}")))
        clock.advance(0.1)
    assert sessions.caller(ids[0]) is not None
    sessions.id_for(ANNA)
    assert len(sessions) == MOST == 1000
    assert sessions.caller(ids[0]) is not None
    assert sessions.caller(ids[1]) is None
    assert sessions.caller(ids[2]) is not None


def test_all_sessions_of_one_caller_can_be_closed(sessions: Sessions, clock: VirtualClock) -> None:
    ids = [sessions.id_for(ANNA)]
    clock.advance(SHARED_FOR)
    ids.append(sessions.id_for(ANNA))
    ben = sessions.id_for(BEN)
    sessions.close_all("anna")
    assert [sessions.caller(session_id) for session_id in ids] == [None, None]
    assert sessions.caller(ben) is BEN
    assert sessions.id_for(ANNA) not in ids
