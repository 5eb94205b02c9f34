"""A signal is one test of the home, shared by all predicates that ask it: it knows what it was and tells who listens.

Who begins to listen has seen nothing yet: the next report counts as a turn for him, as in pimatic. After a restart
everybody knows what was. It must not know rules.
"""

from __future__ import annotations

import logging
from typing import Protocol

from hallway.errors import HallwayError
from hallway.rules.causes import Cause

log = logging.getLogger(__name__)


class Listener(Protocol):
    """What a predicate wants to hear."""

    def became(self, truth: bool, cause: Cause) -> None:
        """The test is true now, or no longer; also said to who did not know it yet."""
        ...

    def happened(self, cause: Cause) -> None:
        """What the test waits for has happened."""
        ...

    def failed(self, error: str) -> None:
        """The test cannot be decided."""
        ...

    def planned(self, due: float | None) -> None:
        """A time at which it happens or comes true next; None when there is none."""
        ...


class Signal:
    """Base of all signals."""

    __slots__ = ("_fresh", "_listeners", "truth")

    def __init__(self) -> None:
        self.truth: bool | None = None
        self._listeners: tuple[Listener, ...] = ()
        self._fresh: tuple[Listener, ...] = ()

    # ------------------------------------------------------------------ to be overridden

    def now(self) -> bool:
        """Whether the test is true at this moment; an event never is."""
        return False

    def start(self) -> None:
        """Somebody listens from now on."""

    def stop(self) -> None:
        """Nobody listens any more."""

    def names(self) -> tuple[str, ...]:
        """The variables and attributes that it looks at, always the same."""
        return ()

    def note_fresh(self) -> None:
        """Somebody is there who must be told at the next report."""

    def announce(self, listener: Listener) -> None:
        """Tell a new listener what is planned."""

    def last_turn(self, now: float) -> float | None:
        """When it last happened or came true, for what depends on the clock."""
        return None

    # ------------------------------------------------------------------ listening

    @property
    def in_use(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def add(self, listener: Listener, *, knows: bool) -> None:
        """Tell him from now on. knows: he was there before the restart, so what is true is no news."""
        if not self._listeners:
            self.start()
        self._listeners = (*self._listeners, listener)
        if not knows:
            self._fresh = (*self._fresh, listener)
            self.note_fresh()
        elif self.truth is None:
            self.truth = self.now_quietly()
        self.announce(listener)

    def remove(self, listener: Listener) -> None:
        """Tell him nothing any more."""
        if listener in self._listeners:
            self._listeners = _without(listener, self._listeners)
            self._fresh = _without(listener, self._fresh)
            if not self._listeners:
                self.stop()

    def now_quietly(self) -> bool:
        """As `now`; what cannot be decided is false."""
        try:
            return self.now()
        except HallwayError:
            return False

    # ------------------------------------------------------------------ telling

    def update(self, cause: Cause) -> None:
        """What it looks at was told: decide again."""
        try:
            truth = self.now()
        except HallwayError as error:
            self._fail(error.message, cause)
        except Exception:
            log.exception("a test has a fault: %s", type(self).__name__)
            self._fail("it has a fault; the log of the hub says more", cause)
        else:
            self.put(truth, cause)

    def _fail(self, why: str, cause: Cause) -> None:
        self.put(False, cause)
        for listener in self._listeners:
            listener.failed(why)

    def put(self, truth: bool, cause: Cause) -> None:
        """It is true or not: tell those for whom that is news."""
        if truth is not self.truth:
            self.truth = truth
            told = self._listeners
        elif self._fresh:
            told = self._fresh
        else:
            return
        self._fresh = ()
        for listener in told:
            listener.became(truth, cause)

    def happen(self, cause: Cause) -> None:
        """Tell everybody that it happened."""
        self._fresh = ()
        for listener in self._listeners:
            listener.happened(cause)


def _without(listener: Listener, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    return tuple(other for other in listeners if other is not listener)
