"""Results as text: aligned columns for a terminal, or Markdown; and targets beside what was measured.

It must not measure anything nor judge more than "at least" and "at most".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Sample, Summary, summarise

COMPARISON = ("work", "server", "per s", "CPU µs/op", "busy", "of raw, CPU", "of raw, rate", "p50 ms", "p99 ms")
BESIDE_NODE = ("work", "server", "per s", "CPU µs/op", "busy", "of node, CPU", "of node, rate", "p50 ms", "p99 ms")
LANGUAGE = ("read", "middle µs", "slowest µs", "middle µs after a new device", "slowest µs after a new device")
CHANGES = ("a change of a variable", "p50 µs", "p99 µs")
PAST = ("history", "rows", "middle", "slowest", "unit")
START = ("start", "server", "first answer s", "again s", "idle RSS MB")


@dataclass(frozen=True, slots=True)
class Target:
    """A number that the hub wants to reach: at most `limit`, or at least with `at_least`."""

    what: str
    limit: float
    measured: float | None
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the measured number is there and on the right side."""
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def cells(self) -> tuple[str, ...]:
        """One row: what, wanted, measured, verdict."""
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.met else "missed"
        measured = number(self.measured)
        return (self.what, f"{sign} {number(self.limit)} {self.unit}", f"{measured} {self.unit}", verdict)


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark hands back: rows under its headings, and the targets it can speak of."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    targets: tuple[Target, ...] = ()


def comparison_row(
    work: str, server: str, summary: Summary, latency: tuple[float, float] | None = None, *, paced: bool = False
) -> tuple[str, ...]:
    """Cells under COMPARISON; a paced rate is given by the benchmark, so it is not compared.

    `latency` is the median and the 99th percentile in seconds.
    """
    p50, p99 = latency or (None, None)
    return (
        work,
        server,
        number(summary.rate),
        number(summary.cpu_us),
        percent(summary.busy),
        percent(summary.of_raw_cpu),
        "-" if paced else percent(summary.of_raw_rate),
        number(None if p50 is None else p50 * 1e3),
        number(None if p99 is None else p99 * 1e3),
    )


def share_of_raw(work: str, summaries: Mapping[str, Summary], percent_wanted: float) -> Report:
    """A row for each server, and how near the hub comes to the raw app in CPU time, however it is asked."""
    rows = tuple(comparison_row(work, name, summary) for name, summary in summaries.items())
    targets = [
        Target(f"{work}, {name} of raw by CPU", percent_wanted, _percent(summary.of_raw_cpu), "%", at_least=True)
        for name, summary in summaries.items()
        if name.startswith("hub")
    ]
    return Report(COMPARISON, rows, tuple(targets))


def share(
    work: str, samples: Mapping[str, Sequence[Sample]], pair: tuple[str, str], percent_wanted: float
) -> Target | None:
    """How near the first of two comes to the second in CPU time; None when one of them did not take part."""
    compared = _compared(samples, pair)
    if compared is None:
        return None
    return Target(f"{work} by CPU", percent_wanted, _percent(compared.of_raw_cpu), "%", at_least=True)


def times(
    work: str,
    samples: Mapping[str, Sequence[Sample]],
    pair: tuple[str, str],
    wanted: float,
    *,
    by_rate: bool = False,
) -> Target | None:
    """How many times as good as the second of two the first is; None when one of them did not take part."""
    compared = _compared(samples, pair)
    if compared is None:
        return None
    first, second = pair
    measured = compared.of_raw_rate if by_rate else compared.of_raw_cpu
    what = f"{work}, {first} beside {second} by {'rate' if by_rate else 'CPU'}"
    return Target(what, wanted, measured, "times", at_least=True)


def _compared(samples: Mapping[str, Sequence[Sample]], pair: tuple[str, str]) -> Summary | None:
    first, second = pair
    if first not in samples or second not in samples:
        return None
    return summarise({first: samples[first], second: samples[second]}, second)[first]


def _percent(share_of: float | None) -> float | None:
    return None if share_of is None else share_of * 100


def number(value: float | None) -> str:
    """Three digits that matter: 1.23, 45.6, 789, 12,345; "-" when there is none."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percent(value: float | None) -> str:
    """A share as whole per cent; "-" when there is none."""
    return "-" if value is None else f"{value * 100:.0f} %"


def render(headings: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """A table with a heading line, ending in a line break."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    lines = [_line(headings, widths, markdown=markdown), _rule(widths, markdown=markdown)]
    lines += [_line(row, widths, markdown=markdown) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], *, markdown: bool) -> str:
    padded = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip()


def _rule(widths: Sequence[int], *, markdown: bool) -> str:
    if not markdown:
        return "  ".join("-" * width for width in widths)
    marks = ["-" * width if column < 2 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return f"| {' | '.join(marks)} |"
