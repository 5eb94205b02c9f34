"""Messages: the short lines that a home writes for people: what a rule logged, what went wrong, what was edited.

The last ones stand here; whoever keeps more listens to the changes and becomes a `MessageBook`. What is known to be
secret never gets into one. It must not know who reads them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from hallway.home.changes import Context

Level = Literal["debug", "info", "warn", "error"]
LEVELS: Final[tuple[Level, ...]] = ("error", "warn", "info", "debug")
KEPT_MESSAGES = 1000
MAX_TEXT = 10_000
MOST_MESSAGES: Final = 10_000
"""More messages than these are not told at once."""
HIDDEN: Final = "•••"
CUT: Final = "…"
"""Stands where the rest of a text was left out."""
SHORTEST_SECRET: Final = 6
"""Shorter ones are words that may stand anywhere."""
_CREDENTIALS: Final = re.compile(
    r"(?<=://)[^\s/?#@]+(?=@)"
    r"|(?i:(?<=password=)|(?<=passwd=)|(?<=token=)|(?<=secret=)|(?<=api_key=)|(?<=apikey=))[^\s&\"',;)}\]]+"
    r"|((?i:basic|bearer)\s+)[A-Za-z0-9+/=._~-]{8,}"
)
"""What logs in, as it stands in addresses and headers; the group is to be left there."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One line. id: the number of the change that brought it; at: seconds since 1970; tags: what it is about."""

    id: int
    at: float
    level: Level
    text: str
    tags: tuple[str, ...] = ()


class Wanted(msgspec.Struct, frozen=True):
    """Which messages: of these levels (None: all), with all these tags, with this in the text, between two times.

    after and before in seconds since 1970, both included; offset and limit count from the newest.
    """

    levels: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()
    after: float | None = None
    before: float | None = None
    text: str = ""
    offset: int = 0
    limit: int | None = None

    def fits(self, message: Message) -> bool:
        """Whether the message is one of those, wherever it stands among them."""
        at = round(message.at * 1000)
        return (
            (self.levels is None or message.level in self.levels)
            and self.tags.issubset(message.tags)
            and (self.after is None or at >= self.after * 1000)
            and (self.before is None or at <= self.before * 1000)
            and (not self.text or self.text.casefold() in message.text.casefold())
        )

    def of(self, messages: Iterable[Message]) -> list[Message]:
        """The messages that are wanted, newest first."""
        fitting = sorted(filter(self.fits, messages), key=lambda message: (message.at, message.id), reverse=True)
        return fitting[self.offset :][: self.limit]


class MessageBook(Protocol):
    """Where messages are kept."""

    async def find(self, wanted: Wanted) -> list[Message]:
        """Those that are wanted, newest first, MOST_MESSAGES at most."""
        ...

    async def count(self, wanted: Wanted) -> int:
        """How many fit; offset and limit do not matter."""
        ...

    async def tags(self, wanted: Wanted) -> list[str]:
        """The tags of those that fit, the newest first."""
        ...

    async def forget(self, wanted: Wanted) -> int:
        """Keep those that are wanted no longer: how many they were."""
        ...

    def pages(self, wanted: Wanted) -> AsyncIterator[list[Message]]:
        """All that fit, oldest first, in pieces of at most some thousands; offset and limit do not matter."""
        ...


class Tells(Protocol):
    """Makes changes of messages."""

    def message(self, level: Level, text: str, tags: tuple[str, ...]) -> Message: ...
    def tell_message(self, message: Message, context: Context) -> None: ...


class Messages:
    """The last messages of a home."""

    def __init__(self, announcer: Tells) -> None:
        self._announcer = announcer
        self._last: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self._secrets: re.Pattern[str] | None = None
        self._words: tuple[str, ...] = ()

    def hide(self, secrets: Iterable[str]) -> None:
        """None of these gets into a message from now on; they take the place of those that were named before."""
        words = sorted({word for word in secrets if len(word) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, words))) if words else None
        self._words = tuple(words)

    def say(self, level: Level, text: str, tags: Iterable[str], context: Context) -> Message:
        """Write a line, without what is secret; one that is too long is cut."""
        shown = self.hidden(text if text.isascii() else text.encode("utf-8", "replace").decode())
        whole = shown if len(shown) <= MAX_TEXT else f"{shown[: MAX_TEXT - 1]}…"
        message = self._announcer.message(level, whole, tuple(tags))
        self._last.append(message)
        self._announcer.tell_message(message, context)
        return message

    def hide_as(self, other: Messages) -> None:
        """What is secret there is so here."""
        self._secrets, self._words = other._secrets, other._words

    def hidden(self, text: str) -> str:
        """A text without what is secret, in whatever thread."""
        secrets = self._secrets
        shown = text if secrets is None else secrets.sub(HIDDEN, text)
        if CUT in shown:
            *cut, last = shown.split(CUT)
            shown = CUT.join([*(self._without_beginning(part) for part in cut), last])
        return _CREDENTIALS.sub(rf"\g<1>{HIDDEN}", shown) if _may_log_in(shown) else shown

    def _without_beginning(self, text: str) -> str:
        """A text that was cut, without the beginning of a secret at its end."""
        for word in self._words:
            at = text.find(word[:SHORTEST_SECRET], max(0, len(text) - len(word) + 1))
            while at >= 0:
                if word.startswith(text[at:]):
                    return text[:at] + HIDDEN
                at = text.find(word[:SHORTEST_SECRET], at + 1)
        return text

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


def _may_log_in(text: str) -> bool:
    """Whether it is worth looking for what logs in, which takes much longer."""
    small = text.lower()
    return not text.isascii() or "=" in text or "@" in text or "basic" in small or "bearer" in small


class LastMessages:
    """The messages of a home as far as they stand in memory: a MessageBook for a hub that keeps no more."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    async def find(self, wanted: Wanted) -> list[Message]:
        return wanted.of(self._messages.all())[:MOST_MESSAGES]

    async def count(self, wanted: Wanted) -> int:
        return sum(map(wanted.fits, self._messages.all()))

    async def tags(self, wanted: Wanted) -> list[str]:
        newest_first = filter(wanted.fits, reversed(self._messages.all()))
        return list(dict.fromkeys(tag for message in newest_first for tag in message.tags))

    async def forget(self, wanted: Wanted) -> int:
        return self._messages.forget({message.id for message in wanted.of(self._messages.all())})

    async def pages(self, wanted: Wanted) -> AsyncIterator[list[Message]]:
        fitting = [message for message in self._messages.all() if wanted.fits(message)]
        if fitting:
            yield fitting
