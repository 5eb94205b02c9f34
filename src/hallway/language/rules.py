"""Rules as sentences: `when switch1 is on for 5 minutes then turn switch1 off`.

One parser for all that is asked of the language: the rule or its error, help while a sentence is typed, forms, and one
action that is carried out at once. It must not know how rules run.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.language.conditions import Condition, Predicate, TimeIs, condition_json
from hallway.language.deeds import Action, Outcome
from hallway.language.durations import usual_elements
from hallway.language.hints import Hints
from hallway.language.matching import Problem, Reader, RuleError
from hallway.language.registry import Kinds, Registry
from hallway.language.sentences import (
    ReadActions,
    ReadCondition,
    read_action,
    read_actions,
    read_condition,
    read_predicate,
)
from hallway.language.vocabulary import Vocabulary

T = TypeVar("T")

MAX_LENGTH: Final = 10_000
_BREAKS: Final = re.compile(r"^when\s|\sthen\s")
_LENIENT_BREAKS: Final = re.compile(r"^\s*when\s|\sthen\s", re.IGNORECASE)
_WORD: Final = re.compile(r"\w")
_PARTS: Final = 3


class ParsedRule(msgspec.Struct, frozen=True):
    """A rule that has been read.

    condition, actions: the two parts of the sentence as they were written; tree: what the condition means; predicates:
    those in it, in order; deeds: what is done when it comes true; otherwise: what is done when it comes false (`else`).
    """

    text: str
    condition: str
    actions: str
    tree: Condition
    predicates: tuple[Predicate, ...]
    deeds: tuple[Action, ...]
    otherwise: tuple[Action, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the condition may be meant otherwise than it is read, a sentence each."""
        return tuple(
            f"in “{each.token}” the words “{each.test.left_out}” mean nothing and are left out"
            for each in self.predicates
            if isinstance(each.test, TimeIs) and _WORD.search(each.test.left_out)
        )


class _Part(msgspec.Struct, frozen=True):
    """A part of a rule's text and where it begins."""

    text: str
    start: int


