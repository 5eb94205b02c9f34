"""The page about expressions: its examples are true, and its tables are complete."""

import json
import math
import re
from pathlib import Path

import pytest

from hallway.language.coercion import number_text
from hallway.language.dates import MONTHS, write_date
from hallway.language.expressions import UNDEFINED, ExpressionError, Result, parse
from hallway.language.functions import FUNCTIONS
from tests.language.scopes import AMSTERDAM, NOW, House

PAGE = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```expressions\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [tuple(line.split("  → ")) for block in BLOCKS for line in block.splitlines()]


def rows(heading: str) -> list[list[str]]:
    """The rows of the table with that heading, each as its cells."""
    table = PAGE.split(f"{heading}\n", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in table.splitlines()[1:]]


def value_of(shown: str) -> Result:
    return UNDEFINED if shown == "undefined" else json.loads(shown)


VARIABLES = rows("| variable | value | unit |")
HOUSE = House(
    values={name.strip("`$"): value_of(value) for name, value, _ in VARIABLES},
    units={name.strip("`$"): unit for name, _, unit in VARIABLES},
)


def outcome(text: str) -> str:
    try:
        result = parse(text, HOUSE.values).result(HOUSE)
    except ExpressionError:
        return "error"
    if result is UNDEFINED:
        return "undefined"
    if isinstance(result, float) and not math.isfinite(result):
        return number_text(result)
    return json.dumps(result, ensure_ascii=False)


@pytest.mark.parametrize(("text", "result"), EXAMPLES)
def test_an_example_gives_the_result_beside_it(text: str, result: str) -> None:
    assert outcome(text) == result


def test_every_block_of_examples_is_read() -> None:
    assert len(BLOCKS) == PAGE.count("```") / 2
    assert len(EXAMPLES) == sum(line.count("  → ") for line in PAGE.splitlines()) > 100


def test_every_function_is_listed_with_its_parameters_and_meaning() -> None:
    listed = [(signature.strip("`"), meaning) for signature, meaning in rows("| function | what it gives |")]

    assert listed == [(function.signature, function.doc) for function in FUNCTIONS.values()]


def test_a_unit_in_an_explanation_is_a_parameter_or_says_which_names_it() -> None:
    speaking = [function for function in FUNCTIONS.values() if re.search(r"\bunit\b", function.doc)]
    assert {function.name for function in speaking} >= {"diffDate", "formatNumber"}
    for function in speaking:
        names = {str(parameter).strip("[]") for parameter in function.parameters}
        assert "unit" in names or re.search(rf"unit that (?:{'|'.join(names)}) names", function.doc), function.signature


def test_every_function_has_an_example() -> None:
    assert [name for name in FUNCTIONS if not any(f"{name}(" in text for text, _ in EXAMPLES)] == []


def test_every_part_of_a_mask_is_listed() -> None:
    listed = {part for cell, _ in rows("| in a mask | stands for |") for part in re.findall(r"`([A-Za-z]+)`", cell)}
    letters = "YMDhHmsSZAQWUouw"
    known = {letter * times for letter in letters for times in range(1, 5) if is_one_part(letter * times)}

    assert known - listed == {"YYY"}
    assert listed <= known


def is_one_part(mask: str) -> bool:
    """Whether the mask is one part, not several that stand side by side."""
    at = NOW.timestamp()
    halves = [mask[:cut] for cut in range(1, len(mask))]
    whole = write_date(at, AMSTERDAM, mask)
    split = {write_date(at, AMSTERDAM, half) + write_date(at, AMSTERDAM, mask[len(half) :]) for half in halves}
    return whole not in split | {mask}


def test_the_moment_of_the_examples_is_the_one_told() -> None:
    told = f"{NOW:%A} {NOW.day} {MONTHS[NOW.month - 1]} {NOW.year}, {NOW:%H:%M:%S}.{NOW.microsecond // 1000:03}"

    assert told in " ".join(PAGE.split())
