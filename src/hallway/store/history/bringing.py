"""What was recorded elsewhere comes into the past of a home at rest: samples by series, and messages.

What is there already is not brought twice, so an attempt that broke off can be made once more. It must not know where
it comes from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hallway.errors import Unavailable
from hallway.home.past import Series
from hallway.store.history import message_rows
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.history import HistoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hallway.clock import Clock
    from hallway.home.messages import Message
    from hallway.home.values import Value

FOLD_AT: Final = 30_000


class Brought(msgspec.Struct):
    """How many came, and how many were there already."""

    new: int = 0
    known: int = 0


class Bringing:
    """The past of a home, while something is brought into it."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    async def samples(
        self, series: Series, value_type: str, discrete: bool, pieces: Iterable[Sequence[tuple[int, Value]]]
    ) -> Brought:
        """Samples of a series: times in milliseconds and values, oldest first. Unavailable: the disk refuses."""
        brought = Brought()
        flow = self._store.flow
        last: tuple[int, Value] | None = None
        for piece in pieces:
            there = await self._there(series, piece)
            for at, value in piece:
                if (at, value) == last or (at, value) in there:
                    brought.known += 1
                    continue
                flow.record(flow.track(series, value_type, discrete), at, value)
                last = (at, value)
                brought.new += 1
            if not await flow.flush():
                raise Unavailable(f"{FILE} cannot be written: {self._store.problem}")
            if flow.mirror.count >= FOLD_AT:
                await self._fold()
        return brought

    async def _there(self, series: Series, piece: Sequence[tuple[int, Value]]) -> set[tuple[int, Value]]:
        """What is kept of the series in the time of these samples."""
        if not piece:
            return set()
        first, last = piece[0][0] / 1000, piece[-1][0] / 1000
        found: set[tuple[int, Value]] = set()
        async for columns in self._store.columns([series], first, last):
            found |= {
                (round(at * 1000), value)
                for at, value in zip(columns.ats, columns.values, strict=True)
                if not isinstance(value, list | dict)
            }
        return found

    async def messages(self, pieces: Iterable[Sequence[Message]]) -> Brought:
        """Messages, oldest first, behind those that are there. Unavailable: the disk refuses."""
        brought = Brought()
        for piece in pieces:
            for some in _some(piece):
                put = await asyncio.wrap_future(self._store.file.submit(partial(message_rows.put_new, messages=some)))
                brought.new += put
                brought.known += len(some) - put
        return brought

    async def _fold(self) -> None:
        if not await self._store.flow.fold():
            raise Unavailable(f"{FILE} cannot be written: {self._store.problem}")


def _some(piece: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for start in range(0, len(piece), 1000):
        yield piece[start : start + 1000]


@asynccontextmanager
async def bringing(directory: Path, clock: Clock) -> AsyncIterator[Bringing]:
    """Open the past of a home that nobody runs; the caller holds its lock. Unavailable: it cannot be written."""
    file = HistoryFile(directory / FILE)
    try:
        store = HistoryStore(file, ChunkArchive(file), clock)
        store.start()
        try:
            await store.ready()
            made = Bringing(store)
            yield made
            await made._fold()  # noqa: SLF001 - its last step
        finally:
            await store.close()
    finally:
        await asyncio.to_thread(file.close)
