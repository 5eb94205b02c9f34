"""The redo log: each change is appended with one write() before anybody is answered, so a killed process loses nothing.

Two segment files take turns: while what stands in one is committed to home.db, the other takes what comes. A record is
its length, its CRC-32 and a JSON array. It must not know what the rows in it mean.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import struct
import threading
from pathlib import Path
from typing import Final, NamedTuple, NoReturn
from zlib import crc32

import msgspec

from hallway.durable import sync_directory
from hallway.errors import Unavailable
from hallway.store.rows import Record

log = logging.getLogger(__name__)

FAMILY: Final = b"hallway redo log "
VERSION: Final = 1
HEADER: Final = FAMILY + b"%d\n" % VERSION
"""What a segment begins with; the number is the version of what follows."""
_DIGITS: Final = 5
_BEGIN: Final = re.compile(FAMILY + rb"(\d{1,%d})\n" % _DIGITS)

_SECTOR: Final = 512
"""What a disk writes as a whole. Where one was not written when the power was cut, zeros stand up to its end; and where
a page ends, which is where a sector does, the system ends the write of a process that is killed."""
_FRAME: Final = struct.Struct("<II")
_pack = _FRAME.pack
encode: Final = msgspec.json.Encoder().encode
"""(seq, rows) as bytes; TypeError, ValueError, OverflowError or RecursionError when JSON cannot carry it."""
_decode = msgspec.json.Decoder(Record).decode


class Segment:
    """One file of the log. size: good bytes; torn: a write that failed may have left something behind them.

    missing: it was not there; emptied: it had not even its header, as no hub leaves it that is killed; damage: what was
    wrong with it when it was read; cut: whether that cost it bytes.
    """

    __slots__ = ("_changing", "_identity", "_new", "cut", "damage", "emptied", "fd", "missing", "path", "size", "torn")

    def __init__(self, path: Path) -> None:
        _refuse_newer(path)
        self.path = path
        self.missing = not path.exists()
        self.damage: str | None = None
        self.cut = False
        self._changing = threading.Lock()  # the writer's thread empties it, while another may make it again
        self._new = path.with_name(f"{path.name}.new")
        self._new.unlink(missing_ok=True)
        self.fd = _open(path)
        opened = os.fstat(self.fd)
        self._identity = opened.st_dev, opened.st_ino
        self.size = opened.st_size
        self.emptied = not self.missing and self.size < len(HEADER)
        self.torn = False

    def read(self, *, power_cut: bool = False) -> list[Record]:
        """Its records. What is torn or corrupt is cut off, with a line in the log; what is good behind it is kept.

        power_cut: there may have been one since it was written. What stands behind a hole as one leaves it is cut off
        then, too: the hole was not synced, so that nothing behind it was acknowledged, and the order would be torn.
        """
        data = self.path.read_bytes()
        found = _look_through(self.path, data, power_cut=power_cut)
        if found.damage is None and found.unfinished:
            log.warning("%s ends with a write that was not finished: %d bytes are cut off", self.path, found.unfinished)
        elif found.damage is not None:
            self.damage, self.cut = found.damage, found.cut > 0
            if self.cut:  # else it depends on what stands elsewhere whether anything is missing
                log.warning("%s", found.damage)
        good = len(found.kept)
        if good and found.kept != data[:good]:
            self._renew(found.kept)
            return found.records
        if good < len(data):
            os.ftruncate(self.fd, good)
            os.fsync(self.fd)  # else a second power cut could bring back what lies behind, after records that are newer
        if not good:
            _write(self.fd, HEADER)
        self.size = max(good, len(HEADER))
        return found.records

    def mend(self) -> None:
        """Cut off what a write left halfway, since nothing after it could be read."""
        os.ftruncate(self.fd, self.size)
        self.torn = False

    def empty(self) -> None:
        """Forget the records. A disk that refuses does no harm: they are known to be old by their numbers."""
        if self.size > len(HEADER) or self.torn:
            with self._changing, contextlib.suppress(OSError):
                os.ftruncate(self.fd, len(HEADER))
                self.size = len(HEADER)
                self.torn = False

    def replace(self, payload: bytes) -> None:
        """Let one record take the place of all. OSError: the segment stays as it was."""
        with self._changing:
            self._renew(HEADER + _frame(payload))

    def look(self) -> None:
        """Make it again if its name is not the file's any more, or if others wrote in it.

        OSError: it cannot be, or records of it may be gone.
        """
        found = self._under_its_name()  # how many names the file has tells nothing: one that was moved has one, too
        if found == (*self._identity, self.size):
            return
        there = found is not None and found[:2] == self._identity
        if there and self.torn:  # what a write left behind is no surprise
            return
        with self._changing:
            length = os.fstat(self.fd).st_size
            if there and length == self.size:  # the writer's thread was about to empty it
                return
            if there or length < self.size:
                self._renew_what_is_left(length)
            self._renew(os.pread(self.fd, self.size, 0))
        why = "was deleted or moved away" if found is None else "was replaced by another file"
        log.error("%s %s while the hub runs: it was made again, with all that it had", self.path, why)

    def _under_its_name(self) -> tuple[int, int, int] | None:
        """What file it is, and how long."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino, found.st_size

    def _renew_what_is_left(self, length: int) -> NoReturn:
        """Others wrote in it. Records may be gone, so that nobody may be told that they are kept."""
        data = os.pread(self.fd, length, 0)
        self._renew(_look_through(self.path, data, power_cut=False).kept or HEADER)
        why = f"{self.path.name} was emptied or written by others while the hub runs"
        log.error("%s: it was made again with what was whole in it, and the rest goes into home.db at once", why)
        raise OSError(errno.EIO, why)

    def _renew(self, data: bytes) -> None:
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
        made = os.fstat(fd)
        os.close(self.fd)
        self.fd, self.size, self.torn = fd, len(data), False
        self._identity = made.st_dev, made.st_ino


