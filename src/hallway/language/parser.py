"""Reads the text of an expression into its tokens and its tree.

    expression = text | sum
    sum        = product (("+" | "-") product)*          product = operand (("*" | "/") operand)*
    operand    = number | variable | "(" sum ")" | function "(" [expression ("," expression)* [","]] ")"
    text       = '"' (character | escape | variable | "{" expression "}")* '"'
One space may stand around operators, commas and inside brackets. It must not know values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from hallway.language.coercion import tidy
from hallway.language.evaluation import ExpressionError
from hallway.language.functions import FUNCTIONS, Function
from hallway.language.tree import OPERATORS, Call, Chain, Node, Number, Operand, Operator, Text, Unclosed, Variable

MAX_LENGTH: Final = 65_536
MAX_TOKENS: Final = 5_000
MAX_DEPTH: Final = 50

Token = str | float | int

_NUMBER: Final = re.compile(r"-?[0-9]+\.?[0-9]*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME_LIKE: Final = re.compile(r"[\w.-]+")
_PLAIN_TEXT: Final = re.compile(r'[^"${\\]+')
_ESCAPES: Final[Mapping[str, str]] = MappingProxyType(
    {'"': '"', "$": "$", "\\": "\\", "{": "{", "}": "}", "n": "\n", "r": "\r"}
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        '"': '; texts cannot be reckoned with: join them inside one text, as in "$first $second"',
        "'": '; write texts in double quotes: "text"',
        "-": "; only a number takes a sign: write 0 - $name",
    }
)
_TRIED_BLINDLY: Final = 256


@dataclass(slots=True)
class Parser:
    """Reads one expression; what it finds stands in `tokens` and `variables` afterwards."""

    text: str
    names: Collection[str]
    partial: bool = False
    """Whether an operator that nothing fits to ends the expression before it, instead of being an error."""
    tokens: list[Token] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    _at: int = 0
    _depth: int = 0
    _longest_name: int | None = None
    _variable_end: int = -1

    def read(self) -> Node:
        """The tree of the whole text; ExpressionError says what stands where something else is needed."""
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(f"the expression is too long: at most {MAX_LENGTH} characters")
        node = self._expression()
        if self._at < len(self.text):
            raise self._unexpected("an operator (+ - * /) or the end of the expression")
        return node

    # What could stand at a place; a parser that helps to complete what is being typed overrides these.

    def _offer(self, *phrases: str) -> None:
        """One of these phrases could stand here."""

    def _offer_operand(self) -> None:
        """A number, a variable, a function or a bracket could stand here."""

    def _offer_in_text(self) -> None:
        """A variable, a part to fill in or the end of the text could stand here."""

    def _offer_close(self) -> None:
        """The end of a bracket could stand here, with a space before it."""

    def _offer_argument(self, function: Function, index: int) -> None:
        """The argument of a function with that index could stand here, or go on."""

    def _unexpected(self, wanted: str) -> ExpressionError:
        rest = self.text[self._at : self._at + 20]
        if not rest:
            return ExpressionError(f"the expression ends where {wanted} is needed", self._at)
        spaced = rest == " " or rest.startswith("  ")
        hint = "; there is a space too many" if spaced else _HINTS.get(rest[0], "")
        more = _NAME_LIKE.match(rest)
        if more and self._at == self._variable_end:
            hint = f"; of the name only {self.tokens[-1]} is a variable that exists"
        return ExpressionError(f"`{rest}` stands where {wanted} is needed{hint}", self._at)

    def _add(self, token: Token) -> None:
        if len(self.tokens) >= MAX_TOKENS:
            raise ExpressionError(f"the expression has too many parts: at most {MAX_TOKENS}", self._at)
        self.tokens.append(token)

    def _next(self) -> str:
        return self.text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        """The character, with at most one space before it."""
        for spaced in (character, f" {character}"):
            if self.text.startswith(spaced, self._at):
                self._at += len(spaced)
                return True
        return False

    def _next_but_space(self) -> str:
        return self.text[self._at : self._at + 2].removeprefix(" ")[:1]

    def _skip_space(self) -> None:
        if self._next() == " ":
            self._at += 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested too deeply: at most {MAX_DEPTH} levels", self._at)

    def _expression(self) -> Node:
        self._offer('"')
        return self._quoted() if self._next() == '"' else self._sum()

    def _sum(self) -> Operand:
        return self._chain("+-")

    def _chain(self, signs: str) -> Operand:
        first = self._operand() if signs == "*/" else self._chain("*/")
        rest: list[tuple[Operator, Operand]] = []
        while more := self._another(signs):
            rest.append(more)
        return Chain(first, tuple(rest)) if rest else first

    def _another(self, signs: str) -> tuple[Operator, Operand] | None:
        """One of the operators and what it is applied to."""
        before, count, depth = self._at, len(self.tokens), self._depth
        sign = self._operator(signs)
        if not sign:
            return None
        self._add(sign)
        try:
            return OPERATORS[sign], self._operand() if signs == "*/" else self._chain("*/")
        except ExpressionError:
            if not self.partial:
                raise
        self._at, self._depth = before, depth
        del self.tokens[count:]
        return None

    def _operator(self, signs: str) -> str:
        self._offer(f" {signs[0]} ", f" {signs[1]} ")
        sign = next((sign for sign in signs if self._take(sign)), "")
        if sign:
            self._skip_space()
        return sign

    def _operand(self) -> Operand:
        self._offer_operand()
        match self._next():
            case "$":
                return self._variable()
            case "(":
                return self._group()
            case _:
                return self._number() or self._call()

    def _number(self) -> Operand | None:
        found = _NUMBER.match(self.text, self._at)
        if not found:
            return None
        number = float(found[0])
        if not math.isfinite(number):
            raise ExpressionError("this number is too large", self._at)
        self._at = found.end()
        written = tidy(number)
        self._add(written)
        return Number(written)

    def _variable(self) -> Operand:
        start = self._at
        name = self._longest_known(start + 1)
        if not name:
            like = _NAME_LIKE.match(self.text, start + 1)
            if not like:
                raise ExpressionError(
                    "after $ the name of a variable is needed; in a text write \\$ for the sign", start
                )
            raise ExpressionError(
                f"there is no variable ${like[0][:60]}; check its spelling, capital letters count", start
            )
        self._at += 1 + len(name)
        self._variable_end = self._at
        self._add(f"${name}")
        self.variables.add(name)
        return Variable(name, start)

    def _longest_known(self, start: int) -> str:
        """The longest name of a variable that the text goes on with."""
        if not isinstance(self.names, AbstractSet | Mapping):
            self.names = frozenset(self.names)
        longest = len(self.text) - start
        if longest > _TRIED_BLINDLY:
            if self._longest_name is None:
                self._longest_name = max(map(len, self.names), default=0)
            longest = min(longest, self._longest_name)
        for length in range(longest, 0, -1):
            name = self.text[start : start + length]
            if name in self.names:
                return name
        return ""

    def _group(self) -> Operand:
        start = self._at
        self._deeper()
        self._at += 1
        self._add("(")
        self._offer(" ")
        self._skip_space()
        node = self._sum()
        self._depth -= 1
        self._offer_close()
        if not self._take(")"):
            return Unclosed(start)
        self._add(")")
        return node

    def _call(self) -> Operand:
        word = _WORD.match(self.text, self._at)
        if not word:
            raise self._unexpected("a number, a $variable, a function or (")
        function = FUNCTIONS.get(word[0])
        if function is None:
            known = ", ".join(FUNCTIONS)
            raise ExpressionError(f"there is no function {word[0][:60]}; the functions are {known}", self._at)
        self._deeper()
        self._at = word.end()
        self._add(word[0])
        self._offer("(")
        if not self._take("("):
            raise self._unexpected(f"the ( of {function.signature}")
        self._add("(")
        self._skip_space()
        arguments = self._arguments(function)
        self._depth -= 1
        return Call(function, arguments)

    def _arguments(self, function: Function) -> tuple[Node, ...]:
        arguments: list[Node] = []
        self._offer(")")
        while not self._take(")"):
            self._offer_argument(function, len(arguments))
            arguments.append(self._expression())
            self._offer_argument(function, len(arguments) - 1)
            self._offer(", ", ")")
            if self._take(","):
                self._add(",")
                self._skip_space()
                self._offer(")")
            elif self._next_but_space() != ")":
                raise self._unexpected(f"a comma or the ) of {function.signature}")
        self._add(")")
        return tuple(arguments)

    def _quoted(self) -> Node:
        start = self._at
        self._at += 1
        parts: list[str | Node] = []
        while True:
            plain = self._plain_text(start)
            self._add(f'"{plain}"')
            parts.append(plain)
            self._offer_in_text()
            if self._take_exactly('"'):
                return Text(tuple(parts))
            parts.append(self._variable() if self._next() == "$" else self._filled_in())

    def _take_exactly(self, character: str) -> bool:
        if self._next() != character:
            return False
        self._at += 1
        return True

    def _plain_text(self, start: int) -> str:
        """Characters up to what ends the text or is filled in."""
        pieces: list[str] = []
        while (character := self._next()) not in {'"', "$", "{"}:
            if not character:
                self._offer_in_text()
                raise ExpressionError('this text has no " that ends it', start)
            plain = _PLAIN_TEXT.match(self.text, self._at)
            escaped = _ESCAPES.get(self.text[self._at + 1 : self._at + 2])
            if plain:
                pieces.append(plain[0])
                self._at = plain.end()
            elif escaped:
                pieces.append(escaped)
                self._at += 2
            else:
                pieces.append(character)
                self._at += 1
        return "".join(pieces)

    def _filled_in(self) -> Node:
        self._deeper()
        self._at += 1
        self._add("(")
        self._skip_space()
        if self._next() == "}":
            raise ExpressionError("between { and } an expression is needed; write \\{ for the sign", self._at)
        node = self._expression()
        self._offer("}")
        if not self._take("}"):
            raise self._unexpected("an operator (+ - * /) or the } of the part filled in")
        self._depth -= 1
        self._add(")")
        return node
