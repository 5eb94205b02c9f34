"""When what waits in memory goes into the archive."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.past import Series
from hallway.store.history.flow import FOLD_ROWS, FOLD_SOONER, ROWS_IN_A_SERIES, Flow
from tests.store.history.pasts import Past, chunks

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
