"""A time takes words behind it that mean nothing; a joint is none of them, in whatever capitals and white space."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.language.conditions import Condition, Predicate, Test, TimeIs
from hallway.language.rules import ParsedRule
from tests.language.rule_house import RuleHouse
from tests.language.scopes import LEISURELY

HOUSE = RuleHouse()
INSTANTS = ("its 8:00", "8am", "its 8:00 o'clock", "its friday 22:00", "its 24.12. 18:00 sharp", "its sunset")
PERIODS = (
    "its after 8:00", "its before 17:00 in the evening", "its 8:00 - 10:00", "its 8:00 to 10:00 every day",
    "its between 22:00 and 6:00", "its friday", "its friday night", "its after sunset", 'after "8:00"',
)  # fmt: skip
LASTING = [*PERIODS, *(f"{period} for 5 minutes" for period in PERIODS)]
_JOINTS = re.compile(r" (for|and if|and|or when|or|then) ")


def between(space: str) -> Callable[[str], str]:
    """The same sentence with other white space around all that joins."""
    return lambda sentence: _JOINTS.sub(rf"{space}\1{space}", sentence)


def shouted(space: str) -> Callable[[str], str]:
    return lambda sentence: between(space)(sentence).upper()


WRITINGS: list[Callable[[str], str]] = [
    str.upper, str.title, between("\t"), between("\n"), between("  "), between(" \t"), between("\t "), between("\r\n"),
    shouted("\t"), shouted("\n"), shouted("  "), lambda sentence: _JOINTS.sub(lambda joint: joint[0].upper(), sentence),
]  # fmt: skip


def meaning(test: Test) -> object:
    return test.period if isinstance(test, TimeIs) else test


def tree(condition: Condition) -> object:
    if not isinstance(condition, Predicate):
        return (tree(condition.left), condition.joint, tree(condition.right))
    lasts = condition.duration and (condition.duration.amount, condition.duration.unit)
    return (meaning(condition.test), lasts, condition.just_condition)


def told(rule: ParsedRule) -> object:
    """What a rule means, however it was written."""
    return tree(rule.tree), [action.deed for action in rule.deeds]


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Times before joints of all sorts, with and without brackets."""
    first = draw(st.sampled_from([*INSTANTS, *LASTING]))
    more = draw(
        st.lists(
            st.tuples(st.sampled_from(["and", "or", "and if", "or when"]), st.sampled_from([*LASTING, "lamp is on"])),
            max_size=3,
        )
    )
    condition = first + "".join(f" {joint} {then}" for joint, then in more)
    opened = f"[{condition}] and fan is off" if draw(st.booleans()) and "or when" not in condition else condition
    return f"when {opened} then turn lamp on and turn fan off"


@LEISURELY
@given(sentences(), st.sampled_from(WRITINGS))
def test_a_sentence_means_the_same_in_other_capitals_and_white_space(
    sentence: str, otherwise: Callable[[str], str]
) -> None:
    assert told(HOUSE.rule(otherwise(sentence))) == told(HOUSE.rule(sentence))


@pytest.mark.parametrize(
    ("condition", "tokens"),
    [
        ("its after 8:00 AND lamp is on", ["its after 8:00", "lamp is on"]),
        ("its 8:00 Or When lamp is on", ["its 8:00", "lamp is on"]),
        ("its 8:00 AND IF lamp is on", ["its 8:00", "lamp is on"]),
        ("its 8:00 o'clock\tor lamp is on", ["its 8:00 o'clock", "lamp is on"]),
        ("its 8:00 o'clock\nor lamp is on", ["its 8:00 o'clock", "lamp is on"]),
        ("its 8:00\no'clock or lamp is on", ["its 8:00\no'clock", "lamp is on"]),
        ("[its 8:00 o'clock AND lamp is on] or fan is on", ["its 8:00 o'clock", "lamp is on", "fan is on"]),
        ("its after 8:00 sharp FOR 5 minutes", ["its after 8:00 sharp"]),
    ],
)
def test_a_joint_behind_words_that_mean_nothing_is_a_joint(condition: str, tokens: list[str]) -> None:
    assert [predicate.token for predicate in HOUSE.predicates(condition)] == tokens


