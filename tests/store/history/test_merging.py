"""Of the archive and of what it has not taken each sample is told once, also when it takes some in the midst of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hallway.home.past import Series
from hallway.store.history.archive import Archive, Page
from hallway.store.history.merging import of_series
from hallway.store.history.tail import Track
from hallway.store.history.windows import Windows

SERIES = Series("attribute", "a", "b")
Pair = tuple[int, float]


class Taking:
    """An archive in pages of three that takes rows between two pages, as its plan says."""

    def __init__(self, rows: list[tuple[int, int, float]], taken: int, plan: list[int]) -> None:
        self._rows = rows
        self._taken = taken
        self._plan = iter(plan)

    async def pages(
        self, series: int, after: int | None, before: int | None, *, descending: bool = False
    ) -> AsyncIterator[tuple[int, Page]]:
        last: tuple[int, int] | None = None
        while True:
            there = sorted((at, row_id, value) for row_id, at, value in self._rows if row_id <= self._taken)
            there = [
                row for row in there if (after is None or row[0] >= after) and (before is None or row[0] <= before)
            ]
            if last is not None:
                there = [row for row in there if (row[:2] < last if descending else row[:2] > last)]
            part = there[-3:] if descending else there[:3]
            if not part:
                return
            last = part[0][:2] if descending else part[-1][:2]
            yield self._taken, Page([at for at, _, _ in part], [value for _, _, value in part])
            self._taken = min(max(self._taken, next(self._plan, 0)), len(self._rows))


def told(pages: list[Page], *, descending: bool) -> list[Pair]:
    found: list[Pair] = []
    for page in pages:
        pairs = cast("list[Pair]", list(zip(page.ats, page.values, strict=True)))
        assert pairs == sorted(pairs, key=lambda pair: pair[0])
        found += reversed(pairs) if descending else pairs
    return found


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.integers(-2, 4), max_size=30),
    taken=st.integers(0, 30),
    plan=st.lists(st.integers(0, 30), max_size=6),
    descending=st.booleans(),
)
async def test_each_sample_is_told_once_in_the_order_of_time(
    steps: list[int], taken: int, plan: list[int], descending: bool
) -> None:
    at, rows = 100, list[tuple[int, int, float]]()
    track = Track(SERIES, "number", False, 1)
    for row_id, step in enumerate(steps, 1):
        at += step
        rows.append((row_id, at, row_id + 0.5))
    for row_id, moment, value in rows[taken:]:
        track.put((row_id, track, moment, value, None))
    archive = cast("Archive", Taking(rows, min(taken, len(rows)), plan))
    pages = [page async for page in of_series(archive, 1, track.rows(), (None, None), descending=descending)]
    found = told(pages, descending=descending)
    assert sorted(found) == sorted((moment, value) for _, moment, value in rows)
    times = [moment for moment, _ in found]
    assert times == sorted(times, reverse=descending)


@given(values=st.lists(st.tuples(st.integers(0, 50), st.sampled_from([1.5, 2, "on", True, None])), max_size=100))
def test_a_track_holds_what_was_put_packed_or_not(values: list[tuple[int, Any]]) -> None:
    track = Track(SERIES, "number", False, 1)
    for row_id, (at, value) in enumerate(values, 1):
        track.put((row_id, track, at, value, b'{"attributes":{"n":%d}}' % at if at % 7 == 0 else None))
    rows = track.rows()
    expected = sorted(enumerate(values, 1), key=lambda each: (each[1][0], each[0]))
    assert list(rows.ids) == [row_id for row_id, _ in expected]
    assert [(type(value), value) for value in rows.values] == [(type(v), v) for _, (_, v) in expected]
    if values:
        assert track.times() == (min(at for at, _ in values), max(at for at, _ in values))
    half = len(values) // 2
    assert list(track.by_id(half).ids) == list(range(1, half + 1))
    assert track.drop(half) == half
    assert len(track) == len(values) - half
    assert sorted(track.rows().ids) == list(range(half + 1, len(values) + 1))
    between = track.rows(10, 20)
    assert all(10 <= at <= 20 for at in between.ats)


async def test_windows_without_anything_are_passed_over() -> None:
    track = Track(SERIES, "number", False, 1)
    for row_id, at in enumerate((0, 10**12, 10**12 + 1), 1):
        track.put((row_id, track, at, row_id, None))
    archive = cast("Archive", Taking([], 0, []))
    for descending in (False, True):
        windows = Windows(archive, [(track, track.rows())], {}, None)
        found = [pair async for piece in windows.pieces((None, None), descending=descending) for pair in piece]
        assert [sample.value for _, sample in found] == ([3, 2, 1] if descending else [1, 2, 3])
