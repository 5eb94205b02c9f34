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
from hallway.store.history import flow as flow_module
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.flow import FOLD_ROWS, FOLD_SOONER, LOSS_SHOWN, ROWS_IN_A_SERIES, Flow
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


OUTSIDE = Series("attribute", "outside", "temperature")


async def overrun(past: Past, rows: int, on_the_way: int = 0) -> None:
    """So many samples come while the disk is busy; the first ones are on their way to it."""
    flow, go = past.store.flow, threading.Event()
    held = past.file.submit(lambda _: go.wait(600))
    for number in range(on_the_way):
        past.record(OUTSIDE, T0 + number, number)
    writing = asyncio.ensure_future(flow.flush())
    await asyncio.sleep(0)
    for number in range(on_the_way, rows):
        past.record(OUTSIDE, T0 + number, number)
        flow.settle()
    go.set()
    assert await asyncio.wrap_future(held)
    assert await writing


async def test_what_is_on_its_way_to_the_disk_is_not_lost_with_what_has_no_room_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_module, "MOST_WAITING", 50)
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    flow = past.store.flow
    await overrun(past, 200, on_the_way=40)
    assert flow.lost > 0
    assert await flow.fold()
    kept = await told(past.store.columns([OUTSIDE]))
    assert kept == past.of(OUTSIDE)[:40] + past.of(OUTSIDE)[40 + flow.lost :]
    await past.close()


async def test_rows_that_lose_their_place_in_memory_while_others_are_folded_are_folded_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MOST_WAITING", 50), ("FOLD_ROWS", 10)):
        monkeypatch.setattr(flow_module, name, value)
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    flow, take = past.store.flow, past.archive.take
    for number in range(40):
        past.record(OUTSIDE, T0 - 40 + number, number)
    assert await flow.flush()
    folds = 0

    async def take_and_overrun(*given: object) -> None:
        nonlocal folds
        await take(*given)  # type: ignore[arg-type]
        folds += 1
        if folds == 2:
            await overrun(past, 200)

    monkeypatch.setattr(past.archive, "take", take_and_overrun)
    assert await flow.fold()
    assert await flow.fold()
    kept = await told(past.store.columns([OUTSIDE]))
    assert flow.lost > 0
    assert kept == past.of(OUTSIDE)[:40] + past.of(OUTSIDE)[40 + flow.lost :]
    await past.close()


async def test_a_long_fold_lets_what_is_to_be_written_go_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else so much might come meanwhile that there is no room for it."""
    monkeypatch.setattr(flow_module, "FOLD_ROWS", 10)
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    for number in range(100):
        past.record(OUTSIDE, T0 + number, number)
    flow, take = past.store.flow, past.archive.take
    written: list[int] = []

    async def record_and_write(*given: object) -> None:
        await take(*given)  # type: ignore[arg-type]
        past.record(OUTSIDE, T0 + 100 + len(written), 1)
        assert await flow.flush()
        written.append(flow.waiting)

    monkeypatch.setattr(past.archive, "take", record_and_write)
    assert await flow.fold()
    assert written == [0] * 10
    monkeypatch.setattr(past.archive, "take", take)
    assert await flow.fold()
    assert await told(past.store.columns([OUTSIDE])) == past.of(OUTSIDE)
    await past.close()


async def test_how_many_samples_were_lost_is_told_to_the_last_one_and_stays_a_problem_for_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flow_module, "MOST_WAITING", 50)
    clock = VirtualClock(T0)
    past = Past(tmp_path, clock, chunks)
    await past.open()
    flow, said = past.store.flow, list[str]()
    flow.troubles.listener = lambda sentence, _holds: said.append(sentence)
    await overrun(past, 200)
    assert flow.lost > 5
    assert str(past.store.problem).startswith(f"{flow.lost} samples of the past were dropped")
    assert len(said) == 1
    clock.advance(60)
    assert len(said) == 2
    assert said[-1] == past.store.problem
    assert said[-1] in caplog.messages
    clock.advance(LOSS_SHOWN - 120)
    assert past.store.problem == said[-1]
    assert len(said) == 2
    clock.advance(120)
    assert not past.store.problem
    await past.close()


async def test_a_loss_that_was_not_told_to_the_last_sample_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flow_module, "MOST_WAITING", 50)
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    await overrun(past, 200)
    await past.close()
    assert any(line.startswith(f"{past.store.flow.lost} samples of the past were dropped") for line in caplog.messages)
