"""A pytest plugin (`-p tests.skips`): no test is skipped without a reason that somebody wrote down.

Each skip is printed with its reason. Where CI is set, a skip that tests/allowed-skips.txt does not list fails the run.
A line of that file is `nodeid-or-prefix — reason`; `#` starts a comment. A prefix ends at a folder, a file, a class or
a test: `tests/links` and `tests/links/test_x.py::test_y` are prefixes of `tests/links/test_x.py::test_y[1]`.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ALLOWED = Path(__file__).with_name("allowed-skips.txt")
SEPARATOR = " — "


def read_allowed(text: str) -> dict[str, str]:
    """Prefix → reason; ValueError names the line that has no reason."""
    allowed = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        prefix, _, reason = (part.strip() for part in line.partition(SEPARATOR))
        if not prefix or not reason:
            raise ValueError(f"allowed-skips.txt:{number}: write `nodeid-or-prefix{SEPARATOR}reason`")
        allowed[prefix] = reason
    return allowed


def is_allowed(nodeid: str, prefixes: Iterable[str]) -> bool:
    """Whether the test, or a folder, file or class that it stands in, is listed."""
    return any(nodeid == p or nodeid.startswith((f"{p}/", f"{p}::", f"{p}[")) for p in prefixes)


class SkipGuard:
    """Collects the skips of one run and has the last word on its exit status."""

    def __init__(self, allowed: Mapping[str, str], *, strict: bool) -> None:
        self._allowed = allowed
        self._strict = strict
        self._reasons: dict[str, str] = {}

    def unlisted(self) -> list[str]:
        """The skipped tests that nobody gave a reason for, in the order in which they were skipped."""
        return [nodeid for nodeid in self._reasons if not is_allowed(nodeid, self._allowed)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._strict and self.unlisted() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._reasons:
            return
        unlisted = self.unlisted()
        terminalreporter.section("skips")
        for nodeid, reason in self._reasons.items():
            listed = "not listed in tests/allowed-skips.txt" if nodeid in unlisted else "listed"
            terminalreporter.write_line(f"{nodeid}: {reason} ({listed})")
        if self._strict and unlisted:
            terminalreporter.write_line(f"{len(unlisted)} unlisted: where CI is set, that fails the run", red=True)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        where_and_why = report.longrepr
        reason = where_and_why[2] if isinstance(where_and_why, tuple) else str(where_and_why)
        self._reasons[report.nodeid] = reason.removeprefix("Skipped: ")


def pytest_configure(config: pytest.Config) -> None:
    allowed = read_allowed(ALLOWED.read_text("utf-8"))
    config.pluginmanager.register(SkipGuard(allowed, strict=bool(os.environ.get("CI"))), "skips")
