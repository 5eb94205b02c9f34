"""The grammar above predicates and actions: how they are joined, bracketed, delayed and held. It knows none of them.

condition: part ((" and " | " or " | " and if " | " or when ") part)*, where part: "[" condition "]" | predicate.
predicate: "trigger: " test | test [" for " duration].
actions: action (" and " action)* [" else " action (" and " action)*].
action: ["after " duration " "] deed [" after " duration] [" for " duration].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from hallway.language.conditions import Condition, Predicate
from hallway.language.deeds import Action
from hallway.language.durations import Duration, read_duration
from hallway.language.joining import Joining, Token
from hallway.language.matching import Problem, Reader
from hallway.language.registry import ActionKind, Kinds, PredicateKind
from hallway.language.words import Words, words

K = TypeVar("K")
T = TypeVar("T")

MAX_BRACKETS: Final = 50
MAX_PREDICATES: Final = 100
MAX_ACTIONS: Final = 100

_OPEN: Final = words("[")
_CLOSE: Final = words("]")
_SPACE: Final = words(" ")
_TRIGGER: Final = words("trigger: ")
_JOINTS: Final = words(" and ", " or ", " and if ", " or when ")
_FOR: Final = words(" for ")
_UNTOLD_FOR: Final = words(also=(" for ",))
_UNTOLD_SPACE: Final = words(also=(" ",))
_AFTER_FIRST: Final = words("after ")
_AFTER: Final = words(" after ")
_AND: Final = words(" and ")
_ELSE: Final = words(" else ", quiet=True)
_WORDS: Final = re.compile(r"[^\W\d]\w*+(?!\s*\()(?: (?!(?i:and|or|then|else) )\w++)*")
"""Words that can be no amount: what is called like a function has a bracket behind it."""
_SHOWN: Final = 40
_NO_PREDICATE: Final = "begins no predicate: no device, attribute, $variable, time or other start of one stands there"
_NO_ACTION: Final = "begins no action: it must begin with a verb such as turn, set, dim, log, and something known"


class ReadCondition(msgspec.Struct, frozen=True):
    """What was read of a condition; the tree is there when nothing is wrong."""

    tokens: list[Token]
    predicates: list[Predicate]
    tree: Condition | None
    problems: list[Problem]


class ReadActions(msgspec.Struct, frozen=True):
    """What was read of the actions: those to do, and those to do otherwise (`else`)."""

    tokens: list[Token]
    actions: list[Action]
    otherwise: list[Action]
    problems: list[Problem]


# ---------------------------------------------------------------------- conditions


def read_condition(reader: Reader, kinds: Kinds[PredicateKind], rule_id: str = "id") -> ReadCondition:
    """Read a whole condition."""
    return _ConditionReading(reader, kinds, rule_id).read()


class _ConditionReading:
    """One condition while it is read."""

    def __init__(self, reader: Reader, kinds: Kinds[PredicateKind], rule_id: str) -> None:
        self._reader = reader
        self._kinds = kinds
        self._rule_id = rule_id
        self._tokens: list[Token] = []
        self._predicates: list[Predicate] = []
        self._problems: list[Problem] = []
        self._open = 0
        self._just_condition = False
        self._joint_places: list[int] = []

    def read(self) -> ReadCondition:
        reader = self._reader
        while self._read_part() and self._read_joint():
            pass
        if not self._problems and not reader.done:
            self._wrong(_rest(reader, ("and", "or", "and if", "or when"), "predicate"))
        elif self._open:
            self._wrong(Problem(len(reader.text), "a “]” is missing: as many brackets must be closed as opened"))
        tree = None if self._problems else self._tree()
        return ReadCondition(self._tokens, self._predicates, tree, self._problems)

    def _tree(self) -> Condition | None:
        joining = Joining(self._tokens, self._predicates)
        if joining.astray is None:
            return joining.tree
        place = self._joint_places[joining.astray]
        self._wrong(Problem(place, "“or when” cannot stand in these brackets: write “or”", hopeless=True))
        return None

    def _wrong(self, problem: Problem) -> None:
        self._problems.append(problem)

    def _read_part(self) -> bool:
        reader = self._reader
        while reader.take(_OPEN):
            self._tokens.append("[")
            self._open += 1
            reader.take(_SPACE)
            if self._open > MAX_BRACKETS:
                self._wrong(Problem(reader.at, f"the brackets are nested too deeply: at most {MAX_BRACKETS} levels"))
                return False
        if len(self._predicates) == MAX_PREDICATES:
            self._wrong(Problem(reader.at, f"a condition can have at most {MAX_PREDICATES} predicates"))
            return False
        start = reader.at
        predicate = read_predicate(reader, self._kinds, self._next_id(), just_condition=self._just_condition)
        if isinstance(predicate, Problem):
            self._wrong(predicate)
            return False
        if predicate.test.is_event and self._just_condition:
            self._wrong(Problem(start, f"“{predicate.token}” is an event and so cannot stand after “and if”"))
            return False
        self._tokens += ["predicate", "(", len(self._predicates), ")"]
        self._predicates.append(predicate)
        return True

    def _next_id(self) -> str:
        return f"prd-{self._rule_id}-{len(self._predicates)}"

    def _read_joint(self) -> bool:
        reader = self._reader
        while self._open:
            before = reader.mark()
            reader.take(_SPACE)
            if not reader.take(_CLOSE):
                reader.back(before)
                break
            self._tokens.append("]")
            self._open -= 1
        place = reader.at + 1
        joint = reader.take(_JOINTS)
        if joint is None:
            return False
        self._joint_places.append(place)
        self._tokens.append(joint.strip())
        if joint not in {" and ", " or "}:
            self._just_condition = joint == " and if "
        if reader.done:
            self._wrong(Problem(reader.at, f"a predicate is missing after the last “{joint.strip()}”"))
        return not reader.done


def _rest(reader: Reader, joints: Sequence[str], wanted: str) -> Problem:
    """What is wrong with a text that goes on after all that could be read."""
    left = reader.rest.strip()
    if left in joints:
        return Problem(len(reader.text), f"after the last “{left}” there is no {wanted}")
    known = ", ".join(f"“{joint}”" for joint in joints)
    return reader.problem(reader.at, f"stands where {known} or the end is needed")


def read_predicate(
    reader: Reader, kinds: Kinds[PredicateKind], predicate_id: str, *, just_condition: bool = False
) -> Predicate | Problem:
    """Read one predicate, or say why there is none."""
    just_trigger = reader.maybe(_TRIGGER)
    at, start = reader.at, reader.mark()
    found = reader.longest(_naming(kind, kind.read) for kind in kinds.at(reader))
    if found is None:
        return reader.problem(at, _NO_PREDICATE)
    kind, test = found
    token = reader.since(start)
    end, elements = reader.at, len(reader.elements)
    duration = _read_suffix(reader, _FOR)
    reader.set_aside(elements)
    predicate = Predicate(predicate_id, token, test, kind.provider, duration, just_trigger, just_condition)
    return predicate if reader.with_elements else _lasting(predicate, end)


def _lasting(predicate: Predicate, end: int) -> Predicate | Problem:
    """The predicate, unless it has a `for` behind it and can only be true for a moment. end: where its test ends."""
    duration = predicate.duration
    if duration is None or not (predicate.test.is_event or predicate.just_trigger):
        return predicate
    what = f"“{predicate.token}” is an event" if predicate.test.is_event else "what has a “trigger:” is a moment"
    return Problem(end, f"{what} and so cannot last “for {duration.text}”")


def _naming(kind: K, read: Callable[[Reader], T | None]) -> Callable[[Reader], tuple[K, T] | None]:
    """Reads a sentence of a kind and says of which kind it is."""

    def named(reader: Reader) -> tuple[K, T] | None:
        found = read(reader)
        return None if found is None else (kind, found)

    return named


# ---------------------------------------------------------------------- actions


def read_actions(reader: Reader, kinds: Kinds[ActionKind], rule_id: str = "id") -> ReadActions:
    """Read all actions."""
    tokens: list[Token] = []
    lists: list[list[Action]] = [[]]
    problems: list[Problem] = []
    count = 0
    while True:
        found = read_action(reader, kinds, f"act-{rule_id}-{count}")
        if isinstance(found, Problem):
            problems.append(found)
            break
        tokens += ["action", "(", count, ")"]
        lists[-1].append(found)
        count += 1
        joint = reader.take(_AND) or (reader.take(_ELSE) if len(lists) == 1 else None)
        if joint is None:
            break
        tokens.append(joint.strip())
        if joint == " else ":
            lists.append([])
            if reader.done:
                problems.append(Problem(reader.at, "after “else” there is no action"))
        if count == MAX_ACTIONS:
            problems.append(Problem(reader.at, f"a rule can have at most {MAX_ACTIONS} actions"))
        if reader.done or problems:
            break
    if not problems and not reader.done:
        problems.append(_rest(reader, ("and", "else"), "action"))
    return ReadActions(tokens, lists[0], lists[1] if len(lists) > 1 else [], problems)


def read_action(reader: Reader, kinds: Kinds[ActionKind], action_id: str) -> Action | Problem:
    """Read one action, or say why there is none."""
    after = _read_prefix(reader)
    at, start = reader.at, reader.mark()
    found = reader.longest(_naming(kind, kind.read) for kind in kinds.at(reader))
    if found is None:
        return reader.problem(at, _NO_ACTION)
    kind, deed = found
    token = reader.since(start)
    if after is None:
        after = _read_suffix(reader, _AFTER)
    before = reader.at
    if deed.lasts:
        return Action(action_id, token, deed, kind.provider, after, _read_suffix(reader, _FOR))
    lasting = _read_suffix(reader, _UNTOLD_FOR)
    if lasting is not None:
        return Problem(before, f"“{token}” is done at once and cannot be undone after {lasting.text}: leave out “for”")
    return Action(action_id, token, deed, kind.provider, after)


def _read_prefix(reader: Reader) -> Duration | None:
    """`after 5 seconds ` before an action."""
    start = reader.mark()
    after = read_duration(reader) if reader.take(_AFTER_FIRST) else None
    if after is None:
        reader.back(start)
        return None
    reader.take(_UNTOLD_SPACE)
    return after


def _read_suffix(reader: Reader, intro: Words) -> Duration | None:
    """` after 5 seconds` or ` for 5 seconds` behind an action."""
    before = reader.mark()
    if reader.take(intro) is None:
        return None
    no_amount = _WORDS.match(reader.text, reader.at)
    if no_amount is not None:
        _note_no_length(reader, reader.since(before).strip(), no_amount[0][:_SHOWN])
    found = read_duration(reader)
    if found is None:
        reader.back(before)
    return found


def _note_no_length(reader: Reader, intro: str, found: str) -> None:
    known = f"“{intro}” must have a length of time behind it, as in “{intro} 5 minutes”"
    reader.note(reader.at, f"{known}, not “{found}”: write one, or leave out “{intro}” with the words behind it")
