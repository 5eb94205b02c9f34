"""Generations of home.db: verified copies in `generations/`, from which a damaged one is mended.

The newest ten are kept, of the last seven days the newest of each, and those made before an upgrade. It must not know
when one is made.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from hallway import durable
from hallway.errors import Unavailable
from hallway.store import contents
from hallway.store.database import Damaged, is_damage, snapshot
from hallway.store.error_texts import said
from hallway.store.migrations import newest
from hallway.store.stamped import free, stamp

FOLDER: Final = "generations"
NEWEST: Final = 10
DAYS: Final = 7
UPGRADES: Final = 3
_NAME: Final = re.compile(r"home-(\d{8})T\d{6}Z(?:-\d+)?(-schema\d+)?\.db")

Mark = tuple[Any, ...]
"""What tells the definitions of two files apart, most of the time."""


class Generation(NamedTuple):
    """A copy that is whole. seq: the number of the last change in it."""

    path: Path
    seq: int


def keep(database: Path, now: float, *, upgrade_from: int | None = None) -> Path:
    """Make a copy of a home.db, also while it is written; it gets its name once it has been checked.

    upgrade_from: the schema that it has, when it is kept because that will change. Damaged: what is wrong with home.db;
    Unavailable: the disk refuses.
    """
    folder = database.parent / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ending = "" if upgrade_from is None else f"-schema{upgrade_from}"
        path = free(folder, f"home-{stamp(now)}", f"{ending}.db")
        with durable.coming(path) as new:
            snapshot(database, new)
            with closing(contents.read_only(new)) as connection:
                contents.check(connection)
        for each in _superfluous(folder):
            each.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        if is_damage(error):
            raise Damaged(said(error)) from None
        raise Unavailable(f"no generation of home.db could be kept: {said(error)}") from None
    return path


def listed(directory: Path) -> list[Path]:
    """All of a home, newest first."""
    folder = directory / FOLDER
    found = (path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else ()
    return sorted(found, key=lambda path: path.stem, reverse=True)


def good(directory: Path) -> Iterator[Generation]:
    """Those that are whole and that this hub can read, newest first."""
    for path in listed(directory):
        try:
            with closing(contents.read_only(path)) as connection:
                (schema,) = connection.execute("PRAGMA user_version").fetchone()
                if schema <= newest():
                    yield Generation(path, contents.check(connection))
        except (sqlite3.Error, Damaged):
            continue


def newest_seq(directory: Path) -> int:
    """The number of the last change in the newest one, as far as that can be read at once; 0 without one."""
    for path in listed(directory)[:1]:
        try:
            with closing(contents.read_only(path)) as connection:
                return int(connection.execute("SELECT last_seq FROM progress").fetchone()[0])
        except (sqlite3.Error, TypeError):
            break
    return 0


def is_up_to_date(database: Path) -> bool:
    """Whether the newest one has the definitions that home.db has."""
    paths = listed(database.parent)
    try:
        return bool(paths) and _mark(paths[0]) == _mark(database)
    except sqlite3.Error:
        return False


def _mark(path: Path) -> Mark:
    with closing(contents.read_only(path)) as connection:
        mark: Mark = connection.execute("SELECT count(*), max(seq), max(at) FROM definition").fetchone()
        return mark


def _superfluous(folder: Path) -> list[Path]:
    paths = listed(folder.parent)
    upgrades = [path for path in paths if (found := _NAME.fullmatch(path.name)) and found[2]]
    days: dict[str, Path] = {}
    for path in paths:
        days.setdefault(path.name[5:13], path)
    kept = {*paths[:NEWEST], *list(days.values())[:DAYS], *upgrades[:UPGRADES]}
    return [path for path in paths if path not in kept]