def test_a_duration_in_capitals_is_not_lost() -> None:
    (predicate,) = HOUSE.predicates("its after 8:00 FOR 5 minutes")
    assert predicate.duration is not None
    assert (predicate.duration.text, predicate.just_trigger) == ("5 minutes", False)


def test_a_then_in_capitals_hides_no_action() -> None:
    (action,) = HOUSE.rule("when its 8:00 o'clock THEN turn lamp on").deeds
    assert action.token == "turn lamp on"
    error = HOUSE.wrong("when its 8:00 o'clock THEN turn lamp on then turn fan on")
    assert "only one “ then ”" in error.reason
    assert error.position == len("when its 8:00 o'clock THEN turn lamp on")


def test_help_while_typing_sees_the_joint_too() -> None:
    told = HOUSE.hints("its after 8:00 AND lamp is on")
    assert (len(told["predicates"]), told["errors"]) == (2, [])
    assert HOUSE.info("its after 8:00 AND lamp is on")["token"] == "its after 8:00"


@pytest.mark.parametrize(
    "condition", ["its 8:00 o'clock AND nothing is on", "its 8:00 FOR nothing", "its 8:00 Or thereabouts"]
)
def test_a_joint_in_capitals_must_lead_on_as_one_in_small_letters(condition: str) -> None:
    assert not HOUSE.accepts(condition)
    assert not HOUSE.accepts(condition.lower())


def test_the_error_is_that_of_the_reading_that_came_further() -> None:
    assert (
        "“nothing is on” begins no predicate" in HOUSE.wrong("when its 8:00 AND nothing is on then turn lamp on").reason
    )


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("its 8:00 FOR the kids", "the kids"),
        ("its 8:00 for the kids", "the kids"),
        ("its 8:00 o'clock FOR nothing AND lamp is on", "nothing"),
        ("its after 8:00 for ever or lamp is on", "ever"),
        ("lamp is on for ever", "ever"),
    ],
)
def test_words_behind_a_for_are_no_length_of_time_and_that_is_said(condition: str, words: str) -> None:
    error = HOUSE.wrong(f"when {condition} then turn lamp on")
    assert error.position == len("when ") + condition.index(words)
    assert error.reason == (
        f"“for” must have a length of time behind it, as in “for 5 minutes”, not “{words}”: "
        "write one, or leave out “for” with the words behind it"
    )


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("$zero minutes", "there is no variable $zero"), ("nope(3) minutes", "there is no function nope")],
)
def test_an_amount_that_cannot_be_reckoned_says_why(amount: str, reason: str) -> None:
    assert reason in HOUSE.wrong(f"when its after 8:00 for {amount} then turn lamp on").reason


def test_small_letters_and_single_spaces_are_taken_to_the_letter() -> None:
    tokens = [predicate.token for predicate in HOUSE.predicates("its 8:00 sharp  and its  9:00 ")]
    assert tokens == ["its 8:00 sharp ", "its  9:00"]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("its 8:00 - 24", ["- 24"]),
        ("its 8:00 to 25", ["to 25"]),
        ("its 8:00 on mondya", ["on mondya"]),
        ("its 8:00 on weekdays", ["on weekdays"]),
        ("its friday  8", ["8"]),
        ("its after 8:00 lamp is on", ["lamp is on"]),
        ("its 8:00 - 10:00 every day and its after 9:00 sharp AND lamp is on", ["every day", "sharp"]),
        ("its 8:00.", []),
        ("its 8:00 and lamp is on", []),
        ("its friday 22:00", []),
        ("its 8:00  - 10:00", []),
    ],
)
def test_a_rule_says_which_words_behind_a_time_mean_nothing(condition: str, words: list[str]) -> None:
    rule = HOUSE.rule(f"when {condition} then turn lamp on")
    assert len(rule.remarks) == len(words)
    for remark, left_out in zip(rule.remarks, words, strict=True):
        assert f"the words “{left_out}” mean nothing" in remark