class Redo:
    """Both segments of a directory. Unavailable: they are too new, or cannot be opened."""

    def __init__(self, directory: Path) -> None:
        self.idle = _segment(directory / "redo.0")
        try:
            self._active = _segment(directory / "redo.1")
        except Unavailable:
            os.close(self.idle.fd)
            raise
        self._unbroken_since = 0
        sync_directory(directory)

    def read(self, *, power_cut: bool = False) -> list[Record]:
        """All records in the order of their numbers; to be called before anything is appended.

        power_cut: there may have been one since it was written.
        """
        try:
            records = [record for each in (self.idle, self._active) for record in each.read(power_cut=power_cut)]
        except OSError as error:
            raise Unavailable(f"the redo log cannot be read: {error.strerror}; mend the disk") from None
        records.sort(key=lambda record: record.seq)
        self._unbroken_since = _unbroken_since(records)
        return records

    def misses_nothing(self, committed: int) -> bool:
        """Whether it had all that came after that change when it was read, as the numbers show; damage or not."""
        cut = self.idle.cut or self._active.cut
        return not cut and self._unbroken_since <= committed + 1

    @property
    def damage(self) -> str | None:
        """What was wrong with it when it was read."""
        return "; ".join(each.damage for each in (self.idle, self._active) if each.damage) or None

    @property
    def missing(self) -> list[str]:
        """The segments that were not there."""
        return [each.path.name for each in (self.idle, self._active) if each.missing]

    @property
    def emptied(self) -> list[str]:
        """The segments that others have emptied, where no record tells whether there was something in them."""
        return [each.path.name for each in (self.idle, self._active) if each.emptied and not self._unbroken_since]

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
        with contextlib.suppress(OSError):  # who syncs will hear of it
            self._look()
        self.idle, self._active = self._active, self.idle
        return self.idle

    def descriptors(self) -> list[int]:
        """Descriptors of the segments that have records, to be synced and closed by whoever asked for them.

        They are good for that also when a segment is rewritten meanwhile. OSError: there can be no more of them, or
        a segment is gone and cannot be made again, or was written by others.
        """
        self._look()
        return [os.dup(each.fd) for each in (self.idle, self._active) if each.size > len(HEADER)]

    def _look(self) -> None:
        try:
            self.idle.look()
        finally:
            self._active.look()

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
        found = _BEGIN.match(file.read(len(HEADER) + _DIGITS))
    if found is not None and int(found[1]) > VERSION:  # any other is damage
        raise Unavailable(f"{path} was written by a newer hallway: update this one")


def read_segments(directory: Path) -> list[Record]:
    """What the log of a directory holds, in the order of its numbers; also while a hub writes it. Nothing is changed.

    Together with home.db, if that is read after this, it is all that had happened up to some moment: a record is left
    out here only when it stands in home.db already, or when it came later than one that is left out.
    """
    idle, active = directory / "redo.0", directory / "redo.1"
    first, second, third = _bytes(idle), _bytes(active), _bytes(idle)
    found = _parse(active, second)[0] + _parse(idle, first)[0]
    until = max((record.seq for record in found), default=0)
    if third.startswith(first):
        found = _parse(active, second)[0]
    found += _parse(idle, third)[0]
    return sorted((record for record in found if record.seq <= until), key=lambda record: record.seq)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _parse(path: Path, data: bytes) -> tuple[list[Record], int]:
    """The records and how many bytes of the file are good.

    Numbers never go down in a segment: a record of a lower number is one of an earlier use of the file.
    """
    if not data.startswith(HEADER):
        return [], 0
    records: list[Record] = []
    newest = 0
    at = len(HEADER)
    while at + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + length
        payload = data[at + _FRAME.size : end]
        if not length or len(payload) < length or crc32(payload) != checksum:
            break
        try:
            record = _decode(payload)
        except (msgspec.DecodeError, RecursionError) as error:
            log.warning("%s: the record at byte %d is left out: %s", path, at, error)
        else:
            if record.seq < newest:
                break
            newest = record.seq
            records.append(record)
        at = end
    return records, at


