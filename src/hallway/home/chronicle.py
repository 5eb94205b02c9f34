"""What can be asked of the last weeks: the changes of a home, and what its rules did or did not do.

Types and question books alone. It must not know where they are kept, nor what is in a trace.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from typing import NamedTuple, Protocol

import msgspec

from hallway.home.recorded import Recorded


class ChangeBook(Protocol):
    """The changes of the last weeks, up to this moment. What cannot be read any more is left out."""

    def take(self, change: Recorded) -> None:
        """Keep it; they come in order."""
        ...

    async def since(self) -> float:
        """From when on it knows, in seconds since 1970."""
        ...

    async def get(self, seq: int, before: float) -> Recorded | None:
        """The change of that number; if numbers were given twice (a hub was killed), the last one up to that time."""
        ...

    async def newest(self, key: str, concerns: Callable[[Recorded], bool]) -> Recorded | None:
        """The newest change that concerns something: `concerns` says so of changes that have the key (`keys_of`)."""
        ...

    def between(self, keys: Collection[str], after: float, before: float) -> AsyncGenerator[list[Recorded], None]:
        """The changes that have one of these keys, in pieces, oldest first; both times belong to it."""
        ...


class TraceRow(NamedTuple):
    """What a rule did or did not do. did: whether it did something; seq: the change behind it.

    at: when it was last so, in seconds since 1970; body: all about it, or what makes that, in whatever thread, when
    somebody wants it.
    """

    id: int
    rule_id: str
    at: float
    result: str
    did: bool
    seq: int | None
    body: msgspec.Struct | Callable[[], msgspec.Struct]


class TraceBook(Protocol):
    """The traces of the last weeks, up to this moment; bodies as JSON."""

    def keep(self, row: TraceRow) -> None:
        """Keep it, or what it has become by now."""
        ...

    def take_back(self, trace_id: int) -> None:
        """It was given a moment ago and is none after all."""
        ...

    def when_written(self, told: Callable[[Iterable[int]], None]) -> None:
        """Be told from now on the numbers of traces whose last form is on the disk."""
        ...

    async def of(self, rule_id: str, result: str | None, before: int, limit: int) -> list[bytes]:
        """Those of a rule with numbers below `before`, newest first; result: only those that ended so."""
        ...

    async def get(self, trace_id: int) -> bytes | None:
        """The one of that number."""
        ...

    async def run_at(self, rule_id: str, seq: int | None, before: float) -> bytes | None:
        """The run to which that change led, or the last run up to a time."""
        ...
