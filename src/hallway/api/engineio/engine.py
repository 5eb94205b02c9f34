"""The engine: all sessions, how many there may be, and the one timer that looks after them.

It must not know HTTP, nor what is said.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

import msgspec
import orjson

from hallway.api.engineio.handshake import LARGE_MESSAGE
from hallway.api.engineio.session import PING_EVERY, PING_TIMEOUT, Session
from hallway.api.sockets import Accept, Handshake, Packet
from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable

log = logging.getLogger(__name__)

SID_BYTES = 15
OLD = 3
"""The older revision, in which clients ping."""


class EngineLimits(msgspec.Struct, frozen=True):
    """How many sessions there may be, in all and from one address."""

    sessions: int = 1000
    sessions_per_address: int = 500


class Engine:
    """Opens sessions, finds them, and ends those whose client is gone. accept: who speaks with a new client."""

    def __init__(self, accept: Accept, clock: Clock, limits: EngineLimits) -> None:
        self._accept = accept
        self._clock = clock
        self._limits = limits
        self._sessions: dict[str, Session] = {}
        self._addresses: dict[str, int] = {}
        self._cancel: Cancel = lambda: None

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, sid: str) -> Session | None:
        """The session of that id."""
        return self._sessions.get(sid)

    def open(self, handshake: Handshake, start: Callable[[Session], None]) -> Session:
        """A new session; `start` connects it to how it travels. Unavailable: there are too many."""
        self._make_room(handshake.address)
        sid = secrets.token_urlsafe(SID_BYTES)
        session = Session(sid, handshake.revision, handshake.address, self._clock, self._forget)
        if not self._sessions:
            self._cancel = self._clock.call_later(1, self._check)
        self._sessions[sid] = session
        self._addresses[session.address] = self._addresses.get(session.address, 0) + 1
        start(session)
        session.send(_opening(session))
        session.client = self._accept(session, handshake)
        return session

    def _make_room(self, address: str) -> None:
        if self._addresses.get(address, 0) >= self._limits.sessions_per_address:
            self._let_go_a_stranger(address)
        if len(self._sessions) >= self._limits.sessions:
            self._let_go_a_stranger("")

    def _let_go_a_stranger(self, address: str) -> None:
        """End the oldest session of somebody who is not known (from there). Unavailable: there is none."""
        for session in self._sessions.values():
            if not session.known and (not address or session.address == address):
                session.end()
                return
        raise Unavailable(f"{len(self._sessions)} clients are connected already; try again later")

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.sid, None)
        left = self._addresses[session.address] - 1
        if left:
            self._addresses[session.address] = left
        else:
            del self._addresses[session.address]
        if not self._sessions:
            self._cancel()

    def _check(self) -> None:
        now = self._clock.monotonic()
        self._cancel = self._clock.call_later(1, self._check)
        for session in list(self._sessions.values()):
            session.check(now)

    def end_all(self) -> None:
        """The hub stops."""
        for session in list(self._sessions.values()):
            session.end()


def _opening(session: Session) -> Packet:
    """The first packet: what the client has to know about the transport."""
    said: dict[str, object] = {
        "sid": session.sid,
        "upgrades": ["websocket"] if session.is_polling else [],
        "pingInterval": round(PING_EVERY * 1000),
        "pingTimeout": round(PING_TIMEOUT * 1000),
    }
    if session.revision != OLD:
        said["maxPayload"] = LARGE_MESSAGE
    return Packet(b"0" + orjson.dumps(said))
