"""Where traces are kept: all in the book of the last weeks, and those of which something is to come as notes too.

The book is written every few seconds, a note stands on the disk at once. So what a rule has planned finds its trace
again however the hub ended, and no trace says for ever that something is to come. It must not know how a rule runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from types import MethodType
from typing import Any, Final

import msgspec

from hallway.home.chronicle import TraceBook, TraceRow
from hallway.rules.tasks import Note, Tasks
from hallway.rules.traces import DID, Did, Draft, Hide, Kept, Trace, goes_on, whole

OWNER: Final = "trace:"
NUMBERS: Final = "traces"
UPTO: Final = "upto"
_ENDED: Final = "the hub ended before that was done"
Pending = Collection[tuple[int, int]]
"""What is planned: number of the trace, and the place of the action in it."""


class TraceJournal:
    """Keeps traces over a restart. book: set before the rules start, if there is one."""

    def __init__(self, tasks: Tasks, hide: Hide = str) -> None:
        self._tasks = tasks
        self._hide = hide
        self._shown: Callable[[Kept], Trace] = lambda kept: whole(kept, hide)
        self._book: TraceBook | None = None
        self._noted: dict[int, tuple[str, str]] = {}
        self._closed: set[int] = set()

    def use(self, book: TraceBook) -> None:
        """Keep all traces in that book from now on."""
        self._book = book
        book.when_written(self._written)

    def reserve(self, upto: int) -> None:
        """Numbers up to that one may be in use, whatever is known of them after a restart."""
        self._tasks.note(NUMBERS, UPTO, {UPTO: upto})

    def keep(self, kept: Kept, *, goes_on: bool) -> None:
        """Keep it, or what it has become by now. goes_on: something of it is still to come."""
        if goes_on or kept.id in self._noted:
            owner, name = self._noted.setdefault(kept.id, (f"{OWNER}{kept.rule_id}", str(kept.id)))
            self._tasks.note(owner, name, msgspec.to_builtins(whole(kept, self._hide)))
            if not goes_on:
                self._closed.add(kept.id)
        self._hand_on(kept)

    def _hand_on(self, kept: Kept) -> None:
        if self._book is not None:
            self._book.keep(row_of(kept, self._shown))
        elif self._closed:
            self._written((kept.id,))

    def take_back(self, kept: Kept) -> None:
        """It was none after all."""
        if self._book is not None:
            self._book.take_back(kept.id)

    def _written(self, numbers: Iterable[int]) -> None:
        if not self._closed:
            return
        for number in self._closed.intersection(numbers):
            self._closed.discard(number)
            self._tasks.drop(*self._noted.pop(number))

    # ------------------------------------------------------------------ after a restart

    def reserved(self) -> int:
        """Up to which number traces may be there from before the restart."""
        note = self._tasks.get(NUMBERS, UPTO)
        upto = note.body.get(UPTO) if note is not None else None
        return upto if isinstance(upto, int) else 0

    def put_back(self) -> Iterator[Trace]:
        """What was noted, oldest first; what will not come any more is called off. What cannot be read is dropped."""
        notes = list(self._tasks.all())
        pending = set(_planned(notes))
        found = []
        for note in notes:
            if note.owner.startswith(OWNER):
                try:
                    found.append((msgspec.convert(note.body, Trace), note))
                except msgspec.ValidationError:
                    self._tasks.drop(note.owner, note.name)
        for trace, note in sorted(found, key=lambda each: each[0].id):
            self._noted[trace.id] = note.owner, note.name
            settled = _settled(trace, pending)
            if settled != trace:
                self._tasks.note(note.owner, note.name, msgspec.to_builtins(settled))
            if not goes_on(settled):
                self._closed.add(settled.id)
            self._hand_on(settled)
            yield settled


def row_of(kept: Kept, shown: Callable[[Kept], Trace] = whole) -> TraceRow:
    """As the book takes it. shown: makes of it what is written."""
    did = kept.result in DID
    body = MethodType(shown, kept)  # half the time of partial or a function, with a thousand rules that decide at once
    if isinstance(kept, Draft):
        at = max(kept.at, kept.told.at)
        return TraceRow(kept.id, kept.rule_id, at, kept.result, did, kept.told.seq, body)
    return TraceRow(kept.id, kept.rule_id, max(kept.at, kept.last_at), kept.result, did, kept.seq, body)


def _planned(notes: Iterable[Note]) -> Iterator[tuple[int, int]]:
    for note in notes:
        number, index = note.body.get("trace"), note.body.get("index")
        if isinstance(number, int) and isinstance(index, int):
            yield number, index


def _settled(trace: Trace, pending: Pending) -> Trace:
    did = tuple(each if (trace.id, index) in pending else _ended(each) for index, each in enumerate(trace.did))
    return trace if did == trace.did else msgspec.structs.replace(trace, did=did)


def _ended(did: Did) -> Did:
    changed: dict[str, Any] = {"back": None, "due": None}
    if did.state == "planned":
        changed |= {"state": "called off", "text": _ENDED}
    elif did.state == "under way":
        changed |= {"state": "failed", "text": _ENDED}
    return msgspec.structs.replace(did, **changed)
