"""Both archives say the same of the same rows: samples, values at a moment, roll-ups, what there is of each."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hallway.home.past import Bucket, Sample, Series, Span
from hallway.home.values import Value
from hallway.store.history.archive import Archive, SeriesRow, TailRow
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.postgres.archive import PAGE_ROWS, PostgresArchive
from tests.store.databases import Connect

SERIES = [SeriesRow(number, Series("attribute", f"d{number}", "x"), "number", False) for number in (1, 2, 3)]
SPANS: tuple[Span, ...] = ("5min", "hour", "day")
NOON = 1_800_000_000_000
DAY = 86_400_000


@pytest.fixture
async def chunks(tmp_path: Path) -> AsyncIterator[ChunkArchive]:
    file = HistoryFile(tmp_path / FILE)
    yield ChunkArchive(file)
    file.close()


def value_of(series: int, chance: random.Random) -> Value:
    if series == 1:
        return chance.uniform(-10, 30)
    if series == 2:
        return chance.choice([True, False, None, "on", 5, 7.5])
    return round(chance.uniform(0, 100), 1)


def some_rows(chance: random.Random, begin: int, first_id: int, count: int) -> list[TailRow]:
    rows, at = [], begin
    for number in range(count):
        at += chance.choice([0, 1000, 60_000, 400_000]) if chance.random() < 0.98 else -chance.randrange(3_600_000)
        series = chance.choice([1, 2, 3])
        more = b'{"attributes":{"a":%d}}' % chance.randrange(3) if series == 3 and chance.random() < 0.2 else None
        rows.append(TailRow(first_id + number, series, at, value_of(series, chance), more))
    return rows


Said = list[tuple[int, str, bytes | None]]


async def pages(archive: Archive, series: int, after: int | None, before: int | None, *, descending: bool) -> Said:
    found: Said = []
    async for _taken, page in archive.pages(series, after, before, descending=descending):
        mores = page.mores or [None] * len(page.ats)
        piece = list(zip(page.ats, map(repr, page.values), mores, strict=True))
        found += piece[::-1] if descending else piece
    return found


async def moment(archive: Archive, at: int) -> dict[int, Sample]:
    return dict(await archive.at([1, 2, 3, 4], at))


async def buckets(archive: Archive, series: int, span: Span, after: int, before: int) -> list[Bucket]:
    return await archive.buckets(series, span, after, before)


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_archives_agree(connect: Connect, database: str, chunks: ChunkArchive, seed: int) -> None:
    chance = random.Random(seed)
    tables = PostgresArchive(await connect(database))
    both: tuple[Archive, Archive] = (chunks, tables)
    begin, next_id = NOON, 1
    last: list[TailRow] = []
    for fold in range(8):
        rows = some_rows(chance, begin, next_id, chance.choice([1, 50, 2000, PAGE_ROWS * 2]))
        next_id, begin = rows[-1].id + 1, rows[-1].at
        for archive in both:
            await archive.take(rows if chance.random() < 0.7 else [*last, *rows], SERIES if not fold else [])
        last = rows[-20:]
        for _ in range(3):
            series, turned = chance.choice([1, 2, 3]), chance.random() < 0.5
            after = chance.choice([None, NOON + chance.randrange(begin - NOON + DAY)])
            before = chance.choice([None, NOON + chance.randrange(begin - NOON + DAY)])
            here, there = [await pages(archive, series, after, before, descending=turned) for archive in both]
            assert there == here
            at = NOON + chance.randrange(-DAY, begin - NOON + DAY)
            here_at, there_at = [await moment(archive, at) for archive in both]
            assert there_at == here_at
            span = chance.choice(SPANS)
            here_rolled, there_rolled = [await buckets(archive, series, span, at, at + 5 * DAY) for archive in both]
            assert there_rolled == here_rolled
    counted = [{n: (h.count, h.first, h.last) for n, h in (await archive.holdings()).items()} for archive in both]
    assert counted[0] == counted[1]
    assert await tables.check() is None
    assert (await tables.open())[0] == (await chunks.open())[0] == next_id - 1
