"""Messages: the short lines that a home writes for people: what a rule logged, what went wrong, what was edited.

The last ones stand here; whoever wants to keep more listens to the changes. It must not know who reads them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from hallway.home.changes import Context

Level = Literal["debug", "info", "warn", "error"]
KEPT_MESSAGES = 1000
MAX_TEXT = 10_000


class Message(msgspec.Struct, frozen=True):
    """One line. id: the number of the change that brought it; at: seconds since 1970; tags: what it is about."""

    id: int
    at: float
    level: Level
    text: str
    tags: tuple[str, ...] = ()


class Tells(Protocol):
    """Makes changes of messages."""

    def message(self, level: Level, text: str, tags: tuple[str, ...]) -> Message: ...
    def tell_message(self, message: Message, context: Context) -> None: ...


class Messages:
    """The last messages of a home."""

    def __init__(self, announcer: Tells) -> None:
        self._announcer = announcer
        self._last: deque[Message] = deque(maxlen=KEPT_MESSAGES)

    def say(self, level: Level, text: str, tags: Iterable[str], context: Context) -> Message:
        """Write a line; one that is too long is cut."""
        whole = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
        message = self._announcer.message(level, whole, tuple(tags))
        self._last.append(message)
        self._announcer.tell_message(message, context)
        return message

    def forget(self, numbers: Collection[int]) -> int:
        """The messages of these ids are gone: how many they were."""
        left = [message for message in self._last if message.id not in numbers]
        gone = len(self._last) - len(left)
        self._last.clear()
        self._last.extend(left)
        return gone

    def all(self) -> list[Message]:
        """The last messages, newest last."""
        return list(self._last)
