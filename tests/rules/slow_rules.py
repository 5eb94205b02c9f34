"""Rules as they are meant, worked out slowly: every predicate is asked at every step, every time is looked at.

Written from the documentation, not from the engine, with which a test compares it. It must not import the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

QUIET = 0.5
Values = Mapping[str, object]


class SlowPredicate(NamedTuple):
    """A source that has a value, or is above one; lasting: for how many seconds; flags as in the language."""

    source: str
    above: int | None = None
    lasting: int = 0
    trigger: bool = False
    condition_only: bool = False

    @property
    def text(self) -> str:
        what = f"{self.source} is on" if self.above is None else f"${self.source} > {self.above}"
        return f"{'trigger: ' if self.trigger else ''}{what}{f' for {self.lasting} seconds' if self.lasting else ''}"

    def holds(self, values: Values) -> bool:
        value = values[self.source]
        return bool(value) if self.above is None else isinstance(value, int) and value > self.above


class SlowRule(NamedTuple):
    """One or two predicates, how they are joined, and when the line is written."""

    first: SlowPredicate
    second: SlowPredicate | None
    joint: str
    after: int
    again: str

    @property
    def text(self) -> str:
        condition = self.first.text + (f" {self.joint} {self.second.text}" if self.second else "")
        return f'when {condition} then log "now" and log "later" after {self.after}.25 seconds'

    @property
    def predicates(self) -> tuple[SlowPredicate, ...]:
        if self.second is None:
            return (self.first,)
        return (self.first, self.second._replace(condition_only=self.joint == "and if"))


class _Lasting:
    def __init__(self, begun: float, *, starts: bool) -> None:
        self.begun = begun
        self.starts = starts
        self.told = False


class SlowHouse:
    """Values, a clock, rules, and what they wrote: (time, rule, line)."""

    def __init__(self, rules: list[SlowRule], values: dict[str, object], now: float) -> None:
        self.rules = rules
        self.values = values
        self.now = now
        self.lines: list[tuple[float, int, str]] = []
        self._known: list[list[bool | None]] = [[p.holds(values) for p in rule.predicates] for rule in rules]
        self._lasting: dict[tuple[int, int], _Lasting] = {}
        self._later: list[list[float]] = [[] for _ in rules]
        self._ran: list[float] = [float("-inf")] * len(rules)
        for number, rule in enumerate(rules):
            for place, predicate in enumerate(rule.predicates):
                if predicate.lasting and predicate.holds(values):
                    self._lasting[number, place] = _Lasting(now, starts=False)

    def tell(self, source: str, value: object) -> None:
        """A source has a value now."""
        self.values[source] = value
        for number, rule in enumerate(self.rules):
            came_true = set()
            for place, predicate in enumerate(rule.predicates):
                truth, known = predicate.holds(self.values), self._known[number][place]
                if predicate.source != source or truth is known:
                    continue
                self._known[number][place] = truth
                if not predicate.lasting:
                    came_true |= {place} if truth and not predicate.condition_only else set()
                elif truth:
                    self._lasting[number, place] = _Lasting(self.now, starts=True)
                else:
                    self._lasting.pop((number, place), None)
            if came_true:
                self._started(number, came_true)

    def wait(self, seconds: int) -> None:
        """All that is due happens at its time."""
        end = self.now + seconds
        while (due := self._first_due()) <= end:
            self.now = due
            self._do_first()
        self.now = end

    def restart(self, seconds: int) -> None:
        """Nobody looks for a while; then all that was due happens at once, in its order."""
        self.now += seconds
        self._ran = [float("-inf")] * len(self.rules)
        while self._first_due() <= self.now:
            self._do_first()

    # ------------------------------------------------------------------ inside

    def _all_due(self) -> list[tuple[float, int, int]]:
        """What is to come: when, of which rule, and of which predicate (-1: a line is written)."""
        lasting = [
            (state.begun + self.rules[number].predicates[place].lasting, number, place)
            for (number, place), state in self._lasting.items()
            if not state.told
        ]
        return sorted(lasting + [(due, number, -1) for number, later in enumerate(self._later) for due in later])

    def _first_due(self) -> float:
        return next((due for due, *_ in self._all_due()), float("inf"))

    def _do_first(self) -> None:
        due, number, place = self._all_due()[0]
        if place < 0:
            self._later[number].remove(due)
            self.lines.append((self.now, number, "later"))
            return
        state = self._lasting[number, place]
        state.told = True
        if state.starts and not self.rules[number].predicates[place].condition_only:
            self._started(number, {place})

    def _started(self, number: int, came_true: set[int]) -> None:
        rule = self.rules[number]
        found = [
            place in came_true or (not predicate.trigger and self._is_true(number, place))
            for place, predicate in enumerate(rule.predicates)
        ]
        if not (any(found) if rule.joint == "or" else all(found)):
            return
        if rule.again == "ignore" and self.now - self._ran[number] <= QUIET:
            return
        self._ran[number] = self.now
        self.lines.append((self.now, number, "now"))
        later = [] if rule.again == "ignore" else self._later[number]
        self._later[number] = [*later, self.now + rule.after + 0.25]

    def _is_true(self, number: int, place: int) -> bool:
        predicate = self.rules[number].predicates[place]
        if predicate.lasting:
            state = self._lasting.get((number, place))
            return state is not None and state.begun + predicate.lasting <= self.now
        return predicate.holds(self.values)
