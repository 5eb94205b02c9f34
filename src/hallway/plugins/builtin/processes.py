"""Watched processes as devices: on while one runs whose command line contains a text.

All are found in one look at the system, in a thread. It must not know what anybody does with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from hallway.clock import Cancel
from hallway.errors import Conflict
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.ids import object_id

log = logging.getLogger(__name__)

CONTEXT = Context("process")


class Watch(msgspec.Struct, frozen=True):
    """A process to watch: name, text in its command line, seconds between two looks."""

    name: str
    match: str
    every: float = 10.0


def command_lines() -> list[str]:
    """The command lines of everything that runs here; its name where there is none."""
    import psutil  # noqa: PLC0415 - it takes a megabyte, and few homes watch processes

    found = []
    for process in psutil.process_iter(["cmdline", "name"]):
        words = process.info["cmdline"]
        found.append(" ".join(words) if words else str(process.info["name"] or ""))
    return found


Look = Callable[[], Awaitable[list[str]]]


class ProcessSource:
    """Keeps one device per watched process true."""

    def __init__(self, home: Home, watches: tuple[Watch, ...], look: Look | None = None) -> None:
        self._home = home
        self._watches = {f"process-{object_id(watch.name)}": watch for watch in watches}
        self._look_there = look or (lambda: asyncio.to_thread(command_lines))
        self._cancel: Cancel = lambda: None
        self._looking: asyncio.Task[None] | None = None

    def define(self) -> None:
        """Take the processes into the home."""
        for device_id, watch in list(self._watches.items()):
            config = {"id": device_id, "name": watch.name, "class": "Process", "object": object_id(watch.name)}
            try:
                self._home.add_device(dict(config), "built-in", CONTEXT)
            except Conflict as error:
                log.warning("process %s is not watched: %s", watch.name, error)
                del self._watches[device_id]

    def start(self) -> None:
        """Look from now on."""
        if self._watches:
            self._again()

    def stop(self) -> None:
        self._cancel()
        if self._looking is not None:
            self._looking.cancel()

    def _again(self) -> None:
        self._looking = asyncio.ensure_future(self._look())
        every = min(watch.every for watch in self._watches.values())
        self._cancel = self._home.clock.call_later(every, self._again)

    async def _look(self) -> None:
        import psutil  # noqa: PLC0415 - likewise

        try:
            lines = await self._look_there()
        except (psutil.Error, OSError) as error:
            log.warning("cannot see what runs here: %s", error)
            return
        for device_id, watch in self._watches.items():
            state = "on" if any(watch.match in line for line in lines) else "off"
            self._home.set_values(device_id, {"state": state}, CONTEXT)
