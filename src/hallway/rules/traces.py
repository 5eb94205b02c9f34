"""What rules did and why, or why not: a trace for every run and every near miss, and the last ones of each rule.

All are given to a keeper, which has them for weeks and over a restart. What repeats itself word for word is counted and
not written again. In memory they are drafts, which become traces when they are read or written, since a thousand rules
may decide at once; only then what is secret is taken out of their texts. It must not know how a rule runs, nor where
traces are kept, nor what is secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

import msgspec

from hallway.home.values import Value
from hallway.language.conditions import Predicate
from hallway.rules.causes import MAX_TEXT, Told

Result = Literal["ran", "otherwise", "condition false", "ignored", "skipped", "cancelled"]
DID: Final[frozenset[Result]] = frozenset({"ran", "otherwise"})
State = Literal["done", "under way", "planned", "failed", "called off"]
_TO_COME: Final = frozenset({"under way", "planned"})

KEPT_RUNS: Final = 10
KEPT_MISSES: Final = 5
KEPT_RULES: Final = 20_000
NUMBERS: Final = 1000
"""So many numbers are reserved at a time."""


# gc=False: plain values never form a circle, and a hundred thousand traces would hold up a hub each time the collector
# goes through them.


class Seen(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A predicate as it was found. age: for how many seconds its newest value had been so; why: error, if any."""

    token: str
    truth: bool
    values: dict[str, Any] = {}
    age: float | None = None
    triggered: bool = False
    why: str = ""


class Did(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An action of a run. text: what was done, or why not; due: when it will be; took: seconds."""

    token: str
    state: State
    at: float
    text: str = ""
    due: float | None = None
    took: float | None = None
    back: float | None = None
    """When it is put back (`for`), until that has happened."""


class Trace(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One evaluation of a rule that mattered.

    trigger: the predicate, or who asked; cause: what made it true; seq: the change that it was; late: seconds; reason:
    why nothing was done; times, last_at: how often the same was seen again, and when last.
    """

    id: int
    rule_id: str
    at: float
    result: Result
    trigger: str
    cause: str
    seq: int | None = None
    user: str | None = None
    origin: str = ""
    late: float = 0.0
    reason: str = ""
    seen: tuple[Seen, ...] = ()
    did: tuple[Did, ...] = ()
    times: int = 1
    last_at: float = 0.0


NOTHING: Final[Mapping[int, Any]] = MappingProxyType({})


class Finding(msgspec.Struct, frozen=True, gc=False):
    """How the predicates of a condition were found at a moment.

    started: the sum of 2 to the place of each that had just come true; asked: the names at which each looks; facts: the
    value of each of these names and its time; why: what could not be decided, since: what lasts, both by place.
    """

    at: float
    predicates: tuple[Predicate, ...]
    truths: tuple[bool, ...]
    started: int
    asked: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[Any, float | None], ...]
    why: Mapping[int, str]
    since: Mapping[int, float]

    def seen(self) -> tuple[Seen, ...]:
        """For the trace, one by one."""
        facts = iter(self.facts)
        return tuple(self._seen(place, {name: next(facts) for name in names}) for place, names in enumerate(self.asked))

    def _seen(self, place: int, facts: dict[str, tuple[Any, float | None]]) -> Seen:
        values = {name: value for name, (value, _) in facts.items()}
        told = [updated for _, updated in facts.values() if updated is not None]
        age = max(0.0, self.at - max(told)) if told else None
        if place in self.since:
            age = self.at - self.since[place]
        started = bool(self.started >> place & 1)
        return Seen(self.predicates[place].token, self.truths[place], values, age, started, self.why.get(place, ""))

    def reason(self) -> str:
        """Which parts of the condition were not true."""
        missing = [
            f"“{predicate.token}”" + (f" ({self.why[place]})" if place in self.why else "")
            for place, (predicate, truth) in enumerate(zip(self.predicates, self.truths, strict=True))
            if not truth
        ]
        return f"not true: {', '.join(missing)}"[:MAX_TEXT]

    def is_like(self, other: Finding) -> bool:
        """Whether the same was true of the same sentence."""
        return self.truths == other.truths and (
            self.predicates is other.predicates
            or [mine.token for mine in self.predicates] == [its.token for its in other.predicates]
        )


