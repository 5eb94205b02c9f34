"""Backups by the clock and on demand, made by a process of their own so that the hub is not stalled by them.

What became of the last one is a device of the home, a message when it failed, and an answer for who asks. It must not
know what a backup is made of.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from hallway.clock import Cancel
from hallway.errors import Conflict, HallwayError, Unavailable
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.store import backups

log = logging.getLogger(__name__)

DEVICE: Final = "backup"
CONTEXT: Final = Context("backup")
TAGS: Final = ("backup",)
AFTER_START: Final = 300.0
LOOKED_AT_EVERY: Final = 3600.0
AGAIN_AFTER: Final = 3600.0
"""Seconds until what failed is tried once more."""
HOUR: Final = 3600.0
LONGEST: Final = 3600.0
"""Seconds after which a backup that is not done has failed."""

Run = Callable[[list[str]], Awaitable[bytes]]
"""Runs `hallway` with these arguments; what it printed."""


class Plan(msgspec.Struct, frozen=True):
    """When backups are made: every so many seconds (0: never by themselves), how many are kept, where, and of what."""

    home: Path
    directory: Path
    every: float = 86400.0
    keep: int = 7
    history: bool = False


class _Told(msgspec.Struct):
    """What `hallway backup --json` answers."""

    file: str = ""
    bytes: int = 0
    made: float = 0.0
    error: str | None = None


class Backups:
    """The backups of a home that runs."""

    def __init__(self, home: Home, plan: Plan, run: Run | None = None) -> None:
        self._home = home
        self._plan = plan
        self._run = run or run_hallway
        self._cancel: Cancel = lambda: None
        self._task: asyncio.Task[None] | None = None
        self._making = False
        self._error: tuple[float, str] | None = None
        self._next: float | None = None
        self.listener: Callable[[], None] = lambda: None
        """Hears that one was made, or that it failed."""

    @property
    def problem(self) -> str | None:
        """Why the last one failed, until there is a good one."""
        return None if self._error is None else f"no backup was made: {self._error[1]}"

    # ------------------------------------------------------------------ by the clock

    def define(self) -> None:
        """Show the device from the start on, if there has been a backup; otherwise it comes with the first one."""
        if backups.listed(self._plan.directory):
            self._add_device()

    def start(self) -> None:
        """Make them from now on."""
        self._look_in(AFTER_START)

    def stop(self) -> None:
        """Make no more; one that is under way is given up."""
        self._cancel()
        if self._task is not None:
            self._task.cancel()

    def _look_in(self, seconds: float) -> None:
        self._cancel = self._home.clock.call_later(seconds, self._look)

    def _look(self) -> None:
        self._task = asyncio.ensure_future(self._make_if_due())
        self._task.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled():
            if (error := task.exception()) is not None:
                log.error("the look after backups failed", exc_info=error)
            wanted = LOOKED_AT_EVERY if self._next is None else self._next - self._home.clock.now()
            self._look_in(min(max(wanted, 1.0), LOOKED_AT_EVERY))

    async def _make_if_due(self) -> None:
        now = self._home.clock.now()
        if self._plan.every:
            last = await self._last()
            due = last + self._plan.every if 0 < last <= now else now
            if self._error is not None:
                due = max(due, self._error[0] + min(AGAIN_AFTER, self._plan.every))
            self._next = due
            if due <= now and not self._making:
                try:
                    await self.make(history=self._plan.history)
                except HallwayError:
                    return  # said already
        await self._show()

    # ------------------------------------------------------------------ on demand

    async def make(self, *, history: bool | None = None) -> Attributes:
        """Make one now; what became of it. Conflict: one is being made; Unavailable: why there is none."""
        if self._making:
            raise Conflict("a backup is being made already: wait until it is done")
        self._making = True
        try:
            made = await self._make(history=self._plan.history if history is None else history)
        except (HallwayError, OSError, TimeoutError, msgspec.DecodeError) as error:
            why = str(error) or "it took more than an hour"
            await self._failed(why)
            raise Unavailable(f"there is no backup: {why}") from None
        finally:
            self._making = False
        if self._error is not None:
            self._error = None
            self._home.messages.say("info", f"backups are made again: {made['file']}", TAGS, CONTEXT)
        self._next = self._home.clock.now() + self._plan.every if self._plan.every else None
        self.listener()
        await self._show()
        return made

    async def _make(self, *, history: bool) -> Attributes:
        plan = self._plan
        asked = ["backup", "--home", str(plan.home), str(plan.directory), "--json", "--keep", str(plan.keep)]
        answer = await asyncio.wait_for(self._run([*asked, "--history"] if history else asked), LONGEST)
        told = msgspec.json.decode(answer.strip().rpartition(b"\n")[2], type=_Told)
        if told.error is not None:
            raise Unavailable(told.error)
        return {"file": Path(told.file).name, "time": int(told.made * 1000), "size": told.bytes, "verified": True}

    async def _failed(self, why: str) -> None:
        self._error = (self._home.clock.now(), why)
        log.error("no backup was made: %s", why)
        self._home.messages.say("error", f"no backup was made: {why}", TAGS, CONTEXT)
        self.listener()
        await self._show()

    # ------------------------------------------------------------------ what is told

    async def status(self) -> Attributes:
        """How backups are made, which there are, and what became of the last one; times in ms since 1970."""
        files = await asyncio.to_thread(_told, self._plan.directory)
        return {
            "every": self._plan.every,
            "keep": self._plan.keep,
            "directory": str(self._plan.directory),
            "history": self._plan.history,
            "running": self._making,
            "next": None if self._next is None else int(self._next * 1000),
            "last": files[0] if files else None,
            "error": None if self._error is None else {"time": int(self._error[0] * 1000), "text": self._error[1]},
            "files": files,
        }

    async def _last(self) -> float:
        """When the newest was made; 0 when there is none."""
        found = await asyncio.to_thread(backups.listed, self._plan.directory)
        return backups.made_at(found[0]) if found else 0.0

    async def _show(self) -> None:
        last = await self._last()
        if DEVICE not in self._home.devices:
            if not last and self._error is None:
                return
            self._add_device()
        if self._home.devices[DEVICE].config.get("class") != "Backup":
            return
        age = (self._home.clock.now() - last) / HOUR
        made = f"{datetime.fromtimestamp(last, UTC):%Y-%m-%dT%H:%M:%SZ}" if last else None
        values: dict[str, Value] = {"last": made, "age": round(age) if last else None}
        values["state"] = "ok" if self._error is None else "failed"
        values["error"] = None if self._error is None else self._error[1]
        self._home.set_values(DEVICE, values, CONTEXT)

    def _add_device(self) -> None:
        try:
            self._home.add_device({"id": DEVICE, "name": "Backup", "class": "Backup"}, "built-in", CONTEXT)
        except Conflict as error:
            log.warning("backups are not shown as a device: %s", error)


def _told(directory: Path) -> list[Value]:
    found = backups.listed(directory)
    return [
        {"file": path.name, "time": int(backups.made_at(path) * 1000), "size": path.stat().st_size, "verified": True}
        for path in found
    ]


async def run_hallway(arguments: list[str]) -> bytes:
    """Run this very program with other arguments, giving way to everything else on this machine."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hallway", *arguments, "--gently",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        answer, said = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        raise
    if process.returncode and not answer.strip():
        raise Unavailable(said.decode("utf-8", "replace").strip()[-500:] or "its process was ended")
    return answer
