"""The last runs of each rule as notes of the home, so that they can be read after a restart.

A rule that runs all the time keeps one run a minute, and those of which something is still to come, to spare the disk.
It must not know how a rule runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hallway.rules.tasks import Note, Tasks
from hallway.rules.traces import Trace

OWNER: Final = "trace:"
KEPT: Final = 20
KEPT_EVERY: Final = 60.0


class _Places:
    """Which run of a rule is kept where."""

    __slots__ = ("last_at", "next", "of_trace")

    def __init__(self) -> None:
        self.of_trace: dict[int, int] = {}
        self.next = 0
        self.last_at = float("-inf")

    def place(self, trace: Trace) -> int | None:
        """Where a run is or will be kept; None when there was one a moment ago."""
        known = self.of_trace.get(trace.id)
        goes_on = any(did.due is not None or did.back is not None for did in trace.did)
        if known is not None or (abs(trace.at - self.last_at) < KEPT_EVERY and not goes_on):
            return known
        return self.take(trace, self.next)

    def take(self, trace: Trace, place: int) -> int:
        for other in [number for number, taken in self.of_trace.items() if taken == place]:
            del self.of_trace[other]
        self.of_trace[trace.id] = place
        self.next = (place + 1) % KEPT
        self.last_at = max(self.last_at, trace.at)
        return place


class NotedTraces:
    """Keeps the runs of every rule in a ring of notes."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._rules: dict[str, _Places] = {}

    def keep(self, trace: Trace) -> None:
        places = self._rules.setdefault(trace.rule_id, _Places())
        place = places.place(trace)
        if place is not None:
            self._tasks.note(f"{OWNER}{trace.rule_id}", str(place), trace.as_json())

    def forget(self, rule_id: str) -> None:
        self._rules.pop(rule_id, None)
        for name in self._tasks.of(f"{OWNER}{rule_id}"):
            self._tasks.drop(f"{OWNER}{rule_id}", name)

    def put_back(self, notes: Iterable[Note]) -> Iterator[Trace]:
        """The runs that were kept; what can no longer be read is left out."""
        found = []
        for note in notes:
            try:
                found.append((msgspec.convert(note.body, Trace), int(note.name)))
            except (msgspec.ValidationError, ValueError):
                continue
        for trace, place in sorted(found, key=lambda each: each[0].id):
            self._rules.setdefault(trace.rule_id, _Places()).take(trace, place)
            yield trace
