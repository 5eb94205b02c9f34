"""The brake on guessing: wrong passwords make the next try wait, longer each time, per account and per address.

Only tries that need a hash are braked: a session, or a password that was right before, never is. It must not know what
a try looked like.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import ip_network

from hallway.clock import Clock, pause
from hallway.errors import TooManyTries

FREE_TRIES_ACCOUNT, FREE_TRIES_ADDRESS = 5, 20
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
WORTH_WAITING = 1.0
"""A pause up to that long is waited for; a longer one is told."""
FORGOTTEN_AFTER = 15 * 60.0
MOST_ENTRIES = 1000


class _Failures:
    __slots__ = ("count", "last", "until")

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0
        self.until = 0.0


class _Table:
    """Failures by key, the longest untouched first; bounded."""

    def __init__(self, free_tries: int) -> None:
        self._free_tries = free_tries
        self._entries: OrderedDict[str, _Failures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def until(self, key: str) -> float:
        entry = self._entries.get(key)
        return 0.0 if entry is None else entry.until

    def failed(self, key: str, now: float) -> None:
        entry = self._entries.get(key)
        if entry is None or now - entry.last > FORGOTTEN_AFTER:
            entry = self._entries[key] = _Failures()
        self._entries.move_to_end(key)
        if len(self._entries) > MOST_ENTRIES:
            self._entries.popitem(last=False)
        entry.count += 1
        entry.last = now
        over = entry.count - self._free_tries
        if over >= 0:
            # 2 ** over is a large number soon, and not needed beyond the longest pause
            entry.until = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(over, 10))

    def forget(self, key: str) -> None:
        self._entries.pop(key, None)


class Throttle:
    """How long the next try for an account from an address has to wait.

    An address from which an account was let in before has failures of its own there, so that guesses from elsewhere do
    not keep its owner out. Names that no account has share one entry.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts = _Table(FREE_TRIES_ACCOUNT)
        self._addresses = _Table(FREE_TRIES_ADDRESS)
        self._trusted: OrderedDict[str, None] = OrderedDict()

    async def admit(self, account: str, address: str) -> None:
        """Wait out a short pause. TooManyTries: it is a long one."""
        seconds = self.pause(account, address)
        if seconds > WORTH_WAITING:
            raise too_many(seconds)
        if seconds > 0:
            await pause(self._clock, seconds)

    def pause(self, account: str, address: str) -> float:
        """How many seconds the next try has to wait; none when it is not more than 0."""
        until = max(self._accounts.until(self._key(account, address)), self._addresses.until(network_of(address)))
        return until - self._clock.monotonic()

    def failed(self, account: str, address: str) -> None:
        """That password was wrong."""
        now = self._clock.monotonic()
        self._accounts.failed(self._key(account, address), now)
        self._addresses.failed(network_of(address), now)

    def succeeded(self, account: str, address: str) -> None:
        """That password was right: this address is one of its owner."""
        self._accounts.forget(self._key(account, address))
        pair = _pair(account, address)
        self._trusted[pair] = None
        self._trusted.move_to_end(pair)
        if len(self._trusted) > MOST_ENTRIES:
            self._trusted.popitem(last=False)

    def _key(self, account: str, address: str) -> str:
        pair = _pair(account, address)
        return pair if pair in self._trusted else account


def too_many(pause: float) -> TooManyTries:
    """What is told to who has to wait that long."""
    seconds = max(1, math.ceil(pause))
    return TooManyTries(
        f"too many passwords were tried: try again in {seconds} s; who is logged in already stays so", seconds
    )


def _pair(account: str, address: str) -> str:
    return f"{account}\n{address}"


def network_of(address: str) -> str:
    """The part of an address that somebody cannot change at will: of IPv6 the first 64 bits."""
    if ":" not in address or "." in address:
        return address
    try:
        return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address
