"""What stands beside the samples of a past: messages, what happened, traces of rules; numbers one after the other.

Looked at afterwards each kind must have all of them up to one, each once. It must not know how its writing is ended.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec

from hallway.clock import Clock
from hallway.home.changes import Context, VariableSet
from hallway.home.chronicle import TraceRow
from hallway.home.home import Home
from hallway.home.recorded import light
from hallway.store.history.change_reading import unpack
from hallway.store.history.changelog import FOUR_WEEKS, ChangeLog
from hallway.store.history.file import HistoryFile
from hallway.store.history.messages import KeptMessages
from hallway.store.history.traces import TraceRows

Say = Callable[[str, int], None]

KINDS: Final = ("message", "change", "trace")
CONTEXT: Final = Context("test")
A_YEAR: Final = 365 * 86_400.0


class Body(msgspec.Struct):
    """All that there is about a trace."""

    number: int


class Beside:
    """Keeps them from here until `close`. there: the last number of each kind."""

    def __init__(self, file: HistoryFile, clock: Clock, write_every: float, say: Say, there: dict[str, int]) -> None:
        self._clock = clock
        self._say = say
        self._last = there
        self._home = Home(clock)
        self._changes = ChangeLog(file, clock, FOUR_WEEKS, write_every)
        self._traces = TraceRows(file, clock, FOUR_WEEKS, write_every)
        self._messages = KeptMessages(
            self._home, file, clock, lambda _level, _tags: A_YEAR, changed="nothing", write_every=write_every
        )

    def keep(self) -> None:
        """One more of each kind."""
        at = self._clock.now()
        for kind in KINDS:
            number = self._last[kind] = self._last[kind] + 1
            self._say(f"try {kind}", number)
            if kind == "message":
                self._home.messages.say("info", str(number), (), CONTEXT)
            elif kind == "change":
                change = light(VariableSet(number, at, CONTEXT, "v", number - 1, number, ()))
                assert change is not None
                self._changes.take(change)
            else:
                self._traces.keep(TraceRow(number, "r", at, "done", did=True, seq=number, body=Body(number)))
            self._say(kind, number)

    @property
    def is_writing(self) -> bool:
        flushing = (self._changes._flushing._future, self._traces._flushing._future, self._messages._writing)
        return any(future is not None for future in flushing)

    async def close(self) -> None:
        await asyncio.gather(self._changes.close(), self._traces.close())
        await self._messages.close()


def kept(connection: sqlite3.Connection) -> dict[str, list[int]]:
    """The numbers of each kind, in order."""
    blocks = connection.execute("SELECT body FROM change_block").fetchall()
    return {
        "message": [int(text) for (text,) in connection.execute("SELECT text FROM message ORDER BY id")],
        "change": sorted(change.seq for (body,) in blocks for change in unpack(body)),
        "trace": [msgspec.json.decode(body, type=Body).number for (body,) in connection.execute(_TRACES)],
    }


_TRACES = "SELECT body FROM trace ORDER BY id"
