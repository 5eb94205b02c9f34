"""What holds for every expression: reading and writing agree, precedence is that of arithmetic, nothing but
ExpressionError is ever raised."""

import math
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from hallway.home.values import encode
from hallway.language.arithmetic import divide
from hallway.language.coercion import tidy
from hallway.language.expressions import UNDEFINED, Expression, ExpressionError, Result, parse
from hallway.language.functions import FUNCTIONS
from hallway.language.parser import Token
from tests.language.scopes import LEISURELY, VARIABLES, House, attempt

NAMES = sorted(VARIABLES)
SPACE = st.sampled_from(["", " "])


@dataclass(frozen=True)
class Sample:
    """An expression as text, with the tokens it must have."""

    text: str
    tokens: tuple[Token, ...]


def joined(*parts: Sample | str) -> Sample:
    """One sample out of several; plain strings are only text."""
    text = "".join(part if isinstance(part, str) else part.text for part in parts)
    return Sample(text, tuple(token for part in parts if isinstance(part, Sample) for token in part.tokens))


def sign(text: str) -> Sample:
    return Sample(text, (text,))


def number(digits: str) -> Sample:
    return Sample(digits, (tidy(float(digits)),))


NUMBERS = st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{0,10})?", fullmatch=True).map(number)
NAMED = st.sampled_from(NAMES).map(lambda name: sign(f"${name}"))
SPACED = {
    text: st.builds(joined, SPACE, st.just(sign(text)), SPACE) for text in ("+", "-", "*", "/", ",")
}  # fmt: skip


