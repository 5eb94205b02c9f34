"""What is too old goes, what is too much goes early, and recording never waits for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.past import Known, Series
from hallway.remembering import Remembering
from hallway.settings import HistorySettings
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import HistoryFile
from hallway.store.history.retention import FIRST_SWEEP, Retention, Terms, space
from hallway.store.history.status import status_of
from tests.home.homes import House
from tests.store.history.pasts import Past, told

DAY = 86_400.0
T0 = 1_800_000_000.0
KEPT, SHORT = Series("attribute", "a", "kept"), Series("attribute", "a", "short")
TERMS = Terms(90 * DAY, 5 * 365 * DAY, 100 * 365 * DAY, 0)


def seconds_for(known: Known) -> float:
    return 10 * DAY if known.series == SHORT else 1000 * DAY


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    """Forty days of two series, a sample every ten minutes, folded day by day."""
    past = Past(tmp_path, VirtualClock(T0 + 40 * DAY))
    await past.open()
    chance = random.Random(1)
    for day in range(40):
        for series in (KEPT, SHORT):
            for number in range(144):
                past.record(series, T0 + day * DAY + number * 600, chance.random())
        await past.store.flow.fold()
    yield past
    await past.close()


async def test_each_series_is_kept_for_its_time(past: Past) -> None:
    retention = Retention(past.store, past.clock, seconds_for, TERMS)
    await retention.sweep()
    kept, short = [await told(past.store.columns([series])) for series in (KEPT, SHORT)]
    assert kept == past.of(KEPT)
    assert short == past.of(SHORT)[-len(short) :]  # the newest
    assert T0 + 15 * DAY < short[0].at <= T0 + 30 * DAY
    assert retention.dropped == len(past.of(SHORT)) - len(short)
    known = {each.series: each for each in await past.store.known()}
    assert (known[SHORT].count, known[SHORT].first) == (len(short), short[0].at)
    day = await past.store.buckets(SHORT, "day", T0, T0 + 40 * DAY)
    assert len(day) >= 40  # roll-ups stay


async def test_roll_ups_are_kept_for_theirs(past: Past) -> None:
    terms = TERMS._replace(five_minutes=DAY, hours=10 * DAY)
    await Retention(past.store, past.clock, seconds_for, terms).sweep()
    archive, number = past.archive, next(each.number for each in await past.store.known() if each.series == KEPT)
    span = round(T0 * 1000), round((T0 + 40 * DAY) * 1000)
    assert len(await archive.buckets(number, "5min", *span)) < 40 * 144
    assert len(await archive.buckets(number, "hour", *span)) < 40 * 24
    assert len(await archive.buckets(number, "day", *span)) >= 39


async def test_without_room_the_oldest_goes_early(past: Past) -> None:
    used = (await space(past.file)).used
    retention = Retention(past.store, past.clock, lambda _known: 1000 * DAY, TERMS._replace(size=used * 3 // 4))
    await retention.sweep()
    left = await told(past.store.columns([KEPT]))
    assert left == past.of(KEPT)[-len(left) :]
    assert 0 < len(left) < len(past.of(KEPT))
    assert retention.early > 0
    assert (await space(past.file)).used <= used * 3 // 4
    assert status_of(past.store, retention, None)["droppedEarly"] == retention.early


async def test_what_is_free_goes_back_to_the_disk_when_it_is_much(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention = Retention(past.store, past.clock, lambda _known: 2 * DAY, TERMS._replace(five_minutes=DAY))
    await retention.sweep()
    room = await space(past.file)
    assert room.bytes - room.used > 200_000  # it is little, and will be used again
    monkeypatch.setattr("hallway.store.history.retention.GIVEN_BACK", 50_000)
    await retention.sweep()
    smaller = await space(past.file)
    assert smaller.bytes == smaller.used <= room.used
    left = await told(past.store.columns([KEPT]))
    assert left == past.of(KEPT)[-len(left) :]
    await past.close()
    assert (tmp_path / "history.db").stat().st_size == smaller.bytes
    await past.open()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_is_elsewhere_makes_no_room_for_what_is_here(tmp_path: Path, elsewhere: bool) -> None:
    house = House(seq=1)
    other = HistoryFile(tmp_path / "other.db")
    archive = ChunkArchive(other) if elsewhere else None
    remembering = Remembering(
        tmp_path, HistorySettings(size=1), house.home, house.clock, list, lambda _level, _tags: DAY, archive
    )
    remembering.past.start()
    await remembering.past.ready()
    flow = remembering.past.flow
    for hour in range(24 * 8):
        at = round((house.clock.now() - hour * 3600) * 1000)
        flow.record(flow.track(Series("variable", "x"), "number", discrete=False), at, float(hour))
    assert await flow.fold()
    await remembering.retention.sweep()
    assert (remembering.retention.early > 0) is not elsewhere
    await remembering.close()
    await asyncio.to_thread(other.close)


async def test_it_sweeps_by_the_clock_and_an_archive_that_is_away_is_no_harm(past: Past) -> None:
    retention = Retention(past.store, past.clock, seconds_for, TERMS)
    retention.start()
    past.archive.away = True
    assert isinstance(past.clock, VirtualClock)
    past.clock.advance(FIRST_SWEEP)
    assert retention._task is not None
    await retention._task
    assert retention.dropped == 0
    past.archive.away = False
    past.clock.advance(3600)
    await retention._task
    assert retention.dropped > 0
    await retention.close()
