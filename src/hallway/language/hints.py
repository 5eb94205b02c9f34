"""What could stand next in a sentence that somebody is typing, and the elements of a form that shows a sentence.

It must not know the grammar: whoever reads a sentence says at each place what it looked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from hallway.home.values import Attributes, Value
from hallway.language.completions import Completions
from hallway.language.words import Words

_QUIET_LETTERS = 4


class Hints:
    """Collects proposals: spellings that the unfinished end of the text begins, and formats such as Number."""

    __slots__ = ("_formats", "_phrases")

    def __init__(self) -> None:
        self._phrases: dict[str, None] = {}
        self._formats: dict[str, None] = {}

    def offer(self, phrases: Iterable[str], rest: str) -> None:
        """Propose what the rest of the text is the beginning of."""
        for phrase in phrases:
            if len(phrase) > len(rest) and phrase.startswith(rest):
                self._phrases[phrase] = None

    def offer_words(self, words: Words, rest: str) -> None:
        """Propose fixed words."""
        if not words.quiet or len(rest) >= _QUIET_LETTERS:
            self.offer(words.shown, rest)

    def offer_names(self, names: Completions, rest: str) -> None:
        """Propose names of the home."""
        self._phrases.update(dict.fromkeys(names.beginning_with(rest)))

    def offer_format(self, name: str) -> None:
        """Say what kind of value is wanted."""
        self._formats[name] = None

    def phrases(self) -> list[str]:
        """The proposals in alphabetical order, capitals or not."""
        return sorted(self._phrases, key=str.lower)

    def formats(self) -> list[str]:
        """The kinds of values in alphabetical order, capitals or not."""
        return sorted(self._formats, key=lambda name: (name.lower(), name))


def element(
    match: str,
    options: Iterable[str] | None,
    *,
    kind: str,
    param: str = "",
    wildcard: str = "",
    filled_in: bool = False,
) -> Attributes:
    """One part of a sentence as a form shows it. filled_in: the text held the wildcard and this stands in its place."""
    chosen: list[Value] | None = None
    if options is not None:
        chosen = [wildcard] if filled_in else []
        chosen += options
    shown: Attributes = {"match": match, "options": chosen, "type": kind, "wildcardMatch": filled_in}
    if param:
        shown["param"] = param
    if wildcard:
        shown["wildcard"] = wildcard
    return shown
