"""history.db is made again of what a connection still has open, where its name was taken away.

It must not know who has it open.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hallway import durable
from hallway.store.database import clear
from hallway.store.pending_files import take_place


def parts_of(path: Path) -> list[Path]:
    """The files that belong to a database that is open."""
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]


def make_again(path: Path, connection: sqlite3.Connection, was: tuple[int, int] | None) -> Path | None:
    """Let the name be that of a file with all that the connection sees; where another one is now, that had the name.

    was: the file that had it before, which may have it still, where something that belongs to it is gone. OSError,
    sqlite3.Error: the disk refuses.
    """
    building = path.with_name(f"{path.name}.new")
    clear(building)
    try:
        with closing(sqlite3.connect(building, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        building.chmod(durable.PRIVATE)
        aside = None
        if durable.which(path) not in {was, None}:
            aside = _free(path)
            durable.move(path, aside)
        durable.move(building, path.with_name(f"{path.name}.next"))
    except BaseException:
        clear(building)
        raise
    take_place(path)
    return aside


def _free(path: Path) -> Path:
    aside, number = path.with_name(f"{path.name}.other"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.other-{number}")
    return aside