@st.composite
def plain_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A piece of text: as written between quotes, and as meant."""
    meant = draw(st.text(st.sampled_from('ab"${}\\\n ü☃'), max_size=5))
    written = meant.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("{", "\\{")
    return written, meant


@st.composite
def texts(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    parts: list[Sample | str] = ['"']
    written, meant = draw(plain_texts())
    parts.append(Sample(written, (f'"{meant}"',)))
    for filled in draw(st.lists(st.one_of(NAMED, inner), max_size=3)):
        if filled.text in {f"${name}" for name in NAMES} and filled.text.count("$") == 1:
            parts.append(filled)
            # What follows must not make the name longer.
            parts.append(Sample("☃", ('"☃"',)))
            continue
        opening, closing = draw(SPACE), draw(SPACE)
        parts.extend((Sample("{" + opening, ("(",)), filled, Sample(closing + "}", (")",))))
        written, meant = draw(plain_texts())
        parts.append(Sample(written, (f'"{meant}"',)))
    return joined(*parts, '"')


@st.composite
def sums(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    operands = draw(st.lists(inner, min_size=1, max_size=3))
    parts: list[Sample | str] = [operands[0]]
    for operand in operands[1:]:
        # A space apart, for the names of variables may hold signs and spaces.
        between = draw(st.sampled_from(["+", "-", "*", "/"]))
        parts.extend((" ", sign(between), " ", operand))
    return joined(*parts)


@st.composite
def groups(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    return joined(sign("("), draw(SPACE), draw(inner), draw(SPACE), sign(")"))


@st.composite
def calls(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    arguments = draw(st.lists(inner, max_size=3))
    parts: list[Sample | str] = [sign(name), draw(SPACE), sign("("), draw(SPACE)]
    for index, argument in enumerate(arguments):
        if index:
            parts.append(draw(SPACED[","]))
        parts.append(argument)
    return joined(*parts, draw(SPACE) if arguments else "", sign(")"))


def operands(inner: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    return sums(st.one_of(NUMBERS, NAMED, groups(inner), calls(st.one_of(inner, texts(inner)))))


NUMERIC = st.recursive(sums(st.one_of(NUMBERS, NAMED)), operands, max_leaves=8)
EXPRESSIONS = st.one_of(NUMERIC, texts(NUMERIC), texts(texts(NUMERIC)))

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from(
            ["", "12", "12 apples", "1:30", "2020-01-02", "[a-z]+", "(a+)+$", "YYYY", "gi", "days", "x" * 999]
        ),
        st.text(max_size=10),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=5,
)


def furnished(values: list[Result], unit: str, drawn: float) -> House:
    return House(dict(zip(NAMES, values, strict=True)), dict.fromkeys(NAMES, unit), drawn=drawn)


HOUSES = st.builds(
    furnished,
    st.lists(st.one_of(JSON, st.just(UNDEFINED)), min_size=len(NAMES), max_size=len(NAMES)),
    st.sampled_from(["", "W", "°C"]),
    st.floats(0, 1, exclude_max=True),
)


def written(tokens: tuple[Token, ...]) -> str:
    """The text of an expression from nothing but its tokens."""
    text, rest = written_expression(tokens)
    assert rest == ()
    return text


def written_expression(tokens: tuple[Token, ...]) -> tuple[str, tuple[Token, ...]]:
    """Tokens up to a comma or bracket that ends the expression, and those after it."""
    pieces: list[str] = []
    while tokens and tokens[0] not in {",", ")"}:
        first, *others = tokens
        tokens = tuple(others)
        if first == "(":
            inner, tokens = written_expression(tokens)
            while tokens[0] == ",":
                following, tokens = written_expression(tokens[1:])
                inner += f", {following}"
            tokens = tokens[1:]
            pieces.append(f"({inner})")
        elif isinstance(first, str) and first.startswith('"'):
            text, tokens = written_text(first, tokens)
            pieces.append(text)
        elif isinstance(first, str):
            pieces.append(f" {first} " if first in "+-*/" else first)
        else:
            pieces.append(f"{Decimal(repr(first)):f}")
    return "".join(pieces), tokens


def written_text(first: str, tokens: tuple[Token, ...]) -> tuple[str, tuple[Token, ...]]:
    pieces = [escaped(first)]
    while tokens and (tokens[0] == "(" or (isinstance(tokens[0], str) and tokens[0].startswith("$"))):
        if tokens[0] == "(":
            inner, tokens = written_expression(tokens[1:])
            pieces.append(f"{{{inner}}}")
        else:
            pieces.append(str(tokens[0]))
        pieces.append(escaped(str(tokens[1])))
        tokens = tokens[2:]
    return f'"{"".join(pieces)}"', tokens


def escaped(token: str) -> str:
    meant = token[1:-1]
    return meant.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("{", "\\{")


def outcome(expression: Expression, house: House) -> tuple[str, object]:
    """What an expression comes to, as something that can be compared: NaN is equal to itself."""
    result = attempt(lambda: expression.result(house))
    return ("error", result.message) if isinstance(result, ExpressionError) else ("value", repr(result))


@LEISURELY
@given(sample=EXPRESSIONS)
def test_an_expression_is_read_as_it_was_put_together(sample: Sample) -> None:
    expression = parse(sample.text, VARIABLES)

    assert expression.text == sample.text
    assert expression.tokens == sample.tokens
    assert expression.variables == {str(token)[1:] for token in sample.tokens if str(token).startswith("$")}


@LEISURELY
@given(sample=EXPRESSIONS)
def test_the_tokens_of_an_expression_say_it_all(sample: Sample) -> None:
    first = parse(sample.text, VARIABLES)
    again = parse(written(first.tokens), VARIABLES)

    assert again.tokens == first.tokens
    assert outcome(again, House())[0] == outcome(first, House())[0]


@dataclass(frozen=True)
class Operation:
    """A tree of arithmetic that knows its value without the language."""

    left: "Operation | int"
    between: str
    right: "Operation | int"


def reckoned(tree: Operation | int) -> float:
    if isinstance(tree, int):
        return float(tree)
    left, right = reckoned(tree.left), reckoned(tree.right)
    return {"+": left + right, "-": left - right, "*": left * right, "/": divide(left, right)}[tree.between]


def shown(tree: Operation | int, above: int = 0) -> str:
    """As few brackets as the rules of arithmetic ask for."""
    if isinstance(tree, int):
        return str(tree)
    rank = 1 if tree.between in "+-" else 2
    text = f"{shown(tree.left, rank)} {tree.between} {shown(tree.right, rank + 1)}"
    return f"({text})" if rank < above else text


TREES = st.recursive(
    st.integers(-99, 99),
    lambda inner: st.builds(Operation, inner, st.sampled_from("+-*/"), inner),
    max_leaves=12,
)


@LEISURELY
@given(tree=TREES)
def test_operators_rank_as_in_arithmetic(tree: Operation | int) -> None:
    value = parse(shown(tree), ()).evaluate(House())

    assert isinstance(value, int | float)
    assert value == reckoned(tree) or (math.isnan(value) and math.isnan(reckoned(tree)))


@LEISURELY
@given(sample=EXPRESSIONS, house=HOUSES)
def test_evaluating_gives_a_value_or_an_expression_error(sample: Sample, house: House) -> None:
    expression = parse(sample.text, VARIABLES)

    value = attempt(lambda: expression.evaluate(house))

    if isinstance(value, ExpressionError):
        assert value.position is None or 0 <= value.position < len(sample.text)
    else:
        assert value is None or isinstance(value, bool | int | float | str | list | dict)
        assert encode(value)


@LEISURELY
@given(sample=EXPRESSIONS, house=HOUSES)
def test_evaluating_twice_gives_the_same(sample: Sample, house: House) -> None:
    expression = parse(sample.text, VARIABLES)

    assert outcome(expression, house) == outcome(expression, house)


@LEISURELY
@given(sample=EXPRESSIONS, house=HOUSES)
def test_a_unit_is_a_text_or_an_expression_error(sample: Sample, house: House) -> None:
    unit = attempt(lambda: parse(sample.text, VARIABLES).unit(house))

    assert isinstance(unit, str) or "unit" in unit.message


FRAGMENTS = st.sampled_from(
    [
        '"',
        "$",
        "{",
        "}",
        "(",
        ")",
        ",",
        " ",
        "  ",
        "+",
        "-",
        "*",
        "/",
        ".",
        "\\",
        "1",
        "2.5",
        "$a",
        "$ab",
        "$word",
        "\n",
        "é",
    ]
    + [f"{name}(" for name in FUNCTIONS]
)


@LEISURELY
@given(text=st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, max_size=25).map("".join)))
@example('subString("a", "(")')
@example("(" * 1_000)
@example('"{' * 1_000)
@example("$")
def test_any_text_is_an_expression_or_an_expression_error(text: str) -> None:
    expression = attempt(lambda: parse(text, VARIABLES))

    if isinstance(expression, ExpressionError):
        assert expression.position is not None
        assert 0 <= expression.position <= len(text)
    else:
        assert expression.text == text
        assert outcome(expression, House())[0] in {"value", "error"}


@LEISURELY
@given(value=JSON)
def test_a_variable_alone_is_its_value(value: Result) -> None:
    result = parse("$x", {"x"}).result(House({"x": value}))

    assert result is value
