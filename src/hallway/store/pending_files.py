"""Whole files that wait beside a home take their places, also when the hub was killed while they did.

`home.db.next` is a home.db that was mended, `history.db.next` likewise, `restore.next` a directory with all that a
restoration brings. What stands there is complete, or it would not have that name. It must not know where it came from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hallway import durable
from hallway.store.database import DATABASE_FILE
from hallway.store.stamped import free

NEXT: Final = "restore.next"
HISTORY_FILE: Final = "history.db"
CONFIGURATION: Final = "configuration.yaml"
SECRETS: Final = "secrets.yaml"


def take_place(path: Path) -> None:
    """If a whole database waits beside `path`, it takes its place; to be called before anything is opened there."""
    coming = path.with_name(f"{path.name}.next")
    if coming.exists():
        for ending in ("-wal", "-shm", "-journal"):  # they belong to the old one, and would be read into the new one
            path.with_name(path.name + ending).unlink(missing_ok=True)
        durable.sync_directory(path.parent)
        durable.move(coming, path)


def finish(directory: Path) -> bool:
    """If a restoration was cut off after it counted, do the rest of it; to be called by who holds the lock."""
    coming = directory / NEXT
    if not coming.is_dir():
        return False
    for name in (CONFIGURATION, SECRETS):
        if (coming / name).exists():
            durable.move(coming / name, directory / name)
    if (coming / HISTORY_FILE).exists():
        _put_history_aside(directory)
        durable.move(coming / HISTORY_FILE, directory / HISTORY_FILE)
    if (coming / DATABASE_FILE).exists():
        for name in ("redo.0", "redo.1"):
            (directory / name).unlink(missing_ok=True)
        durable.move(coming / DATABASE_FILE, directory / f"{DATABASE_FILE}.next")
    take_place(directory / DATABASE_FILE)
    coming.rmdir()
    durable.sync_directory(directory)
    return True


def _put_history_aside(directory: Path) -> None:
    take_place(directory / HISTORY_FILE)
    aside = free(directory, f"{HISTORY_FILE}.before-restore", "")
    for ending in ("-wal", ""):
        part = directory / f"{HISTORY_FILE}{ending}"
        if part.exists():
            durable.move(part, aside.with_name(aside.name + ending))
    (directory / f"{HISTORY_FILE}-shm").unlink(missing_ok=True)
