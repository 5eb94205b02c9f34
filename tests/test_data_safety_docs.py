"""docs/data-safety.md: whatever is promised there names tests that exist, and each file named has tests in it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROMISES = (ROOT / "docs" / "data-safety.md").read_text("utf-8")
TESTS = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> list[list[str]]:
    """The cells of each row of the tables, without their heads."""
    lines = [line for line in PROMISES.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "promise" and not set(row[0]) <= {"-"}]


def problems(row: list[str]) -> list[str]:
    if len(row) != 3 or not all(row):
        return [f"{row[0]}: a promise, its bound and its test are wanted"]
    promise, _bound, told = row
    named = TESTS.findall(told)
    if not named or TESTS.sub("", told).strip(" ,"):
        return [f"{promise}: names something else than tests: {told}"]
    return [f"{promise}: there is no {file} {name}" for file, name in named if not is_there(file, name)]


def is_there(file: str, name: str) -> bool:
    """Whether the file has that test, or any."""
    path = ROOT / file
    test = re.compile(rf"^(async )?def {name or 'test_'}", re.MULTILINE)
    return path.is_file() and test.search(path.read_text("utf-8")) is not None


def test_every_promise_names_tests_that_exist() -> None:
    assert len(rows()) > 20
    assert [problem for row in rows() for problem in problems(row)] == []


def test_a_row_that_names_no_test_is_found() -> None:
    here = "tests/test_data_safety_docs.py"
    assert problems(["a", "b", f"`{here}`, `{here}::test_every_promise_names_tests_that_exist`"]) == []
    for told in ("", "`tests/test_none.py`", f"`{here}::test_none`", "somewhere", f"`{here}` and elsewhere"):
        assert problems(["a", "b", told]), told
    assert problems(["a", "`tests/test_cli.py`"])
