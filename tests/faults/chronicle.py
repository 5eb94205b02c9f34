"""A past that is recorded without pause: numbers one after the other, in turn in several series.

Looked at afterwards it must have them all up to one of them, each once. It must not know how its writing is ended.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from pathlib import Path

from hallway.clock import Clock, VirtualClock
from hallway.home.past import Series
from hallway.home.values import Attributes
from hallway.store.history import flow
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.history import HistoryStore
from tests.faults import beside

Say = Callable[[str, int], None]

log = logging.getLogger(__name__)

SERIES = (
    Series("attribute", "heating", "temperatureSetpoint"),
    Series("attribute", "heating", "mode"),
    Series("variable", "power"),
    Series("entity", "sensor.s_1"),
)
FOLD_ROWS = (100, 300, 32_768)


def more_of(number: int) -> Attributes:
    """What an entity shows beside its state; it changes now and then."""
    return {"attributes": {"note": "x" * (number // 40 % 50), "unit": "W"}}


class Chronicle:
    """Records from `open` until `close`; what is on the disk it says as `kept`."""

    def __init__(self, directory: Path, clock: Clock, write_every: float, say: Say, chance: random.Random) -> None:
        flow.FOLD_ROWS = chance.choice(FOLD_ROWS)  # type: ignore[misc]
        self._clock = clock
        self._write_every = write_every
        self._say = say
        self._file = HistoryFile(directory / FILE)
        self._file.on_damage(log.error)
        self.store = HistoryStore(self._file, ChunkArchive(self._file, log.error), clock, write_every)
        self._number = 0
        self._pages = chance.choice((10, 60, 4096))

    async def open(self) -> None:
        self.store.start()
        await self.store.ready()
        if self.store.flow.spooled > self.store.flow.taken:  # more than fits into memory waits since the last life
            assert await self.store.flow.fold()
        self._file.submit(lambda connection: connection.execute(f"PRAGMA wal_autocheckpoint = {self._pages}"))
        self._number = max((number for found in await read(self.store) for number in found), default=0)
        there = {kind: max(numbers, default=0) for kind, numbers in (await self._file.read(beside.kept)).items()}
        self._beside = beside.Beside(self._file, self._clock, self._write_every, self._say, there)

    def keep_beside(self) -> None:
        """A message, a change and a trace."""
        self._beside.keep()

    def record(self) -> None:
        number = self._number = self._number + 1
        self._say("try sample", number)
        series, at = SERIES[number % len(SERIES)], round(self._clock.now() * 1000)
        track = self.store.flow.track(series, "number", discrete=False)
        value, more = (str(number), more_of(number)) if series.kind == "entity" else (number, None)
        self.store.flow.record(track, at, value, more)
        self._say("sample", number)

    async def flush(self) -> None:
        number = self._number
        if await self.store.flow.flush():
            self._say("kept", number)

    @property
    def is_writing(self) -> bool:
        return bool(self.store.flow._turns) or self._beside.is_writing

    async def close(self) -> None:
        await self._beside.close()
        await self.store.close()
        await asyncio.to_thread(self._file.close)


async def read(store: HistoryStore) -> list[list[int]]:
    """The numbers in each series."""
    found: list[list[int]] = [[] for _ in SERIES]
    for index, series in enumerate(SERIES):
        async for columns in store.columns([series]):
            numbers = [int(str(value)) for value in columns.values]
            if series.kind == "entity":
                wrong = [
                    (number, more)
                    for number, more in zip(numbers, columns.mores or [None] * len(numbers), strict=True)
                    if more != more_of(number)
                ]
                assert not wrong, f"{len(wrong)} of {len(numbers)} with what was not said beside them: {wrong[:3]}"
            found[index] += numbers
    return found


async def recorded(directory: Path) -> tuple[list[str], dict[str, int]]:
    """What is wrong with a past, and its last numbers: of samples, and of what stands beside them."""
    problems: list[str] = []
    clock = VirtualClock(1_900_000_000.0)
    file = HistoryFile(directory / FILE)
    file.on_damage(problems.append)
    store = HistoryStore(file, ChunkArchive(file, problems.append), clock)
    store.start()
    await store.ready()
    found = await read(store)
    last = max((number for numbers in found for number in numbers), default=0)
    for index, numbers in enumerate(found):
        expected = [number for number in range(1, last + 1) if number % len(SERIES) == index]
        if numbers != expected:
            odd = sorted(set(expected) ^ set(numbers))[:5]
            problems.append(f"{SERIES[index]}: {len(numbers)} samples and not {len(expected)}, look at {odd}")
    others = await file.read(beside.kept)
    problems += [
        f"{kind}: {len(numbers)} are there, the last one is {numbers[-1]}"
        for kind, numbers in others.items()
        if numbers and numbers != list(range(1, numbers[-1] + 1))
    ]
    wrong = await store.archive.check()
    await store.close()
    await asyncio.to_thread(file.close)
    lasts = {"sample": last} | {kind: max(numbers, default=0) for kind, numbers in others.items()}
    return [*problems, *([wrong] if wrong else [])], lasts
