"""How the actions of a rule are carried out: at once, after a while, and put back after another.

Each action may fail for itself. What is said in the messages is what pimatic says: one line for each action when it is
done. It must not know conditions.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

import msgspec

from hallway.clock import Clock
from hallway.errors import HallwayError
from hallway.home.calls import Call
from hallway.home.changes import Context
from hallway.home.dates import date_text
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.language.deeds import Action, HomeScope, Outcome, Undo
from hallway.rules.bound import FOUND, BoundRule, context_in
from hallway.rules.causes import MAX_TEXT, Cause
from hallway.rules.tasks import SOON, Note, Tasks
from hallway.rules.traces import Did, Draft, Finding, KeptFinding, Result, Traces

log = logging.getLogger(__name__)

TAGS: Final = ("pimatic", "rule")
"""Under which what rules say is found: by pimatic's clients, and by who looks for rules alone."""
RAN: Final = "last_triggered"
AFTER: Final = "after"
QUEUE: Final = "queue"
BACK: Final = "back:"
QUIET: Final = 0.5
"""Seconds in which a rule that has just run does not run again, unless it says otherwise."""
MAX_WAITING: Final = 10
MOST_AT_ONCE: Final = 1000
"""Runs of a rule that rules started, without any time between: where a circle that splits up ends."""
PATIENCE: Final = 10.0
"""Seconds that an action may take that another program carries out."""
_FAULT: Final = "it has a fault; the log of the hub says more"


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What a rule is to do, and why. result: which of its sides."""

    result: Result
    trigger: str
    cause: Cause
    finding: Finding | None = None


class _Run:
    """One run, or a part of it that comes later."""

    __slots__ = ("context", "rule", "trace_id", "trouble")

    def __init__(self, rule: BoundRule, trace_id: int, context: Context) -> None:
        self.rule = rule
        self.trace_id = trace_id
        self.context = context
        self.trouble = ""


class _Busy:
    """What a rule is doing."""

    __slots__ = ("last_at", "last_result", "queued", "under_way")

    def __init__(self) -> None:
        self.last_at = float("-inf")
        self.last_result: Result | None = None
        self.under_way = 0
        self.queued = 0


class Runs:
    """All runs of all rules."""

    def __init__(self, home: Home, clock: Clock, tasks: Tasks, traces: Traces) -> None:
        self._home = home
        self._clock = clock
        self._tasks = tasks
        self._traces = traces
        self._scope = HomeScope(home)
        self._busy: dict[str, _Busy] = {}
        self._at_once: dict[str, int] = {}

    # ------------------------------------------------------------------ starting

    def ask(self, rule: BoundRule, wanted: Wanted) -> None:
        """Let a rule do something, as soon as the present change has been seen by all, if it may run again now."""
        busy = self._busy.get(rule.rule.id)
        if busy is None:
            busy = self._busy[rule.rule.id] = _Busy()
        again, now = rule.rule.again, self._clock.monotonic()
        if again == "ignore" and busy.last_result == wanted.result and now - busy.last_at <= QUIET:
            self._refuse(rule, wanted, f"it has run less than {QUIET:g} s ago")
            return
        if self._goes_round(rule, wanted):
            return
        if again == "queue" and self._is_busy(rule, busy):
            self._put_in_queue(rule, wanted, busy)
            return
        if again == "restart":
            self.call_off(rule, "begins anew")
        busy.last_at, busy.last_result = now, wanted.result
        busy.under_way += 1
        self._home.changes.after(partial(self._begin, rule, wanted, busy))

    def _goes_round(self, rule: BoundRule, wanted: Wanted) -> bool:
        """Whether rules have started it so often that this can only be a circle; that is an error of the rule, once."""
        context = wanted.cause.context
        if context is None or not context.depth:
            return False
        if not self._at_once:
            self._clock.call_later(0, self._at_once.clear)
        count = self._at_once[rule.rule.id] = self._at_once.get(rule.rule.id, 0) + 1
        if count <= MOST_AT_ONCE:
            return False
        why = f"rules have started it {MOST_AT_ONCE} times without any time between: look for rules in a circle"
        self._refuse(rule, wanted, why)
        if count == MOST_AT_ONCE + 1:
            self._home.changes.after(lambda: self._trouble(rule, why, context))
        return True

    def _trouble(self, rule: BoundRule, why: str, context: Context) -> None:
        run = _Run(rule, 0, context)
        run.trouble = why
        self._home.messages.say("error", f"rule {rule.rule.id}: {why}", TAGS, context)
        self._show(run)

    def _begin(self, rule: BoundRule, wanted: Wanted, busy: _Busy) -> None:
        try:
            self.run(rule, wanted)
        finally:
            busy.under_way -= 1  # not before: what it starts itself while it runs has to wait too
        if rule.rule.again == QUEUE:
            self._ended(rule)

    def run(self, rule: BoundRule, wanted: Wanted) -> None:
        """Carry out one side of a rule now."""
        rule_id, number, cause, result = rule.rule.id, self._traces.new_id(), wanted.cause, wanted.result
        run = _Run(rule, number, cause.following(rule.owner))
        did = tuple(
            [
                self._do(run, index, action) if action.after is None else self._do_later(run, result, index, action)
                for index, action in enumerate(_side(rule, result))
            ]
        )
        did = self._as_it_is(f"{BACK}{rule_id}", number, did)
        self._traces.add(Draft(number, rule_id, result, wanted.trigger, cause.told, wanted.finding, cause.at, "", did))
        self._show(run)

    def _show(self, run: _Run) -> None:
        """Its entity says when it ran last, and what went wrong then."""
        facts: Attributes = {RAN: date_text(self._clock.now())}
        if run.trouble:
            facts["last_error"] = run.trouble
        self._home.rules.show(run.rule.rule.id, facts, run.context)

    def _refuse(self, rule: BoundRule, wanted: Wanted, reason: str) -> None:
        number, told = self._traces.new_id(), wanted.cause.told
        self._traces.add(Draft(number, rule.rule.id, "ignored", wanted.trigger, told, wanted.finding, told.at, reason))

    # ------------------------------------------------------------------ one after the other

    def _is_busy(self, rule: BoundRule, busy: _Busy) -> bool:
        return busy.under_way > 0 or any(rule.pending(AFTER))

    def _put_in_queue(self, rule: BoundRule, wanted: Wanted, busy: _Busy) -> None:
        if sum(1 for _ in rule.pending(QUEUE)) >= MAX_WAITING:
            self._refuse(rule, wanted, f"{MAX_WAITING} runs are waiting already")
            return
        cause = wanted.cause
        busy.queued += 1
        user = cause.context.user if cause.context is not None else None
        body: Attributes = {
            "result": wanted.result,
            "trigger": wanted.trigger,
            "text": cause.told.text,
            "at": cause.at,
            "seq": cause.seq,
            "user": user,
            "depth": max(0, cause.following(rule.owner).depth - 1),
        }
        if wanted.finding is not None:
            body[FOUND] = msgspec.to_builtins(KeptFinding.of(wanted.finding), str_keys=True)
        rule.keep(f"{QUEUE}:{busy.queued:06d}", body)

    def _ended(self, rule: BoundRule) -> None:
        """Something is done: who waits for the end of a run may begin."""
        busy = self._busy.get(rule.rule.id)
        if busy is None or rule.rule.again != QUEUE or self._is_busy(rule, busy):
            return
        first = min(rule.pending(QUEUE), key=lambda note: note.name, default=None)
        if first is not None:
            rule.forget(first.name)
            busy.under_way += 1
            wanted = _wanted_in(first, rule.found_before(first))
            self._home.changes.after(lambda: self._begin(rule, wanted, busy))

    # ------------------------------------------------------------------ one action

    def _do(self, run: _Run, index: int, action: Action) -> Did:
        at, began = self._clock.now(), self._clock.monotonic()
        try:
            outcome = action.deed.run(self._home, run.context)
        except HallwayError as error:
            return self._failed(run, action, error.message)
        except Exception:
            log.exception("rule %s: %s has a fault", run.rule.rule.id, action.token)
            return self._failed(run, action, _FAULT)
        back = self._plan_back(run, index, action, outcome.undo)
        if outcome.call is not None and not outcome.call.done:
            self._wait(run, index, action, outcome, back)
            return Did(action.token, "under way", at, self._short(outcome.text), back=back)
        if outcome.call is not None and outcome.call.error is not None:
            return self._failed(run, action, outcome.call.error.message)
        if not outcome.told:
            self._say(run, outcome.text)
        return Did(action.token, "done", at, self._short(outcome.text), None, self._clock.monotonic() - began, back)

    def _wait(self, run: _Run, index: int, action: Action, outcome: Outcome, back: float | None) -> None:
        """Another program carries it out: it is said when that has been done."""
        call, began, at = outcome.call, self._clock.monotonic(), self._clock.now()
        busy = self._busy.setdefault(run.rule.rule.id, _Busy())
        busy.under_way += 1

        def ended(why: str) -> None:
            took = self._clock.monotonic() - began
            busy.under_way -= 1
            if why:
                did = self._failed(run, action, why)
                self._show(run)
            else:
                if not outcome.told:
                    self._say(run, outcome.text)
                did = Did(action.token, "done", at, self._short(outcome.text), None, took, back)
            self._traces.note(run.rule.rule.id, run.trace_id, index, did)
            self._ended(run.rule)

        def done(call: Call) -> None:
            cancel()
            ended(call.error.message if call.error is not None else "")

        def too_late() -> None:
            forget()
            if call is not None:
                self._home.services.give_up(call)
            ended(f"no answer within {PATIENCE:g} s")

        cancel = self._clock.call_later(PATIENCE, too_late)
        forget = call.on_done(done) if call is not None else lambda: None

    def _failed(self, run: _Run, action: Action, why: str) -> Did:
        run.trouble = self._home.messages.hidden(f"{action.token}: {why}")
        self._home.messages.say("error", f"rule {run.rule.rule.id}: {run.trouble}", TAGS, run.context)
        return Did(action.token, "failed", self._clock.now(), self._short(why))

    def _short(self, text: str) -> str:
        """For a trace; without what is secret before it is cut, since it would not be known as such any more."""
        return text if len(text) <= MAX_TEXT else f"{self._home.messages.hidden(text)[: MAX_TEXT - 1]}…"

    def _say(self, run: _Run, text: str) -> None:
        if run.rule.rule.logging:
            self._home.messages.say("info", f"rule {run.rule.rule.id}: {text}", TAGS, run.context)

    # ------------------------------------------------------------------ after a while

    def _do_later(self, run: _Run, result: Result, index: int, action: Action) -> Did:
        try:
            seconds = action.after.seconds(self._scope) if action.after is not None else 0.0
        except HallwayError as error:
            return self._failed(run, action, error.message)
        return self._plan(run, result, index, action, seconds)

    def _plan(self, run: _Run, result: Result, index: int, action: Action, seconds: float) -> Did:
        rule = run.rule
        name = f"{AFTER}:{result}:{index}" + (f":{run.trace_id}" if rule.rule.again == "together" else "")
        before = rule.note(name)
        if before is not None:
            self._note_called_off(rule, before, "planned anew")
            self._say(run, f"{action.token} is put off again, by {action.after.text if action.after else ''}")
        body: Attributes = {
            "result": result,
            "index": index,
            "trace": run.trace_id,
            "seq": run.context.cause,
            "user": run.context.user,
            **_chain(run, seconds),
        }
        rule.plan(name, seconds, body, lambda late: self._due(rule, name, body, late))
        now = self._clock.now()
        return Did(action.token, "planned", now, due=now + seconds)

    def _due(self, rule: BoundRule, name: str, body: Attributes, late: float) -> None:
        rule.forget(name)
        index, trace_id, action = _planned(rule, body)
        if action is None:
            return
        limit = rule.rule.late * 60
        if late > limit:
            text = f"skipped: it came {late:.0f} s late, {limit:.0f} s are allowed"
            did = Did(action.token, "called off", self._clock.now(), text)
        else:
            run = _Run(rule, trace_id, msgspec.structs.replace(context_in(body), origin=rule.owner))
            did = self._do(run, index, action)
            self._show(run)
        self._traces.note(rule.rule.id, trace_id, index, did)
        self._ended(rule)

    def resume(self, rule: BoundRule) -> None:
        """Go on with what was planned before the restart."""
        for note in list(rule.pending(AFTER)):
            if rule.note(note.name) is None or _planned(rule, note.body)[2] is None:
                rule.forget(note.name)
            else:
                self._resume(rule, note)
        if any(rule.pending(QUEUE)):
            self._busy.setdefault(rule.rule.id, _Busy()).queued = max(_number(note) for note in rule.pending(QUEUE))
            self._clock.call_later(0, lambda: self._ended(rule))

    def _resume(self, rule: BoundRule, note: Note) -> None:
        rule.resume(note, lambda late: self._due(rule, note.name, note.body, late))

    def call_off(self, rule: BoundRule, why: str, *, say: bool = False) -> None:
        """Nothing of what was planned shall be done, but for what is to be put back. say: tell it in the messages."""
        for note in list(rule.pending(AFTER)):
            rule.forget(note.name)
            self._note_called_off(rule, note, why)
            action = _planned(rule, note.body)[2]
            if say and action is not None:
                self._say(_Run(rule, 0, Context(rule.owner)), f"{action.token} is called off, since the rule {why}")
        for note in list(rule.pending(QUEUE)):
            rule.forget(note.name)

    def forget(self, rule_id: str) -> None:
        """The rule is another one now, or gone."""
        self._busy.pop(rule_id, None)

    def _note_called_off(self, rule: BoundRule, note: Note, why: str) -> None:
        index, trace_id, action = _planned(rule, note.body)
        if action is not None:
            did = Did(action.token, "called off", self._clock.now(), f"the rule {why}")
            self._traces.note(rule.rule.id, trace_id, index, did)

    # ------------------------------------------------------------------ and back again

    def _plan_back(self, run: _Run, index: int, action: Action, undo: Undo | None) -> float | None:
        """Put it back after a while, to what it was before the first of several runs; when that will be."""
        if action.duration is None:
            return None
        owner = f"{BACK}{run.rule.rule.id}"
        try:
            seconds = action.duration.seconds(self._scope)
        except HallwayError as error:
            self._failed(run, action, error.message)
            return None
        if undo is None:
            self._say(run, f"{action.token}: there is nothing that it could go back to")
            return None
        name = f"{undo.device_id}.{undo.action}"
        before = self._tasks.get(owner, name)
        if before is not None:
            undo = _undo_in(before)
            self._say(run, f"{action.token} stays for another {action.duration.text}")
        body: Attributes = {
            "rule": run.rule.rule.id,
            "device": undo.device_id,
            "action": undo.action,
            "arguments": dict(undo.arguments),
            "text": undo.text,
            "logging": run.rule.rule.logging,
            "trace": run.trace_id,
            "index": index,
            "seq": run.context.cause,
            "user": run.context.user,
            **_chain(run, seconds),
        }
        self._tasks.plan(owner, name, seconds, body, lambda _late: self._put_back(Note(owner, name, body)))
        if before is not None:
            self._note_back(run.rule.rule.id, before, "")
        return self._clock.now() + seconds

    def resume_all_back(self) -> None:
        """Go on with everything that is to be put back, however late it is: nothing stays as a rule left it."""
        for note in [note for note in self._tasks.all() if note.owner.startswith(BACK)]:
            self._resume_back(note)

    def _resume_back(self, note: Note) -> None:
        self._tasks.resume(note, lambda _late: self._put_back(note))

    def _put_back(self, note: Note) -> None:
        self._tasks.drop(note.owner, note.name)
        undo, rule_id = _undo_in(note), str(note.body.get("rule"))
        context = msgspec.structs.replace(context_in(note.body), origin=f"rule:{rule_id}")
        try:
            text = undo.text.replace("{name}", self._home.device(undo.device_id).name)
            undo.run(self._home, context)
        except HallwayError as error:
            text = f"{undo.action} of {undo.device_id}: {error}"
            self._home.messages.say("error", f"rule {rule_id}: {text}", TAGS, context)
        else:
            if note.body.get("logging"):
                self._home.messages.say("info", f"rule {rule_id}: {text}", TAGS, context)
        self._note_back(rule_id, note, text)

    def _note_back(self, rule_id: str, note: Note, text: str) -> None:
        """Its run has nothing to be put back there any more; text: what was done."""
        trace_id, index = note.body.get("trace"), note.body.get("index")
        trace = self._traces.get(rule_id, trace_id) if isinstance(trace_id, int) else None
        if trace is None:
            return
        for number, did in enumerate(self._as_it_is(note.owner, trace.id, trace.did)):
            if did is not trace.did[number]:
                said = f"{did.text}; {self._short(text)}" if number == index and text else did.text
                self._traces.note(rule_id, trace.id, number, msgspec.structs.replace(did, text=said))

    def _as_it_is(self, owner: str, trace_id: int, did: tuple[Did, ...]) -> tuple[Did, ...]:
        """Without a time at which it is put back, where another action or run sees to that by now."""
        for each in did:
            if each.back is not None:
                break
        else:
            return did
        notes = self._tasks.of(owner).values()
        left = {note.body.get("index") for note in notes if note.body.get("trace") == trace_id}
        return tuple(
            each if each.back is None or number in left else msgspec.structs.replace(each, back=None)
            for number, each in enumerate(did)
        )


def _side(rule: BoundRule, result: object) -> tuple[Action, ...]:
    return rule.sentence.otherwise if result == "otherwise" else rule.sentence.deeds


def _planned(rule: BoundRule, body: Attributes) -> tuple[int, int, Action | None]:
    """Which action of a rule, by its index, of which run was planned."""
    index, trace_id, actions = body.get("index"), body.get("trace"), _side(rule, body.get("result"))
    known = isinstance(index, int) and 0 <= index < len(actions)
    return (
        index if isinstance(index, int) else 0,
        trace_id if isinstance(trace_id, int) else 0,
        actions[index] if known and isinstance(index, int) else None,
    )


def _chain(run: _Run, seconds: float) -> Attributes:
    """How long the chain of causes is, for what follows at once."""
    return {"depth": run.context.depth} if seconds < SOON else {}


def _undo_in(note: Note) -> Undo:
    arguments = note.body.get("arguments")
    known = arguments if isinstance(arguments, dict) else {}
    return Undo(str(note.body.get("device")), str(note.body.get("action")), known, str(note.body.get("text", "")))


def _wanted_in(note: Note, finding: Finding | None) -> Wanted:
    """A run that waited goes on with the chain of causes, which ends at its limit however often it waits."""
    body, at = note.body, note.body.get("at")
    moment = float(at) if isinstance(at, int | float) else 0.0
    cause = Cause(moment, str(body.get("text")), context=context_in(body), at_once=True)
    return Wanted("otherwise" if body.get("result") == "otherwise" else "ran", str(body.get("trigger")), cause, finding)


def _number(note: Note) -> int:
    number = note.name.partition(":")[2]
    return int(number) if number.isdigit() else 0
