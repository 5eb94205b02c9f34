"""One hub per directory: whoever holds `hub.lock` owns the files beside it.

The kernel drops the lock when the process ends, however it ends; what stands in it tells whether the hub before was
killed, whether the machine has gone down since, and what was committed. It must not know what is locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final, NamedTuple

from hallway.durable import sync_directory
from hallway.errors import Unavailable

LOCK: Final = "hub.lock"
_RUNNING: Final = "running\n"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
"""Is another one each time the machine comes up."""
_BYTES: Final = 200
"""More than what ever stands in it."""


class Committed(NamedTuple):
    """What is in home.db for sure. seq: the last change; at: when the last definition came that has no such number."""

    seq: int
    at: float = 0.0


class HubLock:
    """The lock of a directory, held until `release`. Unavailable: another hub has it, or it cannot be made.

    was_running: who had the files before did not put them in order at the end; same_boot: and the machine has been up
    since then, so that all that was written is there; committed: what home.db had at least, if that is known.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK
        self._directory = directory
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be opened: {error.strerror}; the hub must be able to write there"
            ) from None
        self.was_running = self.same_boot = False
        self.committed: Committed | None = None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._content().partition("\n")[0] or "unknown"
            os.close(self._fd)
            raise Unavailable(
                f"{directory} is in use by another hub (process {holder}): stop that one, or take another directory"
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise Unavailable(
                f"{path} cannot be locked: {error.strerror}; choose a directory on a local disk"
            ) from None
        content = self._content()
        self.was_running = content.endswith(_RUNNING)
        _holder, _, self._rest = content.partition("\n")  # as long as the files are as they were left, so is this
        boot, _, noted = self._rest.partition("\n")
        self.same_boot = boot == boot_id() != ""
        self.committed = _committed(noted.partition("\n")[0])
        self._write()

    def running(self, committed: Committed | None = None) -> None:
        """From now on the files are in use: `was_running` says so to the next one, unless they are put in order."""
        sync_directory(self._directory)
        self.note(committed)

    def note(self, committed: Committed | None) -> None:
        """The files are in use, and this much is in home.db. It is as long each time, so that one write changes it."""
        noted = "-" * 45 if committed is None else f"{committed.seq:020d} {committed.at!r:>24}"
        self._rest = f"{boot_id()}\n{noted}\n{_RUNNING}"
        self._write()

    def ended(self) -> None:
        """The files are in order, as they are left."""
        self._rest = f"{boot_id()}\n"
        self._write()
        with contextlib.suppress(OSError):
            os.fsync(self._fd)

    def _content(self) -> str:
        return os.pread(self._fd, _BYTES, 0).decode("ascii", "replace")

    def _write(self) -> None:
        content = f"{os.getpid()}\n{self._rest}".encode("ascii", "replace")
        with contextlib.suppress(OSError):  # a full disk does not hinder the lock
            os.pwrite(self._fd, content, 0)
            os.ftruncate(self._fd, len(content))

    def release(self) -> None:
        """Let another hub have the directory."""
        os.close(self._fd)


def boot_id() -> str:
    """Which time it is that the machine is up; empty where that is not told."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


def _committed(noted: str) -> Committed | None:
    seq, _, at = noted.partition(" ")
    try:
        return Committed(int(seq), float(at))
    except ValueError:
        return None


def hold(directory: Path) -> HubLock:
    """The lock of a directory, which is made for us alone when it is not there. Unavailable: as HubLock.

    That it is there survives a power cut too: else all files in it, synced or not, could be gone with its name.
    """
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be made: {error.strerror}") from None
    for made in missing:
        sync_directory(made.parent)
    return HubLock(directory)
