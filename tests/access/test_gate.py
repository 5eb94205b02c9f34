"""What the gate promises: the right credential opens it, guessing is slow for who guesses and cheap for the hub."""

from __future__ import annotations

import asyncio

import pytest

from hallway.access import gate as gate_module
from hallway.access.callers import EVERYTHING, LINK_ONLY
from hallway.access.gate import DOOR, MOST_WAITING, SLOWED_BY, WRONG_A_MINUTE, Gate
from hallway.access.passwords import hash_password
from hallway.access.remembered import REMEMBERED_WRONG
from hallway.clock import VirtualClock
from tests.access.hashing import Hashing

HASH = hash_password(b"secret")
OTHER_HASH = hash_password(b"other")


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Hashing:
    counted = Hashing()
    monkeypatch.setattr(gate_module, "is_password", counted)
    return counted


@pytest.fixture
def clock() -> VirtualClock:
    clock = VirtualClock()
    clock.advance(100_000)
    return clock


@pytest.fixture
def gate(clock: VirtualClock) -> Gate:
    """A gate whose password is `secret`, of which only the hash was kept."""
    gate = Gate(clock)
    gate.set_password(kept_hash=HASH)
    return gate


def test_without_a_password_everybody_may_do_everything() -> None:
    gate = Gate(VirtualClock())
    assert gate.guest is gate.owner
    assert (gate.owner.name, gate.owner.permissions, gate.owner.link) == (DOOR, EVERYTHING, "")
    for credential in (b"", b"anything", b"\xff"):
        assert gate.known(credential) is gate.owner


def test_with_a_password_nobody_comes_in_without(gate: Gate) -> None:
    assert gate.guest is None
    assert gate.known(b"") is None
    assert gate.known(b"secret") is None


def test_a_password_given_at_the_start_is_known_without_hashing(hashing: Hashing) -> None:
    gate = Gate(VirtualClock())
    gate.set_password(password="päss:wörd")
    assert gate.known("päss:wörd".encode()) is gate.owner
    assert gate.known("päss:wörd".encode("latin-1")) is None
    assert gate.is_known_wrong(b"other")
    assert hashing.seen == []


async def test_the_right_password_is_hashed_once_and_known_from_then_on(gate: Gate, hashing: Hashing) -> None:
    assert not gate.is_known_wrong(b"secret")
    assert await gate.check(b"secret") is gate.owner
    assert gate.known(b"secret") is gate.owner
    assert await gate.check(b"secret") is gate.owner
    assert hashing.seen == [b"secret"]


async def test_a_wrong_password_is_hashed_once_and_known_to_be_wrong(gate: Gate, hashing: Hashing) -> None:
    assert await gate.check(b"wrong") is None
    assert gate.known(b"wrong") is None
    assert gate.is_known_wrong(b"wrong")
    assert await gate.check(b"wrong") is None
    assert hashing.seen == [b"wrong"]
    assert not gate.is_known_wrong(b"secret")


async def test_many_who_come_at_once_with_the_same_password_cost_one_hash(gate: Gate, hashing: Hashing) -> None:
    found = await asyncio.gather(*(gate.check(b"secret") for _ in range(20)))
    assert found == [gate.owner] * 20
    wrong = await asyncio.gather(*(gate.check(b"wrong") for _ in range(20)))
    assert wrong == [None] * 20
    assert hashing.seen == [b"secret", b"wrong"]


async def test_only_one_hash_is_computed_at_a_time(gate: Gate, hashing: Hashing) -> None:
    found = await asyncio.gather(*(gate.check(b"guess %d" % number) for number in range(5)), gate.check(b"secret"))
    assert found == [None] * 5 + [gate.owner]
    assert len(hashing.seen) == 6
    assert hashing.most_at_once == 1


async def test_when_too_many_wait_the_next_is_turned_away_at_once(gate: Gate, hashing: Hashing) -> None:
    hashing.may_go_on.clear()
    waiting = [asyncio.ensure_future(gate.check(b"secret")) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0.01)
    assert await asyncio.wait_for(gate.check(b"one more"), 15) is None
    assert not gate.is_known_wrong(b"one more")
    hashing.may_go_on.set()
    assert await asyncio.gather(*waiting) == [gate.owner] * MOST_WAITING
    assert hashing.seen == [b"secret"]
    assert await gate.check(b"one more") is None
    assert gate.is_known_wrong(b"one more")


async def test_who_goes_away_while_waiting_leaves_the_place_free(gate: Gate, hashing: Hashing) -> None:
    hashing.may_go_on.clear()
    waiting = [asyncio.ensure_future(gate.check(b"secret")) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0.01)
    for task in waiting[1:]:
        task.cancel()
    await asyncio.gather(*waiting[1:], return_exceptions=True)
    later = [asyncio.ensure_future(gate.check(b"secret")) for _ in range(MOST_WAITING - 1)]
    await asyncio.sleep(0.01)
    hashing.may_go_on.set()
    assert await asyncio.gather(waiting[0], *later) == [gate.owner] * MOST_WAITING


async def test_only_so_many_wrong_ones_are_remembered(
    monkeypatch: pytest.MonkeyPatch, gate: Gate, clock: VirtualClock
) -> None:
    monkeypatch.setattr(gate_module, "is_password", lambda _password, _kept: False)
    for number in range(REMEMBERED_WRONG + 1):
        await gate.check(b"guess %d" % number)
        clock.advance(1)
    assert not gate.is_known_wrong(b"guess 0")
    assert gate.is_known_wrong(b"guess 1")
    assert gate.is_known_wrong(b"guess %d" % REMEMBERED_WRONG)


