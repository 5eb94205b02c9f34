"""The one way to write a whole file: it is on the disk and readable by its owner alone, or it is as it was before.

What is new is written beside it, synced, renamed, and the directory is synced. It must not know what stands in files.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
PIECE = 2**20


@contextmanager
def coming(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, to be filled in any way; it takes the place of `path` when the block ends well.

    Whatever goes wrong, `path` is as it was and the new file is gone. A kill may leave the new file behind. OSError:
    what is there is no file; a device would be a device no more.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "what is there is no file", str(path))
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
    try:
        yield new
        move(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def write(path: Path, data: bytes) -> None:
    """A file with these bytes takes the place of what was there. OSError: what was there is there still."""
    with coming(path) as new:
        fill(new, data)


def fill(new: Path, data: bytes) -> None:
    """Write into a file that is `coming`."""
    with new.open("wb") as file:
        file.write(data)


def copy(source: Path, path: Path) -> None:
    """As `write`, of what stands in another file."""
    with coming(path) as new, source.open("rb") as there, new.open("r+b") as here:
        while piece := there.read(PIECE):
            here.write(piece)


def move(source: Path, path: Path) -> None:
    """A file or directory that is whole gets its name, after what stands in it is on the disk."""
    for each in (source, *(source.iterdir() if source.is_dir() else ())):
        _sync(each, os.O_RDONLY)
    source.replace(path)
    sync_directory(path.parent)


def which(path: Path) -> tuple[int, int] | None:
    """Which file has this name, None: none. What was written as a whole is another file than what was there before."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def sync_directory(path: Path) -> None:
    """What the files of a directory are called is on the disk from now on, where the system can do that."""
    with contextlib.suppress(OSError):
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
