"""The part of the composition root that keeps the past: history.db, what flows into it, and what goes out of it again.

It must not hold logic of what it connects.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from hallway.clock import Clock, pause
from hallway.errors import HallwayError
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.settings import HistorySettings
from hallway.store.history.archive import Archive
from hallway.store.history.changelog import ChangeLog, Keeping
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.damage import Damage
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.flow import FOLD_AGE
from hallway.store.history.history import HistoryStore
from hallway.store.history.messages import KeptMessages, Lifetime
from hallway.store.history.recorder import HistoryRecorder
from hallway.store.history.retention import Retention, Terms
from hallway.store.history.status import space_or_none, status_of
from hallway.store.history.traces import TraceRows

log = logging.getLogger(__name__)

LIFETIMES = "setting:pimatic"
"""What changes when somebody says otherwise for how long messages are kept."""

CHANGES_SHARE = 4
TRACES_SHARE = MESSAGES_SHARE = 8
"""Of what history.db may take, the change log has a quarter at most, traces of rules and messages an eighth each."""
CONTEXT: Final = Context("store")
TAGS: Final = ("store",)
PROBLEM: Final = "store_problem"
"""The event that rules can listen to."""
LAST_SECONDS = 3.0
"""So long the end of the hub waits for an archive that is elsewhere to take what is left."""
AGREE_AFTER = 60.0
"""So much later it is tried again to look at the end of the past, while the archive is away."""
ELSEWHERE_AFTER = 60.0
"""Seconds after which samples are sent to an archive that others may read too."""


class Remembering:
    """The past of a home, from the beginning.

    logging: the list `deviceAttributeLogging` as it is now; lifetime: for how long messages are kept, as it is now;
    archive: where samples come to rest, None: in history.db itself.
    """

    def __init__(
        self,
        directory: Path,
        settings: HistorySettings,
        home: Home,
        clock: Clock,
        logging: Callable[[], Iterable[Value]],
        lifetime: Lifetime,
        archive: Archive | None = None,
    ) -> None:
        self._elsewhere = archive is not None
        self.file = HistoryFile(directory / FILE)
        self.past = HistoryStore(
            self.file,
            archive or ChunkArchive(self.file),
            clock,
            settings.write_every,
            settings.spool,
            FOLD_AGE if archive is None else ELSEWHERE_AFTER,
        )
        self.recorder = HistoryRecorder(home, self.past.flow, logging, settings.states)
        size = settings.size if archive is None else 0  # what is elsewhere takes no room here
        terms = Terms(settings.five_minutes, settings.hours, settings.days, size)
        self.retention = Retention(self.past, clock, self.recorder.seconds_for, terms)
        self.changes = ChangeLog(
            self.file, clock, Keeping(settings.changes, settings.size // CHANGES_SHARE), settings.write_every
        )
        self.traces = TraceRows(
            self.file, clock, Keeping(settings.traces, settings.size // TRACES_SHARE), settings.write_every
        )
        self.messages = KeptMessages(
            home,
            self.file,
            clock,
            lifetime,
            changed=LIFETIMES,
            write_every=settings.write_every,
            most_bytes=settings.size // MESSAGES_SHARE,
        )
        self._home = home
        self.damage = Damage(self.file, clock, self.past.replaced, self._say)
        self._beginning: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Open the file, now that whoever waits for the hub has been let in."""
        self.damage.watch()
        self.past.flow.troubles.listener = self._say_soon
        self.past.start()
        self._beginning = asyncio.ensure_future(self._begin())
        self.retention.start()

    async def _begin(self) -> None:
        await self.past.opened()
        await self.recorder.begin()
        self._checking = asyncio.ensure_future(self.damage.check(ChunkArchive(self.file).check))
        await self._agree()

    async def _agree(self) -> None:
        """Let the past end with what holds now, as soon as its end can be looked at."""
        while True:
            try:
                await self.recorder.agree(partial(self.past.at, moment=math.inf))
            except HallwayError as error:
                log.info("whether the past ends with what holds now cannot be seen yet: %s", error)
                await pause(self._home.clock, AGREE_AFTER)
            else:
                return

    def _say_soon(self, sentence: str, holds: bool) -> None:
        """Not at once, since troubles come in the midst of a change."""
        if holds:
            asyncio.get_running_loop().call_soon(self._say, sentence)

    def _say(self, sentence: str) -> None:
        """Tell people, and rules that listen to the event, that something is wrong with the store."""
        self._home.messages.say("error", sentence, TAGS, CONTEXT)
        self._home.fire(PROBLEM, {"problem": sentence}, CONTEXT)

    @property
    def problem(self) -> str | None:
        """What is wrong with it just now, or was found damaged since the start."""
        return self.past.problem or self.damage.problem

    async def status(self) -> Attributes:
        """How the past is kept just now."""
        told = status_of(self.past, self.retention, await space_or_none(self.file))
        return told | {"problem": self.problem}

    async def close(self) -> None:
        """Write what is left. What happened while the home went down is in it."""
        self.recorder.stop()
        self.past.flow.troubles.listener = _say_nothing
        if self._checking is not None:
            self._checking.cancel()
        await self.damage.close()
        await self.retention.close()
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        await asyncio.gather(self.changes.close(), self.traces.close())
        await self.messages.close()
        if self._elsewhere:
            await self.past.flow.flush()
            with contextlib.suppress(TimeoutError):  # it stays in the tail then, until the next start
                await asyncio.wait_for(self.past.flow.fold(), LAST_SECONDS)
        await self.past.close()
        await asyncio.to_thread(self.file.close)


def _say_nothing(_sentence: str, _holds: bool) -> None:
    """The home is going down."""
