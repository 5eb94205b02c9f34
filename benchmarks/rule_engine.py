"""One change of a variable while rules run: a thousand that look at it, and ten thousand that look elsewhere.

The time is that of the change itself, until all rules have decided and acted. It must not know how sentences are read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

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
ROUNDS: Final = 200
TURNS: Final = 5
WANTED_MS: Final = 1
WANTED_MORE_US: Final = 2
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
        return time_calls(lambda: self.set(next(values)), count)

    def wait(self) -> None:
        """Let time pass."""
        self._clock.advance(PAUSE)

    def evaluated(self) -> int:
        """How often a rule ran, or was looked at and did not run for a reason that is told."""
        return self._engine.traces.newest_id()


@dataclass(frozen=True, slots=True)
class Case:
    """Rules that look at one variable. sentence: of the rule with that index; evaluated: how many have to decide.

    rising: the value is low before each change and high afterwards; otherwise it goes up by one each time.
    """

    name: str
    sentence: Callable[[int], str]
    evaluated: int
    rising: bool = False
    has_target: bool = True


def cases(rules: int) -> tuple[Case, ...]:
    """What is measured with so many rules."""
    return (
        Case("each with a bound, none turns", lambda index: f'when $x > {HIGH + index} then log "high"', 0),
        Case("each with an expression, none turns", lambda index: f'when $x + $y > {HIGH + index} then log "high"', 0),
        Case("each with a bound, one turns and acts", lambda index: f'when $x > {index} then log "high"', 1),
        Case(
            "each hears of it and stays false",
            lambda index: f'when $x > {index} and $y > {index} then log "high"',
            rules,
            rising=True,
            has_target=False,
        ),
        Case(
            "all turn and act",
            lambda index: f'when $x > {index} then log "high"',
            rules,
            rising=True,
            has_target=False,
        ),
    )


def run(rules: int = RULES, others: int = OTHERS, rounds: int = ROUNDS) -> Report:
    """Measure every case, and then rules on other variables."""
    rows, targets = list[tuple[str, ...]](), list[Target]()
    for case in cases(rules):
        seconds = _measure(case, rules, min(rounds, rules))
        rows.append(_row(f"{rules} rules, {case.name}", seconds))
        if case.has_target:
            what = f"rules, a change with {rules}, {case.name}"
            targets.append(Target(what, WANTED_MS, middle_us(seconds) / 1e3, "ms"))
    none, many = _measure_others(others, rounds)
    more = middle_us(many) - middle_us(none)
    rows += [_row("no rules", none), _row(f"{others} rules on other variables", many)]
    targets.append(Target(f"rules, what {others} on other variables add to a change", WANTED_MORE_US, more, "µs"))
    return Report(CHANGES, tuple(rows), tuple(targets))


def _measure(case: Case, rules: int, rounds: int) -> list[float]:
    home = RuledHome(case.sentence(index) for index in range(rules))
    for value in (HIGH - 1, LOW):
        home.wait()
        home.set(value)
    values = iter(range(1, rounds + 1))

    def before() -> None:
        home.wait()
        if case.rising:
            home.set(LOW)

    with memory_like_a_hub():
        already = home.evaluated()
        seconds = time_calls(lambda: home.set(HIGH - 1 if case.rising else next(values)), rounds, before)
    evaluated = home.evaluated() - already
    if evaluated != case.evaluated * rounds:
        raise BenchmarkError(
            f"{case.name}: {evaluated} rules decided in {rounds} changes, not {case.evaluated} in each"
        )
    return seconds


def _measure_others(others: int, rounds: int) -> tuple[list[float], list[float]]:
    """A home without rules and one with many, in turns."""
    names = [f"other-{index}" for index in range(others)]
    homes = (
        RuledHome((), names),
        RuledHome((f'when ${name} > {HIGH} then log "high"' for name in names), names),
    )
    seconds: tuple[list[float], list[float]] = ([], [])
    with memory_like_a_hub():
        for _ in range(TURNS):
            for home, mine in zip(homes, seconds, strict=True):
                mine.extend(home.count_up(rounds))
    return seconds


def _row(what: str, seconds: Sequence[float]) -> tuple[str, ...]:
    return (what, number(middle_us(seconds)), number(p99_us(seconds)))