class RuleParser:
    """Reads rules with the kinds of a registry and the names of a home."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._vocabulary_of_first: Vocabulary | None = None
        self._vocabulary_of_last: Vocabulary | None = None

    # ------------------------------------------------------------------ rules

    def __call__(self, text: str, home: Home) -> ParsedRule:
        """The rule that a sentence is; RuleError says what is wrong with it, and where."""
        _check_length(text)
        try:
            return self._rule(text, home, lenient=False)
        except RuleError as strict:
            try:
                return self._rule(text, home, lenient=True)
            except RuleError as kinder:
                raise (kinder if kinder.position > strict.position else strict) from None

    def _rule(self, text: str, home: Home, *, lenient: bool) -> ParsedRule:
        condition_part, actions_part = _split(text, _LENIENT_BREAKS if lenient else _BREAKS)
        names = self._vocabulary(home)
        condition = read_condition(Reader(condition_part.text, names, lenient=lenient), self.registry.predicates)
        tree = condition.tree
        if tree is None:
            raise _error(condition.problems[0], condition_part.start)
        actions = read_actions(Reader(actions_part.text, names, lenient=lenient), self.registry.actions)
        if actions.problems:
            raise _error(actions.problems[0], actions_part.start)
        return ParsedRule(
            text,
            condition_part.text,
            actions_part.text,
            tree,
            tuple(condition.predicates),
            tuple(actions.actions),
            tuple(actions.otherwise),
        )

    def _vocabulary(self, home: Home) -> Vocabulary:
        """The names of a home. Those of the first home stay, of others only the last: such a home is for a trial."""
        for known in (self._vocabulary_of_first, self._vocabulary_of_last):
            if known is not None and known.home is home:
                known.catch_up()
                return known
        vocabulary = Vocabulary(home)
        if self._vocabulary_of_first is None:
            self._vocabulary_of_first = vocabulary
        else:
            self._vocabulary_of_last = vocabulary
        return vocabulary

    # ------------------------------------------------------------------ help

    def condition_hints(self, text: str, home: Home) -> Attributes:
        """What is known of a condition that is being typed, and what could come next, as pimatic says it."""
        if not text:
            return _condition_json(ReadCondition([], [], None, []), Hints())
        _check_length(text)
        hints, names = Hints(), self._vocabulary(home)
        found = read_condition(Reader(text, names, hints=hints, wild=True), self.registry.predicates)
        if found.problems:
            kinder = read_condition(Reader(text, names, lenient=True, wild=True), self.registry.predicates)
            found = found if kinder.problems else kinder
        if found.problems and found.problems[0].hopeless:
            raise _error(found.problems[0], 0)
        return _condition_json(found, hints)

    def action_hints(self, text: str, home: Home) -> Attributes:
        """The same for actions."""
        if not text:
            return _actions_json(ReadActions([], [], [], []), Hints())
        _check_length(text)
        hints, names = Hints(), self._vocabulary(home)
        found = read_actions(Reader(text, names, hints=hints, wild=True), self.registry.actions)
        if found.problems:
            kinder = read_actions(Reader(text, names, lenient=True, wild=True), self.registry.actions)
            found = found if kinder.problems else kinder
        return _actions_json(found, hints)

    def predicate_presets(self, home: Home) -> list[Attributes]:
        """Predicates to begin with, as pimatic lists them."""
        return self.registry.presets()

    def predicate_info(self, text: str, class_name: str | None, home: Home) -> Attributes:
        """The elements of a form for a predicate, as pimatic describes them. class_name: the only kind to try."""
        _check_length(text)
        kinds = self.registry.predicates
        if class_name:
            kinds = Kinds(kind for kind in kinds.all if kind.provider == class_name)
        reader = Reader(text, self._vocabulary(home), wild=True, with_elements=True)
        return _info_json(text, reader, read_predicate(reader, kinds, "id"))

    # ------------------------------------------------------------------ at once

    def execute(self, text: str, home: Home, context: Context, *, simulate: bool, logging: bool) -> Value:
        """Carry out the first action of a text, and say what was done, in pimatic's form.

        Its `after` is ignored; `for` makes a list of the words and a promise that is never kept, as in pimatic.
        simulate: only say what would be done; logging: write it to the messages as well. RuleError: it is no action.
        """
        _check_length(text)
        names = self._vocabulary(home)
        action = read_action(Reader(text, names), self.registry.actions, "act-0")
        if isinstance(action, Problem):
            kinder = read_action(Reader(text, names, lenient=True), self.registry.actions, "act-0")
            if isinstance(kinder, Problem):
                raise _error(action, 0)
            action = kinder
        said = action.deed.announce(home) if simulate else _carry_out(action, home, context, logging=logging).text
        return said if action.duration is None else [said, {"isFulfilled": False, "isRejected": False}]


def _carry_out(action: Action, home: Home, context: Context, *, logging: bool) -> Outcome:
    outcome = action.deed.run(home, context)
    call = outcome.call
    if call is not None and call.error is not None:
        raise call.error
    if call is not None and not call.done:
        home.services.give_up(call)  # nobody waits for the answer
    if logging and not outcome.told:
        home.messages.say("info", outcome.text, ("action",), context)
    return outcome


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise RuleError(f"the sentence is too long: at most {MAX_LENGTH} characters", MAX_LENGTH)


def _error(problem: Problem, start: int) -> RuleError:
    return RuleError(problem.reason, start + problem.position)


def _split(text: str, breaks: re.Pattern[str]) -> tuple[_Part, _Part]:
    """The condition and the actions; there must be exactly one `when`, at the start, and one `then`."""
    found = list(breaks.finditer(text))
    if not found or found[0].start() != 0 or found[0][0].strip().lower() != "when":
        raise RuleError("a rule begins with “when ”", 0)
    if len(found) < _PARTS - 1:
        raise RuleError("after the condition “ then ” and the actions are missing", len(text))
    if len(found) > _PARTS - 1:
        raise RuleError("only one “ then ” can stand in a rule, not even in a text", found[2].start())
    return _stripped(text, found[0].end(), found[1].start()), _stripped(text, found[1].end(), len(text))


def _stripped(text: str, start: int, end: int) -> _Part:
    part = text[start:end]
    return _Part(part.strip(), start + len(part) - len(part.lstrip()))


def _sentences(problems: list[Problem]) -> list[Value]:
    return [f"at character {problem.position + 1}: {problem.reason}" for problem in problems]


def _condition_json(found: ReadCondition, hints: Hints) -> Attributes:
    return {
        "tokens": list(found.tokens),
        "predicates": [predicate.as_json() for predicate in found.predicates],
        "tree": condition_json(found.tree) if found.tree else None,
        "autocomplete": list(hints.phrases()),
        "errors": _sentences(found.problems),
        "format": list(hints.formats()),
        "warnings": [],
    }


def _actions_json(found: ReadActions, hints: Hints) -> Attributes:
    return {
        "tokens": list(found.tokens),
        "actions": [action.as_json() for action in (*found.actions, *found.otherwise)],
        "autocomplete": list(hints.phrases()),
        "errors": _sentences(found.problems),
        "format": list(hints.formats()),
        "warnings": [],
    }


def _info_json(text: str, reader: Reader, found: Predicate | Problem) -> Attributes:
    if isinstance(found, Problem):
        nothing: Attributes = {"id": "id", "token": None, "for": None, "justTrigger": False, "justCondition": False}
        return {
            "predicate": nothing,
            "token": "",
            "nextInput": text,
            "forElements": list(usual_elements(" for ")),
            "errors": _sentences([found]),
        }
    token = "".join(reader.pieces)
    result: Attributes = {
        "predicate": found.as_json(),
        "token": token,
        "nextInput": text[len(token) :],
        "elements": list(reader.elements),
        "errors": [],
    }
    momentary = found.test.is_event or found.just_trigger
    if found.duration is not None and momentary:
        result["errors"] = ["an event, and what has a “trigger:”, is true for a moment only: leave out “for”"]
    if found.duration is not None or not momentary:
        result["forElements"] = list(reader.aside or usual_elements(" for "))
    return result
