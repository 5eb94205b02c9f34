"""Pasts to measure: sensors whose values go up and down by a tenth, recorded at once or over days.

What is made is always the same. It must not know what is measured.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import accumulate, repeat
from itertools import count as count_from
from operator import truediv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hallway.clock import Clock
from hallway.home.past import Series
from hallway.store.history.archive import SeriesRow, TailRow
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.history import HistoryStore
from hallway.store.history.tail_rows import put_series

BEGIN: Final = 1_800_000_000_000
MINUTE: Final = 60_000
STEPS: Final = range(MINUTE - 20, MINUTE + 40)
PORTION: Final = 255
SERIES_AT_ONCE: Final = 200
ROWS_AT_ONCE: Final = 1250
LAST_ROWS: Final = 600
ROWS_OF_A_FOLD: Final = 33
"""Of each of a thousand series, when a fold is of 32,768 rows."""


def attribute(number: int) -> Series:
    """The series of that number, from 1 on."""
    return Series("attribute", f"device-{number}", "temperature")


def readings(number: int, begin: int = BEGIN) -> Iterator[tuple[int, float]]:
    """Times in milliseconds and values of a sensor without end: about a minute apart, a tenth more or less."""
    dice = random.Random(number)
    at, tenths = begin + dice.randrange(MINUTE), dice.randrange(150, 250)
    while True:
        ats = list(accumulate(dice.choices(STEPS, k=PORTION), initial=at))
        levels = list(accumulate(dice.choices((-1, 0, 0, 1), k=PORTION), initial=tenths))
        yield from zip(ats, map(truediv, levels, repeat(10)), strict=False)
        at, tenths = ats[-1] + MINUTE, levels[-1]


@asynccontextmanager
async def open_past(directory: Path, clock: Clock) -> AsyncIterator[HistoryStore]:
    """The past in a directory, until the end of this."""
    file = HistoryFile(directory / FILE)
    store = HistoryStore(file, ChunkArchive(file), clock)
    try:
        store.start()
        await store.ready()
        yield store
    finally:
        await store.close()
        await asyncio.to_thread(file.close)


def directory() -> "TemporaryDirectory[str]":
    """One that goes away by itself."""
    return TemporaryDirectory(prefix="hallway-benchmark-")


async def archive_rows(directory: Path, counts: dict[int, int], end: int) -> None:
    """Let the archive have so many rows of each series by its number, all up to the same time."""
    file = HistoryFile(directory / FILE)
    archive = ChunkArchive(file)
    try:
        series = [SeriesRow(number, attribute(number), "number", False) for number in counts]
        await asyncio.wrap_future(file.submit(lambda connection: put_series(connection, series)))
        for rows in _portions(counts, end):
            await archive.take(rows, [])
    finally:
        await asyncio.to_thread(file.close)


def _portions(counts: dict[int, int], end: int) -> Iterator[list[TailRow]]:
    """First many rows of some series at a time; the last hours as they come in a home: a few of each, and again."""
    left = dict(counts)
    sensors = {number: readings(number, end - count * MINUTE) for number, count in counts.items()}
    ids = count_from(1)

    def some(numbers: Iterable[int], most: int, until: int) -> list[TailRow]:
        rows: list[TailRow] = []
        for number in numbers:
            now = min(max(left[number] - until, 0), most)
            rows += [TailRow(next(ids), number, *next(sensors[number])) for _ in range(now)]
            left[number] -= now
        return rows

    numbers = list(counts)
    while any(count > LAST_ROWS for count in left.values()):
        for begin in range(0, len(numbers), SERIES_AT_ONCE):
            yield some(numbers[begin : begin + SERIES_AT_ONCE], ROWS_AT_ONCE, LAST_ROWS)
    while any(left.values()):
        yield some(numbers, ROWS_OF_A_FOLD, 0)
