"""Waiting by the hub's clock, so that tests of minutes take none.

It must not know what is waited for.
"""

from __future__ import annotations

import asyncio

from hallway.clock import Clock


class Rest:
    """A pause that somebody else may end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._over = asyncio.Event()

    async def take(self, seconds: float) -> None:
        """Go on after that many seconds of the clock, or as soon as `end` is called, or was since the last rest."""
        cancel = self._clock.call_later(seconds, self._over.set)
        try:
            await self._over.wait()
        finally:
            cancel()
            self._over.clear()

    def end(self) -> None:
        """Go on now."""
        self._over.set()
