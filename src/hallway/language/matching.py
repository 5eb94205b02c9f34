"""The matcher: reads a sentence from left to right, remembers how far it came and what it looked for there.

Predicates and actions are written with its methods; from the same reading come what a sentence means, its error with
the place, the proposals for what could come next, and the elements of a form. It must not know any of the kinds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from hallway.errors import InvalidInput
from hallway.home.devices import Device
from hallway.home.values import Attributes
from hallway.language.coercion import tidy
from hallway.language.completions import Completions, folded, lowered
from hallway.language.embedded import What, read_part
from hallway.language.evaluation import ExpressionError
from hallway.language.expressions import Expression
from hallway.language.hints import Hints, element
from hallway.language.vocabulary import Able, Button, Vocabulary
from hallway.language.words import Words, words

T = TypeVar("T")
Sought = Words | Able | str | tuple[str, ...]

THE = words("the ")
_NUMBER = re.compile(r"-?[0-9]+\.?[0-9]*")
_UNFINISHED_NUMBER = re.compile(r"(?:-?[0-9]+\.?[0-9]*)?")
_QUOTED = re.compile(r'"([^"]*)"')
_AFTER_NAME = re.compile(r"[\s\]]")
_AFTER_NAME_LENIENTLY = re.compile(r"[^\w.-]")
_SHOWN = 40
_PROPOSED = 8


class RuleError(InvalidInput):
    """A sentence that is no rule; `position` counts characters from 0."""

    code = "rule"

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"at character {position + 1}: {reason}")
        self.reason = reason
        self.position = position


class Problem(NamedTuple):
    """What is wrong, and where. hopeless: nothing that is typed behind it can mend it."""

    position: int
    reason: str
    hopeless: bool = False


Mark = tuple[int, int, int]
"""A place in a reading to which it can go back: in the text, the pieces and the elements."""


class Candidate(NamedTuple):
    """A device whose id or name stands at a place and ends there."""

    end: int
    device: Device
    by_name: bool


class Reader:
    """One text while it is read. `at` is the place; methods that find nothing leave it, and return None.

    lenient: other capitals and more white space are taken too; hints: collects proposals; wild: `{device}` and the like
    stand for the first thing that fits; elements are collected when wanted.
    """

    __slots__ = (
        "_candidates",
        "_ends",
        "_lower",
        "_reasons",
        "_shorter",
        "_skipped",
        "_sought",
        "aside",
        "at",
        "elements",
        "furthest",
        "hints",
        "lenient",
        "pieces",
        "text",
        "vocabulary",
        "wild",
        "with_elements",
    )

    def __init__(
        self,
        text: str,
        vocabulary: Vocabulary,
        *,
        lenient: bool = False,
        hints: Hints | None = None,
        wild: bool = False,
        with_elements: bool = False,
    ) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.lenient = lenient
        self.hints = hints
        self.wild = wild
        self.with_elements = with_elements
        self.at = 0
        self.pieces: list[str] = []
        self.elements: list[Attributes] = []
        self.aside: list[Attributes] = []
        self.furthest = 0
        self._sought: list[Sought] = []
        self._reasons: list[Problem] = []
        self._lower: str | None = None
        self._ends: tuple[int, list[int]] = (-1, [])
        self._candidates: dict[int, list[Candidate]] = {}
        self._shorter: set[int] = set()
        self._skipped: dict[int, int] = {}

    # ------------------------------------------------------------------ where it is

    @property
    def rest(self) -> str:
        """What has not been read yet."""
        return self.text[self.at :]

    @property
    def done(self) -> bool:
        return self.at == len(self.text)

    def mark(self) -> Mark:
        return self.at, len(self.pieces), len(self.elements)

    def back(self, mark: Mark) -> None:
        """Forget what was read since."""
        self.at, pieces, elements = mark
        del self.pieces[pieces:]
        del self.elements[elements:]

    def since(self, mark: Mark) -> str:
        """What was read since, in the spelling of the home."""
        return "".join(self.pieces[mark[1] :])

    def longest(self, attempts: Iterable[Callable[[Reader], T | None]]) -> T | None:
        """The result of the attempt that reads most; the first of those that read as much.

        Where a long name leads nowhere, as “Lamp off” in `turn lamp off`, a shorter one is tried.
        """
        start, best, end = self.mark(), None, -1
        pieces: list[str] = []
        elements: list[Attributes] = []
        for attempt in attempts:
            found = attempt(self)
            while found is None and self._shorter:
                self.back(start)
                self._shorten()
                found = attempt(self)
            if self._shorter or self._skipped:
                self._shorter.clear()
                self._skipped.clear()
            if found is not None and self.at > end:
                best, end = found, self.at
                pieces, elements = self.pieces[start[1] :], self.elements[start[2] :]
            self.back(start)
        if best is not None:
            self.at = end
            self.pieces += pieces
            self.elements += elements
        return best

    def set_aside(self, count: int) -> None:
        """Let a form show only the first elements; `aside` holds the others."""
        self.aside = self.elements[count:]
        del self.elements[count:]

    def show_as_one(self, mark: Mark, kind: str, param: str) -> None:
        """Let a form show what was read since as one part."""
        if self.with_elements:
            self.elements[mark[2] :] = [element(self.since(mark), None, kind=kind, param=param)]

    # ------------------------------------------------------------------ what went wrong

    def note(self, position: int, reason: str) -> None:
        """Remember why it cannot go on at a place."""
        self._reasons.append(Problem(position, _writable(reason)))

    def seek(self, sought: Sought) -> None:
        """Remember what was looked for here in vain: words, names of the home, or a value, in words for people."""
        if self.at > self.furthest:
            self.furthest = self.at
            self._sought = [sought]
        elif self.at == self.furthest:
            self._sought.append(sought)

    def problem(self, start: int, otherwise: str) -> Problem:
        """Why nothing could be read from a place on: what is known furthest into the text."""
        reason = max(self._reasons, key=lambda problem: problem.position, default=Problem(-1, ""))
        if reason.position > start and reason.position >= self.furthest:
            return reason
        if self.furthest > start:
            return Problem(self.furthest, self._missing())
        if reason.position == start and self.text[start : start + 1] in {"$", '"', "("}:
            return reason
        return Problem(start, f"{_shown(self.text[start:])} {otherwise}")

    def _missing(self) -> str:
        names = list(dict.fromkeys(name for sought in self._sought for name in _names_of(sought)))
        more = ", …" if len(names) > _PROPOSED else ""
        after = _writable(self.text[: self.furthest].strip()[-_SHOWN:])
        known = f"; it could go on with {', '.join(names[:_PROPOSED])}{more}" if names else ""
        return f"{_shown(self.text[self.furthest :])} cannot stand after “{after}”{known}"

    # ------------------------------------------------------------------ words

    def take(self, sought: Words) -> str | None:
        """One of these fixed words, in its own spelling."""
        if self.hints is not None:
            self.hints.offer_words(sought, self.rest)
        found = sought.find(self.text, self.at) if not self.lenient else sought.find_leniently(self.text, self.at)
        if found is None:
            self.seek(sought)
            return None
        spelling, self.at = found
        self.pieces.append(spelling)
        if self.with_elements:
            self.elements.append(element(spelling, sought.options(spelling), kind=sought.element, param=sought.param))
        return spelling

    def maybe(self, sought: Words) -> bool:
        """Whether one of these words stood here; a form does not show it."""
        count = len(self.elements)
        found = self.take(sought) is not None
        del self.elements[count:]
        return found

    def choose(self, options: Sequence[str], wildcard: str = "", param: str = "") -> str | None:
        """One of words that depend on the home, the longest that fits."""
        if self.hints is not None:
            self.hints.offer(options, self.rest)
        if options and self._wildcard(wildcard):
            return self._filled_in(options[0], options, wildcard, param)
        fitting = [option for option in options if self._stands_here(option)]
        if not fitting:
            self.seek(tuple(options))
            return None
        chosen = max(fitting, key=len)
        self.at += len(chosen)
        return self._found(chosen, options, wildcard, param)

    def _stands_here(self, option: str) -> bool:
        if self.text.startswith(option, self.at):
            return True
        return self.lenient and self._small().startswith(lowered(option), self.at)

    def _small(self) -> str:
        if self._lower is None:
            self._lower = lowered(self.text)
        return self._lower

    def unit(self, unit: str | None) -> bool:
        """The unit, with or without a space before it and a ° in it, in any capitals; it may be missing."""
        if not unit:
            return False
        if self.hints is not None:
            self.hints.offer((f" {unit}",), self.rest)
        spaces = len(self.rest) - len(self.rest.lstrip()) if self.lenient else int(self.text.startswith(" ", self.at))
        start = self.at + spaces
        for spelling in (unit, unit.replace("°", "")):
            end = start + len(spelling)
            if spelling and self._small()[start:end] == lowered(spelling):
                taken = self.text[self.at : end]
                self.pieces.append(taken)
                if self.with_elements:
                    options = list(dict.fromkeys((f" {unit}", taken)))
                    self.elements.append(element(taken, options, kind="select" if options[1:] else "static"))
                self.at = end
                return True
        return False

    def match(
        self, pattern: re.Pattern[str], wanted: str = "", kind: str = "text", param: str = ""
    ) -> re.Match[str] | None:
        """What a pattern finds here; nothing is proposed for it. wanted: what that is, for messages."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            self.pieces.append(found[0])
            if self.with_elements:
                self.elements.append(element(found[0], None, kind=kind, param=param))
        elif wanted:
            self.seek(wanted)
        return found

    # ------------------------------------------------------------------ names of the home

    def device(self, able: Able) -> Device | None:
        """A device that fits, by its id or, in any capitals, by its name; a “the” may stand before it."""
        start = self.mark()
        if self.take(THE) is None:
            return self._device(able)
        return self._device(able) or self._without_the(able, start)

    def _without_the(self, able: Able, start: Mark) -> Device | None:
        """The device whose own name begins with “The”."""
        self.back(start)
        return self._device(able)

    def _device(self, able: Able) -> Device | None:
        start = self.at
        if self.hints is not None:
            self.hints.offer_names(self.vocabulary.completions_of_devices(able), self.rest)
        if self._wildcard("{device}"):
            devices = self.vocabulary.able(able)
            return self._device_found(devices[0], by_name=True, filled_in=True, able=able) if devices else None
        fitting = [candidate for candidate in self._devices_here() if able.fits(candidate.device)]
        if not fitting:
            self.seek(able)
            return None
        end, device, by_name = self._chosen(fitting)
        rivals = {other.device.id for other in fitting if other.end == end}
        if by_name and len(rivals) > 1:
            self.note(start, f"several devices are called {_shown(self.text[start:end])}: {', '.join(sorted(rivals))}; "
                      "write the id of the one that is meant")  # fmt: skip
            return None
        self.at = end
        return self._device_found(device, by_name=by_name, filled_in=False, able=able)

    def _chosen(self, fitting: list[Candidate]) -> Candidate:
        """The longest name that fits, or, after `_shorten`, a shorter one."""
        ends = sorted({candidate.end for candidate in fitting}, reverse=True) if fitting[1:] else []
        if not ends[1:]:
            return fitting[0]
        skipped = min(self._skipped.get(self.at, 0), len(ends) - 1)
        if skipped + 1 < len(ends):
            self._shorter.add(self.at)
        return next(candidate for candidate in fitting if candidate.end == ends[skipped])

    def _shorten(self) -> None:
        """From now on read a shorter name at the last place where there is one."""
        last = max(self._shorter)
        self._skipped[last] = self._skipped.get(last, 0) + 1
        self._shorter.clear()

    def _device_found(self, device: Device, *, by_name: bool, filled_in: bool, able: Able) -> Device:
        taken = device.name if by_name else device.id
        self.pieces.append(taken)
        if self.with_elements:
            options = [each.name if by_name else each.id for each in self.vocabulary.able(able)]
            self.elements.append(element(taken, options, kind="select", wildcard="{device}", filled_in=filled_in))
        return device

    def _devices_here(self) -> list[Candidate]:
        """The devices whose id or name stands here, the longest first, ids before names."""
        found = self._candidates.get(self.at)
        if found is None:
            found = self._candidates[self.at] = [
                candidate for end in self._name_ends() for candidate in self._devices_to(end)
            ]
        return found

    def _devices_to(self, end: int) -> list[Candidate]:
        written = self.text[self.at : end]
        exact = self.vocabulary.device(written)
        small = folded(self._small()[self.at : end])
        found = [Candidate(end, exact, by_name=False)] if exact is not None else []
        found += [Candidate(end, device, by_name=True) for device in self.vocabulary.named(small)]
        if self.lenient and not found:
            found += [Candidate(end, device, by_name=False) for device in self.vocabulary.with_id(small)]
        return found

    def _name_ends(self) -> list[int]:
        """The places where a name that begins here can end, the furthest first: while somebody types, anywhere."""
        if self._ends[0] != self.at:
            limit = min(self.at + self.vocabulary.longest * (2 if self.lenient else 1), len(self.text))
            if self.hints is not None:
                self._ends = (self.at, list(range(limit, self.at, -1)))
                return self._ends[1]
            after = _AFTER_NAME_LENIENTLY if self.lenient else _AFTER_NAME
            ends = [found.start() for found in after.finditer(self.text, self.at + 1, limit + 1)]
            if self.at < limit == len(self.text):
                ends.append(limit)
            self._ends = (self.at, ends[::-1])
        return self._ends[1]

    def attribute(self, param: str = "") -> str | None:
        """The name of an attribute that some device has."""
        known = self.vocabulary.attributes
        return self._name(
            known.__contains__, self.vocabulary.completions_of_attributes, "{attribute}", param, lambda: list(known)
        )

    def button(self) -> Button | None:
        """A button, by its id or what stands on it."""
        known = self.vocabulary
        found = self._name(
            lambda name: known.button(name) is not None,
            known.completions_of_buttons,
            "{button}",
            "",
            known.button_names,
        )
        return known.button(found) if found is not None else None

    def _name(
        self,
        is_known: Callable[[str], bool],
        proposed: Callable[[], Completions],
        wildcard: str,
        param: str,
        options: Callable[[], list[str]],
    ) -> str | None:
        if self.hints is not None:
            self.hints.offer_names(proposed(), self.rest)
        if self._wildcard(wildcard):
            listed = options()
            return self._filled_in(listed[0], listed, wildcard, param) if listed else None
        for end in self._name_ends():
            written = self.text[self.at : end]
            if is_known(written):
                self.at = end
                return self._found(written, options() if self.with_elements else (), wildcard, param)
        return None

    def variable(self, *, settable: bool = False) -> str | None:
        """The name of a variable without `$`; not of an attribute if it is to be settable."""
        known = self.vocabulary
        if self.hints is not None:
            proposed = known.completions_of_variables() if settable else known.completions_of_values()
            self.hints.offer_names(proposed, self.rest)
        if self._wildcard("{variable}"):
            listed = known.variables_listed(settable=settable)
            return self._filled_in(listed[0], listed, "{variable}", "")[1:] if listed else None
        if not self.text.startswith("$", self.at):
            return None
        name = known.values.longest_at(self.text, self.at + 1)
        if settable and "." in name:
            name = name.partition(".")[0]
            name = name if name in known.home.variables else ""
        if not name:
            return None
        self.at += 1 + len(name)
        options = known.variables_listed(settable=settable) if self.with_elements else ()
        return self._found(f"${name}", options, "{variable}", "")[1:]

    # ------------------------------------------------------------------ values

    def expression(self, what: What) -> Expression | None:
        """An expression: one that is reckoned, a text, or either; as much as can be read."""
        filled_in = self._wildcard("{expr}")
        start = self.at
        text = ("0" if what != "text" else '""') if filled_in else self.text[start:]
        try:
            found = read_part(text, what, self.vocabulary, None if filled_in else self.hints)
        except ExpressionError as error:
            self.note(start + (error.position or 0), error.reason)
            return None
        self.at += 0 if filled_in else len(found.text)
        self.pieces.append(found.text)
        if self.with_elements:
            self.elements.append(
                element("0", ["0"], kind="text", wildcard="{expr}", filled_in=True)
                if filled_in
                else {"type": "text", "match": found.text, "wildcard": "{expr}"}
            )
        return found

    def number(self, wildcard: str = "{value}", param: str = "") -> int | float | None:
        """A number as it is written, no expression."""
        if self.hints is not None and _UNFINISHED_NUMBER.fullmatch(self.rest):
            self.hints.offer_format("Number")
        if self._wildcard(wildcard):
            self._filled_in("0", ["0"], wildcard, param, kind="text")
            return 0
        found = _NUMBER.match(self.text, self.at)
        if found is None or not math.isfinite(float(found[0])):
            self.seek("a number")
            return None
        self.at = found.end()
        self.pieces.append(found[0])
        if self.with_elements:
            self.elements.append(element(found[0], None, kind="text", param=param))
        return tidy(float(found[0]))

    def quoted(self, wildcard: str = "{value}", param: str = "") -> str | None:
        """A text in quotes, with nothing filled in."""
        if self.hints is not None:
            self.hints.offer(('"',), self.rest)
        if self._wildcard(wildcard):
            self._filled_in('""', ['""'], wildcard, param, kind="text")
            return ""
        found = _QUOTED.match(self.text, self.at)
        if found is None:
            self.seek('a text in "quotes"')
            if self.hints is not None and self.text.startswith('"', self.at):
                self.hints.offer(('"',), "")
            return None
        self.at = found.end()
        self.pieces.append(found[0])
        if self.with_elements:
            mark = element('"', ['"'], kind="static")
            self.elements += [mark, element(found[1], None, kind="text", param=param), mark]
        return found[1]

    # ------------------------------------------------------------------ inside

    def _wildcard(self, wildcard: str) -> bool:
        if not wildcard or not self.wild or not self.text.startswith(wildcard, self.at):
            return False
        self.at += len(wildcard)
        return True

    def _filled_in(self, taken: str, options: Iterable[str], wildcard: str, param: str, *, kind: str = "select") -> str:
        self.pieces.append(taken)
        if self.with_elements:
            self.elements.append(element(taken, options, kind=kind, param=param, wildcard=wildcard, filled_in=True))
        return taken

    def _found(self, taken: str, options: Iterable[str], wildcard: str, param: str, *, kind: str = "select") -> str:
        self.pieces.append(taken)
        if self.with_elements:
            self.elements.append(element(taken, options, kind=kind, param=param, wildcard=wildcard))
        return taken


def _names_of(sought: Sought) -> list[str]:
    """What was looked for, for a message."""
    match sought:
        case str():
            return [sought]
        case Able():
            return [f"the id or name of {sought.name}"]
        case Words():
            return [f"“{spelling.strip()}”" for spelling in sought.shown if spelling.strip()]
        case _:
            return [f"“{option.strip()}”" for option in sought]


def _writable(text: str) -> str:
    """The text without halves of surrogate pairs, which no answer could carry."""
    return text if text.isprintable() else text.encode("utf-8", "replace").decode()


def _shown(text: str) -> str:
    """The beginning of a text, for a message."""
    if not text:
        return "the end of the sentence"
    text = _writable(text)
    return f"“{text}”" if len(text) <= _SHOWN else f"“{text[:_SHOWN]}…”"
