"""A past whose file is damaged, mended while more is recorded: `python -m tests.faults.mended_past DIRECTORY LOG`.

What is on the disk for sure it says in the log as `kept`. It must not know how it is ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from hallway.clock import VirtualClock
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.damage import NOT_BEFORE, Damage
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.history import REOPEN_AFTER, HistoryStore
from tests.faults.chronicle import SERIES, more_of, read
from tests.faults.disk import Marks

BEGIN = 1_800_000_000
LATER = 1_000_000
"""The first number that is recorded while it is mended."""
MEANWHILE = 40
SLOW = 2500
"""Looks, some seconds of them, after which time goes on while it waits to be open, as it does for a hub."""


class MendedPast:
    """From `open` until `close`, as a hub has it."""

    def __init__(self, directory: Path) -> None:
        self._clock = VirtualClock(BEGIN + 1000)
        self._file = HistoryFile(directory / FILE)
        self.archive = ChunkArchive(self._file)
        self.store = HistoryStore(self._file, self.archive, self._clock)
        self.said: list[str] = []
        self.damage = Damage(self._file, self._clock, self.store.replaced, self.said.append)

    async def open(self) -> None:
        self.damage.watch()
        self.store.start()
        looks = 0
        while not self.store.flow.open:
            await asyncio.sleep(0.002)
            looks += 1
            if self.said or looks % SLOW == 0:  # what could not be opened for another reason is tried again as well
                self._clock.advance(REOPEN_AFTER)

    async def check(self) -> None:
        """Look it through as after a kill, until nothing more is found."""
        self._clock.advance(NOT_BEFORE)
        await self.damage.check(self.archive.check)
        await self.damage.close()

    def record(self, number: int) -> None:
        series = SERIES[number % len(SERIES)]
        track = self.store.flow.track(series, "number", discrete=False)
        value, more = (str(number), more_of(number)) if series.kind == "entity" else (number, None)
        self.store.flow.record(track, (BEGIN + number) * 1000, value, more)

    async def numbers(self) -> list[int]:
        """All that are there, in order."""
        return sorted(number for found in await read(self.store) for number in found)

    async def close(self) -> None:
        await self.damage.close()
        await self.store.close()
        await asyncio.to_thread(self._file.close)


async def live(directory: Path, marks: Marks) -> None:
    past = MendedPast(directory)
    for number in range(LATER, LATER + MEANWHILE):
        past.record(number)
    await past.open()
    await past.check()
    assert await past.store.flow.flush()
    marks.say(f"kept {LATER + MEANWHILE}")
    for number in range(LATER + MEANWHILE, LATER + 2 * MEANWHILE):
        past.record(number)
    await past.close()
    marks.say(f"kept {LATER + 2 * MEANWHILE}")
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), Marks(Path(sys.argv[2]))))
