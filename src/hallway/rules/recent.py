"""The last changes of a home in memory, and behind them the book of the last weeks, where there is one.

To say why something is so, and to try rules on. It must not know what is asked of them, nor where the book is kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Final

from hallway.home.changes import AnyChange, Changes, Defined, Fired, Unsubscribe, Updated, VariableSet
from hallway.home.chronicle import ChangeBook
from hallway.home.recorded import Recorded, keys_of, light

KEPT: Final = 500
KEPT_ALONE: Final = 4000
"""Where there is no book."""


class Recent:
    """The last changes of values, the last events and edits. book: set before `start`, if there is one."""

    def __init__(self, changes: Changes) -> None:
        self.book: ChangeBook | None = None
        self._changes = changes
        self._kept: deque[Recorded] = deque(maxlen=KEPT_ALONE)
        self._unsubscribe: Unsubscribe | None = None
        self._began = 0.0

    def start(self, now: float) -> None:
        """Keep what happens from now on."""
        self._began = now
        if self.book is not None:
            self._kept = deque(maxlen=KEPT)
        self._unsubscribe = self._changes.subscribe(self._take, Updated, VariableSet, Fired, Defined)

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _take(self, change: AnyChange) -> None:
        kept = light(change)
        if kept is not None:
            self._kept.append(kept)
            if self.book is not None:
                self.book.take(kept)

    # ------------------------------------------------------------------ reading

    def all(self) -> list[Recorded]:
        """What is in memory, newest last."""
        return list(self._kept)

    async def since(self) -> float:
        """The moment from which on everything is kept."""
        if self.book is not None:
            return await self.book.since()
        return self._kept[0].at if len(self._kept) == self._kept.maxlen else self._began

    async def get(self, seq: int, before: float) -> Recorded | None:
        """The change of that number, if it is still kept; before: the time of what it led to."""
        kept = self.all()
        index = bisect_left(kept, seq, key=lambda change: change.seq)
        if index < len(kept) and kept[index].seq == seq:
            return kept[index]
        return await self.book.get(seq, before) if self.book is not None else None

    async def newest(self, key: str, concerns: Callable[[Recorded], bool]) -> Recorded | None:
        """The newest change that concerns something; `concerns` says so of changes that have the key."""
        found = next((change for change in reversed(self.all()) if concerns(change)), None)
        if found is None and self.book is not None:
            found = await self.book.newest(key, concerns)
        return found

    async def between(self, keys: Collection[str], after: float, before: float) -> AsyncGenerator[list[Recorded], None]:
        """The changes that have one of these keys, in pieces, oldest first."""
        if self.book is not None:
            async with aclosing(self.book.between(keys, after, before)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        wanted = set(keys)
        yield [
            change for change in self.all() if after <= change.at <= before and not wanted.isdisjoint(keys_of(change))
        ]
