"""Expressions inside sentences: `$a + 1` in `set $b to $a + 1 for …` is read as far as it goes, and no further.

It adds to the parser of expressions where to stop and what to propose. It must not know sentences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hallway.language.evaluation import ExpressionError
from hallway.language.expressions import Expression
from hallway.language.functions import FUNCTIONS, Function
from hallway.language.hints import Hints
from hallway.language.parser import Parser
from hallway.language.vocabulary import Vocabulary

What = Literal["number", "text", "any"]

_UNFINISHED_NUMBER = re.compile(r"(?:-?[0-9]+\.?[0-9]*)?")


@dataclass(slots=True)
class PartParser(Parser):
    """Reads the expression with which a text begins; what follows it is none of its business."""

    vocabulary: Vocabulary | None = None
    hints: Hints | None = None

    def part(self, what: What) -> Expression:
        """The expression, as much of it as can be read; ExpressionError when there is none."""
        if what == "any":
            node = self._expression()
        elif what == "number":
            node = self._sum()
        else:
            self._offer('"')
            if self._next() != '"':
                raise ExpressionError('a text in "quotes" is needed', self._at)
            node = self._quoted()
        used = frozenset(token[1:] for token in self.tokens if isinstance(token, str) and token.startswith("$"))
        return Expression(self.text[: self._at], tuple(self.tokens), used, node)

    def _longest_known(self, start: int) -> str:
        return self.vocabulary.values.longest_at(self.text, start) if self.vocabulary else ""

    def _offer(self, *phrases: str) -> None:
        if self.hints:
            self.hints.offer(phrases, self.text[self._at :])

    def _offer_operand(self) -> None:
        if not self.hints or not self.vocabulary:
            return
        rest = self.text[self._at :]
        self.hints.offer_names(self.vocabulary.completions_of_values(), rest)
        self.hints.offer(("(", *FUNCTIONS), rest)
        if _UNFINISHED_NUMBER.fullmatch(rest):
            self.hints.offer_format("Number")

    def _offer_in_text(self) -> None:
        if self.hints and self.vocabulary:
            rest = self.text[self._at :]
            self.hints.offer(('"', "{"), rest)
            self.hints.offer_names(self.vocabulary.completions_of_values(), rest)

    def _offer_close(self) -> None:
        self._offer(" ", ")")
        if self.hints and self.text[self._at :] == " ":
            self.hints.offer((")",), "")

    def _offer_argument(self, function: Function, index: int) -> None:
        if not self.hints or self._at < len(self.text):
            return
        parameters = function.parameters
        if index < len(parameters) and not parameters[index].repeated:
            self.hints.offer_format(str(parameters[index]))
        elif index and parameters[-1].repeated:
            self.hints.offer_format(f"{parameters[-1].name}s")


def read_part(text: str, what: What, vocabulary: Vocabulary, hints: Hints | None = None) -> Expression:
    """The expression with which a text begins; ExpressionError when it begins with none."""
    parser = PartParser(text, vocabulary.values, partial=True, vocabulary=vocabulary, hints=hints)
    return parser.part(what)