class KeptFinding(msgspec.Struct, frozen=True, gc=False):
    """What of a finding must be kept over a restart, where the sentence is kept anyway."""

    at: float
    truths: tuple[bool, ...]
    started: int
    facts: tuple[tuple[Any, float | None], ...]
    why: dict[int, str]
    since: dict[int, float]

    @classmethod
    def of(cls, finding: Finding) -> KeptFinding:
        """To be written down."""
        why, since = dict(finding.why), dict(finding.since)
        return cls(finding.at, finding.truths, finding.started, finding.facts, why, since)

    def finding(self, predicates: tuple[Predicate, ...], asked: tuple[tuple[str, ...], ...]) -> Finding | None:
        """As it was; None if it is of another sentence."""
        if len(self.truths) != len(predicates) or len(self.facts) != sum(map(len, asked)):
            return None
        return Finding(self.at, predicates, self.truths, self.started, asked, self.facts, self.why, self.since)


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A trace that nobody has read yet. reason: empty where it follows from the finding."""

    id: int
    rule_id: str
    result: Result
    trigger: str
    told: Told
    finding: Finding | None
    at: float
    reason: str = ""
    did: tuple[Did, ...] = ()
    times: int = 1

    def is_like(self, other: Draft) -> bool:
        """Whether it says the same as another of the same rule, but for the time."""
        mine, its = self.finding, other.finding
        return (
            self.trigger == other.trigger
            and self.result == other.result
            and self.reason == other.reason
            and (
                mine is its
                if mine is None or its is None
                else mine.is_like(its) and (bool(self.reason) or mine.why == its.why)
            )
        )

    def trace(self) -> Trace:
        """As it is read and written."""
        told, finding, acted = self.told, self.finding, self.result in DID
        return Trace(
            id=self.id,
            rule_id=self.rule_id,
            at=self.at,
            result=self.result,
            trigger=self.trigger,
            cause=told.text,
            seq=told.seq,
            user=told.user if acted else None,
            origin=told.origin if acted else "",
            late=told.late,
            reason=finding.reason() if finding is not None and not acted and not self.reason else self.reason,
            seen=finding.seen() if finding is not None else (),
            did=self.did,
            times=self.times,
            last_at=told.at,
        )


Kept = Draft | Trace
"""What was kept over a restart is no draft any more."""


Hide = Callable[[str], str]
"""Takes out of a text what is secret; for whatever thread."""


def whole(kept: Kept, hide: Hide = str) -> Trace:
    """As it is read and written."""
    trace = kept.trace() if isinstance(kept, Draft) else kept
    texts = [trace.trigger, trace.cause, trace.reason]
    for seen in trace.seen:
        texts += (seen.token, seen.why)
    for did in trace.did:
        texts += (did.token, did.text)
    together = "\n".join(texts)
    if hide(together) == together:  # as nearly always; all at once takes a fraction of the time
        return trace
    return msgspec.structs.replace(
        trace,
        trigger=hide(trace.trigger),
        cause=hide(trace.cause),
        reason=hide(trace.reason),
        seen=tuple(msgspec.structs.replace(seen, token=hide(seen.token), why=hide(seen.why)) for seen in trace.seen),
        did=tuple(msgspec.structs.replace(did, token=hide(did.token), text=hide(did.text)) for did in trace.did),
    )


def goes_on(kept: Kept) -> bool:
    """Whether something of it is still to come."""
    for did in kept.did:  # noqa: SIM110 - a thousand rules may ask at once, and any() takes twice as long
        if did.back is not None or did.state in _TO_COME:
            return True
    return False


class TraceKeeper(Protocol):
    """What keeps traces, for weeks and over a restart."""

    def reserve(self, upto: int) -> None:
        """Numbers up to that one may be in use."""
        ...

    def keep(self, kept: Kept, *, goes_on: bool) -> None:
        """Keep it, or what it has become by now. goes_on: something of it is still to come."""
        ...

    def take_back(self, kept: Kept) -> None:
        """It was given a moment ago and is none after all."""
        ...


class _OfRule:
    """The last traces of one rule. Short lists: a deque is a thousand bytes large, also an empty one."""

    __slots__ = ("misses", "runs")

    def __init__(self) -> None:
        self.runs: list[Kept] = []
        self.misses: list[Draft] = []


class Traces:
    """The last traces of all rules, and all runs of which something is to come."""

    def __init__(self, keeper: TraceKeeper | None = None, hide: Hide = str) -> None:
        self._keeper = keeper
        self._hide = hide
        self._rules: dict[str, _OfRule] = {}
        self._open: dict[int, Kept] = {}
        self._most_runs, self._most_misses = KEPT_RUNS, KEPT_MISSES
        self._next = 1
        self._reserved = 0

    def keep(self, most: int) -> None:
        """Keep that many runs and as many others of each rule; to be called before there is any."""
        self._most_runs = self._most_misses = most

    # ------------------------------------------------------------------ reading

    def of(self, rule_id: str) -> list[Trace]:
        """All that is in memory of a rule, newest last."""
        kept = self._rules.get(rule_id, _OfRule())
        going_on = (trace for trace in self._open.values() if trace.rule_id == rule_id)
        found = {trace.id: trace for trace in (*kept.runs, *kept.misses, *going_on)}
        return [whole(found[number], self._hide) for number in sorted(found)]

    def get(self, rule_id: str, trace_id: int) -> Trace | None:
        """One trace."""
        found = self._get(rule_id, trace_id)
        return whole(found, self._hide) if found is not None else None

    def _get(self, rule_id: str, trace_id: int) -> Kept | None:
        found = self._open.get(trace_id)
        if found is None and rule_id in self._rules:
            kept = self._rules[rule_id]
            found = next((trace for trace in (*kept.runs, *kept.misses) if trace.id == trace_id), None)
        return found

    def find(self, trace_id: int) -> Trace | None:
        """One trace of whatever rule."""
        for rule_id, kept in self._rules.items():
            for traces in (kept.runs, kept.misses):
                if traces and traces[0].id <= trace_id <= traces[-1].id:
                    found = self.get(rule_id, trace_id)
                    if found is not None:
                        return found
        return self.get("", trace_id)

    def run_at(self, rule_id: str, seq: int | None, before: float) -> Trace | None:
        """The run that the change with that number led to, or the last one up to a time."""
        runs = [trace for trace in self.of(rule_id) if trace.result in DID and trace.at <= before]
        exact = (trace for trace in reversed(runs) if seq is not None and trace.seq == seq)
        return next(exact, runs[-1] if runs else None)

    def newest_id(self) -> int:
        return self._next - 1

    # ------------------------------------------------------------------ writing

    def new_id(self) -> int:
        """The number of the trace that is being made."""
        number = self._next
        self._next = number + 1
        if number > self._reserved:
            self._reserved = number + NUMBERS
            if self._keeper is not None:
                self._keeper.reserve(self._reserved)
        return number

    def add(self, draft: Draft) -> Draft:
        """Keep a draft; one that says the same as the last is counted there. What is kept instead."""
        kept = self._rules.get(draft.rule_id)
        if kept is None:
            if len(self._rules) >= KEPT_RULES:
                self._rules.pop(next(iter(self._rules)))
            kept = self._rules[draft.rule_id] = _OfRule()
        acts = draft.result in DID
        going_on = acts and goes_on(draft)
        if acts:
            self._put(kept.runs, draft)
            if going_on:
                self._open[draft.id] = draft
        else:
            misses = kept.misses
            if misses and misses[-1].is_like(draft):
                before = misses.pop()
                draft = msgspec.structs.replace(draft, id=before.id, at=before.at, times=before.times + 1)
            misses.append(draft)
            if len(misses) > self._most_misses:
                del misses[0]
        if self._keeper is not None:
            self._keeper.keep(draft, goes_on=going_on)
        return draft

    def _put(self, runs: list[Kept], run: Kept) -> None:
        runs.append(run)
        if len(runs) > self._most_runs:
            del runs[0]

    def take_back(self, draft: Draft) -> None:
        """It was written too early: the same cause led to a run after all."""
        kept = self._rules.get(draft.rule_id)
        if kept and kept.misses and kept.misses[-1].id == draft.id and draft.times == 1:
            kept.misses.pop()
            if self._keeper is not None:
                self._keeper.take_back(draft)

    def note(self, rule_id: str, trace_id: int, index: int, did: Did) -> None:
        """An action of a run went on; index: its place among the actions of the run."""
        kept = self._get(rule_id, trace_id)
        if kept is None or index >= len(kept.did):
            return
        changed = msgspec.structs.replace(kept, did=(*kept.did[:index], did, *kept.did[index + 1 :]))
        going_on = goes_on(changed)
        if going_on:
            self._open[trace_id] = changed
        else:
            self._open.pop(trace_id, None)
        runs = self._rules[rule_id].runs if rule_id in self._rules else []
        place = next((number for number, each in enumerate(runs) if each.id == trace_id), None)
        if place is not None:
            runs[place] = changed
        if self._keeper is not None:
            self._keeper.keep(changed, goes_on=going_on)

    def put_back(self, traces: Iterable[Trace]) -> None:
        """They were there before the restart."""
        for trace in traces:
            self._put(self._rules.setdefault(trace.rule_id, _OfRule()).runs, trace)
            if goes_on(trace):
                self._open[trace.id] = trace
            self.count_from(trace.id)

    def count_from(self, trace_id: int) -> None:
        """Numbers up to that one are taken."""
        self._next = max(self._next, trace_id + 1)

    def forget(self, rule_id: str) -> None:
        """The rule is gone; what it still has to put back goes on."""
        self._rules.pop(rule_id, None)


def sentences(trace: Trace) -> Iterator[str]:
    """A trace in words, line by line."""
    late = f", {trace.late:.0f} s late" if trace.late else ""
    yield f"{trace.result}{late}: {trace.trigger}" + (f" ({trace.cause})" if trace.cause != trace.trigger else "")
    if trace.reason:
        yield trace.reason
    for seen in trace.seen:
        values = ", ".join(f"{name} = {_short(value)}" for name, value in seen.values.items())
        age = f" for {seen.age:.1f} s" if seen.age is not None else ""
        yield f"  {'true ' if seen.truth else 'false'} {seen.token}" + (f" [{values}{age}]" if values else "")
    for did in trace.did:
        yield f"  {did.state}: {did.token}" + (f" → {did.text}" if did.text else "")


def _short(value: Value) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
