"""The backups in a directory, by their names: a file has such a name only once it has been verified.

It must not know what is in them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hallway import durable
from hallway.store.trials import held

HISTORY: Final = ".history.db"
_UNFINISHED: Final = re.compile(r"(hallway|before-restore)-\d{8}T\d{6}Z(-\d+)?(\.tar|\.history\.db)\.new")
_HISTORY: Final = re.compile(r"(hallway-\d{8}T\d{6}Z(?:-\d+)?)\.history\.db")
_OF_SQLITE: Final = ("", "-journal", "-wal", "-shm")
_NAME: Final = re.compile(r"hallway-(\d{8}T\d{6}Z)(?:-(\d+))?\.tar")


def listed(directory: Path) -> list[Path]:
    """Newest first."""
    found = [path for path in directory.iterdir() if _NAME.fullmatch(path.name)] if directory.is_dir() else []
    return sorted(found, key=_age, reverse=True)


def made_at(path: Path) -> float:
    """When, as the name says: seconds since 1970."""
    found = _NAME.fullmatch(path.name)
    try:
        return datetime.strptime(found[1] if found else "", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def history_beside(path: Path) -> Path:
    """Where the history that belongs to a backup stands."""
    return path.with_name(path.name.removesuffix(".tar") + HISTORY)


def remove(path: Path) -> None:
    """Remove one, with the history that belongs to it."""
    history_beside(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


@contextmanager
def unfinished(new: Path) -> Iterator[None]:
    """While the block lasts, nobody takes a file that is being written for one that was left behind."""
    lock: int | None = None
    with contextlib.suppress(OSError):  # not every file system knows locks
        lock = held(new)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


@contextmanager
def no_history_alone(path: Path) -> Iterator[None]:
    """When the block fails, the history that it put beside a backup goes, unless the backup is there all the same."""
    beside = history_beside(path)
    before = durable.which(beside)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            if not path.is_file() and durable.which(beside) != before:
                beside.unlink()
        raise


def clear_unfinished(directory: Path) -> None:
    """Remove what was left behind in a directory when the making of a backup was killed."""
    with contextlib.suppress(OSError):
        for path in [path for path in directory.iterdir() if _UNFINISHED.fullmatch(path.name)]:
            _clear(path)
    with contextlib.suppress(OSError):
        for path in [path for path in directory.iterdir() if _HISTORY.fullmatch(path.name)]:
            if _is_alone(path):
                path.unlink(missing_ok=True)


def _clear(new: Path) -> None:
    lock = held(new)
    if lock is not None:
        for part in _OF_SQLITE:
            new.with_name(new.name + part).unlink(missing_ok=True)
        os.close(lock)


def _is_alone(history: Path) -> bool:
    """Whether it belongs to no backup, nor to one that is being made: looked at first, as it becomes the former."""
    tar = history.with_name(history.name.removesuffix(HISTORY) + ".tar")
    being_made = durable.which(tar.with_name(f"{tar.name}.new")) is not None
    return history.is_file() and not being_made and durable.which(tar) is None


def _age(path: Path) -> tuple[str, int]:
    found = _NAME.fullmatch(path.name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)
