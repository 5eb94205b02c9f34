"""The redo log's way onto the disk: a thread syncs it for those who wait, and who comes meanwhile shares the next sync.

It must not know what stands in the log, nor what is done about a disk that cannot be synced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from hallway.errors import Told, Unavailable
from hallway.store.redo import Redo
from hallway.store.troubles import SYNC, Troubles

log = logging.getLogger(__name__)

Waiter = tuple[int, Told]
"""Whom to call when everything up to that change is on the disk."""
InVain = Callable[[list[Waiter]], None]


def tell(waiters: Iterable[Waiter], trouble: str | None = None) -> None:
    """Call them, with an error of their own each if there is trouble."""
    for _seq, told in waiters:
        try:
            told(None if trouble is None else Unavailable(trouble))
        except Exception:
            log.exception("somebody who waited for the disk failed when it was done")


class Syncing:
    """All but the thread itself is for the thread of the loop. in_vain: is given those whom a sync has failed."""

    def __init__(self, redo: Redo, loop: asyncio.AbstractEventLoop, troubles: Troubles, in_vain: InVain) -> None:
        self._redo = redo
        self._loop = loop
        self._troubles = troubles
        self._in_vain = in_vain
        self._synced = 0
        self._coming: list[Waiter] = []
        self._served: list[Waiter] = []
        self._due = False
        self._jobs: SimpleQueue[list[int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def wait(self, seq: int, told: Told) -> None:
        """Call when the log is on the disk up to that change, which stands in it already; possibly at once."""
        if seq <= self._synced:
            told(None)
            return
        self._coming.append((seq, told))
        if not self._due:
            # not at once: whoever else asks in this turn of the loop shares it, and writing beside a sync is slow
            self._due = True
            self._loop.call_soon(self._begin)

    def close(self) -> list[Waiter]:
        """End the thread; those who still wait."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        left, self._served, self._coming = self._served + self._coming, [], []
        return left

    def _begin(self) -> None:
        """Let the thread sync what stands in the log now."""
        self._served, self._coming = self._coming, []
        if not self._served:  # closed meanwhile
            return
        try:
            descriptors = self._redo.descriptors()
        except OSError as error:
            self._loop.call_soon(self._landed, error)
        else:
            self._jobs.put(descriptors)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hallway-sync", daemon=True)
                self._thread.start()

    def _landed(self, error: OSError | None) -> None:
        served, self._served = self._served, []
        self._due = False
        if not served:  # closed meanwhile
            return
        if error is not None:
            why = f"the redo log cannot be synced: {error.strerror}; what is acknowledged goes into home.db at once"
            self._troubles.report(SYNC, why)
            waiting, self._coming = served + self._coming, []
            self._in_vain(waiting)
            return
        self._synced = max(seq for seq, _told in served)
        self._troubles.over(SYNC)
        if self._coming:
            self._due = True
            self._begin()
        tell(served)

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while (descriptors := self._jobs.get()) is not None:
            error = _sync(descriptors)
            with contextlib.suppress(RuntimeError):  # the loop was closed over it; nobody waits then
                self._loop.call_soon_threadsafe(self._landed, error)


def _sync(descriptors: list[int]) -> OSError | None:
    """Sync and close them; what went wrong."""
    failed: OSError | None = None
    for descriptor in descriptors:
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            failed = error
        finally:
            os.close(descriptor)
    return failed
