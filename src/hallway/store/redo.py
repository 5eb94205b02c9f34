"""The redo log: each change is appended with one write() before anybody is answered, so a killed process loses nothing.

Two segment files take turns: while what stands in one is committed to home.db, the other takes what comes. A record is
its length, its CRC-32 and a JSON array. It must not know what the rows in it mean.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from hallway.errors import Unavailable
from hallway.store.rows import Record

log = logging.getLogger(__name__)

FAMILY: Final = b"hallway redo log "
HEADER: Final = FAMILY + b"1\n"
"""What a segment begins with; the number is the version of what follows."""

_FRAME: Final = struct.Struct("<II")
_pack = _FRAME.pack
encode: Final = msgspec.json.Encoder().encode
"""(seq, rows) as bytes; TypeError, ValueError, OverflowError or RecursionError when JSON cannot carry it."""
_decode = msgspec.json.Decoder(Record).decode


class Segment:
    """One file of the log. size: good bytes; torn: a write that failed may have left something behind them."""

    __slots__ = ("_new", "fd", "path", "size", "torn")

    def __init__(self, path: Path) -> None:
        _refuse_newer(path)
        self.path = path
        self._new = path.with_name(f"{path.name}.new")
        self._new.unlink(missing_ok=True)
        self.fd = _open(path)
        self.size = os.fstat(self.fd).st_size
        self.torn = False

    def read(self) -> list[Record]:
        """Its records. What is torn or corrupt is cut off, with a line in the log."""
        data = self.path.read_bytes()
        records, good = _parse(self.path, data)
        if good < len(data):
            log.warning("%s is damaged at byte %d: %d bytes are cut off", self.path, good, len(data) - good)
            os.ftruncate(self.fd, good)
        if not good:
            _write(self.fd, HEADER)
        self.size = max(good, len(HEADER))
        return records

    def mend(self) -> None:
        """Cut off what a write left halfway, since nothing after it could be read."""
        os.ftruncate(self.fd, self.size)
        self.torn = False

    def empty(self) -> None:
        """Forget the records. A disk that refuses does no harm: they are known to be old by their numbers."""
        if self.size > len(HEADER) or self.torn:
            with contextlib.suppress(OSError):
                os.ftruncate(self.fd, len(HEADER))
                self.size = len(HEADER)
                self.torn = False

    def replace(self, payload: bytes) -> None:
        """Let one record take the place of all. OSError: the segment stays as it was."""
        data = HEADER + _frame(payload)
        fd = _open(self._new)
        try:
            os.ftruncate(fd, 0)
            _write(fd, data)
            os.fsync(fd)
            self._new.rename(self.path)
            sync_directory(self.path.parent)
        except OSError:
            os.close(fd)
            with contextlib.suppress(OSError):
                self._new.unlink()
            raise
        os.close(self.fd)
        self.fd, self.size, self.torn = fd, len(data), False


class Redo:
    """Both segments of a directory. Unavailable: they are too new, or cannot be opened."""

    def __init__(self, directory: Path) -> None:
        self.idle = _segment(directory / "redo.0")
        try:
            self._active = _segment(directory / "redo.1")
        except Unavailable:
            os.close(self.idle.fd)
            raise
        sync_directory(directory)

    def read(self) -> list[Record]:
        """All records in the order of their numbers; to be called before anything is appended."""
        try:
            records = self.idle.read() + self._active.read()
        except OSError as error:
            raise Unavailable(f"the redo log cannot be read: {error.strerror}; mend the disk") from None
        return sorted(records, key=lambda record: record.seq)

    @property
    def size(self) -> int:
        """Bytes of the records in both segments."""
        return self.idle.size + self._active.size - 2 * len(HEADER)

    def append(self, payload: bytes) -> int:
        """Add a record to the active segment; its size in bytes then.

        OSError: it could not be written; what was written of it is cut off before the next.
        """
        active = self._active
        if active.torn:
            active.mend()
        frame = _pack(len(payload), crc32(payload)) + payload
        try:
            written = os.write(active.fd, frame)
        except OSError:
            active.torn = True
            raise
        if written != len(frame):
            active.torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        active.size += written
        return active.size

    def switch(self) -> Segment:
        """The idle segment is written from now on; the one that was before is idle then."""
        self.idle, self._active = self._active, self.idle
        return self.idle

    def descriptors(self) -> list[int]:
        """Descriptors of the segments that have records, to be synced and closed by whoever asked for them.

        They are good for that also when a segment is rewritten meanwhile. OSError: there can be no more of them.
        """
        return [os.dup(each.fd) for each in (self.idle, self._active) if each.size > len(HEADER)]

    def rewrite(self, payload: bytes) -> int:
        """Let one record take the place of all in the active segment; its size then. OSError: it stays as it was."""
        self._active.replace(payload)
        return self._active.size

    def clear(self) -> None:
        """Everything in it stands in home.db."""
        self.idle.empty()
        self._active.empty()

    def close(self) -> None:
        """Close both segments as they are."""
        os.close(self.idle.fd)
        os.close(self._active.fd)


def sync_directory(path: Path) -> None:
    """What the files of a directory are called is on the disk from now on, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _segment(path: Path) -> Segment:
    try:
        return Segment(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}; the hub must be able to write there") from None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _frame(payload: bytes) -> bytes:
    return _pack(len(payload), crc32(payload)) + payload


def _write(fd: int, data: bytes) -> None:
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _refuse_newer(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        begin = file.read(len(HEADER))
    whole = len(begin) == len(HEADER) and begin.startswith(FAMILY)
    if whole and begin != HEADER and begin[len(FAMILY) : len(FAMILY) + 1].isdigit():
        raise Unavailable(f"{path} was written by a newer hallway: update this one")


def _parse(path: Path, data: bytes) -> tuple[list[Record], int]:
    """The records and how many bytes of the file are good."""
    if not data.startswith(HEADER):
        return [], 0
    records: list[Record] = []
    at = len(HEADER)
    while at + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + length
        payload = data[at + _FRAME.size : end]
        if not length or len(payload) < length or crc32(payload) != checksum:
            break
        try:
            records.append(_decode(payload))
        except (msgspec.DecodeError, RecursionError) as error:
            log.warning("%s: the record at byte %d is left out: %s", path, at, error)
        at = end
    return records, at
