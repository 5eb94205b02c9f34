"""Calls: something asked for that may take time: a driver, another hub. The home never waits; a door may.

It must not know asyncio: whoever waits subscribes with `on_done`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hallway.errors import HallwayError


class Call:
    """Open until `finish` or `fail` is called; both count once only."""

    __slots__ = ("_listeners", "done", "error")

    def __init__(self) -> None:
        self.done = False
        self.error: HallwayError | None = None
        self._listeners: list[Callable[[Call], None]] = []

    def on_done(self, listener: Callable[[Call], None]) -> Callable[[], None]:
        """Be called once when it is done, at once if it is; the result unsubscribes."""
        if self.done:
            listener(self)
            return lambda: None
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def finish(self) -> None:
        """It was carried out."""
        self._end(None)

    def fail(self, error: HallwayError) -> None:
        """It could not be carried out."""
        self._end(error)

    def _end(self, error: HallwayError | None) -> None:
        if self.done:
            return
        self.done, self.error = True, error
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener(self)


def done() -> Call:
    """A call that is carried out already."""
    call = Call()
    call.finish()
    return call


def all_of(calls: Iterable[Call]) -> Call:
    """Done when each of them is; fails with the first error."""
    waiting = [call for call in calls if not (call.done and call.error is None)]
    whole = Call()
    left = len(waiting)
    if not left:
        whole.finish()

    def one_is_done(call: Call) -> None:
        nonlocal left
        left -= 1
        if call.error is not None:
            whole.fail(call.error)
        elif not left:
            whole.finish()

    for call in waiting:
        call.on_done(one_is_done)
    return whole
