"""Matches regular expressions, counting every step so that no pattern and no text can hold up the home.

The tree of a pattern becomes a short program for a backtracking machine; its allowance of steps comes from the Run.
It must not know expressions. Text is taken by whole characters, also where JavaScript would halve them (emoji).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hallway.language.evaluation import ExpressionError, Run
from hallway.language.pattern_syntax import (
    LINE_ENDS,
    Again,
    Border,
    Choice,
    Dot,
    Group,
    Look,
    Node,
    One,
    Ranges,
    Repeat,
    Sequence,
    Syntax,
    read_pattern,
)

FLAGS: Final = "gimsuy"
_MAX_PROGRAM: Final = 4_000

Spans = tuple[int, ...]
"""Two positions for each group (group 0 is the whole match), -1 where it took no part, then places of the machine."""


# The steps of the machine; a program is a tuple of (step, first operand, second operand).
_TAKE, _SPLIT, _JUMP, _SAVE, _FORGET, _ADVANCED, _BORDER, _AGAIN, _LOOK, _DONE = range(10)
_Step = tuple[int, Any, Any]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to be matched."""

    _steps: tuple[_Step, ...]
    _places: int
    _sticky: bool
    groups: int
    everywhere: bool

    def matches(self, text: str, run: Run) -> list[tuple[str | None, ...]]:
        """The first match, or with the flag g all of them: the whole match, then its groups (None if unused)."""
        found: list[tuple[str | None, ...]] = []
        at = 0
        while (spans := self._search(text, at, run)) is not None:
            pairs = zip(spans[0 : 2 * self.groups + 2 : 2], spans[1 : 2 * self.groups + 2 : 2], strict=True)
            found.append(tuple(text[start:end] if start >= 0 and end >= 0 else None for start, end in pairs))
            if not self.everywhere:
                break
            at = spans[1] if spans[1] > spans[0] else spans[1] + 1
        return found

    def _search(self, text: str, at: int, run: Run) -> Spans | None:
        nothing = (-1,) * self._places
        last = at if self._sticky else len(text)
        for start in range(at, min(last, len(text)) + 1):
            spans = _match(self._steps, text, start, nothing, run)
            if spans is not None:
                return spans
        return None


def compile_pattern(text: str, flags: str) -> Pattern:
    """A pattern of JavaScript with its flags (of g, i, m, s, u, y, each once); ExpressionError if it is none."""
    if len(set(flags)) != len(flags) or not set(flags) <= set(FLAGS):
        raise ExpressionError(f'"{flags}" are no flags of a pattern: use letters of {FLAGS}, each once')
    syntax = read_pattern(text)
    writer = _Writer(syntax, flags)
    steps = writer.whole()
    return Pattern(steps, writer.places, "y" in flags, syntax.groups, "g" in flags)


@dataclass(slots=True)
class _Writer:
    """Turns a tree into the steps of the machine."""

    syntax: Syntax
    flags: str
    places: int = 0
    steps: list[_Step] = field(default_factory=list)
    _visited: int = 0

    def whole(self) -> tuple[_Step, ...]:
        self.places = 2 * self.syntax.groups + 2
        self._add(_SAVE, 0)
        self._write(self.syntax.root, backward=False)
        self._add(_SAVE, 1)
        self._add(_DONE)
        return tuple(self.steps)

    def _add(self, do: int, first: Any = None, second: Any = None) -> int:
        self.steps.append((do, first, second))
        return len(self.steps) - 1

    def _write(self, node: Node, *, backward: bool) -> None:
        self._visited += 1
        if max(self._visited, len(self.steps)) > _MAX_PROGRAM:
            raise ExpressionError("the pattern is too large: use smaller numbers in braces")
        match node:
            case One() | Dot():
                self._add(_TAKE, self._test(node), backward)
            case Sequence():
                self._sequence(node, backward=backward)
            case Choice():
                self._choice(node, backward=backward)
            case Group():
                self._group(node, backward=backward)
            case Repeat():
                self._repeat(node, backward=backward)
            case Border():
                self._add(_BORDER, node.kind, "m" in self.flags)
            case Look():
                self._look(node)
            case Again():
                number = node.group if isinstance(node.group, int) else self.syntax.names[node.group]
                self._add(_AGAIN, number, (backward, "i" in self.flags))

    def _test(self, node: One | Dot) -> Callable[[str], bool]:
        if isinstance(node, One):
            return _tester(node, ignore_case="i" in self.flags)
        return _anything if "s" in self.flags else _within_line

    def _sequence(self, node: Sequence, *, backward: bool) -> None:
        for part in reversed(node.parts) if backward else node.parts:
            self._write(part, backward=backward)

    def _group(self, node: Group, *, backward: bool) -> None:
        start, end = 2 * node.number, 2 * node.number + 1
        self._add(_SAVE, end if backward else start)
        self._write(node.body, backward=backward)
        self._add(_SAVE, start if backward else end)

    def _look(self, node: Look) -> None:
        """What is looked at is a program of its own, since none of its other ways is tried later."""
        inner = _Writer(self.syntax, self.flags, self.places, _visited=self._visited)
        inner._write(node.body, backward=node.behind)
        inner._add(_DONE)
        self.places, self._visited = inner.places, inner._visited
        self._add(_LOOK, tuple(inner.steps), node.negated)

    def _choice(self, node: Choice, *, backward: bool) -> None:
        jumps = []
        for option in node.options[:-1]:
            split = self._add(_SPLIT)
            self._write(option, backward=backward)
            jumps.append(self._add(_JUMP))
            self.steps[split] = (_SPLIT, split + 1, len(self.steps))
        self._write(node.options[-1], backward=backward)
        for jump in jumps:
            self.steps[jump] = (_JUMP, len(self.steps), None)

    def _repeat(self, node: Repeat, *, backward: bool) -> None:
        for _ in range(node.low):
            self._round(node, backward=backward)
        if node.high is None:
            split = self._add(_SPLIT)
            self._round(node, backward=backward, must_advance=True)
            self._add(_JUMP, split)
            self._aim(split, node)
            return
        splits = []
        for _ in range(node.high - node.low):
            splits.append(self._add(_SPLIT))
            self._round(node, backward=backward, must_advance=True)
        for split in splits:
            self._aim(split, node)

    def _aim(self, split: int, node: Repeat) -> None:
        """Greedy: first another round, then on from here; otherwise the other way round."""
        ways = (split + 1, len(self.steps))
        self.steps[split] = (_SPLIT, *(ways if node.greedy else ways[::-1]))

    def _round(self, node: Repeat, *, backward: bool, must_advance: bool = False) -> None:
        if node.groups[0] < node.groups[1]:
            self._add(_FORGET, 2 * node.groups[0], 2 * node.groups[1])
        if not must_advance or isinstance(node.body, One | Dot):
            self._write(node.body, backward=backward)
            return
        place = self.places
        self.places += 1
        self._add(_SAVE, place)
        self._write(node.body, backward=backward)
        self._add(_ADVANCED, place)


