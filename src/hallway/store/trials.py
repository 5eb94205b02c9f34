"""Directories for trial copies of a home: gone when their block ends, and after a kill with the next trial there.

A lock, which the kernel drops with the process, tells a trial that goes on from one that was left behind. It must not
know what is tried.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hallway.errors import Unavailable

PREFIX: Final = "hallway-trial-"
REMEDY: Final = "mend the disk, or set TMPDIR to a directory with room"
_LOCK: Final = "lock"


@contextmanager
def trial(*places: Path, room: int = 0) -> Iterator[Path]:
    """An empty directory for us alone in the first of these places that has so many bytes free and can be written.

    What was left behind there is cleared first. The temporary directory of the machine is the last of the places.
    Unavailable: there is none.
    """
    folder, lock = _made(places, room)
    try:
        home = folder / "home"
        home.mkdir(mode=0o700)
        yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clear(place: Path) -> None:
    """Remove the trials in a directory that nobody is at any more."""
    with contextlib.suppress(OSError):
        for folder in place.glob(f"{PREFIX}*"):
            if _is_ours(folder, place):
                _clear(folder)


def held(file: Path) -> int | None:
    """A descriptor that locks a file, which is made if it is not there, until it is closed; None: somebody has it."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), file.lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):  # or it was cleared away meanwhile
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _made(places: tuple[Path, ...], room: int) -> tuple[Path, int]:
    refused: OSError | None = None
    found = [place for place in (*places, Path(tempfile.gettempdir())) if place.is_dir()]
    for place in sorted(found, key=lambda place: _free(place) < room):  # in their order, those with room first
        clear(place)
        try:
            while True:
                folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
                lock = held(folder / _LOCK)
                if lock is not None:
                    return folder, lock
        except OSError as error:
            refused = error
    why = "there is no directory for it" if refused is None else refused.strerror
    raise Unavailable(f"nothing can be tried: {why}; {REMEDY}")


def _free(place: Path) -> int:
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return 0


def _is_ours(folder: Path, place: Path) -> bool:
    """Whether it was made by us, or by who owns the place, and not by just anybody in a place for all."""
    found = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and found.st_uid in (os.geteuid(), place.stat().st_uid)


def _clear(folder: Path) -> None:
    lock = held(folder / _LOCK)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
