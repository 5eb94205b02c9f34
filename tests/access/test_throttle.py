"""Guessing gets slower and slower for who guesses, and for nobody else."""

from __future__ import annotations

import asyncio

import pytest

from hallway.access.throttle import (
    FIRST_PAUSE,
    FORGOTTEN_AFTER,
    FREE_TRIES_ACCOUNT,
    FREE_TRIES_ADDRESS,
    LONGEST_PAUSE,
    MOST_ENTRIES,
    Throttle,
    network_of,
)
from hallway.clock import VirtualClock
from hallway.errors import TooManyTries


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def throttle(clock: VirtualClock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, times: int, account: str = "anna", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        throttle.failed(account, address)


async def test_a_few_mistakes_cost_nothing(throttle: Throttle) -> None:
    fail(throttle, FREE_TRIES_ACCOUNT - 1)
    assert throttle.pause("anna", "10.0.0.1") <= 0
    await throttle.admit("anna", "10.0.0.1")


def test_each_further_one_doubles_the_pause_up_to_the_longest(throttle: Throttle) -> None:
    fail(throttle, FREE_TRIES_ACCOUNT)
    pauses = [throttle.pause("anna", "10.0.0.1")]
    for _ in range(8):
        fail(throttle, 1)
        pauses.append(throttle.pause("anna", "10.0.0.1"))
    assert pauses[:4] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4, FIRST_PAUSE * 8]
    assert pauses[-1] == LONGEST_PAUSE


async def test_a_short_pause_is_waited_for(throttle: Throttle, clock: VirtualClock) -> None:
    fail(throttle, FREE_TRIES_ACCOUNT)
    waiting = asyncio.ensure_future(throttle.admit("anna", "10.0.0.1"))
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(FIRST_PAUSE)
    await waiting


async def test_a_long_pause_is_told(throttle: Throttle, clock: VirtualClock) -> None:
    fail(throttle, FREE_TRIES_ACCOUNT + 10)
    with pytest.raises(TooManyTries, match="try again in 15 s") as told:
        await throttle.admit("anna", "10.0.0.1")
    assert told.value.seconds == LONGEST_PAUSE
    clock.advance(LONGEST_PAUSE)
    await throttle.admit("anna", "10.0.0.1")


def test_guesses_for_one_account_from_many_addresses_are_counted_together(throttle: Throttle) -> None:
    for last in range(FREE_TRIES_ACCOUNT + 4):
        throttle.failed("anna", f"10.0.0.{last}")
    assert throttle.pause("anna", "10.9.9.9") > 0
    assert throttle.pause("bert", "10.9.9.9") <= 0


def test_guesses_from_one_address_for_many_accounts_are_counted_together(throttle: Throttle) -> None:
    for number in range(FREE_TRIES_ADDRESS + 4):
        throttle.failed(f"user{number}", "10.0.0.1")
    assert throttle.pause("anna", "10.0.0.1") > 0
    assert throttle.pause("anna", "10.0.0.2") <= 0


def test_who_was_let_in_from_an_address_is_not_kept_out_there_by_guesses_from_elsewhere(throttle: Throttle) -> None:
    throttle.succeeded("anna", "192.168.1.7")
    fail(throttle, FREE_TRIES_ACCOUNT + 10, address="10.0.0.1")
    assert throttle.pause("anna", "192.168.1.7") <= 0
    assert throttle.pause("anna", "192.168.1.8") > 0


def test_the_right_password_forgives_the_wrong_ones_before(throttle: Throttle, clock: VirtualClock) -> None:
    fail(throttle, FREE_TRIES_ACCOUNT + 2)
    throttle.succeeded("anna", "10.0.0.1")
    assert throttle.pause("anna", "10.0.0.1") <= 0


def test_old_failures_are_forgotten(throttle: Throttle, clock: VirtualClock) -> None:
    fail(throttle, FREE_TRIES_ACCOUNT + 10)
    clock.advance(FORGOTTEN_AFTER + 1)
    fail(throttle, 1)
    assert throttle.pause("anna", "10.0.0.1") <= 0


def test_the_tables_do_not_grow_with_the_guesses(throttle: Throttle) -> None:
    for number in range(MOST_ENTRIES + 50):
        throttle.failed(f"user{number}", f"10.0.{number // 250}.{number % 250}")
        throttle.succeeded(f"user{number}", f"10.0.{number // 250}.{number % 250}")
    assert len(throttle._addresses) == MOST_ENTRIES
    assert len(throttle._accounts) <= MOST_ENTRIES
    assert len(throttle._trusted) == MOST_ENTRIES


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8::7", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_of_an_ipv6_address_the_first_half_counts(address: str, network: str) -> None:
    assert network_of(address) == network
