"""What holds for every sentence: nothing but HallwayError is raised, reading is stable, and it takes few steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import HallwayError
from hallway.home.values import encode
from hallway.language.conditions import Condition, Predicate
from hallway.language.matching import RuleError
from hallway.language.rules import MAX_LENGTH, ParsedRule
from tests.home.homes import TEST, a_device
from tests.language.rule_house import RuleHouse
from tests.language.scopes import LEISURELY

HOUSE = RuleHouse()
PIECES = st.sampled_from(
    [
        "when ", " then ", " and ", " or ", " and if ", " or when ", "[", "]", " ", "  ", "trigger: ",
        " for ", "after ", "lamp", "Hall Lamp", "the ", "fan", "dimmer", "outside", "up", "nothing",
        " is", " is turned", " on", " off", "temperature", " of ", " > ", ">", " is ", "20", "°C", "$n", "$lamp.state",
        "$", '"', "{", "}", "(", ")",
        "min(", " + ", " changes", " pressed", "its ", "8:00", "friday", "sunset", " before ", "every ", "5 minutes",
        "5", "s", "event ", " is fired", " with ", "a = 1", ", ", '{"a": 1}', "state of ", "weather.sun",
        "turn ", "on ", "dim ", " to ", "%", "set ", ":= ", "log ", '"x"', "press ", "call ", "light.turn_on",
        "fire event ", " else ", "{device}", "{value}", "{expr}", "\n", "\t", "ä", "\ud800", "\x00", "İ",
    ]
)  # fmt: skip
SENTENCES = st.lists(PIECES, max_size=14).map("".join)
ANYTHING = st.one_of(st.text(max_size=60), SENTENCES, SENTENCES.map(lambda part: f'when {part} then log "x"'),
                     SENTENCES.map(lambda part: f"when lamp is on then {part}"))  # fmt: skip


def read(text: str) -> ParsedRule | RuleError:
    """The rule or its error; any other error comes through."""
    try:
        return HOUSE.rule(text)
    except RuleError as error:
        return error


@LEISURELY
@given(ANYTHING)
def test_a_sentence_is_a_rule_or_an_error_that_stands_inside_it(text: str) -> None:
    found = read(text)
    if isinstance(found, RuleError):
        assert found.reason
        assert 0 <= found.position <= len(text)
    else:
        assert read(text) == found


def steps(work: Callable[[], object]) -> int:
    """How many functions are called: about the same on every machine."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event.endswith("call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@dataclass(frozen=True)
class Sample:
    """A condition as it is written, and the tree that it must have: texts of predicates, joined."""

    text: str
    tree: object
    joint: str = ""


PREDICATES = st.sampled_from(
    ["lamp is on", "Hall Lamp is turned off", "temperature of outside > 20", "$n + 1 > $half", "its after 8:00",
     "motion is present", "window is opened", "$n is increasing", 'mode of heating is "a ] and b"', "its friday"]
).map(lambda text: Sample(text, text))  # fmt: skip


@st.composite
def joined(draw: st.DrawFn, parts: st.SearchStrategy[Sample]) -> Sample:
    """Two conditions, in brackets where they would be torn apart otherwise, and sometimes where not."""
    joint = draw(st.sampled_from(["and", "or", "and if", "or when"]))
    left, right = draw(parts), draw(parts)
    torn_left = left.joint not in {"and", "" if joint != "or when" else "and"}
    torn_right = right.joint == "or when" or (joint == "and" and bool(right.joint))
    sides = [
        f"[{side.text}]" if torn or draw(st.booleans()) else side.text
        for side, torn in ((left, torn_left), (right, torn_right))
    ]
    return Sample(f"{sides[0]} {joint} {sides[1]}", (left.tree, joint, right.tree), joint)


def tree_of(condition: Condition) -> object:
    if isinstance(condition, Predicate):
        return condition.token
    return (tree_of(condition.left), condition.joint, tree_of(condition.right))


@LEISURELY
@given(st.recursive(PREDICATES, joined, max_leaves=8))
def test_a_tree_that_is_written_down_is_read_as_that_tree(sample: Sample) -> None:
    assert tree_of(HOUSE.rule(f'when {sample.text} then log "x"').tree) == sample.tree


@LEISURELY
@given(st.lists(PREDICATES, min_size=1, max_size=4), st.integers(min_value=0, max_value=60))
def test_what_is_typed_letter_by_letter_ends_without_an_error(samples: list[Sample], cut: int) -> None:
    text = " and ".join(sample.text for sample in samples)
    assert HOUSE.hints(text)["errors"] == []
    assert all(isinstance(error, str) and error for error in HOUSE.hints(text[:cut])["errors"])


@LEISURELY
@given(ANYTHING)
def test_help_never_fails_and_is_always_json(text: str) -> None:
    for answer in (HOUSE.hints(text), HOUSE.action_hints(text), HOUSE.info(text)):
        encode(answer if text.isprintable() else answer["errors"])


@LEISURELY
@given(SENTENCES)
def test_what_is_proposed_goes_on_at_the_end(text: str) -> None:
    for proposed in HOUSE.proposes(text):
        longest = next((n for n in range(len(text), -1, -1) if proposed.lower().startswith(text[n:].lower())), None)
        assert longest is not None


@LEISURELY
@given(SENTENCES)
def test_a_token_means_what_the_sentence_meant(text: str) -> None:
    """What a rule shows of a predicate can be written down again."""
    rule = read(f'when {text} then log "x"')
    for predicate in rule.predicates if isinstance(rule, ParsedRule) else ():
        (again,) = HOUSE.rule(f'when {predicate.token} then log "x"').predicates
        assert again.test == predicate.test


@LEISURELY
@given(SENTENCES)
def test_simulating_changes_nothing(text: str) -> None:
    before = HOUSE.home.changes.seq
    with suppress(HallwayError):
        HOUSE.parser.execute(text, HOUSE.home, TEST, simulate=True, logging=True)
    assert HOUSE.home.changes.seq == before


@pytest.mark.parametrize(
    "piece",
    ["[", "[lamp is on and ", "lamp is on and ", "$n + ", "(", "min(", '"{', '"', "a ", "lamp ", " ", "$n * 2 > ", "{",
     'log "a" and ', "its 8:00 and ", 'event "a" is fired with a = 1, ', '{"a":'],
)  # fmt: skip
def test_a_long_sentence_takes_few_steps(piece: str) -> None:
    text = (piece * MAX_LENGTH)[: MAX_LENGTH - 40]

    def work() -> None:
        for sentence in (f'when {text} then log "x"', f"when lamp is on then {text}"):
            read(sentence)
        HOUSE.hints(text)
        HOUSE.action_hints(text)

    assert steps(work) < 100 * MAX_LENGTH


def test_a_thousand_devices_are_no_burden() -> None:
    needed = []
    for count in (10, 1000):
        names = {f"switch-{number}": f"Living Room Switch {number}" for number in range(count)}
        house = RuleHouse(*(a_device("DummySwitch", each, name=name) for each, name in names.items()))
        sentence = "when Living Room Switch 7 is turned on then turn switch-5 off"
        house.rule(sentence)
        house.hints("[")
        needed.append((steps(partial(house.rule, sentence)), steps(partial(house.hints, "["))))
    (rule_of_few, hints_of_few), (rule_of_many, hints_of_many) = needed
    # Nothing is searched through all names: who writes a rule needs one of them, a list of hints looks at each twice.
    assert rule_of_many < 1.5 * rule_of_few
    assert hints_of_many < hints_of_few + 3 * 1000
