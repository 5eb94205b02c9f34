"""Runs the rules of a home: binds each to what it names, decides when something turns, and lets it act.

One rule's fault marks that rule and nothing else. It must not know doors, nor how a sentence is written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from hallway.clock import Cancel, Clock
from hallway.errors import HallwayError, NotFound
from hallway.home.announcing import START, STORE
from hallway.home.calls import Call, done
from hallway.home.changes import AnyChange, Context, Defined, State, Updated
from hallway.home.chronicle import ChangeBook, TraceBook
from hallway.home.home import Home
from hallway.home.reported import reported_values
from hallway.home.rules import Rule
from hallway.home.saved import SavedNote
from hallway.language.conditions import Starting, Test
from hallway.language.rules import ParsedRule
from hallway.rules.agenda import Agenda
from hallway.rules.bound import BoundPredicate, BoundRule, Deciding
from hallway.rules.calendar import Calendar
from hallway.rules.causes import MAX_TEXT, Cause
from hallway.rules.keeping import OWNER as TRACES
from hallway.rules.keeping import TraceJournal
from hallway.rules.mentions import Mentions, mentions_of
from hallway.rules.recent import Recent
from hallway.rules.remembered import Remembered
from hallway.rules.running import RAN, TAGS, Runs, Wanted
from hallway.rules.signals import Signal
from hallway.rules.sources import Ground, Maker, makers
from hallway.rules.sun import Place, Sun
from hallway.rules.tasks import Note, Tasks
from hallway.rules.timing import time_makers
from hallway.rules.traces import Draft, Finding, Result, Traces
from hallway.rules.upcoming import Upcoming, upcoming
from hallway.rules.why import Answer, Touches, Why, touches

log = logging.getLogger(__name__)

Parser = Callable[[str, Home], ParsedRule]
ENGINE: Final = Context("rules")
_VALUE_OF: Final = re.compile(r"\$([A-Za-z0-9_-]+)\.")


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
        self._journal = TraceJournal(self._tasks, home.messages.hidden)
        self.traces = Traces(self._journal, home.messages.hidden)
        self.remembered = Remembered(self.traces)
        self.recent = Recent(home.changes)
        self._why = Why(home, self.recent, self.remembered)
        self._runs = Runs(home, clock, self._tasks, self.traces)
        self._agenda = Agenda(clock)
        self.calendar = Calendar(home.time_zone(), Sun(place) if place is not None else None)
        self._ground = Ground(home, clock)
        self._makers = {**makers(), **time_makers(self._agenda, self.calendar), **(more or {})}
        self._signals: dict[Test | str, Signal] = {}
        self._bound: dict[str, BoundRule] = {}
        self._mentions: dict[str, Mentions] = {}
        self._awaited: dict[str, tuple[Cancel, ...]] = {}
        self._reads_again = False
        self._unheard: Cancel = lambda: None
        for note in notes:
            self._tasks.put_back(Note(note.owner, note.name, note.note))

    # ------------------------------------------------------------------ life

    def keep_in(self, changes: ChangeBook, traces: TraceBook) -> None:
        """Keep what happens and what rules do in books, from the start on: to be called before it."""
        self.recent.book = changes
        self.remembered.book = traces
        self._journal.use(traces)

    def start(self, *, says_so: bool = True) -> None:
        """Bind all rules, go on with what was under way and catch up with what was missed.

        says_so: the hub starts, which is what some rules wait for.
        """
        self._count_on()
        self.recent.start(self._clock.now())
        self._unheard = self._home.changes.subscribe(self._heard, Defined)
        self._home.rules.trigger = self.trigger
        for rule in self._home.rules.all():
            self._bind(rule, knows=True)
            self._await(rule.id)
        self._forget_strangers()
        self.traces.put_back(self._journal.put_back())
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
        for rule_id in tuple(self._awaited):
            self._await_no_more(rule_id)
        self.recent.stop()
        self._home.rules.trigger = None
        self._agenda.stop()
        self._tasks.stop_all()
        for bound in self._bound.values():
            bound.detach()
        self._bound.clear()

    def _count_on(self) -> None:
        """No number of a trace is given twice."""
        taken = [note.body.get("trace") for note in self._tasks.all()]
        known = (number for number in taken if isinstance(number, int))
        self.traces.count_from(max(known, default=0))
        self.traces.count_from(self._journal.reserved())

    def _forget_strangers(self) -> None:
        """Notes of rules that are no longer there, or no longer what they were."""
        for note in list(self._tasks.all()):
            kind, _, rule_id = note.owner.partition(":")
            bound = self._bound.get(rule_id)
            if kind == "rule" and (bound is None or bound.note(note.name) is None):
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
        del self._mentions[rule_id]
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
        self._await(rule_id)
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

    def _await(self, rule_id: str) -> None:
        """A rule that cannot be read may name a value that was not reported yet, or not of late: hear of reports."""
        self._await_no_more(rule_id)
        rule = self._home.rules.get(rule_id) if rule_id in self._home.rules else None
        named = set(_VALUE_OF.findall(rule.text)) if rule is not None and not rule.valid else ()
        if named:
            watch = self._home.changes.watch
            self._awaited[rule_id] = tuple([watch(f"device:{device_id}", self._reported) for device_id in named])

    def _await_no_more(self, rule_id: str) -> None:
        for unwatch in self._awaited.pop(rule_id, ()):
            unwatch()

    def _reported(self, change: AnyChange) -> None:
        if not isinstance(change, Updated) or change.new or self._reads_again:
            return
        if any(_names(moved.new) - _names(moved.old) for moved in change.states):
            self._reads_again = True
            self._home.changes.after(lambda: self._read_what_came(change.context))

    def _read_what_came(self, context: Context) -> None:
        self._reads_again = False
        self._home.rules.read_again(context, only_invalid=True)

    # ------------------------------------------------------------------ deciding

    def triggered(self, rule: BoundRule, predicate: BoundPredicate, cause: Cause, *, rising: bool = True) -> None:
        """One of the predicates of a rule has turned: decide, and let it act."""
        try:
            self._decide(rule, predicate, cause, rising=rising)
        except Exception:
            log.exception("rule %s has a fault", rule.rule.id)
            self._mark(rule.rule.id, "it has a fault; the log of the hub says more")

    def _decide(self, rule: BoundRule, predicate: BoundPredicate, cause: Cause, *, rising: bool) -> None:
        if not rule.listens:
            return
        deciding = rule.deciding_on(cause)
        if deciding.wanted:
            return  # the same change has let it run already
        if rising:
            deciding.started |= predicate.place
        truth, finding = rule.decide(deciding.started)
        held = rule.held
        rule.look_on()
        if cause.late > rule.rule.late * 60:
            limit = f"{cause.late:.0f} s late, {rule.rule.late * 60:.0f} s are allowed"
            self._leave(rule, "skipped", predicate, cause, finding, limit)
        elif truth and rising:
            deciding.otherwise.clear()
            self._want(rule, Wanted("ran", predicate.predicate.token, cause, finding), deciding)
        elif not truth and rule.has_otherwise and (held or predicate.is_momentary):
            self._want_otherwise(rule, Wanted("otherwise", predicate.predicate.token, cause, finding), deciding)
        elif rising and not deciding.otherwise:
            if deciding.missed is not None:
                self.traces.take_back(deciding.missed)
            deciding.missed = self._leave(rule, "condition false", predicate, cause, finding)

    def _want(self, rule: BoundRule, wanted: Wanted, deciding: Deciding) -> None:
        if deciding.missed is not None:
            self.traces.take_back(deciding.missed)
        deciding.wanted = True
        self._runs.ask(rule, wanted)

    def _want_otherwise(self, rule: BoundRule, wanted: Wanted, deciding: Deciding) -> None:
        """`else` waits until all that may come true with the same change has been heard."""
        put_off = deciding.otherwise
        if put_off:
            return
        if not rule.may_start_with_more(deciding.started):
            self._want(rule, wanted, deciding)
            return
        if deciding.missed is not None:
            self.traces.take_back(deciding.missed)
            deciding.missed = None
        put_off.append(wanted)
        self._home.changes.after(lambda: self._runs.ask(rule, wanted) if put_off and rule.listens else None)

    def _leave(
        self,
        rule: BoundRule,
        result: Result,
        predicate: BoundPredicate,
        cause: Cause,
        finding: Finding,
        reason: str = "",
    ) -> Draft:
        """Do nothing, and say why."""
        told, token = cause.told, predicate.predicate.token
        return self.traces.add(Draft(self.traces.new_id(), rule.rule.id, result, token, told, finding, told.at, reason))

    def troubled(self, rule: BoundRule, error: str) -> None:
        """A predicate cannot be decided: said once, until it is something else."""
        if rule.listens and rule.trouble != error:
            rule.trouble = error
            self._home.changes.after(lambda: self._mark(rule.rule.id, error))

    def _mark(self, rule_id: str, error: str) -> None:
        """That rule has a fault; the others go on."""
        self._home.messages.say("error", f"rule {rule_id}: {error}", TAGS, ENGINE)
        shown = self._home.state(self._home.entities.kept.get(f"rule:{rule_id}", ""))
        ran = {} if shown is None or RAN not in shown.attributes else {RAN: shown.attributes[RAN]}
        self._home.rules.show(rule_id, {**ran, "last_error": error[:MAX_TEXT]}, ENGINE)

    # ------------------------------------------------------------------ asking

    def trigger(self, rule_id: str, context: Context) -> Call:
        """Let a rule do what it does, whatever its condition says. NotFound: there is none, or it does not run."""
        self._home.check_causes(context)
        bound = self._bound.get(rule_id)
        if bound is None:
            rule = self._home.rules.get(rule_id)
            raise NotFound(f"rule {rule_id} does not run: {rule.error or 'it is switched off'}")
        asked = Cause(
            self._clock.now(), f"asked for by {context.user or context.origin}", context=context, at_once=True
        )
        self._runs.ask(bound, Wanted("ran", "asked for", asked))
        return done()

    async def why(self, name: str) -> Answer:
        """Why an attribute (`lamp.state`), a variable (`$x`) or an entity is as it is. NotFound: there is none."""
        return await self._why.of(name)

    def touches(self, name: str) -> Touches:
        """What looks at a device or a `$variable`, or acts on it. NotFound: there is none."""
        return touches(self._home, name, self._parser, self._mentions)

    def upcoming(self, days: float) -> list[Upcoming]:
        """What rules will do by the clock in the next days, as far as it can be known."""
        return upcoming(self._bound.values(), self.tasks(), self._clock.now(), days)

    def tasks(self) -> Iterable[Note]:
        """Everything that is noted: what is planned, what lasts, and when something is due."""
        return tuple(note for note in self._tasks.all() if not note.owner.startswith(TRACES))


def _names(state: State | None) -> set[str]:
    """What can be read of a reported state."""
    return set() if state is None else set(reported_values(state))


def _key(test: Test) -> Test | str:
    """What is the same for the same test; one that holds an object is known by how it is written."""
    try:
        hash(test)
    except TypeError:
        return repr(test)
    return test
