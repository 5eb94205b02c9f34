"""What rules will do by the clock in the next days, as far as it can be known: times, intervals and what is pending.

It must not know how rules run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import Final, Literal, Protocol

import msgspec

from hallway.errors import HallwayError
from hallway.rules.bound import FOR, BoundPredicate, BoundRule
from hallway.rules.running import AFTER, BACK
from hallway.rules.tasks import Note
from hallway.rules.timing import Ticks, TimeSignal

MOST_OF_A_PREDICATE: Final = 100
MOST: Final = 1000
_DAY: Final = 86_400.0
Kind = Literal["time", "lasting", "later", "back"]


class Upcoming(msgspec.Struct, frozen=True):
    """Something that will happen at a moment (seconds since 1970), if nothing comes between."""

    at: float
    rule_id: str
    kind: Kind
    text: str


class Turns(Protocol):
    """A signal of the clock."""

    def next_turn(self, after: float) -> float | None: ...


def upcoming(rules: Iterable[BoundRule], notes: Iterable[Note], now: float, days: float) -> list[Upcoming]:
    """What will happen in so many days, in order; of what happens all the time only the beginning."""
    until = now + days * _DAY
    known = {rule.owner: rule for rule in rules}
    noted = sorted((each for note in notes for each in _of_note(note, known, until)), key=_at)
    # each in its order already: no more of them are reckoned than are told
    by_clock = (_of_predicate(rule, predicate, now, until) for rule in known.values() for predicate in rule.predicates)
    return list(islice(merge(noted, *by_clock, key=_at), MOST))


def _at(each: Upcoming) -> float:
    return each.at


def _of_predicate(rule: BoundRule, predicate: BoundPredicate, now: float, until: float) -> Iterator[Upcoming]:
    signal = predicate.signal
    if isinstance(signal, TimeSignal | Ticks) and not predicate.predicate.just_condition:
        for at in _turns(signal, now, until):
            yield Upcoming(at, rule.rule.id, "time", predicate.predicate.token)


def _turns(signal: Turns, now: float, until: float) -> Iterator[float]:
    at: float | None = now
    for _ in range(MOST_OF_A_PREDICATE):
        try:
            at = signal.next_turn(at) if at is not None else None
        except HallwayError:
            return
        if at is None or at > until:
            return
        yield at


def _of_note(note: Note, known: dict[str, BoundRule], until: float) -> Iterator[Upcoming]:
    due = note.due
    if due is None or due > until:
        return
    if note.owner.startswith(BACK):
        yield Upcoming(due, note.owner.removeprefix(BACK), "back", str(note.body.get("text")))
        return
    rule = known.get(note.owner)
    kind, _, place = note.name.partition(":")
    if rule is None:
        return
    if kind == FOR and place.isdigit() and note.body.get("starts"):
        yield Upcoming(due, rule.rule.id, "lasting", rule.sentence.predicates[int(place)].token)
    elif kind == AFTER:
        actions = rule.sentence.otherwise if note.body.get("result") == "otherwise" else rule.sentence.deeds
        index = note.body.get("index")
        if isinstance(index, int) and index < len(actions):
            yield Upcoming(due, rule.rule.id, "later", actions[index].token)
