"""What was can be asked as soon as it was recorded: each sample once, wherever it stands by now."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.home.past import Sample, Series
from hallway.store.history import flow
from hallway.store.history.archive import Archive
from hallway.store.history.codec import unpack
from hallway.store.history.file import HistoryFile
from hallway.store.history.flow import LOSS_SHOWN
from hallway.store.history.history import REOPEN_AFTER
from hallway.store.postgres.archive import PostgresArchive
from hallway.store.postgres.server import Server
from tests.store.history.pasts import MakeArchive, Past, chunks, told

T0 = 1_800_000_000.0
TEMPERATURE, HUMIDITY = (Series("attribute", "outside", name) for name in ("temperature", "humidity"))
LAMP, COMFORT = Series("entity", "light.lamp"), Series("variable", "comfort")
ALL = (TEMPERATURE, HUMIDITY, LAMP, COMFORT)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(T0)


@pytest.fixture(params=["chunks", "postgres"])
def make_archive(request: pytest.FixtureRequest) -> MakeArchive:
    if request.param == "chunks":
        return chunks
    connect, url = request.getfixturevalue("connect"), request.getfixturevalue("database")
    servers: list[Server] = []

    async def tables(_file: HistoryFile) -> Archive:
        for server in servers:
            await server.close()
        servers.append(await connect(url))
        return PostgresArchive(servers[-1])

    return tables


@pytest.fixture
async def past(tmp_path: Path, clock: VirtualClock, make_archive: MakeArchive) -> AsyncIterator[Past]:
    past = Past(tmp_path, clock, make_archive)
    await past.open()
    yield past
    await past.close()


async def samples(past: Past, *series: Series, after: float | None = None, before: float | None = None) -> list[Sample]:
    return await told(past.store.columns(series, after, before))


async def merged(
    past: Past, *series: Series, descending: bool = False, limit: int | None = None, **span: float
) -> list[tuple[Series, Sample]]:
    pieces = past.store.merged(series or None, **span, descending=descending, limit=limit)
    return [pair async for piece in pieces for pair in piece]


async def test_what_waited_for_a_disk_that_is_well_again_is_written_at_the_end(tmp_path: Path) -> None:
    past = Past(tmp_path / "disk", VirtualClock(T0))
    store = await past.open(ready=False)
    past.record(TEMPERATURE, T0, 20.5)
    past.record(TEMPERATURE, T0 + 1, 21)
    with pytest.raises(Unavailable):
        await store.ready()
    (tmp_path / "disk").mkdir()
    await past.close()
    await past.open()
    assert await samples(past, TEMPERATURE) == [Sample(T0, 20.5), Sample(T0 + 1, 21)]
    await past.close()


async def test_an_archive_that_is_away_from_the_beginning_on_is_said_once(tmp_path: Path) -> None:
    clock = VirtualClock(T0)
    past = Past(tmp_path, clock)
    store = await past.open(ready=False)
    past.archive.away = True
    said: list[str] = []
    store.flow.troubles.listener = lambda sentence, _holds: said.append(sentence)
    with pytest.raises(Unavailable):
        await store.ready()
    assert said == ["the archive is away"] == [store.problem]
    past.archive.away = False
    clock.advance(REOPEN_AFTER)
    await store.opened()
    assert (len(said), store.problem) == (2, None)
    await past.close()


async def test_what_was_recorded_is_told_before_it_is_written(past: Past) -> None:
    past.record(TEMPERATURE, T0, 20.5)
    past.record(TEMPERATURE, T0 + 1, 21)
    assert await samples(past, TEMPERATURE) == [Sample(T0, 20.5), Sample(T0 + 1, 21)]
    assert await samples(past, HUMIDITY) == []
    assert (await past.store.known())[0].count == 2


async def test_what_was_recorded_before_the_file_was_open_is_told(tmp_path: Path, clock: VirtualClock) -> None:
    past = Past(tmp_path, clock)
    store = await past.open(ready=False)
    past.record(TEMPERATURE, T0, 20.5)
    assert not store.flow.open
    assert await samples(past, TEMPERATURE) == [Sample(T0, 20.5)]
    await past.close()
    await past.open(ready=False)
    past.record(TEMPERATURE, T0 + 1, 21.5)
    await past.close()  # at once
    await past.open()
    assert await samples(past, TEMPERATURE) == [Sample(T0, 20.5), Sample(T0 + 1, 21.5)]
    await past.close()


async def test_a_sample_is_told_once_in_memory_in_the_tail_and_in_the_archive(past: Past) -> None:
    for number in range(5):
        past.record(TEMPERATURE, T0 + number, float(number))
    assert await samples(past, TEMPERATURE) == past.of(TEMPERATURE)
    await past.store.flow.flush()
    assert await samples(past, TEMPERATURE) == past.of(TEMPERATURE)
    assert await past.store.flow.fold()
    past.record(TEMPERATURE, T0 + 9, 9.0)
    assert await samples(past, TEMPERATURE) == past.of(TEMPERATURE)
    assert [known.count for known in await past.store.known()] == [6]


async def test_every_kind_of_value_comes_back_as_it_was(past: Past) -> None:
    values = [
        None,
        True,
        False,
        0,
        1,
        -1,
        2**62,
        2**70,
        1.0,
        math.nan,
        math.inf,
        "",
        "on",
        "é\ud800",
        [1, "a"],
        {"a": 1},
    ]
    for number, value in enumerate(values):
        past.record(COMFORT, T0 + number, value)
    for step in (past.store.flow.flush, past.store.flow.fold):
        found = [sample.value for sample in await samples(past, COMFORT)]
        assert [(type(value), value) for value in found] == [(type(s.value), s.value) for s in past.of(COMFORT)]
        await step()
        await past.kill()
        await past.open()
    assert [sample.value for sample in await samples(past, COMFORT)] == [s.value for s in past.of(COMFORT)]


async def test_what_is_said_beside_a_value_is_written_once_and_told_each_time(past: Past, tmp_path: Path) -> None:
    bright, dim = {"attributes": {"brightness": 255}}, {"attributes": {"brightness": 9}, "last_changed": T0}
    for number, more in enumerate((bright, bright, dim, dim, bright)):
        past.record(LAMP, T0 + number, "on", more)
    await past.store.flow.flush()
    with sqlite3.connect(tmp_path / "history.db") as connection:
        ((body,),) = connection.execute("SELECT body FROM tail")
    connection.close()
    assert [text is not None for text in unpack(body)[4]] == [True, False, True, False, True]
    await past.kill()
    await past.open()
    past.record(LAMP, T0 + 5, "on", bright)
    assert await samples(past, LAMP) == past.of(LAMP)
    await past.store.flow.fold()
    past.record(LAMP, T0 + 6, "on", bright)
    await past.store.flow.flush()
    await past.kill()
    await past.open()
    assert await samples(past, LAMP) == past.of(LAMP)


async def test_a_killed_hub_loses_what_it_had_not_written_and_nothing_else(past: Past, clock: VirtualClock) -> None:
    past.record(TEMPERATURE, T0, 1.0)
    await past.store.ready()
    clock.advance(10)
    await past.store.flow.flush()
    past.record(TEMPERATURE, T0 + 1, 2.0)
    await past.kill()
    await past.open()
    assert await samples(past, TEMPERATURE) == [Sample(T0, 1.0)]
    past.record(TEMPERATURE, T0 + 2, 3.0)
    await past.close()
    await past.open()
    assert await samples(past, TEMPERATURE) == [Sample(T0, 1.0), Sample(T0 + 2, 3.0)]


async def test_killed_between_the_archive_and_the_tail_nothing_is_doubled(past: Past, tmp_path: Path) -> None:
    for number in range(5):
        past.record(TEMPERATURE, T0 + number, float(number))
    await past.store.flow.flush()
    with sqlite3.connect(tmp_path / "history.db") as connection:
        rows = connection.execute("SELECT * FROM tail").fetchall()
    await past.store.flow.fold()
    await past.kill()
    with connection:
        connection.executemany("INSERT INTO tail VALUES (?, ?, ?)", rows)
        connection.execute("UPDATE fold SET last_id = 0")
    connection.close()
    await past.open()
    assert await samples(past, TEMPERATURE) == past.of(TEMPERATURE)
    await past.store.flow.fold()
    assert await samples(past, TEMPERATURE) == past.of(TEMPERATURE)


@pytest.mark.parametrize("count", [250, 1000])
async def test_a_start_after_much_was_recorded_answers_at_once(
    past: Past, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    for number in range(count):
        past.record((TEMPERATURE, LAMP)[number % 2], T0 + number, float(number), {"attributes": {"a": number // 100}})
        if number % 50 == 49:
            await past.store.flow.flush()
    await past.kill()
    for name, value in (("FOLD_ROWS", 100), ("MOST_MIRRORED", 300)):
        monkeypatch.setattr(flow, name, value)
    await past.open()
    if count > flow.MOST_MIRRORED:  # it is folded without anybody's waiting for it
        clock.advance(0)
        assert past.store.flow._folder is not None
        assert await past.store.flow._folder
    assert await samples(past, TEMPERATURE, LAMP) == [*past.of(TEMPERATURE), *past.of(LAMP)]


async def test_the_last_value_at_a_moment(past: Past) -> None:
    past.record(TEMPERATURE, T0, 1.0)
    past.record(TEMPERATURE, T0 + 10, 2.0)
    past.record(LAMP, T0 + 5, "on", {"attributes": {}})
    await past.store.flow.fold()
    past.record(TEMPERATURE, T0 + 20, 3.0)
    moments = {T0 - 1: None, T0: 1.0, T0 + 9: 1.0, T0 + 10: 2.0, T0 + 25: 3.0}
    for moment, value in moments.items():
        found = (await past.store.at(ALL, moment)).get(TEMPERATURE)
        assert (found and found.value) == value
    assert (await past.store.at([LAMP, HUMIDITY], T0 + 9)) == {LAMP: Sample(T0 + 5, "on", {"attributes": {}})}


async def test_the_newest_of_all_are_found_without_a_look_at_the_archive(past: Past) -> None:
    for number in range(1000):
        past.record((TEMPERATURE, HUMIDITY)[number % 2], T0 + number, number)
    await past.store.flow.fold()
    for number in range(1000, 1020):
        past.record((TEMPERATURE, HUMIDITY)[number % 2], T0 + number, number)
    past.archive.asked = 0
    found = await merged(past, descending=True, limit=10)
    assert [sample.value for _, sample in found] == list(range(1019, 1009, -1))
    assert past.archive.asked == 0
    found = await merged(past, descending=True, limit=30)
    assert [sample.value for _, sample in found] == list(range(1019, 989, -1))


@pytest.mark.parametrize("mirrored", [flow.MOST_MIRRORED, 1])
async def test_rows_whose_names_are_lost_stay_apart_from_all_that_comes_later(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, mirrored: int
) -> None:
    past = Past(tmp_path, clock)
    for number in (1, 2):
        await past.open()
        past.record(TEMPERATURE, T0 + number, float(number))
        await past.close()
    with closing(sqlite3.connect(past.file.path)) as connection, connection:
        for table in ("series", "series_copy"):
            connection.execute(f"DELETE FROM {table}")
    monkeypatch.setattr(flow, "MOST_MIRRORED", mirrored)
    for number in (3, 4):
        await past.open()
        past.record(HUMIDITY, T0 + number, float(number))
        await past.close()
    store = await past.open()
    assert await store.flow.fold()
    assert await told(store.columns([HUMIDITY])) == past.of(HUMIDITY)
    assert await told(store.columns([Series("attribute", "salvaged", "1")])) == past.of(TEMPERATURE)
    await past.close()


async def test_what_is_forgotten_is_gone_everywhere_and_may_begin_anew(past: Past) -> None:
    for series in (TEMPERATURE, HUMIDITY):
        past.record(series, T0, 1.0)
    await past.store.flow.fold()
    past.record(TEMPERATURE, T0 + 1, 2.0)
    await past.store.flow.flush()
    past.record(TEMPERATURE, T0 + 2, 3.0)
    number = next(known.number for known in await past.store.known() if known.series == TEMPERATURE)
    assert await past.store.forget(number) == 3
    assert await past.store.forget(10**6) is None
    assert [known.series for known in await past.store.known()] == [HUMIDITY]
    await past.kill()
    await past.open()
    assert await samples(past, TEMPERATURE) == []
    past.record(TEMPERATURE, T0 + 3, 4.0)
    assert await samples(past, TEMPERATURE, HUMIDITY) == [Sample(T0 + 3, 4.0), Sample(T0, 1.0)]


async def test_what_waits_for_an_archive_that_is_away_is_folded_when_it_is_back(
    past: Past, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FOLD_ROWS", 100), ("MOST_MIRRORED", 300), ("SLICE", 70)):
        monkeypatch.setattr(flow, name, value)
    await past.store.ready()
    past.archive.away = True
    for number in range(1000):
        past.record((TEMPERATURE, LAMP)[number % 2], T0 + number, float(number), {"attributes": {"a": number // 100}})
        if number % 50 == 0:
            assert not await past.store.flow.fold()
    assert past.store.problem == "the archive is away"
    assert past.store.flow.mirror.count <= 400
    with pytest.raises(Unavailable):
        await samples(past, TEMPERATURE)
    await past.kill()  # all but the last 49 are in the tail by now
    past.model = past.model[:951]
    await past.open()
    past.archive.away = False
    assert await past.store.flow.fold() or await past.store.flow.fold()
    assert await samples(past, TEMPERATURE, LAMP) == [*past.of(TEMPERATURE), *past.of(LAMP)]
    assert not past.store.problem
    assert len(past.archive.taken) == len(set(past.archive.taken))


async def test_too_much_waiting_for_the_archive_costs_the_oldest_with_a_loud_word(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FOLD_ROWS", 10), ("MOST_MIRRORED", 30), ("SLICE", 50)):
        monkeypatch.setattr(flow, name, value)
    past = Past(tmp_path, clock)
    store = await past.open(spool=700)
    await store.ready()
    past.archive.away = True
    for number in range(200):
        past.record(TEMPERATURE, T0 + number, float(number))
        if number % 10 == 0:
            await store.flow.fold()
    assert store.flow.lost > 0
    assert "were dropped" in str(store.problem)
    past.archive.away = False
    assert await store.flow.fold()
    assert await samples(past, TEMPERATURE) == past.of(TEMPERATURE)[store.flow.lost :]
    await past.close()


async def test_a_disk_that_refuses_costs_the_oldest_in_memory_and_recovers_by_itself(
    past: Past, tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "MOST_WAITING", 100)
    past.record(TEMPERATURE, T0, 0.0)
    assert await past.store.flow.flush()
    blocker = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    monkeypatch.setattr(flow, "SETTLED_AT_ONCE", 10)
    await asyncio.wrap_future(past.file.submit(lambda c: c.execute("PRAGMA busy_timeout = 10")))
    blocker.execute("BEGIN IMMEDIATE")
    for number in range(1, 201):
        past.record(TEMPERATURE, T0 + number, float(number))
    assert not await past.store.flow.flush()
    assert "history.db" in str(past.store.problem)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await past.store.flow.flush()
    lost = past.store.flow.lost
    assert 0 < lost <= 110
    assert str(past.store.problem).startswith(f"{lost} samples of the past were dropped")
    clock.advance(2 * LOSS_SHOWN)
    assert not past.store.problem
    await past.store.flow.fold()
    values = [sample.value for sample in await samples(past, TEMPERATURE)]
    assert values == [0.0, *(float(number) for number in range(lost + 1, 201))]


async def test_the_course_of_a_year_shows_its_lowest_and_highest_point(past: Past, clock: VirtualClock) -> None:
    day = 86_400.0
    for number in range(365 * 24):
        value = 20 + 10 * math.sin(number / 500) + (40 if number == 4321 else -90 if number == 99 else 0)
        past.record(TEMPERATURE, T0 + number * 3600, value)
    await past.store.ready()
    clock.set_wall(T0 + 365 * day)
    await past.store.flow.fold()
    every = past.of(TEMPERATURE)
    for count in (4, 100, 1000):
        points = await past.store.points(TEMPERATURE, T0, T0 + 365 * day, count)
        assert len(points) <= count
        shown = [float(str(point.value)) for point in points]
        assert min(shown) == min(sample.value for sample in every)  # type: ignore[type-var]
        assert max(shown) == max(sample.value for sample in every)  # type: ignore[type-var]
        assert points == sorted(points, key=lambda point: point.at)
    few = await past.store.points(TEMPERATURE, T0, T0 + 10 * 3600, 100)
    assert few == every[:11]


async def test_buckets_hold_what_came_up_to_now(past: Past, clock: VirtualClock) -> None:
    begin = T0 // 3600 * 3600
    for minute in range(0, 180, 10):
        past.record(TEMPERATURE, begin + minute * 60, float(minute))
        if minute == 90:
            await past.store.flow.fold()
    clock.set_wall(begin + 3 * 3600)
    buckets = await past.store.buckets(TEMPERATURE, "hour", begin, begin + 4 * 3600)
    assert [(each.at, each.least, each.most, each.last, each.count) for each in buckets] == [
        (begin, 0.0, 50.0, 50.0, 6),
        (begin + 3600, 60.0, 110.0, 110.0, 6),
        (begin + 7200, 120.0, 170.0, 170.0, 6),
    ]
    assert buckets[0].mean == 25.0


STEPS = st.lists(
    st.tuples(st.just("record"), st.sampled_from(ALL), st.integers(-3, 20), st.sampled_from([1.5, 2.5, 3, True, "on"]))
    | st.tuples(st.sampled_from(["flush", "fold", "reopen"]), st.none(), st.just(0), st.none()),
    max_size=40,
)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, window=st.tuples(st.integers(-2, 100), st.integers(0, 100)), limit=st.integers(1, 12))
async def test_whatever_happens_every_sample_is_told_once_in_the_order_of_time(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, Series, int, object]],
    window: tuple[int, int],
    limit: int,
) -> None:
    past = Past(tmp_path_factory.mktemp("past"), VirtualClock(T0))
    await past.open()
    now = T0
    for what, series, later, value in steps:
        now += later
        if what == "record":
            more = {"attributes": {"v": str(value)}} if series is LAMP else None
            past.record(series, now, value, more)
        elif what == "reopen":
            await past.close()
            await past.open()
        else:
            await getattr(past.store.flow, what)()
    after, before = T0 + window[0], T0 + window[0] + window[1]
    for series in ALL:
        assert await samples(past, series) == past.of(series)
        assert await samples(past, series, after=after, before=before) == past.of(series, after=after, before=before)
        last = (await past.store.at([series], before)).get(series)
        expected = past.of(series, before=before)
        assert last == (expected[-1] if expected else None)
    times = [sample.at for sample in past.of(*ALL, after=after, before=before)]
    up = await merged(past, *ALL, after=after, before=before)
    assert [sample.at for _, sample in up] == times
    assert sorted(map(repr, up)) == sorted(repr(each) for each in past.model if after <= each[1].at <= before)
    down = await merged(past, *ALL, after=after, before=before, descending=True, limit=limit)
    assert [sample.at for _, sample in down] == times[::-1][:limit]
    assert sum(known.count for known in await past.store.known()) == len(past.model)
    await past.close()
