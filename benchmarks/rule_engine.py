"""One change of a variable while rules run: a thousand that look at it, and ten thousand that look elsewhere.

The time is the processor's for the change itself, until all rules have decided and acted; of several turns the quietest
counts. It must not know how sentences are read.
"""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from benchmarks.errors import BenchmarkError
from benchmarks.stopwatch import memory_like_a_hub, middle_us, p99_us, time_calls
from benchmarks.table import CHANGES, Report, Target, number
from hallway.clock import VirtualClock
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.language.expressions import parse
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.rules.engine import RuleEngine

RULES: Final = 1000
OTHERS: Final = 10_000
ROUNDS: Final = 10
TURNS: Final = 25
MORE_ROUNDS: Final = 10
"""Times as many where a change takes a few microseconds."""
WANTED_MS: Final = 0.5
WANTED_MISSES_MS: Final = 5
WANTED_RUNS_MS: Final = 12
WANTED_MORE_US: Final = 1
LOW: Final = -1
HIGH: Final = 1_000_000
PAUSE: Final = 1.0
"""Seconds of the home's clock between changes: a rule that has just run does not run again at once."""
HERE: Final = Context("benchmark")


class RuledHome:
    """A home with variables and rules that run, and the variable `x` that changes."""

    def __init__(self, rules: Iterable[str], others: Iterable[str] = ()) -> None:
        self._clock = VirtualClock()
        self._home = Home(self._clock, language=parse)
        parser = RuleParser(built_in())
        self._home.rules.language = parser
        self._home.add_variables(tuple({"name": name, "value": LOW} for name in ("x", "y", *others)))
        for index, rule in enumerate(rules):
            self._home.rules.add({"id": f"rule-{index}", "rule": rule, "logging": True})
        self._engine = RuleEngine(self._home, parser, self._clock)
        self._engine.start()

    def set(self, value: float) -> None:
        """Give the variable a value."""
        self._home.set_variable("x", value, HERE)

    def count_up(self, count: int) -> list[float]:
        """Give it so many values: the seconds that each takes."""
        values = iter(range(count))
        return time_calls(lambda: self.set(next(values)), count, now=time.thread_time)

    def wait(self) -> None:
        """Let time pass."""
        self._clock.advance(PAUSE)

    def write_traces(self) -> list[bytes]:
        """The traces of the runs of all rules on the last change, as they are written to the disk later."""
        traces, rule_ids = self._engine.traces, self._home.rules.ids()
        first = traces.newest_id() - len(rule_ids) + 1
        return [msgspec.json.encode(traces.get(rule_id, first + place)) for place, rule_id in enumerate(rule_ids)]

    def evaluated(self) -> int:
        """How often a rule ran, or was looked at and did not run for a reason that is told."""
        return self._engine.traces.newest_id()


@dataclass(frozen=True, slots=True)
class Case:
    """Rules that look at one variable. sentence: of the rule with that index; evaluated: how many have to decide.

    rising: the value is low before each change and high afterwards; otherwise it goes up by one each time.
    wanted_ms: what it should take at most.
    """

    name: str
    sentence: Callable[[int], str]
    evaluated: int
    rising: bool = False
    wanted_ms: float = WANTED_MS


def cases(rules: int) -> tuple[Case, ...]:
    """What is measured with so many rules."""
    return (
        Case("each with a bound, none turns", lambda index: f'when $x > {HIGH + index} then log "high"', 0),
        Case(
            "each with a bound of one sum, none turns",
            lambda index: f'when $x + $y > {HIGH + index} then log "high"',
            0,
        ),
        Case(
            "each with an expression of its own, none turns",
            lambda index: f'when $x + $y * {index + 2} > {HIGH} - $x then log "high"',
            0,
        ),
        Case("each with a bound, one turns and acts", lambda index: f'when $x > {index} then log "high"', 1),
        Case(
            "each hears of it and stays false",
            lambda index: f'when $x > {index} and $y > {index} then log "high"',
            rules,
            rising=True,
            wanted_ms=WANTED_MISSES_MS,
        ),
        Case(
            "all turn and act",
            lambda index: f'when $x > {index} then log "high"',
            rules,
            rising=True,
            wanted_ms=WANTED_RUNS_MS,
        ),
    )


def run(rules: int = RULES, others: int = OTHERS, rounds: int = ROUNDS, turns: int = TURNS) -> Report:
    """Measure every case in turns, and rules on other variables beside none."""
    measured = [Measured(case, rules) for case in cases(rules)]
    names = [f"other-{index}" for index in range(others)]
    none = RuledHome((), names)
    many = RuledHome((f'when ${name} > {HIGH} then log "high"' for name in names), names)
    beside: tuple[list[list[float]], list[list[float]]] = ([], [])
    written: list[list[float]] = []
    with memory_like_a_hub():
        for _ in range(turns):
            for each in measured:
                each.go_on(rounds)
            written.append(measured[-1].write_traces(rounds))
            for home, mine in zip((none, many), beside, strict=True):
                mine.append(home.count_up(rounds * MORE_ROUNDS))
    more = _middle(beside[1]) - _middle(beside[0])
    rows = [
        *(_row(f"{rules} rules, {each.case.name}", each.turns) for each in measured),
        _row(f"{rules} rules, the traces of that when they are written", written),
        _row("no rules", beside[0]),
        _row(f"{others} rules on other variables", beside[1]),
    ]
    targets = [each.target() for each in measured]
    targets.append(Target(f"rules, what {others} on other variables add to a change", WANTED_MORE_US, more, "µs"))
    return Report(CHANGES, tuple(rows), tuple(targets))


class Measured:
    """A case with its home, and what it took in each turn."""

    def __init__(self, case: Case, rules: int) -> None:
        self.case = case
        self.turns: list[list[float]] = []
        self._rules = rules
        self._values = itertools.cycle(range(1, rules + 1))
        self._home = RuledHome(case.sentence(index) for index in range(rules))
        for value in (HIGH - 1, LOW):
            self._home.wait()
            self._home.set(value)

    def go_on(self, rounds: int) -> None:
        """Measure so many changes more. BenchmarkError: not those rules decided that have to."""
        already = self._home.evaluated()
        self.turns.append(time_calls(self._change, rounds, self._before, time.thread_time))
        evaluated = self._home.evaluated() - already
        if evaluated != self.case.evaluated * rounds:
            raise BenchmarkError(
                f"{self.case.name}: {evaluated} rules decided in {rounds} changes, not {self.case.evaluated} in each"
            )

    def write_traces(self, rounds: int) -> list[float]:
        """The seconds that the last traces of all rules take, when they are written."""
        return time_calls(self._home.write_traces, rounds, now=time.thread_time)

    def _change(self) -> None:
        self._home.set(HIGH - 1 if self.case.rising else next(self._values))

    def _before(self) -> None:
        self._home.wait()
        if self.case.rising:
            self._home.set(LOW)

    def target(self) -> Target:
        """What is wanted of it, and what it took."""
        what = f"rules, a change with {self._rules}, {self.case.name}"
        return Target(what, self.case.wanted_ms, _middle(self.turns) / 1e3, "ms")


def _row(what: str, turns: list[list[float]]) -> tuple[str, ...]:
    return (what, number(_middle(turns)), number(min(map(p99_us, turns))))


def _middle(turns: list[list[float]]) -> float:
    """The lowest of the medians: other work on the machine only makes a turn slower."""
    return min(map(middle_us, turns))
