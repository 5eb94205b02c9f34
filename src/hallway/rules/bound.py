"""A rule whose sentence is bound to the home: its predicates listen to signals, and it decides when one of them turns.

A condition is decided while the change that caused it is being handed out, so on one snapshot of the home; what follows
happens after everybody has seen the change. It must not know how actions are carried out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol

import msgspec

from hallway.errors import HallwayError
from hallway.home.changes import Context
from hallway.home.rules import Rule
from hallway.home.values import Attributes
from hallway.language.conditions import Condition, Joined, Joint, Predicate
from hallway.language.rules import ParsedRule
from hallway.rules.causes import Cause
from hallway.rules.signals import Signal
from hallway.rules.sources import Asked, Ground
from hallway.rules.tasks import DUE, PUNCTUAL, SOON, Note, Run, Tasks
from hallway.rules.traces import NOTHING, Draft, Finding, KeptFinding

FOR: Final = "for"
TIME: Final = "time"
FOUND: Final = "found"
INSTANT: Final = 1e-6


Decider = Callable[[Iterable[bool]], bool]
_BOTH: Final[frozenset[Joint]] = frozenset({"and", "and if"})
_EITHER: Final[frozenset[Joint]] = frozenset({"or", "or when"})


class Deciding:
    """What a rule has decided on one cause so far.

    started: places of the predicates that came true; otherwise: what is to be done unless more of them do.
    """

    __slots__ = ("cause", "missed", "otherwise", "started", "wanted")

    def __init__(self) -> None:
        self.cause: Cause | None = None
        self.started = 0
        self.missed: Draft | None = None
        self.otherwise: list[object] = []
        self.wanted = False


class Decides(Protocol):
    """What a rule does when one of its predicates turns."""

    def triggered(self, rule: BoundRule, predicate: BoundPredicate, cause: Cause, *, rising: bool = True) -> None:
        """A predicate has come true; rising=False: one came false in a rule that does something then."""
        ...

    def troubled(self, rule: BoundRule, error: str) -> None:
        """A predicate cannot be decided."""
        ...


class BoundPredicate:
    """One predicate of a bound rule, as it listens to its signal.

    place: 2 to the power of its place in the sentence, so that a sum of places says which of them; since: from when on
    it has been true, if it must be so for some time; missed_before_start: when it should have happened or come true
    while the hub was not there, if it should.
    """

    __slots__ = (
        "_achieved",
        "_index",
        "_momentary",
        "_until",
        "missed_before_start",
        "place",
        "predicate",
        "rule",
        "signal",
        "since",
    )

    def __init__(self, rule: BoundRule, index: int, predicate: Predicate, signal: Signal) -> None:
        self.rule = rule
        self.predicate = predicate
        self.signal = signal
        self.missed_before_start: float | None = None
        self.place = 1 << index
        self._index = index
        self._momentary = predicate.just_trigger or predicate.test.is_event
        self._achieved = False
        self.since: float | None = None
        self._until: float | None = None

    # ------------------------------------------------------------------ binding

    def bind(self, *, knows: bool) -> None:
        """Listen from now on. knows: as it was before the restart."""
        planned = self.rule.note(self._time) if knows else None
        self.signal.add(self, knows=knows)
        now = self.rule.now()
        if planned is not None and planned.due is not None and planned.due <= now:
            self.missed_before_start = max(planned.due, self.signal.last_turn(now) or planned.due)
        if self.predicate.duration is None:
            return
        note = self.rule.note(self._for) if knows else None
        if note is not None and self.signal.now_quietly():
            self._resume(note)
        else:
            self.rule.forget(self._for)
            if self.signal.now_quietly():
                self._begin(None)

    def unbind(self) -> None:
        self.signal.remove(self)
        self.rule.forget(self._for)
        self.rule.forget(self._time)

    @property
    def _for(self) -> str:
        return f"{FOR}:{self._index}"

    @property
    def _time(self) -> str:
        return f"{TIME}:{self._index}"

    # ------------------------------------------------------------------ hearing

    def became(self, truth: bool, cause: Cause) -> None:
        predicate = self.predicate
        if predicate.duration is not None:
            if truth:
                self._begin(cause)
            else:
                self._end(cause)
        elif not truth:
            self._turned_false(cause)
        elif not predicate.just_condition:
            self.rule.decides.triggered(self.rule, self, cause)

    def happened(self, cause: Cause) -> None:
        if not self.predicate.just_condition:
            self.rule.decides.triggered(self.rule, self, cause)

    def catch_up(self) -> None:
        """It happened or came true while the hub was not there, if it is still so."""
        due, self.missed_before_start = self.missed_before_start, None
        if due is not None and (self.predicate.test.is_event or self.signal.now_quietly()):
            self.became_at(due)

    def became_at(self, due: float) -> None:
        """It came true at that time, which may be over."""
        late = self.rule.lateness(due)
        self.became(True, Cause(due, self.predicate.token, late=late))

    def failed(self, error: str) -> None:
        self.rule.decides.troubled(self.rule, f"“{self.predicate.token}” cannot be decided: {error}")

    def planned(self, due: float | None) -> None:
        if self.predicate.just_condition:
            return
        if due is None:
            self.rule.forget(self._time)
        else:
            self.rule.keep(self._time, {"due": due})

    def _turned_false(self, cause: Cause) -> None:
        if self.rule.has_otherwise and not self.predicate.just_trigger and not self.predicate.just_condition:
            self.rule.decides.triggered(self.rule, self, cause, rising=False)

    # ------------------------------------------------------------------ lasting

    def _begin(self, cause: Cause | None) -> None:
        """It is true from now on; without a cause it was so before anybody looked, and will not start the rule."""
        duration = self.predicate.duration
        if duration is None:
            return
        self._achieved, self._until = False, None
        self.since = self.rule.now()
        try:
            seconds = duration.seconds(self.rule.ground.scope)
        except HallwayError as error:
            self.failed(error.message)
            return
        self._until = self.rule.elapsed() + seconds
        context = cause.context if cause is not None else None
        body: Attributes = {
            "since": self.since,
            "starts": cause is not None,
            "seq": cause.seq if cause is not None else None,
            "user": context.user if context is not None else None,
        }
        if seconds < SOON and context is not None:
            body["depth"] = context.depth
        self.rule.plan(self._for, seconds, body, lambda late: self._lasted(body, late))

    def _resume(self, note: Note) -> None:
        since = note.body.get("since")
        self.since = float(since) if isinstance(since, int | float) else None
        if note.due is None:
            self._achieved = True
        else:
            self._until = self.rule.elapsed() + note.due - self.rule.now()
            self.rule.resume(note, lambda late: self._lasted(note.body, late))

    def _end(self, cause: Cause) -> None:
        was, self._achieved, self.since, self._until = self._achieved, False, None, None
        self.rule.forget(self._for)
        if was:
            self._turned_false(cause)

    def _lasted(self, body: Attributes, late: float) -> None:
        self._achieved = True
        self.rule.keep(self._for, {**body, DUE: None})
        if self.predicate.just_condition:
            return
        if body.get("starts"):
            self.rule.decides.triggered(self.rule, self, self._lasting(body, late))
        else:
            self.rule.look_on()

    def _lasting(self, body: Attributes, late: float) -> Cause:
        lasted = self.predicate.duration
        text = f"{self.predicate.token} for {lasted.text}" if lasted is not None else self.predicate.token
        return Cause(self.rule.now() - late, text, context=context_in(body), late=late, at_once="depth" in body)

    # ------------------------------------------------------------------ deciding

    def truth(self) -> bool:
        """Whether it is true now, beside being what started the rule; what cannot be decided is an error."""
        if self._momentary:
            return False
        return self._has_lasted() if self.predicate.duration is not None else self.signal.now()

    def truth_quietly(self) -> bool:
        """As `truth`; what cannot be decided is false."""
        try:
            return self.truth()
        except HallwayError:
            return False

    @property
    def is_momentary(self) -> bool:
        """Whether it is only true at the moment when it happens or comes true."""
        return self._momentary

    def _has_lasted(self) -> bool:
        """Whether it has been true long enough by now, also if that is told only in a moment."""
        return self._achieved or (self._until is not None and self.rule.elapsed() >= self._until - INSTANT)


class BoundRule:
    """A rule.

    listens: until it is let go; held: whether its condition was true when it was looked at last, of a rule that does
    something when it comes false; trouble: what was last said of it.
    """

    __slots__ = (
        "_asked",
        "_deciding",
        "_is_true",
        "_of",
        "_tasks",
        "decides",
        "ground",
        "held",
        "listens",
        "owner",
        "predicates",
        "rule",
        "sentence",
        "trouble",
    )

    def __init__(self, rule: Rule, sentence: ParsedRule, ground: Ground, tasks: Tasks, decides: Decides) -> None:
        self.rule = rule
        self.sentence = sentence
        self.ground = ground
        self.predicates: tuple[BoundPredicate, ...] = ()
        self.listens = True
        self.held = False
        self.trouble = ""
        self._deciding: Deciding | None = None
        self.owner = f"rule:{rule.id}"
        self._tasks = tasks
        self.decides = decides
        self._of = zlib.crc32(rule.text.encode())
        self._asked: Asked = ()
        self._is_true = _decider(sentence)

    @property
    def has_otherwise(self) -> bool:
        """Whether something is done when the condition comes false, too."""
        return bool(self.sentence.otherwise)

    def bind(self, signals: tuple[Signal, ...], *, knows: bool) -> None:
        """Listen to these signals, one for each predicate."""
        self._asked = tuple([signal.names() for signal in signals])
        self.predicates = tuple(
            BoundPredicate(self, index, predicate, signal)
            for index, (predicate, signal) in enumerate(zip(self.sentence.predicates, signals, strict=True))
        )
        for predicate in self.predicates:
            predicate.bind(knows=knows)
        self.look_on()

    def unbind(self) -> None:
        """Listen no more, and forget what was under way."""
        self.listens = False
        for predicate in self.predicates:
            predicate.unbind()

    def detach(self) -> None:
        """Listen no more, since the hub ends."""
        for predicate in self.predicates:
            predicate.signal.remove(predicate)

    # ------------------------------------------------------------------ deciding

    def deciding_on(self, cause: Cause) -> Deciding:
        """What it has decided on that cause so far."""
        deciding = self._deciding
        if deciding is None:
            deciding = self._deciding = Deciding()
        if deciding.cause is not cause:
            deciding.cause, deciding.started, deciding.missed, deciding.wanted = cause, 0, None, False
            deciding.otherwise = []
        return deciding

    def decide(self, started: int) -> tuple[bool, Finding]:
        """Whether the condition is true now, and how each predicate was found. started: places of what came true."""
        truths = []
        why: dict[int, str] = {}
        since: dict[int, float] = {}
        for index, predicate in enumerate(self.predicates):
            try:
                truths.append(bool(started >> index & 1) or predicate.truth())
            except HallwayError as error:
                truths.append(False)
                why[index] = error.message
            if predicate.since is not None:
                since[index] = predicate.since
        found = tuple(truths)
        facts = self.ground.facts(self._asked)
        now = self.ground.clock.now()
        finding = Finding(
            now, self.sentence.predicates, found, started, self._asked, facts, why or NOTHING, since or NOTHING
        )
        return self._is_true(found), finding

    def may_start_with_more(self, started: int) -> bool:
        """Whether something else could come true for the same moment."""
        return any(predicate.is_momentary and not started & predicate.place for predicate in self.predicates)

    def found_before(self, note: Note) -> Finding | None:
        """How the predicates were found when that was noted for this very sentence."""
        if note.body.get("of") != self._of or note.body.get(FOUND) is None:
            return None
        try:
            kept = msgspec.convert(note.body[FOUND], KeptFinding, str_keys=True)
        except msgspec.ValidationError:
            return None
        return kept.finding(self.sentence.predicates, self._asked)

    def look_on(self) -> None:
        """Note whether the condition is true, beside what was only true for a moment."""
        if self.has_otherwise:
            self.held = self._is_true([predicate.truth_quietly() for predicate in self.predicates])

    # ------------------------------------------------------------------ remembering

    def now(self) -> float:
        return self.ground.clock.now()

    def elapsed(self) -> float:
        """Seconds that nobody can set."""
        return self.ground.clock.monotonic()

    def note(self, name: str) -> Note | None:
        """What was noted for this very sentence."""
        note = self._tasks.get(self.owner, name)
        return note if note is not None and note.body.get("of") == self._of else None

    def keep(self, name: str, body: Attributes) -> None:
        self._tasks.note(self.owner, name, {**body, "of": self._of})

    def plan(self, name: str, seconds: float, body: Attributes, run: Run) -> None:
        self._tasks.plan(self.owner, name, seconds, {**body, "of": self._of}, run)

    def resume(self, note: Note, run: Run) -> None:
        self._tasks.resume(note, run)

    def forget(self, name: str) -> None:
        self._tasks.drop(self.owner, name)

    def pending(self, kind: str) -> Iterator[Note]:
        """The tasks of a kind."""
        for note in self._tasks.of(self.owner).values():
            if note.name.startswith(f"{kind}:"):
                yield note

    def lateness(self, due: float) -> float:
        """How many seconds too late it is; a little is none."""
        late = self.now() - due
        return late if late > PUNCTUAL else 0.0


def context_in(body: Attributes) -> Context:
    """Who began what was noted: the person and the change; how long the chain is, where it goes on at once."""
    user, seq, depth = body.get("user"), body.get("seq"), body.get("depth")
    return Context(
        "",
        user if isinstance(user, str) else None,
        seq if isinstance(seq, int) else None,
        depth if isinstance(depth, int) else 0,
    )


def _decider(sentence: ParsedRule) -> Decider:
    """What says, of the truths of the predicates in their order, whether the whole condition is true."""
    joints = set(_joints(sentence.tree))
    if joints <= _BOTH:
        return all
    if joints <= _EITHER:
        return any
    names = [predicate.id for predicate in sentence.predicates]
    return lambda truths: _is_true(sentence.tree, dict(zip(names, truths, strict=True)))


def _joints(tree: Condition) -> Iterator[Joint]:
    if isinstance(tree, Joined):
        yield tree.joint
        yield from _joints(tree.left)
        yield from _joints(tree.right)


def _is_true(tree: Condition, found: Mapping[str, bool]) -> bool:
    if isinstance(tree, Joined):
        left, right = _is_true(tree.left, found), _is_true(tree.right, found)
        return (left and right) if tree.joint in _BOTH else (left or right)
    return found[tree.id]
