"""How the store does, as a device that people add: devices of class StoreDevice say whether all is well with it.

Part of the composition root. It must not know what is done about a trouble.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hallway.clock import Cancel
from hallway.home.changes import AnyChange, Context, Defined, Said
from hallway.home.classes import STORE_CLASS
from hallway.home.home import Home
from hallway.home.values import Value
from hallway.store import backups
from hallway.store.history.file import FILE

CONTEXT: Final = Context("store")
LOOKED_AT_EVERY: Final = 10.0
SIZES_EVERY: Final = 3600.0
"""Seconds; what grows all the time is told once an hour, so that it does not fill the past."""
MUCH: Final = 2
"""A file that is so many times as large as was told is told at once: a new one grows fast."""
TAGS: Final = frozenset({"store", "backup"})
"""Messages with one of these may be about what is shown."""
_URL: Final = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s,;()'\"]*[^\s,;:.()'\"]")
_PATH: Final = re.compile(r"(?<![\w./-])~?/(?:[^\s/,;:()'\"]+/)*([^\s/,;:()'\"]*)")


class StoreShowing:
    """Feeds them from `start` to `stop`.

    problem, waiting: what is wrong, how many rows and samples stand in no database yet for that.
    """

    def __init__(
        self,
        home: Home,
        problem: Callable[[], str | None],
        waiting: Callable[[], int],
        directory: Path,
        backup_directory: Path,
    ) -> None:
        self._home = home
        self._problem = problem
        self._waiting = waiting
        self._history = directory / FILE
        self._backups = backup_directory
        self._since = home.clock.now()
        self._told: str | None = None
        self._looked_at = float("-inf")
        self._sizes: dict[str, Value] = {}
        self._cancel: Cancel = lambda: None
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Show them how it does, from now on; also those that come."""
        self._unsubscribe = self._home.changes.subscribe(self._heard, Defined, Said)
        self._look()

    def stop(self) -> None:
        """Say nothing more."""
        self._unsubscribe()
        self._cancel()

    def look_soon(self, *, at_sizes: bool = False) -> None:
        """Something has changed. at_sizes: also what is looked at once an hour."""
        if at_sizes:
            self._looked_at = float("-inf")
        self._cancel()
        self._cancel = self._home.clock.call_later(0.0, self._look)

    def _heard(self, change: AnyChange) -> None:
        if isinstance(change, Said):
            if not TAGS.isdisjoint(change.message.tags):
                self.look_soon()
        elif isinstance(change, Defined) and _is_shown(change):
            self.look_soon(at_sizes=True)

    def _look(self) -> None:
        problem = self._problem()
        if (problem is None) != (self._told is None):
            self._since = self._home.clock.now()
        self._told = problem
        shown = [device.id for device in self._home.devices.values() if device.class_name == STORE_CLASS]
        if shown:
            values = self._values(problem)
            for device_id in shown:
                if self._home.devices[device_id].error is None:
                    self._home.set_values(device_id, values, CONTEXT)
        self._cancel = self._home.clock.call_later(LOOKED_AT_EVERY, self._look)

    def _values(self, problem: str | None) -> dict[str, Value]:
        now = self._home.clock.monotonic()
        size, told = _size(self._history), self._sizes.get("historySize")
        has_grown = size is not None and (not isinstance(told, int) or size >= MUCH * max(told, 1))
        if now - self._looked_at >= SIZES_EVERY:
            self._looked_at = now
            self._sizes = {"lastBackup": self._last_backup(), "historySize": size}
        elif has_grown:
            self._sizes = self._sizes | {"historySize": size}
        return {
            "state": "ok" if problem is None else "problem",
            "what": None if problem is None else harmless(problem),
            "since": _date(self._since),
            "atRisk": 0 if problem is None else self._waiting(),
            **self._sizes,
        }

    def _last_backup(self) -> str | None:
        try:
            found = backups.listed(self._backups)
        except OSError:
            return None
        return _date(backups.made_at(found[0])) if found else None


def harmless(problem: str) -> str:
    """What is wrong, for everybody who may see devices: where things stand is for those who look after the hub."""
    return _PATH.sub(r"\1", _URL.sub("elsewhere", problem))


def _is_shown(change: Defined) -> bool:
    return change.kind == "device" and (change.new or {}).get("class") == STORE_CLASS


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