def _unbroken_since(records: list[Record]) -> int:
    """The lowest number from which on none is missing. A change without rows has no record, and looks missing."""
    since = 0
    for record in reversed(records):
        if since and record.seq < since - 1:
            break
        since = record.seq
    return since


class _Found(NamedTuple):
    """What a segment has: the records, the bytes that are kept of it, and what was wrong with the others.

    cut: how many bytes go for that damage; unfinished: how many bytes behind the last record nobody has to be told of.
    """

    records: list[Record]
    kept: bytes
    damage: str | None
    cut: int
    unfinished: int


def _look_through(path: Path, data: bytes, *, power_cut: bool) -> _Found:
    """Rows are written whole, so that later ones are of use without those that are lost; each frame has its CRC-32."""
    records, at = _parse(path, data)
    kept, first, behind, left_out, lost = bytearray(data[:at]), at, 0, 0, len(data) - at
    last, ended = at, False  # where the bytes end that are kept; whether no more may be
    while (begin := _next_frame(data, at)) is not None:
        more, end = _parse(path, HEADER + data[begin:])
        end += begin - len(HEADER)
        newest = records[-1].seq if records else 0
        stale = bool(more) and more[0].seq < newest  # of an earlier use of the file
        ended = ended or (power_cut and (stale or _has_hole(data, at, begin)))
        if ended:
            left_out += sum(record.seq >= newest for record in more)
        elif not stale:
            kept += data[begin:end] if kept else HEADER + data[begin:end]
            records += more
            behind += len(more)
            lost -= end - begin
            last = end
        at = end
    if left_out:
        damage = (
            f"{path.name} has a hole, as a power cut leaves it, or was damaged: {left_out} whole records behind it "
            f"cannot be used, {lost} bytes are cut off"
        )
    elif behind and not lost:
        damage = (
            f"{path.name} has no header, as one that was emptied while a hub wrote it: {behind} records could be read"
        )
    elif behind:
        damage = (
            f"{path.name} was damaged at byte {first}: {behind} later records could be read, {lost} bytes are cut off"
        )
    elif lost and not ended and not _is_unfinished(data, last, power_cut=power_cut):
        damage = f"{path.name} was damaged at byte {last}: {len(data) - last} bytes are cut off"
    else:
        return _Found(records, bytes(kept), None, 0, len(data) - last)
    return _Found(records, bytes(kept), damage, lost, 0)


def _next_frame(data: bytes, at: int) -> int | None:
    """Where the next whole one begins, behind what is none."""
    begin = data.find(b"[", at + _FRAME.size)
    while begin >= 0:
        length, checksum = _FRAME.unpack_from(data, begin - _FRAME.size)
        if 0 < length <= len(data) - begin and crc32(data[begin : begin + length]) == checksum:
            return begin - _FRAME.size
        begin = data.find(b"[", begin + 1)
    return None


def _has_hole(data: bytes, at: int, end: int) -> bool:
    """Whether a sector between them was perhaps not written: zeros from its begin, or from `at`, to its end."""
    for sector in range(at - at % _SECTOR, end - _SECTOR + 1, _SECTOR):
        part = data[max(at, sector) : sector + _SECTOR]
        if part.count(0) == len(part):
            return True
    return False


def _is_unfinished(data: bytes, at: int, *, power_cut: bool) -> bool:
    """Whether the end, which has no whole record, is left of a write of which nobody was told that it is kept."""
    rest = data[at:]
    if HEADER.startswith(data) or not rest:
        return True
    length = _FRAME.unpack_from(rest)[0] if len(rest) >= _FRAME.size else len(rest)
    begun = length > len(rest) - _FRAME.size and rest[_FRAME.size : _FRAME.size + 1] in (b"", b"[")
    if not power_cut:
        return begun and len(data) % _SECTOR == 0
    return begun or _has_hole(data + bytes(-len(data) % _SECTOR), at, len(data) + -len(data) % _SECTOR)
