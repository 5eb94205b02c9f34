"""The one thread that writes home.db. What waits when it comes around goes into one transaction with one sync.

It must not know what is written: it runs pieces of work on its connection and tells each how it went.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import msgspec

from hallway.errors import Unavailable
from hallway.store.database import connect

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Job(Generic[T]):
    """A piece of work and where its result goes."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.future: Future[T] = Future()


class Counts(msgspec.Struct, frozen=True):
    """How many commits there were, and when the last one was (seconds since 1970)."""

    commits: int = 0
    last_at: float | None = None


class Writer:
    """Runs from here until `close`. `now` gives the wall-clock time."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.counts = Counts()
        self._thread = threading.Thread(target=self._run, name="hallway-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Let the work be done in the next transaction; the future is done after its commit.

        Unavailable, here or in the future: there was no commit, and nothing of the work is in the file. The future can
        be cancelled until its transaction begins.
        """
        if self._closed:
            raise Unavailable("the store is closed: the hub is going down")
        job = Job(work)
        self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Finish what waits, fold the WAL into home.db and end the thread."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join()

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            if group:
                self._commit(group)
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
        except sqlite3.Error as error:
            self._disconnect()
            self._refuse(group, f"home.db cannot be written: {error}; mend the disk, the hub tries again by itself")
        except Exception as error:
            log.exception("a transaction was given up")
            self._disconnect()
            self._refuse(group, f"home.db was not written: {type(error).__name__}: {error}")
        else:
            self.counts = Counts(self.counts.commits + 1, self._now())
            for job, result in zip(group, results, strict=True):
                job.future.set_result(result)

    def _transaction(self, group: list[Job[Any]]) -> list[Any]:
        if self._connection is None:
            self._connection = connect(self._path)
        self._connection.execute("BEGIN IMMEDIATE")
        results = [job.work(self._connection) for job in group]
        self._connection.execute("COMMIT")
        return results

    def _refuse(self, group: list[Job[Any]], sentence: str) -> None:
        for job in group:
            job.future.set_exception(Unavailable(sentence))

    def _disconnect(self) -> None:
        """Closing rolls back; after an error the file is opened anew, since it may be another one then."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