# One loop, since a call for each step would double the time that a step takes.
def _match(steps: tuple[_Step, ...], text: str, start: int, spans: Spans, run: Run) -> Spans | None:  # noqa: C901, PLR0912, PLR0915
    """The spans of a match that begins at start, or None. Every step is counted."""
    waiting = [(0, start, spans)]
    allowance = run.steps
    count = 0
    end = len(text)
    while waiting:
        at, position, spans = waiting.pop()
        while True:
            count += 1
            if count > allowance:
                run.spend_steps(count)
            do, first, second = steps[at]
            at += 1
            if do == _TAKE:
                place = position - 1 if second else position
                if not 0 <= place < end or not first(text[place]):
                    break
                position = place if second else position + 1
            elif do == _SPLIT:
                waiting.append((second, position, spans))
                at = first
            elif do == _JUMP:
                at = first
            elif do == _SAVE:
                count += len(spans) >> 5
                spans = (*spans[:first], position, *spans[first + 1 :])
            elif do == _DONE:
                run.spend_steps(count)
                return spans
            elif do == _FORGET:
                spans = (*spans[:first], *(-1,) * (second - first), *spans[second:])
            elif do == _ADVANCED:
                if spans[first] == position:
                    break
            elif do == _BORDER:
                if not _is_border(first, text, position, many_lines=second):
                    break
            elif do == _AGAIN:
                span = spans[2 * first : 2 * first + 2]
                count += max(span[1] - span[0], 0)
                moved = _again(text, position, span, *second)
                if moved is None:
                    break
                position = moved
            else:
                run.spend_steps(count)
                count = 0
                seen = _match(first, text, position, spans, run)
                allowance = run.steps
                if (seen is None) != second:
                    break
                spans = spans if seen is None else seen
    run.spend_steps(count)
    return None


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


def _is_border(kind: str, text: str, position: int, *, many_lines: bool) -> bool:
    before, after = text[max(position - 1, 0) : position], text[position : position + 1]
    match kind:
        case "^":
            return not before or (many_lines and before in LINE_ENDS)
        case "$":
            return not after or (many_lines and after in LINE_ENDS)
        case _:
            return (_is_word(before) != _is_word(after)) == (kind == "b")


def _again(text: str, position: int, span: Spans, backward: bool, ignore_case: bool) -> int | None:
    """Where the match goes on after the text of a group stood here once more; an unused group stands anywhere."""
    start, end = span
    if start < 0 or end < 0:
        return position
    wanted = text[start:end]
    moved = position - len(wanted) if backward else position + len(wanted)
    here = text[max(moved, 0) : position] if backward else text[position:moved]
    same = [_folded(c) for c in here] == [_folded(c) for c in wanted] if ignore_case else here == wanted
    return moved if same else None


def _folded(character: str) -> str:
    """The capital of a character if that is one character and no ASCII letter stands for another script's."""
    upper = character.upper()
    if len(upper) != 1 or (upper.isascii() and not character.isascii()):
        return character
    return upper


def _anything(_: str) -> bool:
    return True


def _within_line(character: str) -> bool:
    return character not in LINE_ENDS


def _tester(node: One, *, ignore_case: bool) -> Callable[[str], bool]:
    ranges = _merged(node.ranges)
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1] and not node.negated and not ignore_case:
        return chr(ranges[0][0]).__eq__
    starts = [low for low, _ in ranges]

    def inside(character: str) -> bool:
        code = ord(character)
        at = bisect_right(starts, code) - 1
        return at >= 0 and code <= ranges[at][1]

    def inside_whatever_case(character: str) -> bool:
        wanted = _folded(character)
        variants = {character, wanted, character.lower()}
        return any(inside(each) for each in variants if len(each) == 1 and _folded(each) == wanted)

    test = inside_whatever_case if ignore_case else inside
    return (lambda character: not test(character)) if node.negated else test


def _merged(ranges: Ranges) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
