"""Rules as they are meant, worked out slowly: every predicate is asked at every step, every time is looked at.

Written from the documentation, not from the engine, with which a test compares it. It must not import the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

QUIET = 0.5
Values = Mapping[str, object]
_PLACES = {"later": -1, "not later": -2}


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
    """One or two predicates, how they are joined, when the line is written, and whether there is an `else`."""

    first: SlowPredicate
    second: SlowPredicate | None
    joint: str
    after: int
    again: str
    otherwise: bool = False

    @property
    def text(self) -> str:
        condition = self.first.text + (f" {self.joint} {self.second.text}" if self.second else "")
        deeds = f'log "now" and log "later" after {self.after}.25 seconds'
        other = f' else log "not now" and log "not later" after {self.after}.5 seconds' if self.otherwise else ""
        return f"when {condition} then {deeds}{other}"

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
        self._later: list[list[tuple[float, str]]] = [[] for _ in rules]
        self._ran: list[tuple[float, str]] = [(float("-inf"), "")] * len(rules)
        for number, rule in enumerate(rules):
            for place, predicate in enumerate(rule.predicates):
                if predicate.lasting and predicate.holds(values):
                    self._lasting[number, place] = _Lasting(now, starts=False)
        self._held = [self._is_met(number) for number in range(len(rules))]

    def tell(self, source: str, value: object) -> None:
        """A source has a value now."""
        self.values[source] = value
        for number, rule in enumerate(self.rules):
            came_true, came_false = set(), False
            for place, predicate in enumerate(rule.predicates):
                truth, known = predicate.holds(self.values), self._known[number][place]
                if predicate.source != source or truth is known:
                    continue
                self._known[number][place] = truth
                was = not truth
                if not predicate.lasting:
                    came_true |= {place} if truth and not predicate.condition_only else set()
                elif truth:
                    self._lasting[number, place] = _Lasting(self.now, starts=True)
                else:
                    was = self._lasting.pop((number, place)).told
                came_false |= was and not predicate.condition_only and not predicate.trigger
            if came_true or came_false:
                self._turned(number, came_true)

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
        self._ran = [(float("-inf"), "")] * len(self.rules)
        self._held = [self._is_met(number) for number in range(len(self.rules))]
        while self._first_due() <= self.now:
            self._do_first()

    # ------------------------------------------------------------------ inside

    def _all_due(self) -> list[tuple[float, int, int]]:
        """What is to come: when, of which rule, and of which predicate (-1, -2: a line of either side is written)."""
        lasting = [
            (state.begun + self.rules[number].predicates[place].lasting, number, place)
            for (number, place), state in self._lasting.items()
            if not state.told
        ]
        lines = [(due, number, _PLACES[line]) for number, later in enumerate(self._later) for due, line in later]
        return sorted(lasting + lines)

    def _first_due(self) -> float:
        return next((due for due, *_ in self._all_due()), float("inf"))

    def _do_first(self) -> None:
        due, number, place = self._all_due()[0]
        if place < 0:
            line = next(line for line, its_place in _PLACES.items() if its_place == place)
            self._later[number].remove((due, line))
            self.lines.append((self.now, number, line))
            return
        state = self._lasting[number, place]
        state.told = True
        if self.rules[number].predicates[place].condition_only:
            return
        if state.starts:
            self._turned(number, {place})
        else:
            self._held[number] = self._is_met(number)

    def _turned(self, number: int, came_true: set[int]) -> None:
        """Parts of a condition came true, or false if none did."""
        rule = self.rules[number]
        held, self._held[number] = self._held[number], self._is_met(number)
        if self._is_met(number, came_true):
            if came_true:
                self._run(number, "now", "later", 0.25)
        elif rule.otherwise and (held or any(rule.predicates[place].trigger for place in came_true)):
            self._run(number, "not now", "not later", 0.5)

    def _run(self, number: int, now: str, later: str, fraction: float) -> None:
        rule, (ran, side) = self.rules[number], self._ran[number]
        if rule.again == "ignore" and side == now and self.now - ran <= QUIET:
            return
        self._ran[number] = self.now, now
        self.lines.append((self.now, number, now))
        planned = [plan for plan in self._later[number] if rule.again != "ignore" or plan[1] != later]
        self._later[number] = [*planned, (self.now + rule.after + fraction, later)]

    def _is_met(self, number: int, came_true: Collection[int] = ()) -> bool:
        """Whether the condition is true; what is true for a moment only is so at that moment."""
        rule = self.rules[number]
        found = [
            place in came_true or (not predicate.trigger and self._is_true(number, place))
            for place, predicate in enumerate(rule.predicates)
        ]
        return any(found) if rule.joint == "or" else all(found)

    def _is_true(self, number: int, place: int) -> bool:
        predicate = self.rules[number].predicates[place]
        if predicate.lasting:
            state = self._lasting.get((number, place))
            return state is not None and state.begun + predicate.lasting <= self.now
        return predicate.holds(self.values)
