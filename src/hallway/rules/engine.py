"""Runs the rules of a home: binds each to what it names, decides when something turns, and lets it act.

One rule's fault marks that rule and nothing else. It must not know doors, nor how a sentence is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from hallway.clock import Cancel, Clock
from hallway.errors import HallwayError, NotFound
from hallway.home.announcing import STORE
from hallway.home.calls import Call, done
from hallway.home.changes import AnyChange, Context, Defined
from hallway.home.home import Home
from hallway.home.rules import Rule
from hallway.home.saved import SavedNote
from hallway.language.conditions import Starting, Test
from hallway.language.rules import ParsedRule
from hallway.rules.agenda import Agenda
from hallway.rules.bound import BoundPredicate, BoundRule
from hallway.rules.calendar import Calendar
from hallway.rules.causes import Cause
from hallway.rules.keeping import OWNER as TRACES
from hallway.rules.keeping import NotedTraces
from hallway.rules.mentions import Mentions, mentions_of
from hallway.rules.recent import Recent
from hallway.rules.running import TAGS, Runs, Wanted
from hallway.rules.signals import Signal
from hallway.rules.sources import Ground, Maker, makers
from hallway.rules.sun import Place, Sun
from hallway.rules.tasks import Note, Tasks
from hallway.rules.timing import time_makers
from hallway.rules.traces import MAX_TEXT, Result, Seen, Trace, Traces
from hallway.rules.upcoming import Upcoming, upcoming
from hallway.rules.why import Answer, Touches, Why, touches

log = logging.getLogger(__name__)

Parser = Callable[[str, Home], ParsedRule]
ENGINE: Final = Context("rules")
START: Final = Context("start")


class _Deciding:
    """What a rule has decided on the cause that is being looked at."""

    __slots__ = ("cause", "happening", "missed", "trouble", "wanted")

    def __init__(self) -> None:
        self.cause: Cause | None = None
        self.happening: frozenset[BoundPredicate] = frozenset()
        self.missed: Trace | None = None
        self.wanted = False
        self.trouble = ""


class RuleEngine:
    """All rules of a home while they run.

    notes: what was kept of them before the restart; place: where the home is, for the sun; more: how the signals of
    tests that plugins brought are made.
    """

    def __init__(
        self,
        home: Home,
        parser: Parser,
        clock: Clock,
        notes: Iterable[SavedNote] = (),
        place: Place | None = None,
        more: Mapping[type[Test], Maker] | None = None,
    ) -> None:
        self._home = home
        self._parser = parser
        self._clock = clock
        self._tasks = Tasks(clock, home.changes)
        self._keeper = NotedTraces(self._tasks)
        self.traces = Traces(self._keeper)
        self.recent = Recent(home.changes)
        self._why = Why(home, self.recent, self.traces)
        self._runs = Runs(home, clock, self._tasks, self.traces)
        self._agenda = Agenda(clock)
        self.calendar = Calendar(home.time_zone(), Sun(place) if place is not None else None)
        self._ground = Ground(home, clock)
        self._makers = {**makers(), **time_makers(self._agenda, self.calendar), **(more or {})}
        self._signals: dict[Test | str, Signal] = {}
        self._bound: dict[str, BoundRule] = {}
        self._deciding: dict[str, _Deciding] = {}
        self._mentions: dict[str, Mentions] = {}
        self._unheard: Cancel = lambda: None
        for note in notes:
            self._tasks.put_back(Note(note.owner, note.name, note.note))

    # ------------------------------------------------------------------ life

    def start(self, *, says_so: bool = True) -> None:
        """Bind all rules, go on with what was under way and catch up with what was missed.

        says_so: the hub starts, which is what some rules wait for.
        """
        self._put_traces_back()
        self.recent.start(self._clock.now())
        self._unheard = self._home.changes.subscribe(self._heard)
        self._home.rules.trigger = self.trigger
        for rule in self._home.rules.all():
            self._bind(rule, knows=True)
        self._forget_strangers()
        self._runs.resume_all_back()
        self._catch_up()
        self._agenda.start()
        if says_so:
            self._say_start()

    def _say_start(self) -> None:
        for signal in [signal for test, signal in self._signals.items() if isinstance(test, Starting)]:
            signal.happen(Cause(self._clock.now(), "the hub starts", context=START))

    def stop(self) -> None:
        """Run nothing any more; what is planned stays noted and goes on at the next start."""
        self._unheard()
        self.recent.stop()
        self._home.rules.trigger = None
        self._agenda.stop()
        self._tasks.stop_all()
        for bound in self._bound.values():
            bound.detach()
        self._bound.clear()

    def _put_traces_back(self) -> None:
        known = {f"{TRACES}{rule.id}" for rule in self._home.rules.all()}
        notes = [note for note in self._tasks.all() if note.owner in known]
        self.traces.put_back(self._keeper.put_back(notes))
        taken = [note.body.get("trace") for note in self._tasks.all()]
        self.traces.count_from(max((number for number in taken if isinstance(number, int)), default=0))

    def _forget_strangers(self) -> None:
        """Notes of rules that are no longer there, or no longer what they were."""
        for note in list(self._tasks.all()):
            kind, _, rule_id = note.owner.partition(":")
            bound = self._bound.get(rule_id)
            if (kind == "rule" and (bound is None or bound.note(note.name) is None)) or (
                kind == "trace" and rule_id not in self._home.rules
            ):
                self._tasks.drop(note.owner, note.name)

    def _catch_up(self) -> None:
        """Times that came while the hub was not there, together with all else that was due meanwhile."""
        for bound in self._bound.values():
            for predicate in bound.predicates:
                if predicate.missed_before_start is not None:
                    self._tasks.overdue(predicate.missed_before_start, predicate.catch_up)

    # ------------------------------------------------------------------ binding

    def _bind(self, rule: Rule, *, knows: bool) -> None:
        if not rule.active or not rule.valid:
            return
        self._deciding[rule.id] = _Deciding()
        try:
            sentence = self._parser(rule.text, self._home)
            bound = BoundRule(rule, sentence, self._ground, self._tasks, self)
            self._listen(bound, knows=knows)
        except HallwayError as error:
            self._mark(rule.id, f"it cannot be bound: {error.message}")
            return
        except Exception:
            log.exception("rule %s cannot be bound", rule.id)
            self._mark(rule.id, "it cannot be bound: it has a fault; the log of the hub says more")
            return
        self._bound[rule.id] = bound
        self._mentions[rule.id] = mentions_of(sentence)
        self._runs.resume(bound)

    def _listen(self, bound: BoundRule, *, knows: bool) -> None:
        """Let a rule listen to everything that it names, or to nothing."""
        try:
            bound.bind(tuple(self._signal(predicate.test) for predicate in bound.sentence.predicates), knows=knows)
        except Exception:
            bound.unbind()
            raise

    def _signal(self, test: Test) -> Signal:
        """The signal of a test, shared by all who ask the same."""
        key = _key(test)
        found = self._signals.get(key)
        if found is None:
            maker = self._makers.get(type(test))
            if maker is None:
                raise NotFound(f"nothing here can decide a {type(test).__name__}")
            found = self._signals[key] = maker(self._ground, test)
        return found

    def _unbind(self, rule_id: str, why: str) -> None:
        bound = self._bound.pop(rule_id, None)
        if bound is None:
            return
        self._runs.call_off(bound, why, say=True)
        self._runs.forget(rule_id)
        bound.unbind()
        del self._deciding[rule_id], self._mentions[rule_id]
        for predicate in bound.sentence.predicates:
            key = _key(predicate.test)
            if key in self._signals and not self._signals[key].in_use:
                del self._signals[key]

    def _heard(self, change: AnyChange) -> None:
        if not isinstance(change, Defined):
            return
        if change.kind == "rule":
            self._home.changes.after(lambda: self._rule_edited(change))
        elif change.kind in {"device", "variable"} and (change.old is not None or change.source != STORE):
            self._home.changes.after(lambda: self._thing_edited(change))

    def _rule_edited(self, change: Defined) -> None:
        rule_id = change.key
        if change.new is None:
            self._unbind(rule_id, "is removed")
            self.traces.forget(rule_id)
            return
        rule = self._home.rules.get(rule_id) if rule_id in self._home.rules else None
        if rule is None:
            return
        if rule.lost:
            self._unbind(rule_id, "does not run any more")
            text = f"the rule {rule_id} does not run any more: {rule.error}"
            self._home.messages.say("error", text, TAGS, change.context)
            return
        self._unbind(rule_id, "is changed")
        self._bind(rule, knows=False)

    def _thing_edited(self, change: Defined) -> None:
        """Rules that name it may mean something else now; those that could not be read may be readable."""
        naming = [rule_id for rule_id, names in self._mentions.items() if names.has(change.kind, change.key)]
        for rule_id in naming:
            self._read_again(self._bound[rule_id])
        if change.old is None and self._may_help(change):
            self._home.rules.read_again(change.context, only_invalid=True)

    def _read_again(self, bound: BoundRule) -> None:
        try:
            sentence = self._parser(bound.rule.text, self._home)
        except HallwayError:
            return  # the home reads it again itself, and says that it is lost
        if sentence != bound.sentence:
            self._unbind(bound.rule.id, "means something else now")
            self._bind(bound.rule, knows=False)

    def _may_help(self, change: Defined) -> bool:
        """Whether a rule that cannot be read has the name of what has just been reported."""
        names = {change.key.lower(), str((change.new or {}).get("name", change.key)).lower()}
        unreadable = (rule.text.lower() for rule in self._home.rules.all() if not rule.valid)
        return any(name in text for text in unreadable for name in names)

    # ------------------------------------------------------------------ deciding

    def triggered(self, rule: BoundRule, predicate: BoundPredicate, cause: Cause, *, rising: bool) -> None:
        """One of the predicates of a rule has turned: decide, and let it act."""
        try:
            self._decide(rule, predicate, cause, rising=rising)
        except Exception:
            log.exception("rule %s has a fault", rule.rule.id)
            self._mark(rule.rule.id, "it has a fault; the log of the hub says more")

    def _decide(self, rule: BoundRule, predicate: BoundPredicate, cause: Cause, *, rising: bool) -> None:
        deciding = self._deciding.get(rule.rule.id)
        if deciding is None:
            return
        if deciding.cause is not cause:
            deciding.cause, deciding.happening, deciding.missed, deciding.wanted = cause, frozenset(), None, False
        if deciding.wanted:
            return  # the same change has let it run already
        if rising:
            deciding.happening |= {predicate}
        truth, seen = rule.decide(deciding.happening)
        token = predicate.predicate.token
        if cause.late > rule.rule.late * 60:
            limit = f"{cause.late:.0f} s late, {rule.rule.late * 60:.0f} s are allowed"
            self._leave(rule, "skipped", cause, token, seen, limit)
        elif truth and rising:
            self._want(rule, Wanted("ran", token, cause, seen), deciding)
        elif not truth and rule.has_otherwise:
            self._want(rule, Wanted("otherwise", token, cause, seen), deciding)
        elif rising:
            if deciding.missed is not None:
                self.traces.take_back(deciding.missed)
            deciding.missed = self._leave(rule, "condition false", cause, token, seen, _why(seen))

    def _want(self, rule: BoundRule, wanted: Wanted, deciding: _Deciding) -> None:
        if deciding.missed is not None:
            self.traces.take_back(deciding.missed)
        deciding.wanted = True
        self._runs.ask(rule, wanted)

    def _leave(
        self, rule: BoundRule, result: Result, cause: Cause, token: str, seen: tuple[Seen, ...], reason: str
    ) -> Trace:
        """Do nothing, and say why."""
        return self.traces.add(
            Trace(
                id=self.traces.new_id(),
                rule_id=rule.rule.id,
                at=cause.at,
                result=result,
                trigger=token,
                cause=cause.text[:MAX_TEXT],
                seq=cause.seq,
                late=cause.late,
                reason=reason,
                seen=seen,
                last_at=cause.at,
            )
        )

    def troubled(self, rule: BoundRule, error: str) -> None:
        """A predicate cannot be decided: said once, until it is something else."""
        deciding = self._deciding.get(rule.rule.id)
        if deciding is not None and deciding.trouble != error:
            deciding.trouble = error
            self._home.changes.after(lambda: self._mark(rule.rule.id, error))

    def _mark(self, rule_id: str, error: str) -> None:
        """That rule has a fault; the others go on."""
        self._home.messages.say("error", f"rule {rule_id}: {error}", TAGS, ENGINE)
        self._home.rules.show(rule_id, {"last_error": error[:MAX_TEXT]}, ENGINE)

    # ------------------------------------------------------------------ asking

    def trigger(self, rule_id: str, context: Context) -> Call:
        """Let a rule do what it does, whatever its condition says. NotFound: there is none, or it does not run."""
        self._home.check_causes(context)
        bound = self._bound.get(rule_id)
        if bound is None:
            rule = self._home.rules.get(rule_id)
            raise NotFound(f"rule {rule_id} does not run: {rule.error or 'it is switched off'}")
        asked = Cause(self._clock.now(), f"asked for by {context.user or context.origin}", context=context, asked=True)
        self._runs.ask(bound, Wanted("ran", "asked for", asked))
        return done()

    def why(self, name: str) -> Answer:
        """Why an attribute (`lamp.state`), a variable (`$x`) or an entity is as it is. NotFound: there is none."""
        return self._why.of(name)

    def touches(self, name: str) -> Touches:
        """What looks at a device or a `$variable`, or acts on it. NotFound: there is none."""
        return touches(self._home, name, self._parser, self._mentions)

    def upcoming(self, days: float) -> list[Upcoming]:
        """What rules will do by the clock in the next days, as far as it can be known."""
        return upcoming(self._bound.values(), self.tasks(), self._clock.now(), days)

    def tasks(self) -> Iterable[Note]:
        """Everything that is noted: what is planned, what lasts, and when something is due."""
        return tuple(note for note in self._tasks.all() if not note.owner.startswith(TRACES))


def _key(test: Test) -> Test | str:
    """What is the same for the same test; one that holds an object is known by how it is written."""
    try:
        hash(test)
    except TypeError:
        return repr(test)
    return test


def _why(seen: tuple[Seen, ...]) -> str:
    """Which parts of a condition were not true."""
    missing = [f"“{each.token}”" + (f" ({each.why})" if each.why else "") for each in seen if not each.truth]
    return f"not true: {', '.join(missing)}"[:MAX_TEXT]
