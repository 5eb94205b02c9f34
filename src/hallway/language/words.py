"""The fixed words of sentences: which spellings there are, which of them are proposed, and how they are found.

A strict look takes the text as it stands; a lenient one also takes other capitals, more white space, and none around
signs such as `>` and `%`. It must not know what the words mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

ElementType = Literal["static", "select", "text", "time"]

_WORD_CHARACTER = re.compile(r"[\w$]")


@dataclass(frozen=True, slots=True)
class Words:
    """Spellings that may stand at one place of a sentence; the longest that fits counts.

    shown: those proposed to somebody who types, in order; every: those accepted; quiet: proposed from the fourth letter
    on only, so that what pimatic does not have stays out of the way. element, param: how a form shows them.
    """

    shown: tuple[str, ...]
    every: tuple[str, ...]
    element: ElementType
    param: str
    quiet: bool
    _strict: re.Pattern[str] = field(repr=False, compare=False)
    _lenient: re.Pattern[str] = field(repr=False, compare=False)
    _longest_first: tuple[str, ...] = field(repr=False, compare=False)

    def find(self, text: str, at: int) -> tuple[str, int] | None:
        """The spelling that stands at a place of the text, and where it ends."""
        found = self._strict.match(text, at)
        return (found[0], found.end()) if found else None

    def find_leniently(self, text: str, at: int) -> tuple[str, int] | None:
        """As `find`, in other capitals and with more or less white space too; in our spelling."""
        found = self._lenient.match(text, at)
        return (self._longest_first[(found.lastindex or 1) - 1], found.end()) if found else None

    def options(self, taken: str) -> list[str]:
        """What a form offers to choose from, with the one that was taken."""
        return [spelling for spelling in self.every if spelling in self.shown or spelling == taken]


def words(
    *shown: str, also: Iterable[str] = (), element: ElementType = "static", param: str = "", quiet: bool = False
) -> Words:
    """Spellings that are proposed, and also others that are accepted."""
    every = (*shown, *also)
    longest_first = tuple(sorted(set(every), key=lambda spelling: (-len(spelling), spelling)))
    strict = re.compile("|".join(map(re.escape, longest_first)))
    lenient = re.compile("|".join(f"({_leniently(spelling)})" for spelling in longest_first), re.IGNORECASE)
    return Words(shown, every, element, param, quiet, strict, lenient, longest_first)


def _leniently(spelling: str) -> str:
    """A pattern for a spelling: a space between words is any white space, one beside a sign may be missing."""
    pieces = re.split(" +", spelling)
    pattern = re.escape(pieces[0])
    for before, after in pairwise(pieces):
        beside_a_sign = _is_sign(before[-1:]) or _is_sign(after[:1])
        pattern += (r"\s*" if beside_a_sign else r"\s+") + re.escape(after)
    return rf"\s*{pattern}" if _is_sign(spelling[:1].strip()) else pattern


def _is_sign(character: str) -> bool:
    return bool(character) and not _WORD_CHARACTER.match(character)
