"""When what waits in memory goes into the archive."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.past import Series
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.flow import FOLD_ROWS, FOLD_SOONER, ROWS_IN_A_SERIES, Flow
from tests.store.history.pasts import Away, Past, chunks, told

T0 = 1_800_000_000.0


async def folded(flow: Flow, clock: VirtualClock) -> bool:
    """Whether a fold follows on what was recorded so far."""
    await flow.flush()
    await flow._turn()
    clock.advance(0)
    return flow._folder is not None and await flow._folder


@pytest.mark.parametrize(
    ("series", "rows", "soon"),
    [
        (2, FOLD_SOONER - 1, False),
        (2, FOLD_SOONER, True),
        (FOLD_SOONER // ROWS_IN_A_SERIES, FOLD_SOONER, True),
        (FOLD_SOONER // ROWS_IN_A_SERIES + 1, FOLD_SOONER, False),
        (1000, FOLD_ROWS, True),
    ],
)
async def test_few_busy_series_are_folded_sooner_than_many_quiet_ones(
    tmp_path: Path, series: int, rows: int, soon: bool
) -> None:
    clock = VirtualClock(T0)
    past = Past(tmp_path, clock, chunks)
    await past.open()
    for number in range(rows):
        past.record(Series("attribute", "outside", f"a{number % series}"), T0 + number, 1.5)
    flow = past.store.flow
    assert await folded(flow, clock) == soon
    assert flow.mirror.count == (0 if soon else rows)
    await past.close()


async def test_equal_texts_are_kept_once_while_they_wait(tmp_path: Path) -> None:
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    lamp = Series("entity", "light.lamp")
    for number in range(200):
        past.record(lamp, T0 + number, ("on", "off")[number % 2], {"attributes": {"brightness": [80, number // 100]}})
    past.store.flow.settle()
    (track,) = past.store.flow.mirror.tracks()
    assert len({id(more) for more in track.rows().mores}) < 20
    await past.close()


async def test_a_sample_waits_until_its_commit_is_done(tmp_path: Path) -> None:
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    flow, go = past.store.flow, threading.Event()
    held = past.file.submit(lambda _: go.wait(60))
    past.record(Series("attribute", "outside", "temperature"), T0, 1.5)
    writing = asyncio.ensure_future(flow.flush())
    await asyncio.sleep(0)
    assert flow.waiting == 1
    go.set()
    assert await writing
    assert flow.waiting == 0
    assert held.result(60)
    await past.close()


async def test_samples_that_come_while_the_archive_is_away_are_not_taken_for_others_that_it_has(tmp_path: Path) -> None:
    """history.db is one of before, and the archive cannot say yet what it took since then."""
    elsewhere = HistoryFile(tmp_path / "elsewhere.db")
    archive = Away(ChunkArchive(elsewhere))

    async def make(_file: HistoryFile) -> Away:
        return archive

    clock = VirtualClock(T0)
    past = Past(tmp_path, clock, make)
    outside = Series("attribute", "outside", "temperature")
    await past.open()
    past.record(outside, T0, 0.5)
    assert await past.store.flow.fold()
    await past.close()
    before = (tmp_path / FILE).read_bytes()
    await past.open()
    for number in range(1, 100):
        past.record(outside, T0 + number, number)
    assert await past.store.flow.fold()
    await past.close()
    (tmp_path / FILE).write_bytes(before)
    archive.away = True
    clock.advance(3600)
    await past.open()
    for number in range(100, 150):
        past.record(outside, T0 + 3600 + number, number)
    await past.store.flow.flush()
    archive.away = False
    assert await past.store.flow.fold()
    assert await told(past.store.columns([outside])) == past.of(outside)
    await past.close()
    elsewhere.close()


async def test_an_archive_that_is_back_gets_what_waits_without_the_delay_of_the_next_try(tmp_path: Path) -> None:
    clock = VirtualClock(T0)
    past = Past(tmp_path, clock, chunks)
    await past.open()
    past.record(Series("attribute", "outside", "temperature"), T0, 1.5)
    flow = past.store.flow
    past.archive.away = True
    for _ in range(5):
        assert not await flow.fold()
    past.archive.away = False
    clock.advance(1)
    assert flow.mirror.count == 1
    flow.hurry()
    clock.advance(0)
    assert flow._folder is not None
    assert await flow._folder
    assert flow.mirror.count == 0
    await past.close()


async def test_of_what_waits_for_the_archive_no_more_is_dropped_than_is_beyond_the_spool(tmp_path: Path) -> None:
    """Also where samples are large, and what waits was written before the last start."""
    clock = VirtualClock(T0)
    past = Past(tmp_path, clock, chunks)
    lamp, spool, chance = Series("entity", "light.lamp"), 60_000, random.Random(1)
    await past.open(spool=spool)
    for run in range(3):
        past.archive.away = True
        for number in range(run * 200, run * 200 + 200):
            past.record(lamp, T0 + number, float(number), {"attributes": {"note": chance.randbytes(500).hex()}})
            await past.store.flow.flush()
        assert not await past.store.flow.fold()
        with closing(sqlite3.connect(tmp_path / FILE)) as history:
            (size,) = history.execute("SELECT sum(length(body)) FROM tail").fetchone()
        assert 0.9 * spool < size <= spool
        await past.close()
        await past.open(spool=spool)
    kept = await told(past.store.columns([lamp]))
    assert kept == past.of(lamp)[-len(kept) :]
    assert len(kept) > 50
    await past.close()
