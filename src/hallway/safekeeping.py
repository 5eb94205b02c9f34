"""All that keeps a running home safe beside its store: generations of home.db, backups, and saying what is wrong.

Part of the composition root. It must not hold logic of what it connects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hallway.backing_up import Backups, Plan
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.settings import BackupSettings
from hallway.store.database import DATABASE_FILE
from hallway.store.generation_times import Keeping
from hallway.store.store import Store
from hallway.store_showing import StoreShowing

CONTEXT: Final = Context("store")
TAGS: Final = ("store",)
PROBLEM: Final = "store_problem"
"""The event, for rules that tell somebody."""


class Safekeeping:
    """From `start` to `finish`. backups: for those who ask for one."""

    def __init__(
        self, home: Home, store: Store, directory: Path, settings: BackupSettings, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._home = home
        self._store = store
        self._loop = loop
        plan = Plan(directory, directory / settings.directory, settings.every, settings.keep, settings.history)
        self.backups = Backups(home, plan)
        self._of_past: Callable[[], str | None] = lambda: None
        self._elsewhere: Callable[[], str | None] = lambda: None
        self._waiting: Callable[[], int] = lambda: 0
        self._showing = StoreShowing(home, self._problem, self._at_risk, directory, plan.directory)
        self.backups.listener = lambda: self._showing.look_soon(at_sizes=True)
        self._keeping = Keeping(home.changes, home.clock, directory / DATABASE_FILE, store.report_damage)

    def watch_past(self, problem: Callable[[], str | None], waiting: Callable[[], int]) -> None:
        """What is wrong with the past is shown with the rest. waiting: how many of its samples are not on the disk."""
        self._of_past, self._waiting = problem, waiting

    def watch_elsewhere(self, problem: Callable[[], str | None]) -> None:
        """So is what is wrong with a database elsewhere."""
        self._elsewhere = problem

    def start(self) -> None:
        """Say what was found wrong at the start, and keep safe from now on."""
        if self._store.damage is not None:
            self._say(self._store.damage, holds=True)
        self._store.listen(self._say_soon)
        self._showing.start()
        self._keeping.start()
        self.backups.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._store.listen(_say_nothing)
        self.backups.listener = _hear_nothing
        self._showing.stop()
        self.backups.stop()

    async def finish(self) -> None:
        """The last generation; to be called when the store is closed."""
        await self._keeping.finish()

    def _problem(self) -> str | None:
        return self._store.problem or self._of_past() or self._elsewhere() or self.backups.problem

    def _at_risk(self) -> int:
        return self._store.at_risk + (self._waiting() if self._of_past() is not None else 0)

    def _say_soon(self, sentence: str, holds: bool) -> None:
        """Not at once, since troubles come in the midst of a change."""
        self._loop.call_soon(lambda: self._say(sentence, holds=holds))

    def _say(self, sentence: str, *, holds: bool) -> None:
        self._home.messages.say("error" if holds else "info", sentence, TAGS, CONTEXT)
        self._showing.look_soon()
        if holds:
            self._home.fire(PROBLEM, {"problem": sentence}, CONTEXT)


def _hear_nothing() -> None:
    """Nobody is shown anything any more."""


def _say_nothing(_sentence: str, _holds: bool) -> None:
    """The home is going down."""
