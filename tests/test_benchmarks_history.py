"""What the benchmark of the past promises: it measures what it says, and rows that are missing end it.

Every run is as short as it can be, and no time is compared with anything.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import history
from benchmarks.errors import BenchmarkError
from benchmarks.history import Sizes, flat_out, once_a_minute, questions, written_bytes
from benchmarks.load import run_loop
from benchmarks.pasts import BEGIN, MINUTE, archive_rows, attribute, open_past, readings
from benchmarks.table import PAST
from hallway.clock import VirtualClock
from hallway.home.past import Sample
from hallway.store.history.history import HistoryStore

TINY = Sizes(rows=30_000, attributes=10, burst=500, steady=200, turns=2, year=20_000)


def test_every_part_has_its_rows_and_targets() -> None:
    report = history.run(TINY)
    assert report.headings == PAST
    assert [row[0] for row in report.rows] == [
        "in, until they are on the disk",
        "in, until the archive has them",
        "CPU of both for a row",
        "the loop waits meanwhile, p99 and worst",
        "written to the disk for a row",
        "24 h of one attribute, the last",
        "24 h of one attribute, long ago",
        "all of ten attributes",
        "the course of a year in 1000 points",
        "kept in the file for a row, roll-ups included",
        "made in",
    ]
    assert {target.unit for target in report.targets} == {"rows/s", "ms", "bytes"}


def test_questions_say_how_many_rows_were_in_the_answer() -> None:
    counts = {row[0]: row[1] for row in run_loop(questions(TINY)).rows}
    assert counts["all of ten attributes"] == "30,000"
    assert abs(int(counts["24 h of one attribute, the last"].replace(",", "")) - 1440) < 3
    assert int(counts["the course of a year in 1000 points"].replace(",", "")) <= 1000


def test_what_is_written_is_counted_where_the_system_counts_it(tmp_path: Path) -> None:
    before = written_bytes()
    (tmp_path / "file").write_bytes(bytes(12_345))
    after = written_bytes()
    if before is None or after is None:
        pytest.skip("this system does not count what a process writes")
    assert after - before >= 12_345
    ((_, _, each, _, _),) = run_loop(once_a_minute(TINY)).rows
    assert float(each.replace(",", "")) > 0


def test_a_row_that_is_not_written_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_store: HistoryStore) -> bool:
        return False

    monkeypatch.setattr("hallway.store.history.flow.Flow.flush", refuse)
    with pytest.raises(BenchmarkError, match="the samples were not written"):
        run_loop(flat_out(TINY))


async def test_a_past_is_made_as_if_it_had_been_recorded(tmp_path: Path) -> None:
    end = BEGIN + 300 * MINUTE
    await archive_rows(tmp_path, {1: 100, 2: 300}, end)
    async with open_past(tmp_path, VirtualClock(end / 1000)) as store:
        assert {known.series: known.count for known in await store.known()} == {attribute(1): 100, attribute(2): 300}
        sensor = readings(2, BEGIN)
        (columns,) = [columns async for columns in store.columns([attribute(2)])]
        expected = [next(sensor) for _ in range(300)]
        found = list(zip(columns.ats, columns.values, strict=True))
        assert found == [(at / 1000, value) for at, value in expected]
        assert (await store.at([attribute(1)], end))[attribute(1)] == Sample(*await _last(store))


async def _last(store: HistoryStore) -> tuple[float, float]:
    pieces = [columns async for columns in store.columns([attribute(1)])]
    value = pieces[-1].values[-1]
    assert isinstance(value, float)
    return pieces[-1].ats[-1], value
