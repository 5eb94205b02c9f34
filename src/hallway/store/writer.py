"""The one thread that writes a database. What waits when it comes around goes into one transaction with one sync.

It must not know what is written: it runs pieces of work on its connection and tells each how it went.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from itertools import groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from hallway.errors import Unavailable
from hallway.store.database import CannotOpen, Damaged, FileDamaged, is_damage
from hallway.store.error_texts import said

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class AnotherFile(Exception):
    """What has the name of the file is another one by now, with all that the one had that is open: open that."""


class Job(Generic[T]):
    """A piece of work and where its result goes. alone: it is done while the file is closed, in no transaction."""

    def __init__(self, work: Work[T] | None = None, alone: Callable[[], T] | None = None) -> None:
        self.work = work
        self.alone = alone
        self.future: Future[T] = Future()


class Writer:
    """Runs from here until `close`. open_file: a connection to the file `name`; commits: how many there were.

    damaged: is called, in the thread, with what SQLite says when it finds the file damaged; without it whoever waits
    for the commit gets FileDamaged. look: raises Damaged when the file that is open has that name no more, or
    AnotherFile.
    """

    def __init__(
        self,
        open_file: Callable[[], sqlite3.Connection],
        name: str,
        damaged: Callable[[str], None] | None = None,
        look: Callable[[], None] | None = None,
    ) -> None:
        self._open_file = open_file
        self._look = look
        self._name = name
        self._damaged = damaged
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.commits = 0
        self._thread = threading.Thread(target=self._run, name="hallway-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Let the work be done in the next transaction; the future is done after its commit.

        Unavailable, here or in the future: there was no commit, and nothing of the work is in the file. The future can
        be cancelled until its transaction begins.
        """
        return self._put(Job(work))

    def alone(self, work: Callable[[], T]) -> Future[T]:
        """Let the work be done between two transactions, while this thread has the file closed."""
        return self._put(Job(alone=work))

    def _put(self, job: Job[T]) -> Future[T]:
        if self._closed:
            raise Unavailable("the store is closed: the hub is going down")
        self._jobs.put(job)
        return job.future

    def bytes_written(self) -> int | None:
        """How much its thread gave to the system to be written so far; None where that is not told."""
        try:
            told = Path(f"/proc/self/task/{self._thread.native_id}/io").read_text("ascii")
        except OSError:
            return None
        return next((int(line.split()[1]) for line in told.splitlines() if line.startswith("wchar:")), None)

    def close(self) -> None:
        """Finish what waits, fold the WAL into the file and end the thread."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join()

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            for alone, jobs in groupby(group, lambda job: job.alone is not None):
                if alone:
                    self._do_alone(list(jobs))
                else:
                    self._commit(list(jobs))
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._disconnect()

    def _next_group(self) -> tuple[list[Job[Any]], bool]:
        """All that waits, at least one; and whether more may come."""
        job = self._jobs.get()
        group: list[Job[Any]] = []
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                group.append(job)
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, group: list[Job[Any]]) -> None:
        try:
            results = self._transaction(group)
        except (sqlite3.Error, Damaged) as error:
            self._disconnect()
            self._refuse(group, partial(self._error, error))
            if self._damaged is not None and is_damage(error):
                self._damaged(said(error))
        except CannotOpen as error:
            self._disconnect()
            self._refuse(group, partial(self._not_now, error.why))
        except Unavailable as error:
            self._disconnect()
            self._refuse(group, partial(Unavailable, error.message))
        except Exception as error:
            log.exception("a transaction was given up")
            self._disconnect()
            sentence = f"{self._name} was not written: {type(error).__name__}: {said(error)}"
            self._refuse(group, partial(Unavailable, sentence))
        else:
            self.commits += 1
            for job, result in zip(group, results, strict=True):
                job.future.set_result(result)

    def _transaction(self, group: list[Job[Any]]) -> list[Any]:
        if self._connection is None:
            self._connection = self._open_file()
        elif self._look is not None:
            try:
                self._look()
            except AnotherFile:
                self._disconnect()
                self._connection = self._open_file()
        self._connection.execute("BEGIN IMMEDIATE")
        results = [job.work(self._connection) for job in group if job.work is not None]
        self._connection.execute("COMMIT")
        return results

    def _do_alone(self, jobs: list[Job[Any]]) -> None:
        self._disconnect()
        for job in jobs:
            try:
                result = job.alone() if job.alone is not None else None
            except Exception as error:  # noqa: BLE001 - whoever asked for it is told
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

    def _error(self, error: Exception) -> Unavailable:
        if is_damage(error) and self._damaged is None:
            why = said(error)
            return FileDamaged(f"{self._name} is damaged: {why}; what happens stands in the redo log meanwhile", why)
        return self._not_now(said(error))

    def _not_now(self, why: str) -> Unavailable:
        return Unavailable(f"{self._name} cannot be written: {why}; mend the disk, the hub tries again by itself")

    def _refuse(self, group: list[Job[Any]], error: Callable[[], Unavailable]) -> None:
        """With an error of its own for each."""
        for job in group:
            job.future.set_exception(error())

    def _disconnect(self) -> None:
        """Closing rolls back; after an error the file is opened anew, since it may be another one then."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
