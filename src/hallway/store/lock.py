"""One hub per directory: whoever holds `hub.lock` owns the files beside it.

The kernel drops the lock when the process ends, however it ends. It must not know what is locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from hallway.errors import Unavailable


class HubLock:
    """The lock of a directory, held until `release`. Unavailable: another hub has it, or it cannot be made."""

    def __init__(self, directory: Path) -> None:
        path = directory / "hub.lock"
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"{path} cannot be opened: {error.strerror}; the hub must be able to write there"
            ) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise Unavailable(
                f"{directory} is in use by another hub (process {holder}): stop that one, or take another directory"
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise Unavailable(
                f"{path} cannot be locked: {error.strerror}; choose a directory on a local disk"
            ) from None
        with contextlib.suppress(OSError):  # the number is for people; a full disk does not hinder the lock
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let another hub have the directory."""
        os.close(self._fd)


def hold(directory: Path) -> HubLock:
    """The lock of a directory, which is made for us alone when it is not there. Unavailable: as HubLock."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be made: {error.strerror}") from None
    return HubLock(directory)
