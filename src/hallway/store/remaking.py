"""home.db is made anew while the hub runs: what it had, as far as it can be read, and over it what the hub knows.

What it had comes from the connection that still has it open, where the file was only deleted or replaced, otherwise it
is mended as at the start. The new file is whole before it takes the place of the old one. It must not know the home.
"""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hallway import durable
from hallway.errors import Unavailable
from hallway.store import contents
from hallway.store.database import DATABASE_FILE, Damaged, clear, keep_aside, open_database
from hallway.store.error_texts import said
from hallway.store.mending import Mended, build_of_best
from hallway.store.pending_files import take_place
from hallway.store.truth import Truth, lay_over


class Remade(NamedTuple):
    """What became of it. mended: what it was made of, None where all of it could still be read."""

    aside: Path | None
    mended: Mended | None

    @property
    def sentence(self) -> str:
        """For people."""
        kept = "" if self.aside is None else f" What was there is kept as {self.aside.name}."
        base = "from what the hub still had open"
        if self.mended is not None:
            generation = self.mended.generation
            base = "" if generation is None else f"from {generation.parent.name}/{generation.name}, "
            base += "from what could still be read and from what the hub knows"
        torn = self.mended is not None and "definition" in self.mended.torn
        lost = ", but earlier versions of some definitions may be missing" if torn else ""
        return (
            f"it was made again while the hub runs, {base}; it has everything as it is now{lost}.{kept} "
            "Check the disk, which may be failing"
        )


def copy_of(reader: sqlite3.Connection, path: Path) -> Path | None:
    """All that a connection still sees, in a file beside home.db; None where it cannot be read."""
    building = path.with_name(f"{path.name}.new")
    try:
        clear(building)
        with closing(sqlite3.connect(building, isolation_level=None)) as copy:
            reader.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except (sqlite3.Error, OSError):
        return None
    return building


def remake(path: Path, truth: Truth, copy: Path | None, now: float) -> Remade:
    """Put a whole home.db in the place of a damaged one, which nobody has open. Unavailable: the disk refuses."""
    building = path.with_name(f"{path.name}.new")
    try:
        aside = keep_aside(path, now)
        whole = copy is not None and _is_whole(copy)
        mended = None if whole else build_of_best(building, aside, [])
        with closing(open_database(building)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            lay_over(connection, truth)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = DELETE")
            contents.check(connection)
        building.chmod(0o600)
        durable.move(building, path.with_name(f"{path.name}.next"))
        take_place(path)
    except (OSError, sqlite3.Error, Damaged) as error:
        raise Unavailable(f"{DATABASE_FILE} cannot be made again: {said(error)}") from None
    if not aside.exists():  # of a file that is gone: all that its WAL had is in the new one
        aside.with_name(f"{aside.name}-wal").unlink(missing_ok=True)
    return Remade(aside if aside.exists() else None, mended)


def _is_whole(copy: Path) -> bool:
    with contextlib.suppress(sqlite3.Error, Damaged), closing(contents.read_only(copy)) as connection:
        contents.check(connection)
        return True
    return False