async def guess_often(gate: Gate, times: int) -> None:
    """The same wrong password, again and again: all but the first answered without a hash."""
    for _ in range(times):
        assert await asyncio.wait_for(gate.check(b"wrong"), 15) is None


async def test_who_guesses_too_often_is_answered_a_second_later(
    gate: Gate, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await guess_often(gate, WRONG_A_MINUTE)
    assert (gate.is_slowed, caplog.text) == (False, "")
    await guess_often(gate, 1)
    assert (gate.is_slowed, len(caplog.records)) == (True, 1)
    assert "somebody is guessing the password" in caplog.text
    guess = asyncio.ensure_future(gate.check(b"wrong"))
    await asyncio.sleep(0)
    clock.advance(SLOWED_BY - 0.01)
    await asyncio.sleep(0.01)
    assert not guess.done()
    clock.advance(0.02)
    assert await asyncio.wait_for(guess, 15) is None
    assert caplog.text.count("somebody is guessing") == 1


async def test_the_right_password_still_comes_in_while_somebody_guesses(gate: Gate, clock: VirtualClock) -> None:
    await gate.check(b"secret")
    await guess_often(gate, WRONG_A_MINUTE + 1)
    assert gate.is_slowed
    assert gate.known(b"secret") is gate.owner
    first = asyncio.ensure_future(gate.check(b"secret"))
    await asyncio.sleep(0)
    clock.advance(SLOWED_BY)
    assert await asyncio.wait_for(first, 15) is gate.owner


async def test_a_minute_later_nobody_is_slowed_any_more(gate: Gate, clock: VirtualClock) -> None:
    await guess_often(gate, WRONG_A_MINUTE + 1)
    slowed = []
    for seconds in (59.9, 0.1):
        clock.advance(seconds)
        slowed.append(gate.is_slowed)
    await guess_often(gate, WRONG_A_MINUTE)
    assert [*slowed, gate.is_slowed] == [True, False, False]


def test_wrong_credentials_that_were_answered_at_once_count_too(gate: Gate) -> None:
    for _ in range(WRONG_A_MINUTE + 1):
        assert not gate.is_slowed
        gate.note_wrong()
    assert gate.is_slowed


async def test_a_new_password_forgets_what_was_right_and_what_was_wrong(gate: Gate) -> None:
    await gate.check(b"secret")
    await gate.check(b"other")
    session = gate.sessions.id_for(gate.owner)
    gate.set_password(kept_hash=OTHER_HASH)
    assert gate.known(b"secret") is None
    assert not gate.is_known_wrong(b"other")
    assert gate.sessions.caller(session) is None
    assert await gate.check(b"secret") is None
    assert await gate.check(b"other") is gate.owner


@pytest.mark.parametrize(("credential", "afterwards"), [(b"secret", None), (b"other", "owner")])
async def test_a_password_that_changes_while_one_is_looked_at_counts_for_that_look_too(
    gate: Gate, hashing: Hashing, credential: bytes, afterwards: str | None
) -> None:
    hashing.may_go_on.clear()
    looking = asyncio.ensure_future(gate.check(credential))
    await asyncio.sleep(0.01)
    gate.set_password(kept_hash=OTHER_HASH)
    hashing.may_go_on.set()
    assert await looking is None
    assert gate.known(credential) is None
    assert await gate.check(credential) is (gate.owner if afterwards else None)


async def test_a_link_comes_in_with_its_token_and_may_tell_events_only(gate: Gate, hashing: Hashing) -> None:
    gate.admit_link("cellar", "token-1")
    caller = gate.known(b"token-1")
    assert caller is not None
    assert (caller.name, caller.link, caller.permissions) == ("link:cellar", "cellar", LINK_ONLY)
    assert caller.context.origin == "link:cellar"
    assert LINK_ONLY < EVERYTHING
    assert not {"devices:read", "controlDevices", "config:write"} & LINK_ONLY
    assert hashing.seen == []


def test_a_new_password_leaves_links_alone(gate: Gate) -> None:
    gate.admit_link("cellar", "token-1")
    session = gate.sessions.id_for(gate.known(b"token-1") or gate.owner)
    gate.set_password(password="new")
    assert gate.known(b"token-1") is not None
    assert gate.sessions.caller(session) is not None


async def test_a_gate_without_a_password_is_closed_to_strangers_while_somebody_says_so(clock: VirtualClock) -> None:
    gate, closed = Gate(clock), [True]
    gate.close_while(lambda: closed[0])
    assert gate.guest is None
    assert gate.known(b"whatever") is None
    assert await gate.check(b"whatever") is None
    closed[0] = False
    assert gate.known(b"whatever") is gate.owner


async def test_no_credential_is_kept_as_it_is(gate: Gate) -> None:
    gate.admit_link("cellar", "token-1")
    await gate.check(b"secret")
    await gate.check(b"guessed")
    kept = repr(vars(gate))
    for credential in ("secret", "guessed", "token-1"):
        assert credential not in kept
    assert set(gate._known).isdisjoint(set(Gate(VirtualClock())._known))
