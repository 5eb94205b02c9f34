"""The change log: every change of the last weeks, in memory until it is written, then in blocks of history.db.

Whatever is asked is answered from both, each change once. While the disk takes nothing the oldest changes are dropped
and counted. It must not know what the changes are wanted for.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.home.recorded import Recorded, keys_of
from hallway.store.history import change_rows as rows
from hallway.store.history.change_rows import FULL, Small
from hallway.store.history.file import HistoryFile
from hallway.store.history.flushing import Flushing
from hallway.store.writer import Work

MOST_WAITING: Final = 10_000
MOST_SMALL: Final = 64
"""So many blocks that are not full are made one, even if that will not be full either."""
PIECE: Final = 1000
AT_ONCE: Final = 20
"""Blocks that are dropped in one transaction."""


class Keeping(NamedTuple):
    """How long changes are kept, in seconds, and how many bytes of them (0: whatever it takes)."""

    seconds: float = 28 * 86_400.0
    bytes: int = 0


FOUR_WEEKS: Final = Keeping()


class _Written(NamedTuple):
    """A batch is in these blocks; known: all blocks that are not full, if that was not known yet."""

    made: list[Small]
    known: list[Small] | None


class ChangeLog:
    """From here until `close`, in the thread of the loop."""

    def __init__(
        self, file: HistoryFile, clock: Clock, keeping: Keeping = FOUR_WEEKS, write_every: float = 10.0
    ) -> None:
        self._file = file
        self._clock = clock
        self._keeping = keeping
        self._began = clock.now()
        self._waiting: deque[Recorded] = deque()
        self._writing: Sequence[Recorded] = ()
        self.dropped = 0
        self._upto: int | None = None
        self._smalls: list[Small] | None = None
        self._asked = 0
        self._merging: asyncio.Future[None] | None = None
        self._flushing: Flushing[_Written] = Flushing(self, file, clock, write_every)

    async def close(self) -> None:
        """Write what is left."""
        await self._flushing.close()

    # ------------------------------------------------------------------ keeping

    def take(self, change: Recorded) -> None:
        if not self._keeping.seconds:
            return
        self._waiting.append(change)
        if len(self._waiting) >= FULL:
            self._drop_what_is_too_much()
            self._flushing.now()
        self._flushing.soon()

    def _drop_what_is_too_much(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1

    def next_batch(self) -> Work[_Written] | None:
        if not self._waiting:
            return None
        self._writing, self._waiting = tuple(self._waiting), deque()
        return partial(_write, changes=self._writing, look=self._smalls is None)

    def written(self, result: _Written) -> None:
        self._writing = ()
        self._smalls = [*self._smalls, *result.made] if self._smalls is not None else result.known or []
        if result.made:
            self._upto = result.made[-1].id
        self._smalls = [small for small in self._smalls if small.count < FULL // 2]
        self._merge_if_due()
        if len(self._waiting) >= FULL:
            self._flushing.now()
        elif self._waiting:
            self._flushing.soon()

    def refused(self) -> None:
        self._waiting = deque(chain(self._writing, self._waiting))
        self._writing = ()
        self._drop_what_is_too_much()

    # ------------------------------------------------------------------ merging

    def _merge_if_due(self) -> None:
        smalls = self._smalls or []
        due = len(smalls) >= MOST_SMALL or (len(smalls) > 1 and sum(small.count for small in smalls) >= FULL)
        if due and not self._asked and self._merging is None:
            self._merging = asyncio.ensure_future(self._merge([small.id for small in smalls]))

    async def _merge(self, numbers: list[int]) -> None:
        """While nobody reads: who comes meanwhile waits."""
        try:
            merged = await self._flushing.do(partial(rows.merge, numbers=numbers))
        except Unavailable:
            return
        finally:
            self._merging = None
        left = [small for small in self._smalls or [] if small.id not in set(numbers)]
        self._smalls = [*(small for small in merged if small.count < FULL // 2), *left]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """No blocks are merged as long as somebody reads."""
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    async def _settled(self) -> tuple[int, list[Recorded]]:
        """The last block, and what is not in it or one before. Unavailable: the file cannot be read."""
        while self._merging is not None:
            await asyncio.wait([self._merging])
        if self._upto is None:
            upto = await self._flushing.do(rows.newest_id)
            if self._upto is None:  # nothing was written meanwhile
                self._upto = upto
        return self._upto, self._in_memory()

    def _in_memory(self) -> list[Recorded]:
        return [*self._writing, *self._waiting]

    # ------------------------------------------------------------------ reading

    async def since(self) -> float:
        try:
            on_disk = await self._file.read(rows.since)
        except Unavailable:
            on_disk = None
        known = on_disk if on_disk is not None else next((change.at for change in self._in_memory()), self._began)
        return max(min(known, self._began), self._clock.now() - self._keeping.seconds)

    async def get(self, seq: int, before: float) -> Recorded | None:
        with self._asking():
            try:
                _upto, memory = await self._settled()
                index = bisect_left(memory, seq, key=lambda change: change.seq)
                if index < len(memory) and memory[index].seq == seq:
                    return memory[index]
                return await self._file.read(partial(rows.get, seq=seq, before=before))
            except Unavailable:
                return next((change for change in self._in_memory() if change.seq == seq), None)

    async def newest(self, key: str, concerns: Callable[[Recorded], bool]) -> Recorded | None:
        with self._asking():
            try:
                upto, memory = await self._settled()
                found = next(filter(concerns, reversed(memory)), None)
                if found is None:
                    found = await self._file.read(partial(rows.newest, key=key, concerns=concerns, upto=upto))
            except Unavailable:
                return next(filter(concerns, reversed(self._in_memory())), None)
        return found

    async def between(self, keys: Collection[str], after: float, before: float) -> AsyncGenerator[list[Recorded], None]:
        wanted = frozenset(keys)
        with self._asking():
            try:
                upto, memory = await self._settled()
            except Unavailable:
                upto, memory = 0, self._in_memory()
            last: int | None = rows.LOWEST if upto else None
            while last is not None:
                piece = await self._file.read(partial(_between, keys=wanted, span=(after, before), ids=(last, upto)))
                last = piece.after
                if piece.changes:
                    yield piece.changes
        for start in range(0, len(memory), PIECE):
            fitting = [change for change in memory[start : start + PIECE] if after <= change.at <= before]
            if found := [change for change in fitting if not wanted.isdisjoint(keys_of(change))]:
                yield found
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ dropping

    async def sweep(self) -> None:
        before = self._clock.now() - self._keeping.seconds
        while await self._flushing.do(partial(rows.expire, before=before, most=AT_ONCE)) == AT_ONCE:
            pass
        most = self._keeping.bytes or math.inf
        while await self._flushing.do(partial(rows.shrink, most_bytes=most, most=AT_ONCE)) == AT_ONCE:
            pass


def _write(connection: sqlite3.Connection, changes: Sequence[Recorded], *, look: bool) -> _Written:
    made = rows.put(connection, changes)
    return _Written(made, rows.smalls(connection) if look else None)


def _between(
    connection: sqlite3.Connection, keys: Collection[str], span: tuple[float, float], ids: tuple[int, int]
) -> rows.Piece:
    return rows.between(connection, keys, span, ids, PIECE)
