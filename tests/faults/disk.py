"""A disk for tests: it writes down all that a process does to its files, and fails when it is told to.

The work is done by disk.c, which is loaded before libc, below Python and SQLite. Here it is compiled, told what to do,
and what it wrote down is read. It must not know what is in the files.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).with_name("disk.c")
_ENTRY = struct.Struct("<QIIQQ")
_ORDERS = struct.Struct("<iiqq64s")


class What(IntEnum):
    """As in disk.c; MARK is what the process itself said."""

    KNOWN = 1
    CREATE = 2
    WRITE = 3
    TRUNCATE = 4
    SYNC_BEGIN = 5
    SYNC_END = 6
    RENAME = 7
    UNLINK = 8
    LINK = 9
    MKDIR = 10
    RMDIR = 11
    MMAP = 12
    MARK = 13


class Entry(NamedTuple):
    """Something that was done. file: its inode; number: an offset, a length or the number of a sync."""

    what: What
    file: int
    number: int
    data: bytes

    @property
    def name(self) -> str:
        return os.fsdecode(self.data)


def compiled(folder: Path) -> Path:
    """The library; the test is skipped on a machine without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    library = folder / "disk.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-lpthread"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def environment(library: Path, directory: Path, log: Path | None = None, orders: Path | None = None) -> dict[str, str]:
    """What a process needs in its environment to work on such a disk."""
    told = {"LD_PRELOAD": str(library), "FAULT_DIRECTORY": str(directory.resolve())}
    if log is not None:
        told["FAULT_LOG"] = str(log)
    if orders is not None:
        told["FAULT_ORDERS"] = str(orders)
    return told


def entries(log: Path) -> Iterator[Entry]:
    """What was written down, in order."""
    data, at = log.read_bytes(), 0
    while at < len(data):
        _time, what, length, file, number = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size + length
        yield Entry(What(what), file, number, data[at - length : at])


class Marks:
    """For the process itself: what it says stands in the log, in order with what it did."""

    def __init__(self, log: Path) -> None:
        self._fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)

    def say(self, text: str) -> None:
        data = text.encode()
        os.write(self._fd, _ENTRY.pack(0, What.MARK, len(data), 0, 0) + data)


class Orders:
    """What fails from now on in all processes that were started with this file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_ORDERS.size))
        self.path = path
        with path.open("r+b") as file:
            self._there = mmap.mmap(file.fileno(), _ORDERS.size)

    def full(self, name: str = "", left: int = 0) -> None:
        """There is room for so many bytes more in the files with that in their names; overwriting goes well."""
        self._order(errno.ENOSPC, left, name, only_more=True)

    def read_only(self, name: str = "") -> None:
        """Nothing can be changed."""
        self._order(errno.EROFS, 0, name, only_more=False)

    def broken(self, name: str = "") -> None:
        """Writing and syncing fail."""
        self._order(errno.EIO, 0, name, only_more=False)

    def well(self) -> None:
        self._order(0, 0, "", only_more=False)

    @property
    def refused(self) -> int:
        """How often something has failed."""
        return int(_ORDERS.unpack(self._there[:])[3])

    def _order(self, error: int, left: int, name: str, *, only_more: bool) -> None:
        self._there[:] = _ORDERS.pack(error, only_more, left, self.refused, name.encode())
