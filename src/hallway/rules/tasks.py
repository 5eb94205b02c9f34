"""What rules are going to do: each task stands in the home as a note with its due time, so that it survives a restart.

Durations are elapsed time while the hub runs; over a restart the wall clock counts. A task is crossed out before it is
done, so that it is never done twice. It must not know what a task is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from hallway.clock import Cancel, Clock
from hallway.home.changes import Changes, Context, Noted
from hallway.home.values import Attributes, Value

DUE: Final = "due"
Run = Callable[[float], None]
"""What is done when a task is due; it is told how many seconds too late that is, since the hub was not there."""
SOON: Final = 0.1
"""Seconds: what is done sooner than that follows at once, and is cut when it goes round in a circle."""
PUNCTUAL: Final = 2.0
"""Seconds: what comes later than that comes late."""
_ENGINE: Final = Context("rules")


class Note(msgspec.Struct, frozen=True):
    """Something that is kept in mind over a restart. owner: `rule:night`."""

    owner: str
    name: str
    body: Attributes

    @property
    def due(self) -> float | None:
        """When, in seconds since 1970; None when it is no task."""
        due = self.body.get(DUE)
        return float(due) if isinstance(due, int | float) and not isinstance(due, bool) else None


class Tasks:
    """All tasks and notes, by owner and name."""

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._notes: dict[str, dict[str, Note]] = {}
        self._timers: dict[tuple[str, str], Cancel] = {}
        self._overdue: list[tuple[float, int, Callable[[], None]]] = []

    # ------------------------------------------------------------------ reading

    def of(self, owner: str) -> Mapping[str, Note]:
        """The notes of an owner by name."""
        return dict(self._notes.get(owner, {}))

    def get(self, owner: str, name: str) -> Note | None:
        return self._notes.get(owner, {}).get(name)

    def all(self) -> Iterator[Note]:
        for notes in self._notes.values():
            yield from notes.values()

    # ------------------------------------------------------------------ keeping

    def put_back(self, note: Note) -> None:
        """It was noted before the restart."""
        self._notes.setdefault(note.owner, {})[note.name] = note

    def note(self, owner: str, name: str, body: Attributes) -> None:
        """Keep something in mind, in place of what stood there."""
        self._stop(owner, name)
        self._notes.setdefault(owner, {})[name] = Note(owner, name, body)
        self._tell(owner, name, body)

    def plan(self, owner: str, name: str, seconds: float, body: Mapping[str, Value], run: Run) -> None:
        """Do something after that much time; it takes the place of the task of that name."""
        self.note(owner, name, {**body, DUE: self._clock.now() + seconds})
        self._start(owner, name, seconds, lambda: run(0.0))

    def resume(self, note: Note, run: Run) -> None:
        """Go on with a task of before the restart, once the hub is there again."""
        if note.due is None:
            return
        left = note.due - self._clock.now()
        if left > 0:
            self._start(note.owner, note.name, left, lambda: run(0.0))
        else:
            late = -left if -left > PUNCTUAL else 0.0
            self.overdue(note.due, lambda: run(late) if self.get(note.owner, note.name) is note else None)

    def overdue(self, due: float, run: Callable[[], None]) -> None:
        """Something should have been done meanwhile: all of that is done in the order in which it was due."""
        if not self._overdue:
            self._start("", "", 0.0, self._catch_up)
        self._overdue.append((due, len(self._overdue), run))

    def _catch_up(self) -> None:
        overdue, self._overdue = sorted(self._overdue, key=lambda each: each[:2]), []
        for _due, _number, run in overdue:
            run()

    def drop(self, owner: str, name: str) -> None:
        """It shall not be done, or not be remembered."""
        self._stop(owner, name)
        notes = self._notes.get(owner, {})
        if notes.pop(name, None) is not None:
            self._tell(owner, name, None)
        if not notes:
            self._notes.pop(owner, None)

    def stop_all(self) -> None:
        """The hub ends: nothing is done any more, everything stays noted."""
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()

    # ------------------------------------------------------------------ inside

    def _start(self, owner: str, name: str, seconds: float, run: Callable[[], None]) -> None:
        self._stop(owner, name)
        self._timers[owner, name] = self._clock.call_later(max(0.0, seconds), lambda: self._due(owner, name, run))

    def _due(self, owner: str, name: str, run: Callable[[], None]) -> None:
        """It is for `run` to cross it out first of all, by dropping the note or writing another in its place."""
        self._timers.pop((owner, name), None)
        run()

    def _stop(self, owner: str, name: str) -> None:
        cancel = self._timers.pop((owner, name), None)
        if cancel is not None:
            cancel()

    def _tell(self, owner: str, name: str, body: Attributes | None) -> None:
        changes = self._changes
        changes.emit(Noted(changes.next(), self._clock.now(), _ENGINE, owner, name, body))
