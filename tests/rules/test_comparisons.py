"""Every signal whose comparison turns is found, and few others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hallway.home.values import Value
from hallway.language.conditions import Comparator
from hallway.rules.comparing import holds_quietly
from hallway.rules.comparisons import Comparisons
from hallway.rules.signals import Signal

values: st.SearchStrategy[Value] = st.one_of(
    st.integers(-5, 5), st.sampled_from([0.5, -1.5, 2.0, float("nan"), float("inf")]), st.booleans(), st.none(),
    st.sampled_from(["a", "b", "5", ""]), st.just([1]),
)  # fmt: skip
comparators: st.SearchStrategy[Comparator] = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


@given(st.lists(st.tuples(comparators, values), max_size=12), st.lists(values, min_size=1, max_size=6))
def test_all_that_turn_are_found(fixed: list[tuple[Comparator, Value]], told: list[Value]) -> None:
    comparisons = Comparisons[Signal]()
    signals = [(Signal(), comparator, value) for comparator, value in fixed]
    for signal, comparator, value in signals:
        comparisons.add(signal, comparator, value)
    last: Value = None
    for number, value in enumerate(told):
        found = comparisons.turned_by(value)
        for signal, comparator, against in signals:
            if number == 0 or holds_quietly(last, comparator, against) != holds_quietly(value, comparator, against):
                assert signal in found
        last = value


def test_a_thousand_thresholds_elsewhere_are_not_looked_at() -> None:
    comparisons = Comparisons[Signal]()
    signals = [Signal() for _ in range(1000)]
    for number, signal in enumerate(signals):
        comparisons.add(signal, ">", number)
    assert len(comparisons.turned_by(-1)) == 1000
    assert comparisons.turned_by(-5) == []
    assert comparisons.turned_by(2.5) == signals[:3]
    comparisons.remove(signals[4])
    assert comparisons.turned_by(5.5) == [signals[3], signals[5]]
    assert len(comparisons) == 999
