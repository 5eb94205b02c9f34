"""Sessions: a cookie that stands for a credential which was right a while ago.

They are bounded in number and expire when unused; calls of the same caller within a minute share one, so that clients
without a cookie jar cost nothing. It must not know what a cookie looks like on the wire.
"""

from __future__ import annotations

import secrets
import string

from hallway.access.callers import Caller
from hallway.clock import Clock

LIFE = 30 * 60.0
SHARED_FOR = 60.0
MOST = 1000
_SIGNS = string.ascii_letters + string.digits


class _Session:
    __slots__ = ("caller", "used")

    def __init__(self, caller: Caller, used: float) -> None:
        self.caller = caller
        self.used = used


class Sessions:
    """Open sessions by id (20 letters and digits), the longest unused first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, _Session] = {}
        self._newest: dict[str, tuple[float, str]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def caller(self, session_id: str) -> Caller | None:
        """Whose session that is, while it lives."""
        session = self._open.get(session_id)
        if session is None:
            return None
        now = self._clock.monotonic()
        if now - session.used > LIFE:
            del self._open[session_id]
            return None
        session.used = now
        return session.caller

    def id_for(self, caller: Caller) -> str:
        """A session of that caller: the one opened within the last minute, else a new one."""
        now = self._clock.monotonic()
        opened, session_id = self._newest.get(caller.name, (-SHARED_FOR, ""))
        if now - opened < SHARED_FOR and session_id in self._open:
            return session_id
        session_id = "".join(secrets.choice(_SIGNS) for _ in range(20))
        self._make_room(now)
        self._open[session_id] = _Session(caller, now)
        self._newest[caller.name] = (now, session_id)
        return session_id

    def close_all(self, caller_name: str) -> None:
        """The caller's credential changed: none of its sessions counts any more."""
        self._newest.pop(caller_name, None)
        self._open = {i: session for i, session in self._open.items() if session.caller.name != caller_name}

    def _make_room(self, now: float) -> None:
        self._open = {i: session for i, session in self._open.items() if now - session.used <= LIFE}
        while len(self._open) >= MOST:
            del self._open[min(self._open, key=lambda i: self._open[i].used)]
