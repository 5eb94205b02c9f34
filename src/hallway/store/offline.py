"""The store of a home that nobody runs: what is defined there, and one transaction that adds to it.

For programs that do their work and end, such as an import. It must not know what a definition means.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from hallway import durable
from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.home.saved import Saved
from hallway.store import definitions, tables
from hallway.store.database import DATABASE_FILE, connect
from hallway.store.definitions import Definition
from hallway.store.error_texts import said
from hallway.store.lock import LOCK, hold
from hallway.store.recovery import Found, recover
from hallway.store.redo import Redo
from hallway.store.rows import AnyRow, Batch
from hallway.store.trials import trial

FILES = (DATABASE_FILE, f"{DATABASE_FILE}-wal", "redo.[01]")
COPIES = 2
"""So many times the room of a home a copy may take: what its redo log has goes into home.db."""
_ALL = "SELECT DISTINCT kind FROM definition ORDER BY kind"


class Resting:
    """A home at rest, held so that no hub can start on it meanwhile. saved: the values that it had at its end."""

    def __init__(self, path: Path, reader: sqlite3.Connection, saved: Saved) -> None:
        self._path = path
        self._reader = reader
        self.saved = saved

    def definitions(self) -> list[Definition]:
        """All present definitions, by kind and id."""
        kinds = [kind for (kind,) in self._reader.execute(_ALL).fetchall()]
        return [found for kind in kinds for found in definitions.latest(self._reader, kind).values()]

    def write(self, wanted: Sequence[Definition], rows: Iterable[AnyRow]) -> None:
        """Add a version of each definition, and put rows of values; all of it or, when an error is raised, nothing."""
        for definition in wanted:
            definitions.check(definition)
        batch = Batch()
        batch.put(max(self.saved.seq, *(definition.seq for definition in wanted), 0), rows)
        try:
            with closing(connect(self._path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                for definition in wanted:
                    definitions.put(connection, definition)
                tables.write(connection, batch)
                connection.execute("COMMIT")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise Unavailable(f"{self._path} cannot be written: {said(error)}; nothing was changed") from None


@contextmanager
def resting(directory: Path, clock: Clock) -> Iterator[Resting]:
    """Hold the store of a directory, which is made when it is not there.

    Unavailable: a hub runs there, the disk refuses, or home.db was damaged (it is moved aside, as at a start).
    """
    lock = hold(directory)
    try:
        redo = Redo(directory)
        try:
            reader, found = recover(directory / DATABASE_FILE, redo, clock, lock)
            lock.ended()
            with closing(reader):
                _check(found)
                yield Resting(directory / DATABASE_FILE, reader, found.saved)
        finally:
            redo.close()
    finally:
        lock.release()


@contextmanager
def looked_at(directory: Path, clock: Clock) -> Iterator[Resting]:
    """A copy of a home at rest: nothing of the home itself changes, whatever is done. Unavailable: as in `resting`."""
    parts = [path for pattern in FILES for path in directory.glob(pattern)]
    with trial(directory, room=COPIES * sum(path.stat().st_size for path in parts)) as copy:
        lock = hold(directory) if (directory / LOCK).exists() else None
        try:
            for path in (path for pattern in FILES for path in directory.glob(pattern)):
                durable.copy(path, copy / path.name)
        except OSError as error:
            raise Unavailable(f"{directory} cannot be read: {error.strerror}") from None
        finally:
            if lock is not None:
                lock.release()
        with resting(copy, clock) as home:
            yield home


def _check(found: Found) -> None:
    if found.damage is not None:
        raise Unavailable(found.damage)
    if found.left is not None:
        raise Unavailable("home.db cannot take what the redo log holds: is the disk full? Nothing was changed")
