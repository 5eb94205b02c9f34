"""When home.db turns out to be damaged while the hub runs: it is made again of what the hub knows, and edits go on.

Meanwhile what happens stands in the redo log, and who waits for a commit waits on. It runs in the thread of the home;
the file is made by the writer's thread. It must not know what stands in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.store.present import Present
from hallway.store.remaking import Remade, remake
from hallway.store.truth import Truth
from hallway.store.writer import Writer

log = logging.getLogger(__name__)

NOT_BEFORE: Final = 60.0
AT_MOST: Final = 3600.0
"""Seconds between two times, twice as long each time: a disk that damages each file must not be filled with them."""


class Patient(Protocol):
    """The store, as it is seen from here."""

    def settled(self) -> bool:
        """Whether no commit is under way of which nobody knows what became of it."""
        ...

    def give(self) -> tuple[Truth, Path | None]:
        """What the file must say, and a copy of all that could be read of it; the store has it open no more."""
        ...

    def take(self, why: str, became: Remade | Unavailable) -> None:
        """The file is there again, or is not: open it, if it can be, and go on."""
        ...


class Repair:
    """Of one home.db."""

    def __init__(self, present: Present, writer: Writer, clock: Clock, patient: Patient) -> None:
        self._present = present
        self._writer = writer
        self._clock = clock
        self._patient = patient
        self._task: asyncio.Task[None] | None = None
        self._not_before = float("-inf")
        self._pause = NOT_BEFORE

    @property
    def under_way(self) -> bool:
        """Whether it is being made again just now."""
        return self._task is not None

    def begin(self, why: str) -> bool:
        """Make it again, unless that was done just now; whether it is under way. why: what is wrong with it."""
        now = self._clock.monotonic()
        if self._task is None and now >= self._not_before:
            self._not_before = now + self._pause
            self._pause = min(2 * self._pause, AT_MOST)
            self._task = asyncio.ensure_future(self._run(why))
        return self._task is not None

    async def wait(self, at_most: float | None = None) -> None:
        """Until it is not under way, or for so many seconds."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=at_most)

    async def _run(self, why: str) -> None:
        try:
            while not self._patient.settled():
                await self._writers_turn()
            truth, copy = self._patient.give()
            job = self._writer.alone(partial(self._remake, truth, copy, self._clock.now()))
            became: Remade | Unavailable
            try:
                became = await asyncio.wrap_future(job)
            except Unavailable as error:
                became = error
            except Exception as error:
                log.exception("home.db could not be made again")
                became = Unavailable(f"home.db cannot be made again: {type(error).__name__}")
        finally:
            self._task = None
        self._patient.take(why, became)

    def _remake(self, truth: Truth, copy: Path | None, now: float) -> Remade:
        """In the thread of the writer."""
        remade = remake(self._present.path, truth, copy, now)
        self._present.forget()
        return remade

    async def _writers_turn(self) -> None:
        """Let the writer do what it has been given so far, and whoever waits for it hear of that."""
        with contextlib.suppress(Unavailable):
            await asyncio.wrap_future(self._writer.alone(_nothing))
        await asyncio.sleep(0)


def _nothing() -> None:
    """What came before it is done."""
