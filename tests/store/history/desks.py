"""A book of history.db on a desk: its file may refuse, time passes as a test wants it, and the next start is one call.

It must not know what is kept in the book.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.store.history.changelog import Keeping
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.writer import Work
from tests.store.history.happenings import NOW


class Refusing(HistoryFile):
    """A file on a disk that may refuse."""

    refuses = False

    def submit(self, work: Work[Any]) -> Any:
        if self.refuses:
            raise Unavailable("the disk is full")
        return super().submit(work)


class Book(Protocol):
    """What is closed before its file."""

    async def close(self) -> None: ...


class Desk:
    """A book on a file, from `open`, which whoever has a book adds to; `again` is the next start."""

    book: Book

    def __init__(self, directory: Path, keeping: Keeping = Keeping()) -> None:  # noqa: B008
        self.path = directory / FILE
        self.keeping = keeping
        self.clock = VirtualClock(NOW)
        self.open()

    def open(self) -> None:
        self.file = Refusing(self.path)

    async def again(self) -> None:
        await self.close()
        self.open()

    async def close(self) -> None:
        await self.book.close()
        self.file.close()
