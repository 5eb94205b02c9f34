"""history.db is made again of what a connection still has open, where its name was taken away.

It must not know who has it open.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from hallway import durable
from hallway.store.database import clear
from hallway.store.pending_files import take_place
from hallway.store.stamped import free


def parts_of(path: Path) -> list[Path]:
    """The files that belong to a database that is open."""
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]


def copied(path: Path, connection: sqlite3.Connection) -> Path:
    """All that the connection sees, in a file beside the name. OSError, sqlite3.Error: the disk refuses.

    Where there is no room for it nothing is written: a disk that is filled would refuse the home its edits.
    """
    building = path.with_name(f"{path.name}.new")
    clear(building)
    size = math.prod(connection.execute(f"PRAGMA {of}").fetchone()[0] for of in ("page_count", "page_size"))
    if shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    try:
        with closing(sqlite3.connect(building, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        building.chmod(durable.PRIVATE)
    except BaseException:
        clear(building)
        raise
    return building


def give_name(path: Path, building: Path, was: tuple[int, int] | None) -> Path | None:
    """Let the name be that of the copy, while nobody reads; where another file is now, that had the name.

    was: the file that had it before, which may have it still, where something that belongs to it is gone. OSError:
    the disk refuses.
    """
    try:
        aside = None
        if durable.which(path) not in {was, None}:
            aside = free(path.parent, f"{path.name}.other", "")
            durable.move(path, aside)
        durable.move(building, path.with_name(f"{path.name}.next"))
    except BaseException:
        clear(building)
        raise
    take_place(path)
    return aside
