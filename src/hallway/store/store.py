"""The store of a home: what was saved, and from `attach` on everything that happens to it.

Killing the process at any moment loses nothing that was acknowledged; a power failure loses no definition and at most
`values_every` seconds of reported values. It must not know doors, links or what a definition means.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import msgspec

from hallway.clock import Clock
from hallway.errors import Told, Unavailable
from hallway.home.home import Home
from hallway.home.saved import Saved
from hallway.home.values import Attributes
from hallway.store import definitions
from hallway.store.commits import Disk
from hallway.store.definitions import Definition
from hallway.store.lock import HubLock, hold
from hallway.store.recorder import Recorder
from hallway.store.recovery import Found, recover
from hallway.store.redo import Redo
from hallway.store.rows import DefinitionRow
from hallway.store.tables import Written
from hallway.store.troubles import DATABASE, Troubles
from hallway.store.writer import Writer

DATABASE_FILE = "home.db"


class Statistics(msgspec.Struct, frozen=True):
    """How the store does since it was opened.

    queued: rows and definitions that wait for a commit; rows, bytes_written: rows of values that were committed and the
    length of their texts (the pages in which they are written are larger); last_commit_at: seconds since 1970;
    redo_bytes: length of the redo log now; problem: as in Store.
    """

    queued: int
    commits: int
    rows: int
    bytes_written: int
    last_commit_at: float | None
    redo_bytes: int
    problem: str | None


class Store:
    """The files of one directory, from `open` to `close`; all methods are for the thread that opened it.

    saved: what was there at open, redo log included; empty once a home is attached.
    """

    def __init__(
        self,
        lock: HubLock,
        reader: sqlite3.Connection,
        disk: Disk,
        found: Found,
        clock: Clock,
        values_every: float,
    ) -> None:
        self._lock = lock
        self._reader = reader
        self._disk = disk
        self._found = found
        self._clock = clock
        self._values_every = values_every
        self._recorder: Recorder | None = None
        self._defining = 0
        self._closed = False

    @classmethod
    def open(cls, directory: Path, clock: Clock, values_every: float = 5.0) -> Store:
        """Open the store of a directory, which is made when it is not there; the files are readable by nobody else.

        values_every: seconds between two commits of values. Unavailable: another hub is there, the files are newer than
        this hub, or the disk refuses. A damaged home.db is moved aside, and `problem` says so.
        """
        lock = hold(directory)
        try:
            redo = Redo(directory)
        except Unavailable:
            lock.release()
            raise
        try:
            reader, found = recover(directory / DATABASE_FILE, redo, clock)
        except BaseException:
            redo.close()
            lock.release()
            raise
        disk = Disk(redo, Writer(directory / DATABASE_FILE, clock.now), Troubles(clock))
        return cls(lock, reader, disk, found, clock, values_every)

    @property
    def saved(self) -> Saved:
        """What was there at open."""
        return self._found.saved

    @property
    def problem(self) -> str | None:
        """What is wrong with the disk or was with home.db, as a sentence; None while all is well."""
        return self._disk.troubles.first or self._found.damage

    def attach(self, home: Home, loop: asyncio.AbstractEventLoop) -> None:
        """Keep what happens to this home from now on. To be called once, after `restore`, in the thread of the loop.

        ValueError: the home does not count on from `saved.seq`.
        """
        self._recorder = Recorder(home, loop, self._disk, self._found, self._clock, self._values_every)
        self._found = Found(Saved(), damage=self._found.damage)

    # ------------------------------------------------------------------ definitions

    def definitions(self, kind: str) -> dict[str, Definition]:
        """The present definitions of a kind by id, in the order in which they came; removed ones are left out."""
        try:
            return definitions.latest(self._reader, kind, self._waiting())
        except sqlite3.Error as error:
            raise Unavailable(f"home.db cannot be read: {error}") from None

    def _waiting(self) -> list[DefinitionRow]:
        """Definitions that are in the redo log and not in home.db yet."""
        if self._recorder is not None:
            return self._recorder.commits.definitions()
        return [] if self._found.left is None else self._found.left.definitions

    def history(self, kind: str, key: str) -> tuple[Definition, ...]:
        """All versions of one definition, the first one first."""
        try:
            known = definitions.history(self._reader, kind, key)
        except sqlite3.Error as error:
            raise Unavailable(f"home.db cannot be read: {error}") from None
        return definitions.with_versions(known, key, [row for row in self._waiting() if row.kind == kind])

    async def define(self, kind: str, key: str, body: Attributes | None, author: str | None, door: str) -> Definition:
        """Add a version of a definition (None: remove it) and return it once it is committed.

        CannotStore: JSON cannot carry it; Unavailable: home.db cannot be written now, and nothing was changed.
        """
        wanted = Definition(kind, key, 0, self._clock.now(), author, door, body)
        definitions.check(wanted)
        commit = self._disk.writer.submit(lambda connection: definitions.put(connection, wanted))
        self._defining += 1
        try:
            defined = await asyncio.wrap_future(commit)
        except Unavailable as error:
            self._disk.troubles.report(DATABASE, error.message)
            raise
        finally:
            self._defining -= 1
        self._disk.troubles.over(DATABASE)
        if self._recorder is not None:
            self._recorder.commits.hurry_if_stuck()
        return defined

    # ------------------------------------------------------------------ values

    async def durable(self, seq: int) -> None:
        """Wait until everything up to that change is committed; Unavailable when it cannot be, just now."""
        if self._recorder is not None:
            await self._recorder.commits.durable(seq)

    def when_durable(self, seq: int, told: Told) -> None:
        """As `durable`, for those who would rather be called, possibly at once."""
        if self._recorder is not None:
            self._recorder.commits.when_durable(seq, told)
        else:
            told(None)

    def statistics(self) -> Statistics:
        """How the store does."""
        redo, writer, _troubles = self._disk
        recorder = self._recorder
        written = recorder.commits.written if recorder is not None else Written()
        return Statistics(
            queued=self._defining + (recorder.commits.queued if recorder is not None else 0),
            commits=writer.counts.commits,
            rows=written.rows,
            bytes_written=written.bytes,
            last_commit_at=writer.counts.last_at,
            redo_bytes=redo.size,
            problem=self.problem,
        )

    async def close(self) -> None:
        """Commit what is left, empty the redo log and close the files; what cannot be committed stays in the log."""
        if self._closed:
            return
        self._closed = True
        try:
            complete = await self._recorder.finish() if self._recorder is not None else self._found.left is None
            if complete:
                self._disk.redo.clear()
        finally:
            self._reader.close()
            self._disk.writer.close()
            self._disk.redo.close()
            self._lock.release()
