"""A request whose answer is pending, in the place where a connection keeps the request that it is answering.

It looks like one that an app answers as far as uvicorn's protocol looks. It must not know what is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hallway.api.answer import Answer, Pending
from hallway.errors import HallwayError

Tell = Callable[[Answer, str, bool], None]
"""Writes an answer to a request of that method; whether the connection is kept."""


class _Nobody:
    """Whom uvicorn wakes when a client is gone: nobody sleeps here."""

    def set(self) -> None:
        """Let it be."""


_NOBODY: Final = _Nobody()


class Waiting:
    """To be called once the answer may be told; it is, unless nobody is there for it any more."""

    __slots__ = ("_method", "_pending", "_tell", "disconnected", "keep_alive", "response_complete")

    response_started: Final = False
    message_event: Final = _NOBODY

    def __init__(self, pending: Pending, method: str, keep_alive: bool, tell: Tell) -> None:
        self._pending = pending
        self._method = method
        self._tell = tell
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def __call__(self, error: HallwayError | None) -> None:
        self.response_complete = True
        if not self.disconnected:
            answer = self._pending.answer if error is None else self._pending.refused(error)
            self._tell(answer, self._method, self.keep_alive)
