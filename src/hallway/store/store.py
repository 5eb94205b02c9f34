"""The store of a home: what was saved, and from `attach` on everything that happens to it.

Killing the process at any moment loses nothing that was acknowledged; a power failure loses no definition and at most
`values_every` seconds of reported values. A home.db that is damaged meanwhile is made again. It must not know doors,
links or what a definition means.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from hallway.clock import Clock
from hallway.errors import Told, Unavailable
from hallway.home.home import Home
from hallway.home.saved import Saved
from hallway.home.values import Attributes
from hallway.store import definitions
from hallway.store.commits import Disk
from hallway.store.database import DATABASE_FILE, FileDamaged, connect, is_damage
from hallway.store.definitions import Definition
from hallway.store.error_texts import said
from hallway.store.lock import Committed, HubLock, hold
from hallway.store.present import Present
from hallway.store.recorder import Recorder
from hallway.store.recovery import Found, recover
from hallway.store.redo import Redo
from hallway.store.remaking import Remade, copy_of
from hallway.store.repair import Repair
from hallway.store.revisions import StoredRevisions
from hallway.store.rows import Batch, DefinitionRow, NoteRow
from hallway.store.tables import Written
from hallway.store.troubles import DAMAGE, DATABASE, Troubles
from hallway.store.truth import Newest, Truth
from hallway.store.writer import Writer

log = logging.getLogger(__name__)


class Follower(Protocol):
    """Who wants to know what stands in home.db, right after it came there. It must be quick and must not fail."""

    def committed(self, batch: Batch) -> None: ...
    def defined(self, definition: Definition) -> None: ...
    def replaced(self) -> None:
        """home.db is another file, which may have other rows."""
        ...


class Statistics(msgspec.Struct, frozen=True):
    """How the store does since it was opened.

    queued: rows and definitions that wait for a commit; rows, bytes_written: rows of values that were committed and the
    length of their texts (the pages in which they are written are larger); redo_bytes: length of the redo log now;
    problem: as in Store.
    """

    queued: int
    commits: int
    rows: int
    bytes_written: int
    redo_bytes: int
    problem: str | None


class Store:
    """The files of one directory, from `open` to `close`; all methods are for the thread that opened it.

    saved: what was there at open, redo log included; empty once a home is attached.
    """

    def __init__(
        self,
        lock: HubLock,
        present: Present,
        reader: sqlite3.Connection,
        disk: Disk,
        found: Found,
        clock: Clock,
        values_every: float,
    ) -> None:
        self._lock = lock
        self._path = present.path
        self._reader = reader
        self._disk = disk
        self._newest = Newest()
        self._repair = Repair(present, disk.writer, clock, self)
        self._found = found
        self._clock = clock
        self._values_every = values_every
        self._home: Home | None = None
        self._recorder: Recorder | None = None
        self._follower: Follower | None = None
        self._defining = 0
        self._defined_at = 0.0
        self._closed = False
        self.revisions = StoredRevisions(reader, self._waiting)
        self.revisions.damaged = self.report_damage
        self.revisions.repair = self._repair

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
        path = directory / DATABASE_FILE
        try:
            reader, found = recover(path, redo, clock, lock)
        except BaseException:
            redo.close()
            lock.release()
            raise
        lock.running(Committed(found.saved.seq) if found.left is None else None)
        present = Present(path)
        writer = Writer(present.open, DATABASE_FILE, look=present.look)
        disk = Disk(redo, writer, Troubles(clock))
        return cls(lock, present, reader, disk, found, clock, values_every)

    @property
    def saved(self) -> Saved:
        """What was there at open."""
        return self._found.saved

    @property
    def problem(self) -> str | None:
        """What is wrong with the disk or was with home.db, as a sentence; None while all is well."""
        return self._disk.troubles.first or self.damage

    @property
    def at_risk(self) -> int:
        """How many rows and definitions wait while something is wrong that holds: for them a crash may be the end."""
        return 0 if self._disk.troubles.first is None else self.statistics().queued

    @property
    def damage(self) -> str | None:
        """What was found wrong with home.db, its WAL or the redo log since the start, and what became of it."""
        return "; ".join(each for each in (self._found.damage, self._found.lost) if each) or None

    def report_damage(self, why: str) -> None:
        """Somebody found home.db damaged while the hub runs."""
        if not self._is_mended(why):
            sentence = f"home.db is damaged: {why}; start the hub again soon, it is mended then"
            self._disk.troubles.report(DAMAGE, sentence)

    def listen(self, listener: Callable[[str, bool], None]) -> None:
        """Tell what is wrong with the disk, once a minute while it holds, and when it is over."""
        self._disk.troubles.listener = listener

    def attach(self, home: Home, loop: asyncio.AbstractEventLoop) -> None:
        """Keep what happens to this home from now on. To be called once, after `restore`, in the thread of the loop.

        ValueError: the home does not count on from `saved.seq`.
        """
        notes = [NoteRow(kept.owner, kept.name, kept.note) for kept in self._found.saved.notes]
        try:
            self._newest.read(self._reader, notes)
        except sqlite3.Error as error:
            log.warning("home.db cannot be read: %s", said(error))
        self._newest.take(self._waiting())
        self._home = home
        self._recorder = Recorder(home, loop, self._disk, self._found, self._clock, self._values_every, self._newest)
        self._recorder.commits.damaged = self._is_mended
        self._recorder.commits.followed = self._came
        self._found = Found(Saved(), damage=self._found.damage, lost=self._found.lost)
        self.revisions.follow(self._newest)

    def follow(self, follower: Follower) -> None:
        """Tell it of everything that gets into home.db from now on. To be called after `attach`."""
        self._follower = follower

    def _came(self, batch: Batch) -> None:
        """It is in home.db now."""
        self._lock.note(Committed(batch.seq, self._defined_at))
        if self._follower is not None:
            self._follower.committed(batch)

    # ------------------------------------------------------------------ definitions

    def definitions(self, kind: str) -> dict[str, Definition]:
        """The present definitions of a kind by id, in the order in which they came; removed ones are left out."""
        try:
            return definitions.latest(self._reader, kind, self._waiting())
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

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
            raise self._unreadable(error) from None
        return definitions.with_versions(known, key, [row for row in self._waiting() if row.kind == kind])

    async def define(self, kind: str, key: str, body: Attributes | None, author: str | None, door: str) -> Definition:
        """Add a version of a definition (None: remove it) and return it once it is committed.

        CannotStore: JSON cannot carry it; Unavailable: home.db cannot be written now, and nothing was changed.
        """
        wanted = Definition(kind, key, 0, self._clock.now(), author, door, body)
        definitions.check(wanted)
        defined = await self._committed(wanted)
        self._disk.troubles.over(DATABASE)
        self._newest.defined(defined)
        self._defined_at = defined.at
        if self._recorder is not None:
            self._lock.note(Committed(self._recorder.commits.committed, self._defined_at))
            self._recorder.commits.hurry_if_stuck()
        if self._follower is not None:
            self._follower.defined(defined)
        return defined

    async def _committed(self, wanted: Definition) -> Definition:
        try:
            return await self._submitted(wanted)
        except FileDamaged as error:
            if not self._is_mended(error.why):
                self._disk.troubles.report(DATABASE, error.message)
                raise
        except Unavailable as error:
            self._disk.troubles.report(DATABASE, error.message)
            raise
        await self._repair.wait()
        return await self._submitted(wanted)

    async def _submitted(self, wanted: Definition) -> Definition:
        self._defining += 1
        try:
            return await asyncio.wrap_future(
                self._disk.writer.submit(lambda connection: definitions.put(connection, wanted))
            )
        finally:
            self._defining -= 1

    # ------------------------------------------------------------------ when home.db is damaged

    def _is_mended(self, why: str) -> bool:
        """Make it again, if it has not been just now; whether that is under way."""
        if self._home is None or self._closed:
            return False
        if not self._repair.under_way and self._repair.begin(why):
            log.error("home.db is damaged: %s; it is made again", why)
        return self._repair.under_way

    def _unreadable(self, error: sqlite3.Error) -> Unavailable:
        if is_damage(error):
            self.report_damage(said(error))
        if self._repair.under_way:
            return Unavailable("home.db is damaged and is just being made again; ask again in a moment")
        return Unavailable(f"home.db cannot be read: {said(error)}")

    def settled(self) -> bool:
        """For Repair: whether it is known of each commit what became of it."""
        return not self._defining and (self._recorder is None or not self._recorder.commits.under_way)

    def give(self) -> tuple[Truth, Path | None]:
        """For Repair: what home.db must say, and a copy of it; it is open here no more."""
        if self._home is None or self._recorder is None:
            raise ValueError("no home is attached")
        commits = self._recorder.commits
        truth = self._newest.truth(self._home, commits.definitions(), commits.committed)
        copy = copy_of(self._reader, self._path)
        self._reader.close()
        return truth, copy

    def take(self, why: str, became: Remade | Unavailable) -> None:
        """For Repair: what became of it."""
        with contextlib.suppress(sqlite3.Error):
            self._reader = connect(self._path)
            self._reader.execute("PRAGMA query_only = ON")
            self.revisions.use(self._reader)
        if isinstance(became, Remade):
            sentence = f"home.db was damaged ({why}): {became.sentence}"
            self._found = Found(Saved(), damage=sentence, lost=self._found.lost)
            self._disk.troubles.ended(DAMAGE, sentence)
            if self._follower is not None:
                self._follower.replaced()
            if self._recorder is not None:
                self._recorder.commits.hurry_if_stuck()
        elif self._recorder is not None:
            sentence = (
                f"home.db is damaged: {why}; {became.message}; the hub tries again by itself, a new start mends it"
            )
            self._disk.troubles.report(DAMAGE, sentence)
            self._recorder.commits.wait_no_longer(sentence)

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
            commits=writer.commits,
            rows=written.rows,
            bytes_written=written.bytes,
            redo_bytes=redo.size,
            problem=self.problem,
        )

    async def close(self) -> None:
        """Commit what is left, empty the redo log and close the files; what cannot be committed stays in the log."""
        if self._closed:
            return
        self._closed = True
        await self._repair.wait()
        try:
            complete = await self._recorder.finish() if self._recorder is not None else self._found.left is None
            if complete:
                self._disk.redo.clear()
            self._lock.ended()
        finally:
            self._reader.close()
            self._disk.writer.close()
            self._disk.redo.close()
            self._lock.release()
