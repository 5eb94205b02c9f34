"""A rule with an expression starts whenever the expression comes true, whatever its variables hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.errors import HallwayError
from hallway.home.values import Attributes, Value
from hallway.language.conditions import Comparator, Compares
from hallway.language.deeds import HomeScope
from hallway.rules.comparing import holds
from tests.rules.houses import RuledHouse

values: st.SearchStrategy[Value] = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([0.5, 2.0, 1e15, 2**53, 2**60, 1e300, -1e300]),
    st.sampled_from([None, True, "2 apples", "apples", "", [3], {"a": 1}]),
)
comparisons = st.tuples(
    st.sampled_from(["$x + $y", "$x", "$x * $y - 1", "$x / $y", "round($x) + $y", "($x - $y) * 2"]),
    st.sampled_from([">", "<", "=", "!=", ">=", "<="]),
    st.sampled_from(["$y", "3", "$y / 2", "$x + 1", "9007199254740992"]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(comparisons, min_size=1, max_size=4), st.lists(st.tuples(st.sampled_from(["x", "y"]), values), max_size=9)
)
def test_rules_start_when_it_comes_true(asked: list[tuple[str, str, str]], told: list[tuple[str, Value]]) -> None:
    rules: list[Attributes] = [{"rule": f'when {" ".join(each)} then log "now"', "again": "together"} for each in asked]
    house = RuledHouse(*rules, variables=({"name": "x", "value": 0}, {"name": "y", "value": 0}))
    tests = [bound.predicates[0].predicate.test for bound in house.engine._bound.values()]
    known = [_is_true(house, test) for test in tests]
    for name, value in told:
        house.said.clear()
        house.set(name, value)
        truths = [_is_true(house, test) for test in tests]
        came = [number for number, truth in enumerate(truths) if truth and not known[number]]
        assert sorted(house.said) == [f"rule r{number}: now" for number in came]
        known = truths


def _is_true(house: RuledHouse, test: object) -> bool:
    assert isinstance(test, Compares)
    scope, sign = HomeScope(house.home), test.comparator
    try:
        return holds(test.left.result(scope), sign, test.right.result(scope))
    except HallwayError:
        return False


@pytest.mark.parametrize("sign", [">", "!="])
def test_an_attribute_of_a_device_may_stand_in_it(sign: Comparator) -> None:
    house = RuledHouse(f'when $air.temperature + 1 {sign} $x then log "warm"')
    house.warm(20)
    house.set("x", 21)
    house.wait(1)
    house.warm(21)
    assert house.heard() == ["warm", "warm"]


def test_what_cannot_be_decided_is_said_and_the_others_are_decided() -> None:
    house = RuledHouse('when $x + $y > 1 then log "sum"', 'when $y - 1 < $x then log "difference"')
    house.set("word", "a")
    house.set("x", "apples")
    assert [line for line in house.errors if "cannot be decided" in line]
    house.set("x", 5)
    assert {line.partition(": ")[2] for line in house.said} == {"sum", "difference"}
