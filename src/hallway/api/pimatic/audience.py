"""Who hears what: sessions by what they may hear, and the events of one turn of the loop, in one piece for each kind.

It must not know what the events mean, nor how a session gets them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hallway.access.callers import Caller, Permission
from hallway.api.pimatic.live import Event
from hallway.api.sockets import Session

_Kind = tuple[frozenset[Permission], str]


class Audience:
    """The sessions that listen. on_crowd is told when the first one comes and when the last one is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_crowd: Callable[[bool], None]) -> None:
        self._loop = loop
        self._on_crowd = on_crowd
        self._kinds: dict[_Kind, set[Session]] = {}
        self._turn: list[Event] = []

    def __len__(self) -> int:
        return sum(len(sessions) for sessions in self._kinds.values())

    def join(self, session: Session, caller: Caller) -> None:
        """That session hears from now on what its caller may hear."""
        if not self._kinds:
            self._on_crowd(True)
        self._kinds.setdefault((caller.permissions, caller.role), set()).add(session)

    def leave(self, session: Session, caller: Caller) -> None:
        """It hears nothing any more."""
        kind = (caller.permissions, caller.role)
        sessions = self._kinds.get(kind)
        if sessions is None or session not in sessions:
            return
        sessions.discard(session)
        if not sessions:
            del self._kinds[kind]
        if not self._kinds:
            self._turn = []
            self._on_crowd(False)

    def tell(self, events: list[Event]) -> None:
        """Everybody hears this at the end of the turn, or with `flush`."""
        if not self._turn:
            self._loop.call_soon(self.flush)
        self._turn += events

    def flush(self) -> None:
        """Tell what was to be told."""
        events, self._turn = self._turn, []
        if not events:
            return
        for (permissions, role), sessions in list(self._kinds.items()):
            packets = [event.packet for event in events if event.is_for(permissions, role)]
            if packets:
                frames = b"".join([packet.frame for packet in packets])
                for session in list(sessions):
                    session.tell(packets, frames)
