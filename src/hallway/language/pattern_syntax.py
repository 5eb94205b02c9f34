"""Reads a regular expression of JavaScript into a small tree.

It must not know how a pattern is matched, nor what it is for. It is read here and not by Python's `re` because the two
dialects differ, and because `re` cannot be told to stop: pattern_matching counts its steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.language.evaluation import ExpressionError

MAX_PATTERN: Final = 1_000
_MAX_REPEAT: Final = 1_000
_MAX_REPEAT_DIGITS: Final = 4
_MAX_DEPTH: Final = 40
_SHOWN: Final = 60
_MAX_CODE: Final = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Final[Ranges] = ((48, 57),)
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final[Ranges] = (
    (9, 13), (32, 32), (160, 160), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_BRACES: Final = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}")
_CODE: Final = re.compile(r"x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")
LINE_ENDS: Final = "\n\r\u2028\u2029"
_CONTROL: Final = MappingProxyType({"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f", "0": "\0"})


class One(msgspec.Struct, frozen=True):
    """One character out of ranges of code points, or out of all others."""

    ranges: Ranges
    negated: bool = False


class Dot(msgspec.Struct, frozen=True):
    """`.`: any character but the end of a line, or with the flag s any at all."""


class Sequence(msgspec.Struct, frozen=True):
    """One part after the other."""

    parts: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True):
    """The first option that lets the rest match as well."""

    options: tuple[Node, ...]


class Group(msgspec.Struct, frozen=True):
    """A capturing group; numbers start at 1."""

    number: int
    body: Node


class Repeat(msgspec.Struct, frozen=True):
    """`groups` are the numbers (from, up to but excluding) of the groups inside, which each round forgets."""

    body: Node
    low: int
    high: int | None
    greedy: bool
    groups: tuple[int, int]


class Border(msgspec.Struct, frozen=True):
    """A place between characters: `^`, `$`, `b` or `B`."""

    kind: str


class Look(msgspec.Struct, frozen=True):
    """What must (or must not) follow or precede, without being part of the match."""

    body: Node
    behind: bool
    negated: bool


class Again(msgspec.Struct, frozen=True):
    """The text of a group once more; `group` is its number or its name."""

    group: int | str


Node = One | Dot | Sequence | Choice | Group | Repeat | Border | Look | Again


class Syntax(msgspec.Struct, frozen=True):
    """A pattern as read: its tree, how many groups it has, and the names of those that have one."""

    root: Node
    groups: int
    names: Mapping[str, int]


def read_pattern(text: str) -> Syntax:
    """The tree of a pattern; ExpressionError says what is wrong with it and where."""
    if len(text) > MAX_PATTERN:
        raise ExpressionError(f"the pattern is too long: at most {MAX_PATTERN} characters")
    return _Reader(text).read()


def _single(character: str) -> One:
    return One(((ord(character), ord(character)),))


def _others(ranges: Ranges) -> Ranges:
    """All code points outside of ranges, which are in order and apart from each other and from both ends."""
    starts = [0, *(high + 1 for _, high in ranges)]
    ends = [*(low - 1 for low, _ in ranges), _MAX_CODE]
    return tuple(zip(starts, ends, strict=True))


_SETS: Final[Mapping[str, Ranges]] = MappingProxyType(
    {
        "d": _DIGIT,
        "w": _WORD,
        "s": _SPACE,
        "D": _others(_DIGIT),
        "W": _others(_WORD),
        "S": _others(_SPACE),
    }
)
_LOOKS: Final = (("?=", False, False), ("?!", False, True), ("?<=", True, False), ("?<!", True, True))


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    groups: int = 0
    depth: int = 0
    names: dict[str, int] = field(default_factory=dict)
    wanted: list[int | str] = field(default_factory=list)

    def read(self) -> Syntax:
        root = self._choice()
        if self.at < len(self.text):
            raise self._wrong("`)` closes nothing; write \\) for the character")
        for group in self.wanted:
            if not (group in self.names if isinstance(group, str) else group <= self.groups):
                raise self._wrong(f"there is no group {group}")
        return Syntax(root, self.groups, self.names)

    def _wrong(self, what: str) -> ExpressionError:
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
        return ExpressionError(f"`{shown}` is no regular expression: {what} (at its character {self.at + 1})")

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def _choice(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next() not in {"", "|", ")"}:
            start, first_group = self.at, self.groups + 1
            part = self._part()
            bare = not self.text.startswith("(?:", start)
            parts.append(self._repeated(part, first_group, bare=bare))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _part(self) -> Node:
        character = self._next()
        self.at += 1
        match character:
            case "(":
                return self._bracketed()
            case "[":
                return self._class()
            case ".":
                return Dot()
            case "^" | "$":
                return Border(character)
            case "\\":
                return self._escaped()
            case "*" | "+" | "?":
                self.at -= 1
                raise self._wrong(f"there is nothing to repeat before `{character}`")
            case "{" if self._braces(self.at - 1):
                self.at -= 1
                raise self._wrong("there is nothing to repeat before `{`")
            case _:
                return _single(character)

    def _repeated(self, body: Node, first_group: int, *, bare: bool) -> Node:
        counts = self._counts()
        if counts is None:
            return body
        if bare and (isinstance(body, Border) or (isinstance(body, Look) and body.behind)):
            raise self._wrong("a place between characters cannot be repeated")
        greedy = not self._take("?")
        return Repeat(body, *counts, greedy, (first_group, self.groups + 1))

    def _counts(self) -> tuple[int, int | None] | None:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        found = self._braces(self.at)
        if found is None:
            return None
        low, comma, high = found.groups()
        if max(len(low), len(high)) > _MAX_REPEAT_DIGITS or max(int(low), int(high or 0)) > _MAX_REPEAT:
            raise self._wrong(f"a part can be repeated {_MAX_REPEAT} times at most")
        if high and int(high) < int(low):
            raise self._wrong("the numbers in braces are in the wrong order")
        self.at = found.end()
        most = int(high) if high else None
        return int(low), most if comma else int(low)

    def _braces(self, at: int) -> re.Match[str] | None:
        """`{2}`, `{2,}` or `{2,5}`; braces that say anything else are plain characters."""
        return _BRACES.match(self.text, at)

    def _bracketed(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self._wrong(f"brackets are nested more than {_MAX_DEPTH} deep")
        build = self._opening()
        body = self._choice()
        if not self._take(")"):
            raise self._wrong("a `(` is never closed")
        self.depth -= 1
        return build(body)

    def _opening(self) -> Callable[[Node], Node]:
        if self._take("?:"):
            return lambda body: body
        for opening, behind, negated in _LOOKS:
            if self._take(opening):
                return partial(Look, behind=behind, negated=negated)
        self.groups += 1
        if self._take("?<"):
            name = self._name()
            if name in self.names:
                raise self._wrong(f"two groups are called {name}")
            self.names[name] = self.groups
        elif self._next() == "?":
            raise self._wrong("after `(?` only : = ! <= <! and <name> have a meaning")
        return partial(Group, self.groups)

    def _name(self) -> str:
        name, found, _ = self.text[self.at :].partition(">")
        if not found or not name.isidentifier():
            raise self._wrong("a group's name must be a word, as in (?<name>…)")
        self.at += len(name) + 1
        return name

    def _escaped(self) -> Node:
        character = self._next()
        if character in {"b", "B"}:
            self.at += 1
            return Border(character)
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            return self._again(int(number[0]))
        if self._take("k<"):
            return self._again(self._name())
        return One(self._escaped_ranges())

    def _again(self, group: int | str) -> Again:
        self.wanted.append(group)
        return Again(group)

    def _escaped_ranges(self) -> Ranges:
        """What follows a backslash, inside a class or outside: one character, or a set such as all digits."""
        character = self._next()
        if not character:
            raise self._wrong("a backslash needs a character after it")
        self.at += 1
        if character in _SETS:
            return _SETS[character]
        if character in _CONTROL:
            return _single(_CONTROL[character]).ranges
        code = _CODE.match(self.text, self.at - 1)
        if code:
            self.at = code.end()
            return _single(chr(int(code[0][1:], 16))).ranges
        return _single(character).ranges

    def _class(self) -> Node:
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._class_atom()
            if self._next() != "-" or self.text[self.at + 1 : self.at + 2] in {"]", ""}:
                ranges.extend(low)
                continue
            self.at += 1
            high = self._class_atom()
            if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
                ranges.extend((*low, (45, 45), *high))
            elif low[0][0] > high[0][0]:
                raise self._wrong("a range in a class is in the wrong order")
            else:
                ranges.append((low[0][0], high[0][0]))
        return One(tuple(ranges), negated)

    def _class_atom(self) -> Ranges:
        character = self._next()
        if not character:
            raise self._wrong("a `[` is never closed")
        self.at += 1
        if character != "\\":
            return _single(character).ranges
        if self._take("b"):
            return _single("\b").ranges
        return self._escaped_ranges()
