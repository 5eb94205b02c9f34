"""Whatever happens to a house, however often it is killed: its rules do what slow rules do, with a trace of each."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hallway.home.changes import Said
from tests.rules.houses import NOW, RuledHouse
from tests.rules.slow_rules import SlowHouse, SlowPredicate, SlowRule

drawn = st.builds(
    SlowPredicate,
    st.sampled_from(["lamp", "fan"]),
    above=st.none(),
    condition_only=st.just(False),
    lasting=st.sampled_from([0, 0, 3, 7]),
    trigger=st.booleans(),
) | st.builds(
    SlowPredicate,
    st.sampled_from(["x", "y"]),
    above=st.integers(0, 4),
    condition_only=st.just(False),
    lasting=st.sampled_from([0, 0, 5]),
    trigger=st.booleans(),
)
predicates = drawn.map(lambda slow: slow._replace(trigger=slow.trigger and not slow.lasting))
"""What has a trigger is true for a moment only, and cannot last."""
rules = st.builds(
    SlowRule,
    predicates,
    st.none() | predicates,
    st.sampled_from(["and", "or", "and if", "or when"]),
    st.integers(1, 9),
    st.sampled_from(["ignore", "together"]),
    st.booleans(),
)


def joined(slow: SlowRule) -> SlowRule:
    """`or when` means what `or` means; what comes true only for a moment may not be asked by `and if`."""
    second = slow.second
    if second is not None and slow.joint == "and if":
        second = second._replace(trigger=False)
    return slow._replace(second=second, joint="or" if slow.joint == "or when" else slow.joint)


class Life(RuleBasedStateMachine):
    """A house and its slow twin."""

    @initialize(
        chosen=st.lists(rules.map(joined), min_size=1, max_size=5),
        values=st.fixed_dictionaries(
            {"lamp": st.booleans(), "fan": st.booleans(), "x": st.integers(0, 6), "y": st.integers(0, 6)}
        ),
    )
    def move_in(self, chosen: list[SlowRule], values: dict[str, int]) -> None:
        self.slow = SlowHouse(chosen, dict(values), NOW)
        self.house = RuledHouse()
        for source in ("lamp", "fan"):
            self.house.turn(source, bool(values[source]))
        for source in ("x", "y"):
            self.house.set(source, values[source])
        for number, each in enumerate(chosen):
            self.house.rule(each.text, f"r{number}", again=each.again, late=60)
        self.house.restart()  # to a new rule the first thing that it hears is news, also when it was so before
        self.lines: list[tuple[float, int, str]] = []
        self.seen = 0

    @rule(source=st.sampled_from(["lamp", "fan"]), on=st.booleans())
    def turn(self, source: str, on: bool) -> None:
        if self.house.on(source) is not on:
            self.slow.tell(source, on)
        self.house.turn(source, on)

    @rule(source=st.sampled_from(["x", "y"]), value=st.integers(0, 6))
    def set(self, source: str, value: int) -> None:
        self.house.set(source, value)
        self.slow.tell(source, value)

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.house.wait(seconds)
        self.slow.wait(seconds)

    @rule(seconds=st.integers(0, 20))
    def restart(self, seconds: int) -> None:
        self.collect()
        self.house.restart(after=seconds)
        self.seen = 0
        self.slow.restart(seconds)

    def collect(self) -> None:
        """The lines that were written since the last look."""
        for change in self.house.changes[self.seen :]:
            if isinstance(change, Said):
                rule_id, _, text = change.message.text.partition(": ")
                if text in {"now", "later", "not now", "not later"}:
                    self.lines.append((change.at, int(rule_id.removeprefix("rule r")), text))
        self.seen = len(self.house.changes)

    @invariant()
    def it_did_what_slow_rules_do(self) -> None:
        self.collect()
        assert self.house.errors == []
        assert sorted(self.lines) == sorted(self.slow.lines)

    @invariant()
    def every_line_stands_in_a_trace(self) -> None:
        """Of what was traced in memory; over a restart not every run of a busy rule is kept."""
        traces = [trace for number in range(len(self.slow.rules)) for trace in self.house.traces(f"r{number}")]
        for trace in traces:
            assert trace.result not in {"ran", "otherwise"} or trace.did[0].state == "done"
            assert all(did.state in {"done", "planned", "called off"} for did in trace.did)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
