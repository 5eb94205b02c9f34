"""Names in alphabetical order, to propose those that go on after what somebody has typed.

They can be added and dropped one by one, so that a thing more in a large home costs no more than in a small one.
It must not know what the names are of.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import TypeVar

NameT = TypeVar("NameT", str, tuple[str, str])

_AFTER_ALL = "\U0010ffff"


def lowered(text: str) -> str:
    """The text without capitals, character for character as long as before."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(small if len(small := character.lower()) == 1 else character for character in text)
    return lower


def folded(lower: str) -> str:
    """A lowered text in which runs of white space are one space."""
    return " ".join(lower.split()) if "  " in lower or not lower.isprintable() else lower


def fold(text: str) -> str:
    """How a name is looked up: capitals and the width of white space do not count."""
    return folded(lowered(text))


class Completions:
    """Names to propose: `exact` ones begin with what was typed as it stands, `loose` ones in any capitals."""

    __slots__ = ("_exact", "_loose")

    def __init__(self, exact: Iterable[str] = (), loose: Iterable[str] = ()) -> None:
        self._exact = sorted(exact)
        self._loose = sorted((fold(name), name) for name in loose)

    def add(self, exact: Iterable[str] = (), loose: Iterable[str] = ()) -> None:
        """Propose these as well."""
        for name in exact:
            insort(self._exact, name)
        for name in loose:
            insort(self._loose, (fold(name), name))

    def drop(self, exact: Iterable[str] = (), loose: Iterable[str] = ()) -> None:
        """Propose these no more; of a name that was added twice, one stays."""
        for name in exact:
            _drop(self._exact, name)
        for name in loose:
            _drop(self._loose, (fold(name), name))

    def beginning_with(self, typed: str) -> list[str]:
        """Those that go on after what was typed."""
        if not typed:
            return [*self._exact, *(name for _, name in self._loose)]
        exact = self._exact[bisect_left(self._exact, typed) : bisect_left(self._exact, typed + _AFTER_ALL)]
        small = typed.lower()
        low, high = (small, ""), (small + _AFTER_ALL, "")
        loose = self._loose[bisect_left(self._loose, low) : bisect_left(self._loose, high)]
        return [name for name in (*exact, *(name for _, name in loose)) if len(name) > len(typed)]


def _drop(names: list[NameT], name: NameT) -> None:
    place = bisect_left(names, name)
    if names[place : place + 1] == [name]:
        del names[place]
