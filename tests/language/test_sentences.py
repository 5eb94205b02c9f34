"""How predicates and actions are joined, bracketed, delayed and held."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.language.conditions import AttributeIs, Condition, Predicate
from hallway.language.deeds import DeviceDeed
from hallway.language.matching import RuleError
from hallway.language.sentences import MAX_ACTIONS, MAX_BRACKETS, MAX_PREDICATES
from tests.home.homes import a_device
from tests.language.rule_house import RuleHouse


def shape(tree: Condition) -> Any:
    """A tree as nested tuples, predicates as their first letter."""
    if isinstance(tree, Predicate):
        return tree.token[0]
    return (shape(tree.left), tree.joint, shape(tree.right))


L, F, D = "lamp is on", "fan is on", "dimmer is on"


@pytest.mark.parametrize(
    ("condition", "tree"),
    [
        (L, "l"),
        (f"{L} and {F}", ("l", "and", "f")),
        (f"{L} and {F} or {D}", (("l", "and", "f"), "or", "d")),
        (f"{L} or {F} and {D}", ("l", "or", ("f", "and", "d"))),
        (f"{L} and {F} and {D}", (("l", "and", "f"), "and", "d")),
        (f"{L} or when {F} and {D}", ("l", "or when", ("f", "and", "d"))),
        (f"{L} or {F} or {D}", ("l", "or", ("f", "or", "d"))),
        (f"{L} or {F} and if {D}", ("l", "or", ("f", "and if", "d"))),
        (f"{L} and if {F} or {D}", ("l", "and if", ("f", "or", "d"))),
        (f"{L} or {F} or when {D}", (("l", "or", "f"), "or when", "d")),
        (f"{L} and if {F} or when {D}", (("l", "and if", "f"), "or when", "d")),
        (f"{L} or when {F} or when {D}", (("l", "or when", "f"), "or when", "d")),
        (f"{L} or {F} and {D} or when {L}", ("l", "or", (("f", "and", "d"), "or when", "l"))),
        (f"{L} or [{F}] or when {D}", ("l", "or", ("f", "or when", "d"))),
        (f"[{L} and if {F}] or {D}", (("l", "and if", "f"), "or", "d")),
        (f"[[{L}] or when {F}] and {D}", (("l", "or when", "f"), "and", "d")),
        (f"[{L}]", "l"),
        (f"[ {L} ]", "l"),
        (f"{L} and [{F} or {D}]", ("l", "and", ("f", "or", "d"))),
        (f"[[{L} or {F}] and {D}]", (("l", "or", "f"), "and", "d")),
        (f"{L} and if [{F} or {D}]", ("l", "and if", ("f", "or", "d"))),
    ],
)
def test_and_joins_the_next_part_and_the_others_all_up_to_the_next_or_when(
    house: RuleHouse, condition: str, tree: object
) -> None:
    assert shape(house.rule(f'when {condition} then log "x"').tree) == tree


def test_what_counts_for_a_moment_cannot_last(house: RuleHouse) -> None:
    error = house.wrong(f'when trigger: {L} for 5 minutes then log "x"')
    assert error.position == len(f"when trigger: {L}")


@pytest.mark.parametrize("action", ['after 5 minutes log "x"', 'after 5 minuteslog "x"', 'after 5mlog "x"'])
def test_behind_a_delay_a_space_may_stand(house: RuleHouse, action: str) -> None:
    (read,) = house.rule(f"when {L} then {action}").deeds
    assert read.after
    assert (read.token, read.after.amount.text) == ('log "x"', "5")


def test_else_wants_an_action(house: RuleHouse) -> None:
    assert house.action_hints('log "x" else ')["errors"]


@pytest.mark.parametrize(
    "condition", [f"[{L} or when {F}]", f"{D} and [{L} or {F} or when {D}]", f"{L} or when [{F} or when {D}]"]
)
def test_or_when_does_not_end_a_bracket(house: RuleHouse, condition: str) -> None:
    error = house.wrong(f'when {condition} then log "x"')
    assert error.position == len("when ") + condition.rindex("or when")
    with pytest.raises(RuleError, match="or when"):
        house.hints(condition)


def test_what_stands_right_of_and_if_does_not_start_the_rule(house: RuleHouse) -> None:
    flags = [each.just_condition for each in house.predicates(f"{L} and if [{F} or {D}]")]
    assert flags == [False, True, True]
    flags = [each.just_condition for each in house.predicates(f"{L} and if {F} or when {D}")]
    assert flags == [False, True, False]


def test_a_trigger_counts_only_at_its_moment(house: RuleHouse) -> None:
    first, second = house.predicates(f"trigger: {L} and {F}")
    assert (first.just_trigger, second.just_trigger) == (True, False)
    assert first.token == L


@pytest.mark.parametrize(
    ("written", "amount", "unit"),
    [
        ("5 seconds", "5", "seconds"),
        ("5s", "5", "s"),
        ("5 ms", "5", "ms"),
        ("1.5 hours", "1.5", "hours"),
        ("$n * 2 minutes", "$n * 2", "minutes"),
        ("1 year", "1", "year"),
    ],
)
def test_a_predicate_can_be_held_for_a_time(house: RuleHouse, written: str, amount: str, unit: str) -> None:
    (predicate,) = house.predicates(f"{L} for {written}")
    assert predicate.token == L
    assert predicate.duration
    assert predicate.duration.text == written
    assert (predicate.duration.amount.text, predicate.duration.unit) == (amount, unit)


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        (f"{L} for 5", 16),
        (f"{L} for 1 week", 16),
        (f"[{L}", 11),
        (f"{L}]", 10),
        (f"[{L}]]", 12),
        ("[]", 1),
        (f"{L}, {F}", 10),
        (f"and {L}", 0),
        (f"{L} and", 14),
        (f"{L} and {L[:-3]}", 22),
        (f"{L} and switched {F}", 15),
    ],
)
def test_an_error_says_where_it_is(house: RuleHouse, condition: str, position: int) -> None:
    error = house.wrong(f'when {condition} then log "x"')
    assert error.position == position + len("when ")
    assert error.message.startswith(f"at character {error.position + 1}: ")


def test_actions_are_joined_delayed_and_held(house: RuleHouse) -> None:
    rule = house.rule(
        'when lamp is on then after 5 seconds turn fan on for 10 minutes and log "a" after $n hours and toggle fan'
    )
    shown = [(each.token, each.after and each.after.text, each.duration and each.duration.text) for each in rule.deeds]
    assert shown == [
        ("turn fan on", "5 seconds", "10 minutes"),
        ('log "a"', "$n hours", None),
        ("toggle fan", None, None),
    ]


@pytest.mark.parametrize(
    "actions",
    [
        "turn fan on for 5",
        "turn fan on for 5 seconds after 10 seconds",
        "after 5 seconds turn fan on after 5 seconds",
        'log "a", log "b"',
        'log "a" and',
        '[log "a"]',
        "after 5 seconds",
        'log "a" or log "b"',
    ],
)
def test_what_cannot_be_joined_so_is_refused(house: RuleHouse, actions: str) -> None:
    assert not house.does(actions)


def test_else_says_what_is_done_otherwise(house: RuleHouse) -> None:
    rule = house.rule('when lamp is on then turn fan on and log "a" else turn fan off after 5 minutes')
    assert [each.token for each in rule.deeds] == ["turn fan on", 'log "a"']
    (otherwise,) = rule.otherwise
    assert otherwise.token == "turn fan off"
    assert otherwise.after
    assert [each.id for each in (*rule.deeds, *rule.otherwise)] == ["act-id-0", "act-id-1", "act-id-2"]
    for wrong in ('log "a" else', 'log "a" else log "b" else log "c"', 'else log "a"'):
        assert not house.does(wrong)
    assert house.does('log "this or else that"')


def test_a_sentence_is_bounded(house: RuleHouse) -> None:
    many = " and ".join([L] * MAX_PREDICATES)
    assert len(house.predicates(many)) == MAX_PREDICATES
    assert "at most" in house.wrong(f'when {many} and {L} then log "x"').reason
    deep = "[" * MAX_BRACKETS + L + "]" * MAX_BRACKETS
    assert house.accepts(deep)
    assert "nested too deeply" in house.wrong(f'when [{deep}] then log "x"').reason
    long = " and ".join(['log "a"'] * MAX_ACTIONS)
    assert len(house.rule(f"when {L} then {long}").deeds) == MAX_ACTIONS
    assert "at most" in house.wrong(f'when {L} then {long} and log "a"').reason


@pytest.mark.parametrize("action", ["turn big lamp off", "turn Big Lamp off for 5 minutes", "turn off big lamp"])
def test_the_shorter_of_two_names_is_meant_where_the_longer_leads_nowhere(action: str) -> None:
    house = RuleHouse(
        a_device("DummySwitch", "big", name="Big Lamp"), a_device("DummySwitch", "trap", name="Big Lamp off")
    )
    assert isinstance(deed := house.deed(action), DeviceDeed)
    assert deed.device_id == "big"
    assert isinstance(deed := house.deed("turn big lamp off off"), DeviceDeed)
    assert deed.device_id == "trap"
    assert [test.device_id for test in (house.test("big lamp is on"), house.test("big lamp off is on"))
            if isinstance(test, AttributeIs)] == ["big", "trap"]  # fmt: skip
