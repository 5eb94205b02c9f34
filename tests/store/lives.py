"""A home that lives through steps, over several hubs: each ends in good order or is killed, and the next goes on.

It must not know what happens in a step, nor what a home must bring over a restart.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hallway.clock import VirtualClock
from hallway.home.home import Home
from hallway.store.store import Store
from tests.store.homes import differences, leave_as_killed


class Life:
    """What every such life has; whoever lives says how a home is built and looked at, and what a step is."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.folder = folder
        self.directory = folder / "0"
        self.ends = 0
        self.begin()

    def begin(self) -> None:
        self.store = Store.open(self.directory, self.clock, 5)
        self.home = self.build()

    def attach(self) -> None:
        self.store.attach(self.home, asyncio.get_running_loop())

    async def end(self, how: str) -> None:
        """End the hub, and see that the next one has the same home."""
        before, seq = self.look(), self.home.changes.seq
        self.ends += 1
        if how == "kill":
            old, self.directory = self.store, leave_as_killed(self.directory, self.folder / str(self.ends))
            self.begin()
            await old.close()
        else:
            await self.store.close()
            self.begin()
        assert differences(before, self.look()) == []
        if how == "close":
            assert self.store.saved.seq == seq
        self.attach()

    def build(self) -> Home:
        raise NotImplementedError

    def look(self) -> dict[str, dict[Any, Any]]:
        raise NotImplementedError

    async def step(self, what: str, how: Any) -> None:
        raise NotImplementedError


def live(begin: Callable[[Path], Life], steps: Iterable[tuple[str, Any]]) -> None:
    """Live through the steps, and then through one end of each kind."""

    async def lived() -> None:
        with tempfile.TemporaryDirectory() as folder:
            life = begin(Path(folder))
            life.attach()
            for what, how in [*steps, ("end", "kill"), ("end", "close")]:
                await life.step(what, how)
            await life.store.close()

    asyncio.run(lived())
