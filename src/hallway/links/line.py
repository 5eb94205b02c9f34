"""A line to another hub: a peer, and the one thread that talks to it, so that one that hangs holds up no other.

The thread is a daemon: the hub can end while another hub lets it wait. It must not know what is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

from hallway.clock import Cancel, Clock
from hallway.errors import Unreachable

if TYPE_CHECKING:
    from hallway.links.peer import Peer

T = TypeVar("T")
Work = Callable[[], None]

LONGEST = 30.0
"""Seconds that one request may take as a whole, though something of its answer comes now and then."""


class Line(Protocol):
    """How links talk to another hub."""

    peer: Peer

    async def run(self, work: Callable[[Peer], T]) -> T:
        """Let the peer work in its thread, after what was asked before. Raises what the work raises."""
        ...

    def close(self) -> None:
        """Ask nothing more; what is under way may come to its end."""
        ...


class ThreadLine:
    """A line with a real thread, which begins with the first work and ends with `close`."""

    def __init__(self, peer: Peer, clock: Clock, longest: float = LONGEST) -> None:
        self.peer = peer
        self._clock = clock
        self._longest = longest
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, work: Callable[[Peer], T]) -> T:
        if self.peer.ended:
            raise Unreachable(f"the link to {self.peer.host} port {self.peer.port} has ended")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def do() -> None:
            if future.cancelled():
                return
            try:
                result = work(self.peer)
            except Exception as error:  # noqa: BLE001 - whoever waits for the result gets it
                settle: Work = _failing(future, error)
            else:
                settle = _settling(future, result)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile; nobody waits any more
                loop.call_soon_threadsafe(settle)

        self._work.put(do)
        self._begin()
        cancel = self._watch()
        try:
            return await future
        finally:
            cancel()

    def close(self) -> None:
        self.peer.end()
        self._work.put(None)

    def _begin(self) -> None:
        if self._thread is None:
            name = f"hallway-link-{self.peer.host}:{self.peer.port}"
            self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
        self.peer.close()

    def _watch(self) -> Cancel:
        """Break off a request that is still the same one after that long."""
        seen = self.peer.asked
        cancel: Cancel

        def look() -> None:
            nonlocal seen, cancel
            if self.peer.asked == seen:
                self.peer.abort()
            seen = self.peer.asked
            cancel = self._clock.call_later(self._longest, look)

        cancel = self._clock.call_later(self._longest, look)

        def stop() -> None:
            cancel()

        return stop


def _settling(future: asyncio.Future[T], result: T) -> Work:
    return lambda: None if future.done() else future.set_result(result)


def _failing(future: asyncio.Future[T], error: Exception) -> Work:
    return lambda: None if future.done() else future.set_exception(error)
