"""What rules did and why, or why not: a trace for every run and every near miss, kept for a while.

They stand in memory; the last runs of each rule are also given to a keeper that survives a restart. What repeats itself
word for word is counted and not written again. It must not know how a rule runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, Protocol

import msgspec

from hallway.home.values import Attributes, Value

Result = Literal["ran", "otherwise", "condition false", "ignored", "skipped", "cancelled"]
DID: Final[frozenset[Result]] = frozenset({"ran", "otherwise"})
State = Literal["done", "under way", "planned", "failed", "called off"]

KEPT_RUNS: Final = 100
KEPT_MISSES: Final = 50
KEPT_RULES: Final = 20_000
RETENTION: Final = 28 * 86_400.0
MAX_TEXT: Final = 500


# gc=False: plain values never form a circle, and a hundred thousand traces would hold up a hub each time the collector
# goes through them.


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A predicate as it was found. age: for how many seconds its newest value had been so; why: error, if any."""

    token: str
    truth: bool
    values: dict[str, Any] = {}
    age: float | None = None
    triggered: bool = False
    why: str = ""


class Did(msgspec.Struct, frozen=True, gc=False):
    """An action of a run. text: what was done, or why not; due: when it will be; took: seconds."""

    token: str
    state: State
    at: float
    text: str = ""
    due: float | None = None
    took: float | None = None
    back: float | None = None
    """When it is put back (`for`), until that has happened."""


class Trace(msgspec.Struct, frozen=True, gc=False):
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

    def as_json(self) -> Attributes:
        """As it is told."""
        told: Attributes = msgspec.to_builtins(self)
        return told

    def is_like(self, other: Trace) -> bool:
        """Whether it says the same as another of the same rule, but for the time."""
        mine = (self.result, self.trigger, self.reason, [(seen.token, seen.truth) for seen in self.seen])
        its = (other.result, other.trigger, other.reason, [(seen.token, seen.truth) for seen in other.seen])
        return mine == its


class TraceKeeper(Protocol):
    """What keeps the last runs over a restart."""

    def keep(self, trace: Trace) -> None:
        """Keep it, or what it has become by now."""
        ...

    def forget(self, rule_id: str) -> None:
        """The rule is gone."""
        ...


class _OfRule:
    """The traces of one rule."""

    __slots__ = ("misses", "runs")

    def __init__(self) -> None:
        self.runs: deque[Trace] = deque(maxlen=KEPT_RUNS)
        self.misses: deque[Trace] = deque(maxlen=KEPT_MISSES)

    def of(self, trace: Trace) -> deque[Trace]:
        return self.runs if trace.result in DID else self.misses


class Traces:
    """The traces of all rules, bounded in number and age."""

    def __init__(self, keeper: TraceKeeper | None = None) -> None:
        self._keeper = keeper
        self._rules: dict[str, _OfRule] = {}
        self._next = 1

    # ------------------------------------------------------------------ reading

    def of(self, rule_id: str) -> list[Trace]:
        """All that is kept of a rule, newest last."""
        kept = self._rules.get(rule_id)
        return sorted((*kept.runs, *kept.misses), key=lambda trace: trace.id) if kept else []

    def get(self, rule_id: str, trace_id: int) -> Trace | None:
        """One trace."""
        return next((trace for trace in self.of(rule_id) if trace.id == trace_id), None)

    def find(self, trace_id: int) -> Trace | None:
        """One trace of whatever rule."""
        for kept in self._rules.values():
            for traces in (kept.runs, kept.misses):
                if traces and traces[0].id <= trace_id <= traces[-1].id:
                    found = next((trace for trace in traces if trace.id == trace_id), None)
                    if found is not None:
                        return found
        return None

    def run_at(self, rule_id: str, seq: int | None, before: float) -> Trace | None:
        """The run that the change with that number led to, or the last one up to a time."""
        kept = self._rules.get(rule_id)
        runs = [trace for trace in kept.runs if trace.at <= before] if kept else []
        exact = (trace for trace in reversed(runs) if seq is not None and trace.seq == seq)
        return next(exact, runs[-1] if runs else None)

    def newest_id(self) -> int:
        return self._next - 1

    # ------------------------------------------------------------------ writing

    def new_id(self) -> int:
        """The number of the trace that is being made."""
        self._next += 1
        return self._next - 1

    def add(self, trace: Trace) -> Trace:
        """Keep a trace; one that says the same as the last is counted there. What is kept instead."""
        kept = self._rules.get(trace.rule_id)
        if kept is None:
            if len(self._rules) >= KEPT_RULES:
                self._rules.pop(next(iter(self._rules)))
            kept = self._rules[trace.rule_id] = _OfRule()
        traces = kept.of(trace)
        if trace.result not in DID and traces and traces[-1].is_like(trace):
            before = traces.pop()
            trace = msgspec.structs.replace(trace, id=before.id, at=before.at, times=before.times + 1, last_at=trace.at)
            traces.append(trace)
            return trace
        _drop_old(traces, trace.at)
        traces.append(trace)
        if trace.result in DID and self._keeper is not None:
            self._keeper.keep(trace)
        return trace

    def take_back(self, trace: Trace) -> None:
        """It was written too early: the same cause led to a run after all."""
        kept = self._rules.get(trace.rule_id)
        if kept and kept.misses and kept.misses[-1].id == trace.id and trace.times == 1:
            kept.misses.pop()

    def note(self, rule_id: str, trace_id: int, index: int, did: Did) -> None:
        """An action of a run went on; index: its place among the actions of the run."""
        runs = self._rules[rule_id].runs if rule_id in self._rules else deque[Trace]()
        for number in range(len(runs) - 1, -1, -1):
            trace = runs[number]
            if trace.id == trace_id and index < len(trace.did):
                changed = (*trace.did[:index], did, *trace.did[index + 1 :])
                runs[number] = msgspec.structs.replace(trace, did=changed)
                if self._keeper is not None:
                    self._keeper.keep(runs[number])
                return

    def put_back(self, traces: Iterable[Trace]) -> None:
        """They were kept before the restart."""
        for trace in sorted(traces, key=lambda trace: trace.id):
            kept = self._rules.setdefault(trace.rule_id, _OfRule())
            kept.runs.append(trace)
            self._next = max(self._next, trace.id + 1)

    def count_from(self, trace_id: int) -> None:
        """Numbers up to that one are taken: something that is planned belongs to it."""
        self._next = max(self._next, trace_id + 1)

    def forget(self, rule_id: str) -> None:
        """The rule is gone."""
        if self._rules.pop(rule_id, None) is not None and self._keeper is not None:
            self._keeper.forget(rule_id)


def _drop_old(traces: deque[Trace], now: float) -> None:
    while traces and traces[0].at < now - RETENTION:
        traces.popleft()


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
