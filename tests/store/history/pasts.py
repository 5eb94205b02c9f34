"""Pasts to ask: a store in a directory, and a list of samples that says what the answers should be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.home.past import Bucket, Columns, Sample, Series, Span
from hallway.store.history.archive import Archive, Holding, Page, SeriesRow, TailRow
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.history import HistoryStore
from hallway.store.history.tail import storable

MakeArchive = Callable[[HistoryFile], Awaitable[Archive]]


async def chunks(file: HistoryFile) -> Archive:
    """The archive in history.db itself."""
    return ChunkArchive(file)


class Away:
    """An archive that may be away; of what is asked, `asked` counts the pages. What it has is in the other one."""

    def __init__(self, inner: Archive) -> None:
        self.inner = inner
        self.away = False
        self.asked = 0
        self.taken: list[int] = []

    def _check(self) -> None:
        if self.away:
            raise Unavailable("the archive is away")

    async def open(self) -> tuple[int, list[SeriesRow]]:
        self._check()
        return await self.inner.open()

    async def take(self, rows: Sequence[TailRow], series: Sequence[SeriesRow]) -> None:
        self._check()
        await self.inner.take(rows, series)
        self.taken += [row.id for row in rows]

    async def pages(
        self, series: int, after: int | None, before: int | None, *, descending: bool = False
    ) -> AsyncIterator[tuple[int, Page]]:
        self._check()
        async for page in self.inner.pages(series, after, before, descending=descending):
            self.asked += 1
            yield page

    async def at(self, series: Sequence[int], moment: int) -> Mapping[int, Sample]:
        self._check()
        return await self.inner.at(series, moment)

    async def buckets(self, series: int, span: Span, after: int, before: int) -> list[Bucket]:
        self._check()
        return await self.inner.buckets(series, span, after, before)

    async def holdings(self) -> Mapping[int, Holding]:
        self._check()
        return await self.inner.holdings()

    async def forget(self, series: int) -> None:
        self._check()
        await self.inner.forget(series)

    async def expire(self, series: int, before: int, *, most: int) -> int:
        self._check()
        return await self.inner.expire(series, before, most=most)

    async def expire_buckets(self, span: Span, before: int, *, most: int) -> int:
        self._check()
        return await self.inner.expire_buckets(span, before, most=most)

    async def check(self) -> str | None:
        self._check()
        return await self.inner.check()

    async def close(self) -> None:
        await self.inner.close()


class Past:
    """A store that is opened, used, closed or killed and opened again."""

    def __init__(self, directory: Path, clock: Clock, make: MakeArchive = chunks) -> None:
        self._directory = directory
        self.clock = clock
        self._make = make
        self.model: list[tuple[Series, Sample]] = []

    async def open(self, *, ready: bool = True, **settings: int) -> HistoryStore:
        """Open it for one more run of the hub."""
        self.file = HistoryFile(self._directory / FILE)
        self.archive = Away(await self._make(self.file))
        self.store = HistoryStore(self.file, self.archive, self.clock, **settings)
        self.store.start()
        if ready:
            await self.store.ready()
        return self.store

    def record(self, series: Series, at: float, value: object, more: object = None, kind: str = "number") -> None:
        """One sample, which is expected from now on."""
        track = self.store.flow.track(series, kind, discrete=False)
        self.store.flow.record(track, round(at * 1000), storable(value), more)  # type: ignore[arg-type]
        self.model.append((series, Sample(at, storable(value), more)))  # type: ignore[arg-type]

    async def close(self) -> None:
        """In good order."""
        await self.store.close()
        await asyncio.to_thread(self.file.close)

    async def kill(self) -> None:
        """What is not written is lost."""
        self.store.flow._waiting.clear()
        self.store.flow.mirror.pending.clear()
        await self.close()

    def of(self, *series: Series, after: float = float("-inf"), before: float = float("inf")) -> list[Sample]:
        """What is expected of some series, in the order of time."""
        wanted = [sample for each, sample in self.model if each in series and after <= sample.at <= before]
        return sorted(wanted, key=lambda sample: sample.at)


async def told(columns: AsyncIterator[Columns]) -> list[Sample]:
    """All samples of an answer."""
    found: list[Sample] = []
    async for part in columns:
        mores: Iterable[object] = part.mores or [None] * len(part.ats)
        found += [Sample(*each) for each in zip(part.ats, part.values, mores, strict=True)]  # type: ignore[arg-type]
    return found
