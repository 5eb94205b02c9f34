"""The guard against silent skips: every skip is printed, and in CI an unlisted one fails the run."""

from pathlib import Path

import pytest

from tests.skips import SkipGuard, is_allowed, read_allowed

pytest_plugins = ["pytester"]

SKIPPING = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="no printer here")
def test_prints(): pass

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


@pytest.mark.parametrize(
    "prefix",
    [
        "tests",
        "tests/links",
        "tests/links/test_x.py",
        "tests/links/test_x.py::test_y",
        "tests/links/test_x.py::test_y[1]",
    ],
)
def test_a_prefix_covers_what_stands_in_it(prefix: str) -> None:
    assert is_allowed("tests/links/test_x.py::test_y[1]", [prefix])


@pytest.mark.parametrize("prefix", ["tests/link", "tests/links/test_x.py::test_", "tests/links/test_y.py"])
def test_a_prefix_ends_at_a_whole_name(prefix: str) -> None:
    assert not is_allowed("tests/links/test_x.py::test_y[1]", [prefix])


def test_the_list_is_read_with_its_reasons() -> None:
    assert read_allowed("# comment\n\ntests/a.py — needs a printer\n") == {"tests/a.py": "needs a printer"}


@pytest.mark.parametrize("line", ["tests/a.py", "tests/a.py — ", "tests/a.py - a hyphen is no dash", " — no test"])
def test_a_line_without_test_or_reason_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(ValueError, match=r"allowed-skips\.txt:2"):
        read_allowed(f"# comment\n{line}\n")


def run(pytester: pytest.Pytester, source: str, guard: SkipGuard) -> pytest.RunResult:
    pytester.makepyfile(test_sample=source, test_other="def test_runs(): pass")
    return pytester.runpytest_inprocess("-p", "no:asyncio", plugins=[guard])


def test_an_unlisted_skip_fails_a_strict_run(pytester: pytest.Pytester) -> None:
    result = run(pytester, SKIPPING, SkipGuard({}, strict=True))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_sample.py::test_prints: no printer here (not listed in tests/allowed-skips.txt)" in result.outlines
    result.assert_outcomes(passed=2, skipped=1, xfailed=1)


def test_an_unlisted_skip_is_only_printed_on_a_developers_machine(pytester: pytest.Pytester) -> None:
    result = run(pytester, SKIPPING, SkipGuard({}, strict=False))
    assert result.ret == pytest.ExitCode.OK
    assert "test_sample.py::test_prints: no printer here (not listed in tests/allowed-skips.txt)" in result.outlines


def test_a_listed_skip_passes_a_strict_run(pytester: pytest.Pytester) -> None:
    result = run(pytester, SKIPPING, SkipGuard({"test_sample.py::test_prints": "nobody prints"}, strict=True))
    assert result.ret == pytest.ExitCode.OK
    assert "test_sample.py::test_prints: no printer here (listed)" in result.outlines


def test_a_whole_file_that_is_skipped_counts_too(pytester: pytest.Pytester) -> None:
    guard = SkipGuard({}, strict=True)
    result = run(pytester, 'import pytest\npytest.importorskip("no_such_module_here")\n', guard)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert guard.unlisted() == ["test_sample.py"]


@pytest.mark.parametrize(
    ("source", "skipped"),
    [
        (SKIPPING, "test_sample.py::test_prints: no printer here"),
        ('import pytest\npytest.importorskip("no_such_module_here")\n', "test_sample.py: could not import"),
    ],
    ids=["a test", "a file"],
)
def test_a_skip_in_a_process_beside_counts_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str, skipped: str
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makepyfile(test_sample=source, test_other="def test_runs(): pass")
    result = pytester.runpytest_subprocess("-p", "tests.skips", "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"{skipped}*(not listed in tests/allowed-skips.txt)"])


def test_a_failed_run_stays_failed(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_fails(): assert False", SkipGuard({}, strict=True))
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
