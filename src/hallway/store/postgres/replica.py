"""The replica of a home in PostgreSQL: which rows are to be sent when, and whether it is in step.

A commit in home.db only leaves a note here of what it touched; nothing ever waits for the database. While that is away
not even that is noted: it is compared with home.db when it is back. It must not know tables, nor how rows are sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable
from hallway.store.definitions import Definition
from hallway.store.postgres.home_tables import DEFINITION, KEPT_ID, NOTE, PLAN, STATE, VALUE, VARIABLE, Table
from hallway.store.postgres.replicating import Key, part, whole
from hallway.store.postgres.server import Condition, Server
from hallway.store.rows import Batch

log = logging.getLogger(__name__)

MOST_NOTED: Final = 20_000
"""Rows; beyond that all is compared."""
FIRST_RETRY: Final = 5.0
LAST_RETRY: Final = 60.0
IN_STEP: Final = "the database is in step with the home again"

Told = Callable[[str, bool], None]
"""Hears what keeps rows from a database that is there, and whether that holds or is over."""


class Standing(msgspec.Struct, frozen=True):
    """How the replica does. in_step: it has all that home.db has; seq: the number of its last change; at: when it came.

    behind: by how many changes; problem: why it is not in step.
    """

    in_step: bool
    seq: int
    at: float | None
    behind: int
    problem: str | None


class Replica:
    """Follows a home.db from `start` on. committed: the number of the last change that is in it."""

    def __init__(self, server: Server, path: Path, clock: Clock, committed: int) -> None:
        self._server = server
        self._path = path
        self._clock = clock
        self._committed = committed
        self._seq = 0
        self._at: float | None = None
        self._whole = True
        self._noted: dict[Table, set[Key]] = {}
        self._count = 0
        self._sending: asyncio.Task[None] | None = None
        self._retry: Cancel | None = None
        self._retry_after = FIRST_RETRY
        self._problem: str | None = None
        self._has_told = False
        self.told: Told = nobody_is_told
        self._closed = False
        server.listen(self._heard)

    @property
    def standing(self) -> Standing:
        """How it does."""
        in_step = not self._whole and not self._noted and self._sending is None
        condition = self._server.condition
        problem = self._problem or (None if condition.connected else condition.problem)
        return Standing(in_step, self._seq, self._at, max(self._committed - self._seq, 0), problem)

    # ------------------------------------------------------------------ what a store tells

    def committed(self, batch: Batch) -> None:
        """This stands in home.db now."""
        self._committed = max(self._committed, batch.seq)
        if not self._whole:
            self._note(STATE, {(key,) for key in batch.states})
            self._note(VALUE, {(key,) for key in batch.fresh})
            self._note(VALUE, {(key, name) for key, names in batch.values.items() for name in names})
            self._note(VARIABLE, {(key,) for key in batch.variables})
            self._note(PLAN, set(batch.plans))
            self._note(NOTE, set(batch.notes))
            self._note(KEPT_ID, {(key,) for key in batch.kept})
            self._note(DEFINITION, {(row.kind, row.key) for row in batch.definitions})
            self._noted.setdefault(STATE, set())  # the number alone may have grown
        self._send_soon()

    def defined(self, definition: Definition) -> None:
        """Likewise, for a definition that came beside the changes of the home."""
        self._note(DEFINITION, {(definition.kind, definition.id)})
        self._send_soon()

    def replaced(self) -> None:
        """home.db was made again: what differs is found by comparing all of it."""
        self._compare_all()
        self._send_soon()

    def _note(self, table: Table, keys: set[Key]) -> None:
        if keys and not self._whole:
            self._noted.setdefault(table, set()).update(keys)
            self._count += len(keys)
            if self._count > MOST_NOTED:
                self._compare_all()

    def _compare_all(self) -> None:
        self._whole = True
        self._noted = {}
        self._count = 0

    # ------------------------------------------------------------------ sending

    def _heard(self, condition: Condition) -> None:
        self._compare_all()
        if condition.connected:
            if self._retry is not None:
                self._retry()
                self._retry = None
            self._send_soon()

    def _send_soon(self) -> None:
        if self._sending is None and self._retry is None and not self._closed and self._server.condition.connected:
            self._sending = asyncio.ensure_future(self._send())
            self._sending.add_done_callback(self._sent)

    def _sent(self, _sending: object) -> None:
        self._sending = None
        if self._whole or self._noted:
            self._send_soon()

    async def _send(self) -> None:
        everything, noted = self._whole, self._noted
        self._whole, self._noted, self._count = False, {}, 0
        try:
            if everything:
                self._seq = await self._server.write(lambda link: whole(link, self._path, self._server.address))
            else:
                self._seq = await self._server.write(lambda link: part(link, self._path, noted))
        except Unavailable as error:
            self._failed(error.message)
        else:
            self._at = self._clock.now()
            self._committed = max(self._committed, self._seq)
            self._retry_after = FIRST_RETRY
            if self._problem is not None:
                log.warning("%s", IN_STEP)
            self._problem = None
            if self._has_told:
                self._has_told = False
                self.told(IN_STEP, False)

    def _failed(self, sentence: str) -> None:
        self._compare_all()
        if sentence != self._problem and self._server.condition.connected:
            log.error("%s", sentence)
            if not self._closed:
                self._has_told = True
                self.told(sentence, True)
        self._problem = sentence
        if not self._closed:
            self._retry = self._clock.call_later(self._retry_after, self._try_again)
            self._retry_after = min(2 * self._retry_after, LAST_RETRY)

    def _try_again(self) -> None:
        self._retry = None
        self._send_soon()

    async def finish(self, patience: float) -> bool:
        """Send what is left, for so many seconds at most, once home.db changes no more; whether it is in step now."""
        self._closed = True
        if self._retry is not None:
            self._retry()
        try:
            async with asyncio.timeout(patience):
                if self._sending is not None:
                    await asyncio.gather(self._sending, return_exceptions=True)
                if (self._whole or self._noted) and self._server.condition.connected:
                    await self._send()
        except TimeoutError:
            self._compare_all()
        return not self._whole


def nobody_is_told(_sentence: str, _holds: bool) -> None:
    """As long as nobody wants to know."""
