"""Whether home.db and its WAL are the files that were opened: a deleted one takes commits that nobody ever finds.

It must not know what is done about it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from hallway import durable
from hallway.store.database import Damaged, connect

_Identity = tuple[int, int]
_WAL: Final = "-wal"


class Present:
    """A database file that is there, for the thread that opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wal = path.with_name(path.name + _WAL)
        self._known: tuple[_Identity, _Identity | None] | None = None

    def open(self) -> sqlite3.Connection:
        """A connection to it. Damaged: it is missing or empty, or not the file that was opened the first time."""
        self.look()
        connection = connect(self.path)
        if self._known is None:
            self._known = _identity(self.path), durable.which(self._wal)
        return connection

    def look(self) -> None:
        """Damaged: what is called so is another file by now, or none."""
        found = _identity(self.path)
        if self._known is None:
            return
        file, wal = self._known
        if found != file:
            raise Damaged("another file has taken its place")
        if wal is not None and durable.which(self._wal) != wal:
            raise Damaged(f"{self._wal.name} is missing, or another one")

    def forget(self) -> None:
        """The next one that is opened is the right one."""
        self._known = None


def _identity(path: Path) -> _Identity:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise Damaged("it is missing") from None
    if not found.st_size:
        raise Damaged("it is empty")
    return found.st_dev, found.st_ino
