"""The gate: a credential → who is calling. A password is checked against its hash once, then known by a keyed digest.

Wrong ones are remembered too, and only one hash is computed at a time, so that guessing costs the hub little.
It must not know where in a request the credential stood.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from hallway.access.callers import EVERYTHING, LINK_ONLY, Caller
from hallway.access.passwords import is_password
from hallway.access.remembered import Digests, Wrong
from hallway.access.sessions import Sessions
from hallway.clock import Clock, pause
from hallway.home.changes import Context

log = logging.getLogger(__name__)

DOOR = "homeassistant"
WRONG_A_MINUTE = 100
"""More wrong credentials than that within a minute are guesses: from then on each is answered a second later."""
SLOWED_BY = 1.0
MOST_WAITING = 32


class Gate:
    """Knows the Home Assistant door's password and the tokens of links. Without a password everybody may come in."""

    def __init__(self, clock: Clock) -> None:
        self.sessions = Sessions(clock)
        self._digest = Digests()
        self._known: dict[bytes, Caller] = {}
        self._wrong = Wrong()
        self._hash = ""
        self._checking = asyncio.Semaphore(1)
        self._waiting = 0
        self._clock = clock
        self._guesses = 0
        self._guesses_until = 0.0
        self.owner = Caller(DOOR, EVERYTHING, Context(DOOR, user=DOOR))
        self._guest: Caller | None = self.owner
        self._is_closed: Callable[[], bool] = bool

    def set_password(self, *, kept_hash: str = "", password: str | None = None) -> None:
        """From now on this password is needed: by its hash, or (at start) by itself, which saves the first check."""
        self._guest = None
        self._hash = kept_hash
        self._wrong.clear()
        self._known = {digest: caller for digest, caller in self._known.items() if caller.link}
        self.sessions.close_all(self.owner.name)
        if password is not None:
            self._known[self._digest(password.encode())] = self.owner

    @property
    def guest(self) -> Caller | None:
        """Who comes in without a credential: the owner as long as there is no password, then nobody."""
        return None if self._is_closed() else self._guest

    def close_while(self, is_closed: Callable[[], bool]) -> None:
        """Nobody comes in without a credential, though there may be no password, as long as that is so."""
        self._is_closed = is_closed

    def admit_link(self, name: str, token: str) -> None:
        """A hub that we follow calls with this token; it may tell events, which includes calls of our services."""
        caller = Caller(f"link:{name}", LINK_ONLY, Context(f"link:{name}"), name)
        self._known[self._digest(token.encode())] = caller

    def known(self, credential: bytes) -> Caller | None:
        """Who that is, if the credential was right before. Anybody, while there is no password."""
        return self._known.get(self._digest(credential)) or self.guest

    @property
    def is_slowed(self) -> bool:
        """Whether there were so many wrong credentials lately that the next are answered later."""
        return self._guesses > WRONG_A_MINUTE and self._clock.monotonic() < self._guesses_until

    def note_wrong(self) -> None:
        """A credential that lets nobody in was answered at once."""
        now = self._clock.monotonic()
        if now >= self._guesses_until:
            self._guesses, self._guesses_until = 0, now + 60
        self._guesses += 1
        if self._guesses == WRONG_A_MINUTE + 1:
            log.warning("somebody is guessing the password: more than %d wrong ones in a minute", WRONG_A_MINUTE)

    def is_known_wrong(self, credential: bytes) -> bool:
        """Whether it is certain already that this lets nobody in."""
        return not self._hash or self._digest(credential) in self._wrong

    async def check(self, credential: bytes) -> Caller | None:
        """Who that is, after a look at the hash; nobody when too many are waiting for one already."""
        if self.is_slowed:
            await pause(self._clock, SLOWED_BY)
        if self.is_known_wrong(credential):
            self.note_wrong()
            return None
        if self._waiting >= MOST_WAITING:
            return None
        self._waiting += 1
        try:
            async with self._checking:
                if self.is_known_wrong(credential):
                    return None
                right = self.known(credential) or await self._compare(credential)
        finally:
            self._waiting -= 1
        return right

    async def _compare(self, credential: bytes) -> Caller | None:
        """A look at the hash. It says nothing, and is not remembered, when the password is changed meanwhile."""
        kept = self._hash
        right = await asyncio.to_thread(is_password, credential, kept)
        if kept != self._hash:
            return None
        if right:
            self._known[self._digest(credential)] = self.owner
            return self.owner
        self.note_wrong()
        self._wrong.add(self._digest(credential))
        return None
