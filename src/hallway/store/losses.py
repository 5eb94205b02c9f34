"""Signs that something is missing after a hub was killed: a WAL or a redo log that is gone, or holds less than it did.

SQLite takes of a WAL what is whole and says nothing of the rest; its index (`home.db-shm`) still knows how much there
was. After a power cut that index is of no use, and says nothing. It must not know what is missing.
"""

from __future__ import annotations

import logging
import sqlite3
import struct
from pathlib import Path
from typing import Final, NamedTuple

from hallway.store.database import begin_of
from hallway.store.lock import Committed, HubLock
from hallway.store.redo import Redo
from hallway.store.tables import last_seq

log = logging.getLogger(__name__)

_INDEX: Final = struct.Struct("=16xI12x8s")
"""In the index: how many pages the WAL holds, and the salt that is also in its header."""
_DONE: Final = struct.Struct("=96xI")
"""In the index: how many of them have been put in their places."""
_HEADER_BYTES: Final = 32
_BEGIN_BYTES: Final = 136
_SALT: Final = slice(16, 24)
"""In the WAL."""


class _Index(NamedTuple):
    pages: int
    salt: bytes
    done: int


class Signs:
    """What lay beside a home.db before it was opened. lock: whether the hub before was killed, and what it had."""

    def __init__(self, path: Path, lock: HubLock) -> None:
        killed = lock.was_running
        self._noted = lock.committed
        self._wal, self._shm = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
        self._same_boot = lock.same_boot
        self._looked_at = killed and path.exists() and not path.with_name(f"{path.name}.next").exists()
        self._had_wal = self._wal.exists()
        self._header = _begin(self._wal)
        self._index = _index(self._shm)
        self._taken: int | None = None
        self._found: Committed | None = None

    def opened(self) -> None:
        """SQLite has read the WAL and nothing is written yet: how much it took."""
        now = _index(self._shm)
        self._taken = 0 if now is None else now.pages

    def found(self, connection: sqlite3.Connection) -> None:
        """What is committed, before anything is written: it may say that there was no need of a WAL."""
        (at,) = connection.execute("SELECT coalesce(max(at), 0) FROM definition").fetchone()
        self._found = Committed(last_seq(connection), at)

    def lost(self, redo: Redo, *, mended: bool) -> str | None:
        """What is missing, for people; to be called after `opened`. mended: what its WAL lost was told."""
        told = self._of_redo(redo, mended=mended)
        if self._looked_at and self._same_boot and redo.emptied:
            told.insert(0, f"{' and '.join(redo.emptied)} had been emptied when the hub was killed")
        if self._looked_at and redo.missing:
            told.insert(0, f"{' and '.join(redo.missing)} were missing after the hub was killed")
        if self._looked_at and not mended and (of_wal := self._of_wal()) is not None:
            told.insert(0, of_wal)
        return f"edits or values that came last may be lost, check the home: {'; '.join(told)}" if told else None

    def _of_redo(self, redo: Redo, *, mended: bool) -> list[str]:
        """What its damage may have cost. Where that is nothing, a line in the log is enough."""
        if redo.damage is None:
            return []
        if not mended and self._found is not None and redo.misses_nothing(self._found.seq):
            log.warning("%s; no number is missing, so that nothing is lost", redo.damage)
            return []
        return [redo.damage]

    def _of_wal(self) -> str | None:
        if not self._had_wal:
            return None if self._has_all else f"{self._wal.name} was missing after the hub was killed"
        before = self._index
        if before is None or before.done >= before.pages or self._taken is None:
            return None
        whole = _is_header(self._header)
        if whole and self._header[_SALT] != before.salt:
            return None  # a WAL that began anew: the index is an older one
        lost = before.pages - (self._taken if whole else 0)
        return (
            f"{self._wal.name} was damaged: {lost} of {before.pages} pages in it could not be read"
            if lost > 0
            else None
        )

    @property
    def _has_all(self) -> bool:
        """Whether home.db has what was noted without a WAL: it was made again, or a program put its WAL into it."""
        noted, found = self._noted, self._found
        return noted is not None and found is not None and found.seq >= noted.seq and found.at >= noted.at


def _is_header(data: bytes) -> bool:
    """Whether a WAL begins as SQLite writes it, by its own checksum."""
    if len(data) < _HEADER_BYTES:
        return False
    words = struct.unpack(">6I" if data[3] & 1 else "<6I", data[:24])
    first = second = 0
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return struct.unpack(">2I", data[24:_HEADER_BYTES]) == (first, second)


def _index(path: Path) -> _Index | None:
    data = _begin(path)
    if len(data) < _DONE.size or not any(data):
        return None
    pages, salt = _INDEX.unpack_from(data)
    (done,) = _DONE.unpack_from(data)
    return _Index(pages, salt, done)


def _begin(path: Path) -> bytes:
    try:
        return begin_of(path, _BEGIN_BYTES)
    except OSError:
        return b""
