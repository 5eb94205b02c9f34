"""The archive in history.db through its own door: on a real file, that is closed and opened, damaged and checked."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hallway.errors import Unavailable
from hallway.home.past import Bucket, Sample
from hallway.home.values import Value
from hallway.store.history import chunk_archive
from hallway.store.history.archive import Archive, Holding, TailRow
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.folding import take
from tests.store.homes import until

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BEGIN = 20_000 * DAY

Reopen = Callable[[], ChunkArchive]


class Told(list[str]):
    """What was reported as damaged."""


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def reopen(tmp_path: Path, told: Told) -> AsyncIterator[Reopen]:
    files: list[HistoryFile] = []

    def again() -> ChunkArchive:
        if files:
            files[-1].close()
        files.append(HistoryFile(tmp_path / FILE))
        return ChunkArchive(files[-1], told.append)

    yield again
    if files:
        files[-1].close()


@pytest.fixture
def archive(reopen: Reopen) -> ChunkArchive:
    return reopen()


def rows_of(series: int, values: Sequence[Value], *, first_id: int = 1, begin: int = BEGIN) -> list[TailRow]:
    """A minute apart."""
    return [TailRow(first_id + n, series, begin + n * MINUTE, value) for n, value in enumerate(values)]


async def all_of(
    archive: Archive, series: int, after: int | None = None, before: int | None = None, *, descending: bool = False
) -> list[tuple[int, Value]]:
    pages = [page async for _, page in archive.pages(series, after, before, descending=descending)]
    if descending:
        pages.reverse()
    return [pair for page in pages for pair in zip(page.ats, page.values, strict=True)]


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


async def test_a_new_archive_has_taken_nothing(archive: ChunkArchive) -> None:
    assert await archive.open() == (0, [])
    assert await archive.holdings() == {}
    assert await all_of(archive, 1) == []
    assert await archive.at([1], BEGIN) == {}
    assert await archive.buckets(1, "hour", 0, BEGIN) == []
    assert await archive.check() is None


async def test_what_was_taken_is_there_after_a_restart(reopen: Reopen) -> None:
    archive = reopen()
    await archive.take(rows_of(1, [20.5, 21, True, "off", None, {"a": [1]}]), [])
    archive = reopen()
    assert await archive.open() == (6, [])
    values = [value for _, value in await all_of(archive, 1)]
    assert values == [20.5, 21, True, "off", None, {"a": [1]}]
    assert list(map(type, values)) == [float, int, bool, str, type(None), dict]


async def test_rows_that_come_twice_are_taken_once(archive: ChunkArchive) -> None:
    rows = rows_of(1, range(10))
    await archive.take(rows[:6], [])
    await archive.take(rows[3:], [])
    assert await all_of(archive, 1) == [(row.at, row.value) for row in rows]
    assert (await archive.open())[0] == 10


async def test_rows_may_come_series_by_series(reopen: Reopen) -> None:
    archive = reopen()
    ids = range(1, 101)
    await archive.take([TailRow(row_id, row_id % 2, BEGIN + row_id, row_id) for row_id in (*ids[1::2], *ids[::2])], [])
    assert (await archive.open())[0] == 100
    await archive.take([TailRow(row_id, row_id % 2, BEGIN + row_id, row_id) for row_id in (*ids[::2], 102)], [])
    assert [value for _, value in await all_of(archive, 0)] == [*ids[1::2], 102]
    assert [value for _, value in await all_of(archive, 1)] == [*ids[::2]]


async def test_a_span_holds_both_its_ends(archive: ChunkArchive) -> None:
    await archive.take(rows_of(1, range(3000)), [])
    found = await all_of(archive, 1, BEGIN + 10 * MINUTE, BEGIN + 2500 * MINUTE)
    assert [value for _, value in found] == list(range(10, 2501))


async def test_pages_have_about_a_thousand_rows_however_small_the_folds_were(archive: ChunkArchive) -> None:
    rows = rows_of(1, range(3000))
    for begin in range(0, 3000, 100):
        await archive.take(rows[begin : begin + 100], [])
    assert 3 <= len([page async for page in archive.pages(1, None, None)]) <= 4


async def test_descending_the_newest_page_comes_first(archive: ChunkArchive) -> None:
    await archive.take(rows_of(1, range(5000)), [])
    pages = [page async for _, page in archive.pages(1, None, None, descending=True)]
    assert [page.ats[-1] for page in pages] == sorted((page.ats[-1] for page in pages), reverse=True)
    assert [value for page in reversed(pages) for value in page.values] == list(range(5000))


async def test_who_walks_sees_one_moment_whatever_is_taken_meanwhile(archive: ChunkArchive) -> None:
    rows = rows_of(1, range(40_000))
    await archive.take(rows[:30_000], [])
    found: list[Value] = []
    ids = set()
    async for taken, page in archive.pages(1, None, None):
        if not found:
            for begin in range(30_000, 40_000, 500):
                await archive.take(rows[begin : begin + 500], [])
        found += page.values
        ids.add(taken)
    assert (found, ids) == (list(range(30_000)), {30_000})


async def test_the_last_sample_before_a_moment_is_told_for_many_series_at_once(archive: ChunkArchive) -> None:
    ids = count(1)
    rows = [
        TailRow(next(ids), series, BEGIN + hour * HOUR, hour + series, b'{"attributes":{"x":1}}')
        for hour in range(3)
        for series in range(1, 131)
    ]
    await archive.take(rows, [])
    found = await archive.at(range(1, 140), BEGIN + 2 * HOUR - 1)
    assert found == {
        series: Sample((BEGIN + HOUR) / 1000, 1 + series, {"attributes": {"x": 1}}) for series in range(1, 131)
    }
    assert await archive.at([1], BEGIN - 1) == {}


async def test_more_is_as_before_until_it_is_said_anew(reopen: Reopen) -> None:
    archive = reopen()
    told = [b'{"attributes":{"a":1}}', None, None, b'{"attributes":{"a":2}}', None]
    rows = [TailRow(n + 1, 1, BEGIN + n, n, more) for n, more in enumerate(told)]
    await archive.take(rows[:2], [])
    archive = reopen()
    await archive.take(rows[2:], [])
    (page,) = [page async for _, page in archive.pages(1, None, None)]
    assert list(page.mores) == [told[0], told[0], told[0], told[3], told[3]]


async def test_more_is_known_after_all_that_said_it_has_expired(archive: ChunkArchive) -> None:
    more = b'{"attributes":{"a":1}}'
    await archive.take([TailRow(1, 1, BEGIN, 1, more)], [])
    while await archive.expire(1, BEGIN + 10 * DAY, most=100):
        pass
    assert await all_of(archive, 1) == []
    await archive.take([TailRow(2, 1, BEGIN + 20 * DAY, 2, None)], [])
    (page,) = [page async for _, page in archive.pages(1, None, None)]
    assert list(page.mores) == [more]


async def test_a_clock_that_is_set_back_loses_nothing(archive: ChunkArchive) -> None:
    dice = random.Random(1)
    rows = [TailRow(n + 1, 1, BEGIN + dice.randrange(DAY), n) for n in range(6000)]
    for begin in range(0, 6000, 700):
        await archive.take(rows[begin : begin + 700], [])
    expected = sorted((row.at, row.id, row.value) for row in rows)
    for descending in (False, True):
        assert await all_of(archive, 1, descending=descending) == [(at, value) for at, _, value in expected]


async def test_what_is_held_is_counted_without_being_read(archive: ChunkArchive) -> None:
    await archive.take(rows_of(1, range(3000)), [])
    await archive.take(rows_of(2, ["on"], first_id=3001), [])
    held = await archive.holdings()
    last = BEGIN + 2999 * MINUTE
    assert held[1] == Holding(3000, BEGIN, last, held[1].bytes)
    assert held[2] == Holding(1, BEGIN, BEGIN, held[2].bytes)
    assert 0 < held[1].bytes < 3000 * 8


async def test_old_samples_expire_some_at_a_time_and_roll_ups_stay(archive: ChunkArchive) -> None:
    await archive.take(rows_of(1, [n % 7 for n in range(20_000)]), [])
    before = BEGIN + 10 * DAY
    gone = []
    while went := await archive.expire(1, before, most=2000):
        gone.append(went)
    assert len(gone) > 3
    left = await all_of(archive, 1)
    assert len(left) == 20_000 - sum(gone) == (await archive.holdings())[1].count
    assert before - 2 * DAY < left[0][0] <= before
    assert len(await archive.buckets(1, "hour", 0, before)) == 241


async def test_a_chunk_of_many_days_is_cut_and_does_not_keep_what_is_old(archive: ChunkArchive) -> None:
    rows = [TailRow(n + 1, 1, BEGIN + n * HOUR, n) for n in range(1500)]
    await archive.take(rows, [])
    assert len([page async for page in archive.pages(1, None, None)]) == 1
    assert await archive.expire(1, BEGIN + 10 * DAY, most=100) == 0  # too little of it to write it again
    assert await archive.expire(1, BEGIN + 20 * DAY, most=100) == 20 * 24
    assert await all_of(archive, 1) == [(row.at, row.value) for row in rows[20 * 24 :]]
    held = (await archive.holdings())[1]
    assert (held.count, held.first) == (1500 - 20 * 24, BEGIN + 20 * DAY)
    assert await archive.expire(1, BEGIN + 20 * DAY, most=100) == 0
    assert await archive.check() is None


async def test_old_roll_ups_expire_on_their_own(archive: ChunkArchive) -> None:
    for series in (1, 2):
        await archive.take(rows_of(series, [n % 7 for n in range(20_000)], first_id=series * 20_001), [])
    before = BEGIN + 10 * DAY
    while await archive.expire_buckets("5min", before, most=500):
        pass
    for series in (1, 2):
        (first, *_) = await archive.buckets(series, "5min", 0, BEGIN + 20 * DAY)
        assert before - 3 * DAY < first.at * 1000 <= before
        assert (await archive.buckets(series, "hour", 0, before))[0].at == BEGIN / 1000
    assert (await archive.holdings())[1].count == 20_000


async def test_nothing_is_kept_of_what_is_forgotten(archive: ChunkArchive) -> None:
    await archive.take(rows_of(1, range(5000)), [])
    await archive.take(rows_of(2, range(10), first_id=5001), [])
    await archive.forget(1)
    assert await all_of(archive, 1) == []
    assert await archive.buckets(1, "day", 0, BEGIN * 2) == []
    assert list(await archive.holdings()) == [2]
    await archive.take(rows_of(1, ["new"], first_id=5011), [])
    assert await all_of(archive, 1) == [(BEGIN, "new")]


async def test_buckets_are_the_same_however_they_were_folded(reopen: Reopen) -> None:
    archive = reopen()
    dice = random.Random(3)
    rows = rows_of(1, [dice.randrange(200) / 10 for _ in range(4000)])
    rows += rows_of(2, [row.value for row in rows], first_id=4001)
    await archive.take(rows[:4000], [])
    begin = 4000
    while begin < 8000:
        size = dice.randint(1, 400)
        await archive.take(rows[begin : begin + size], [])
        begin += size
        if dice.random() < 0.1:
            archive = reopen()
    for span in ("5min", "hour", "day"):
        one, other = [await archive.buckets(series, span, 0, BEGIN * 2) for series in (1, 2)]
        assert [bucket_but_mean(bucket) for bucket in one] == [bucket_but_mean(bucket) for bucket in other]
        assert [bucket.mean for bucket in one] == pytest.approx([bucket.mean for bucket in other], rel=1e-7)
    (day, *_) = await archive.buckets(1, "day", BEGIN, BEGIN + DAY)
    assert (day.count, day.least, day.most) == (1440, 0.0, 19.9)


def bucket_but_mean(bucket: Bucket) -> tuple[float, ...]:
    return bucket.at, bucket.least, bucket.most, bucket.last, bucket.count, bucket.rise


async def test_a_bucket_whose_time_is_over_is_told_though_nothing_followed(archive: ChunkArchive) -> None:
    await archive.take([TailRow(1, 1, BEGIN, 20), TailRow(2, 2, BEGIN + HOUR, 1)], [])
    assert await archive.buckets(1, "hour", 0, BEGIN + DAY) == [Bucket(BEGIN / 1000, 20, 20, 20, 20, 1, 0)]
    assert await archive.buckets(1, "day", 0, BEGIN + DAY) == []


async def test_a_damaged_piece_is_left_out_and_told(reopen: Reopen, told: Told, tmp_path: Path) -> None:
    archive = reopen()
    await archive.take(rows_of(1, range(3000)), [])
    change(
        tmp_path / FILE,
        "UPDATE chunk SET body = CAST(substr(body, 1, length(body) - 9) || zeroblob(9) AS BLOB) WHERE id = 1",
    )
    assert [value for _, value in await all_of(archive, 1)] == list(range(1500, 3000))
    assert told == ["chunk 1 of series 1 is left out: its sum is not right"]
    found = await archive.check()
    assert found is not None
    assert found.startswith("1 packed pieces of history.db are damaged, their samples are lost: chunk 1 (")


async def test_a_damaged_piece_does_not_stop_what_is_written_after_it(
    reopen: Reopen, told: Told, tmp_path: Path
) -> None:
    archive = reopen()
    await archive.take(rows_of(1, range(10)), [])
    await archive.take(rows_of(1, range(10, 20), first_id=11, begin=BEGIN + DAY), [])
    change(tmp_path / FILE, "UPDATE piece SET body = x'00' WHERE id < (2 << 32)")
    await archive.take(rows_of(1, range(20, 2000), first_id=21, begin=BEGIN + 2 * DAY), [])
    assert [value for _, value in await all_of(archive, 1)] == list(range(10, 2000))
    assert (await archive.holdings())[1].count == 1990
    assert told


async def test_a_store_that_is_closed_refuses_and_has_changed_nothing(reopen: Reopen) -> None:
    archive = reopen()
    await archive.take(rows_of(1, range(10)), [])
    reopened = reopen()
    with pytest.raises(Unavailable):
        await archive.take(rows_of(1, range(10), first_id=11), [])
    assert (await reopened.open())[0] == 10


async def test_the_loop_goes_on_while_a_fold_is_under_way(
    archive: ChunkArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def folding(connection: sqlite3.Connection, **given: Any) -> None:
        begun.set()
        assert go_on.wait(100)
        take(connection, **given)

    monkeypatch.setattr(chunk_archive, "take", folding)
    rows = [TailRow(n + 1, n % 500, BEGIN + n, n / 10) for n in range(50_000)]
    fold = asyncio.create_task(archive.take(rows, []))
    await until(begun.is_set)
    for _turn in range(20):
        await asyncio.sleep(0)
    assert not fold.done()
    go_on.set()
    await fold
    assert (await archive.open())[0] == 50_000
