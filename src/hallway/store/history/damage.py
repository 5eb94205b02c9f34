"""When history.db is found damaged: what can be read of it goes into a fresh file, the old one is kept beside it.

The fresh file is whole before it takes the place of the old one. The home runs on meanwhile: what is recorded waits in
memory, what is asked waits too. It must not know what the tables hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from hallway import durable
from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.store.database import Damaged, clear, keep_aside, name_aside, open_database
from hallway.store.error_texts import one_line, said
from hallway.store.history.file import FILE, HISTORY, HistoryFile
from hallway.store.history.salvage import salvage
from hallway.store.pending_files import take_place

log = logging.getLogger(__name__)

NOT_BEFORE: Final = 600.0
"""Seconds between two times that a file is replaced: a disk that damages each new one must not be filled with them."""
_REFUSALS: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_PRIMARY: Final = 0xFF


_MEANINGS: Final = {
    "not a database": "it begins otherwise than a database",
    "malformed": "parts of it are not where they should be",
    "btreeInitPage": "parts of it cannot be read",
    "Tree ": "parts of it are not where they should be",
    "Page ": "parts of it are not where they should be",
    "Freelist": "parts of it are not where they should be",
}


class Replaced(NamedTuple):
    """Where the damaged file is now, how many rows were saved and how many are lost; None: that cannot be known."""

    aside: Path
    saved: int
    lost: int | None


class Damage:
    """Watches a file from `watch` on. mended: is awaited with the file replaced; say: tells people a sentence."""

    def __init__(
        self, file: HistoryFile, clock: Clock, mended: Callable[[], Awaitable[None]], say: Callable[[str], None]
    ) -> None:
        self._file = file
        self._clock = clock
        self._mended = mended
        self._say = say
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._last: float | None = None
        self.problem: str | None = None
        """What became of the damage, from when it is found until the hub ends."""

    def watch(self) -> None:
        """Be told of damage from now on."""
        self._loop = asyncio.get_running_loop()
        self._file.on_damage(self._found, self._made_again)

    async def check(self, look: Callable[[], Awaitable[str | None]]) -> None:
        """Look the whole file through, if a hub was killed that had it open or mended it; in the background."""
        building = building_of(self._file.path)
        if self._file.left_empty:
            self.problem = f"{FILE} had nothing in it any more: all that was recorded before is lost, it begins anew"
            log.error(self.problem)
            self._say(self.problem)
        if not self._file.left_open and not building.exists():
            return
        try:
            found = await look()
        except Unavailable as error:
            log.info("%s could not be looked through: %s", FILE, error)
            return
        if found is not None:
            self._begin(found)
        elif self._task is None or self._task.done():
            with contextlib.suppress(OSError):
                await asyncio.to_thread(clear, building)

    def _made_again(self, sentence: str) -> None:
        """Called in any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, sentence)

    def _tell(self, sentence: str) -> None:
        self.problem = sentence
        self._say(sentence)

    def _found(self, sentence: str) -> None:
        """Called in any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin, sentence)

    def _begin(self, sentence: str) -> None:
        now = self._clock.monotonic()
        if self._task is not None and not self._task.done():
            return
        if self._last is not None and now - self._last < NOT_BEFORE:
            return
        self._last = now
        self._task = asyncio.ensure_future(self._mend(sentence))

    async def _mend(self, sentence: str) -> None:
        log.error("%s is damaged: %s; what can be read of it is saved into a fresh file", FILE, one_line(sentence))
        sentence = _in_plain_words(one_line(sentence))
        try:
            done = await self._file.replace(partial(_replace, self._file.path, self._clock.now()))
        except Unavailable as error:
            self.problem = f"{FILE} is damaged ({sentence}) and cannot be replaced: {error.message}"
        else:
            lost = f"{done.lost} are known to be lost" if done.lost else "none is known to be lost"
            if done.lost is None:
                lost = "whole parts of it cannot be read, so that nobody knows how many are lost"
            self.problem = (
                f"{FILE} was damaged ({sentence}): {done.saved} rows were saved into a fresh file, {lost}; "
                f"the damaged one is {done.aside.name}"
            )
            await self._mended()
        self._say(self.problem)

    async def close(self) -> None:
        """Wait until what is under way is done."""
        if self._task is not None:
            await asyncio.wait([self._task])


def _in_plain_words(sentence: str) -> str:
    """What SQLite says of pages and trees is for the log."""
    for part, meaning in _MEANINGS.items():
        if part in sentence:
            return meaning
    return sentence


def building_of(path: Path) -> Path:
    """Where the fresh file is until it is whole; one that is there belongs to a try that was cut off."""
    return path.with_name(f"{path.name}.new")


def _replace(path: Path, now: float) -> Replaced:
    """Called in the writer's thread, while nobody has the file open. Unavailable: the disk refuses; all is as it was.

    When it is cut off there is the damaged file and what was built so far, or a whole one that waits for its place.
    """
    building, coming, aside = building_of(path), path.with_name(f"{path.name}.next"), name_aside(path, now)
    try:
        clear(building)
        durable.write(building, b"")  # from now on the next start knows of the damage
        aside = keep_aside(path, now)
        saved, lost = _build(building, aside)
        durable.move(building, coming)
        take_place(path)
    except (sqlite3.Error, OSError, Unavailable) as error:
        with contextlib.suppress(OSError):
            _undo(building, coming, aside)
        raise Unavailable(_reason(error)) from None
    return Replaced(aside, saved, lost)


def _undo(building: Path, coming: Path, aside: Path) -> None:
    """What was built is not to come later, over what will have been written until then."""
    if not coming.exists():
        clear(aside)
    coming.unlink(missing_ok=True)
    clear(building)
    durable.sync_directory(building.parent)


def _reason(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return error.message
    return said(error)


def _build(building: Path, aside: Path) -> tuple[int, int | None]:
    """How many rows were saved, and lost where that is known; of a file that cannot be read at all none is saved."""
    try:
        fresh = open_database(building, HISTORY, check=False)
        with contextlib.closing(fresh):
            told = salvage(aside, fresh, partial(log.warning, "%s: %s", aside.name))
            fresh.execute("PRAGMA journal_mode = DELETE")
        counted = all(table.counted for table in told)
        return sum(table.rows for table in told), sum(table.lost for table in told) if counted else None
    except (sqlite3.Error, Damaged, OSError, ValueError) as error:
        if _is_of_the_disk(error):
            raise
        log.warning("nothing could be read of %s: %s", aside, said(error))
    clear(building)
    with contextlib.closing(open_database(building, HISTORY, check=False)) as fresh:
        fresh.execute("PRAGMA journal_mode = DELETE")
    return 0, None


def _is_of_the_disk(error: Exception) -> bool:
    """Whether the disk takes nothing now; one that cannot give back what it has will not do so later either."""
    if isinstance(error, OSError):
        return error.errno != errno.EIO
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _REFUSALS
