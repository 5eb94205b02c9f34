"""A disk that is full, slow to give way or held by somebody: the hub goes on, says so, and recovers by itself.

The disk is made full by the limit that the kernel sets to the length of files, so the errors are real ones.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.store import database, recorder
from hallway.store.redo import HEADER
from hallway.store.store import Store
from hallway.store.writer import Work
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build, committed, leave_as_killed, until

BIG: Attributes = {"text": "x" * 20_000}


@contextmanager
def disk_full(length: int) -> Iterator[None]:
    """No file of this process can be longer than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def started(store: Store, clock: VirtualClock) -> Home:
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    return home


async def states_of(directory: Path, clock: VirtualClock) -> dict[str, str]:
    """What a hub that starts in a directory finds."""
    store = Store.open(directory, clock, 5)
    found = {kept.state.entity_id: kept.state.state for kept in store.saved.states}
    await store.close()
    return found


async def test_the_hub_goes_on_says_so_and_recovers_by_itself(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    home = await started(store, clock)
    with disk_full(len(HEADER) + 10):  # the redo log takes 10 bytes, home.db nothing
        for number in range(50):
            home.report("sensor.a", str(number), BIG, HTTP)
        with pytest.raises(Unavailable, match=r"home\.db cannot be written: .*; mend the disk, the hub tries again"):
            await store.define("rule", "a", {}, None, "test")
        with pytest.raises(Unavailable, match=r"home\.db cannot be written"):
            await store.durable(home.changes.seq)
        home.report("sensor.b", "told while the disk was full", BIG, HTTP)
        assert store.problem is not None
        assert store.statistics().problem == store.problem
        assert store.statistics().queued == 2
    clock.advance(8)  # three tries have failed at most, so the next is not later than this
    await until(lambda: store.statistics().queued == 0)
    home.report("sensor.a", "after", {}, HTTP)
    assert store.statistics().problem is None
    assert await states_of(leave_as_killed(directory, tmp_path / "killed"), clock) == {
        state.entity_id: state.state for state in home.states()
    }
    assert store.definitions("rule") == {}
    errors = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.ERROR]
    assert len(errors) == 2
    assert {message.split(" cannot")[0] for message in errors} == {"the redo log", "home.db"}
    assert "the home.db can be written again" in caplog.text


async def test_it_is_said_again_after_a_minute(
    open_store: OpenStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    await started(store, clock)
    with disk_full(1):
        for _ in range(130):
            with pytest.raises(Unavailable):
                await store.define("rule", "a", {}, None, "test")
            clock.advance(1)
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR] * 3


async def test_home_db_is_tried_again_more_and_more_seldom(
    open_store: OpenStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    home = await started(store, clock)
    tries: list[float] = []
    writer = store._disk.writer
    submit = writer.submit

    def counted(work: Work[object]) -> Future[object]:
        tries.append(clock.monotonic())
        return submit(work)

    monkeypatch.setattr(writer, "submit", counted)
    with disk_full(1):
        home.report("sensor.a", "1", {}, HTTP)
        failed = asyncio.create_task(store.durable(home.changes.seq))
        for _ in range(250):
            await until(lambda: len(tries) > 0 and store._recorder is not None and store._recorder.commits.stuck)
            clock.advance(1)
        await until(lambda: store._recorder is not None and store._recorder.commits.stuck)
    assert [round(at - tries[0]) for at in tries] == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    with pytest.raises(Unavailable):
        await failed


async def test_closing_on_a_full_disk_leaves_everything_to_the_next_start(
    open_store: OpenStore, clock: VirtualClock, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    home = await started(store, clock)
    wal = (directory / "home.db-wal").stat().st_size
    for number in range(20):
        home.report(f"sensor.s{number}", "kept", {"text": "x" * (wal // 10)}, HTTP)
    with disk_full(wal):
        await store.close()
    assert "rows stand in the redo log only" in caplog.text
    found = await states_of(directory, clock)
    assert [found.get(f"sensor.s{number}") for number in range(20)] == ["kept"] * 20


async def test_a_start_on_a_full_disk_has_all_values_and_commits_them_later(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    home = await started(open_store(), clock)
    for number in range(20):
        home.report(f"sensor.s{number}", "kept", BIG, HTTP)
    home.pages.add({"id": "edited"}, HTTP)
    killed = leave_as_killed(directory, tmp_path / "killed")
    with disk_full(100_000):
        store = Store.open(killed, clock, 5)
        assert list(store.definitions("page")) == ["edited"]
        assert {kept.state.entity_id for kept in store.saved.states} == {state.entity_id for state in home.states()}
        assert store.saved.seq == home.changes.seq
        again = build(clock, store)
        store.attach(again, asyncio.get_running_loop())
        again.report("sensor.new", "1", {}, HTTP)
        await store.durable(again.changes.seq)  # the redo log has room for it
        await until(lambda: store.problem is not None)
        again.report("sensor.newer", "1", {}, HTTP)
        with pytest.raises(Unavailable):  # but nobody is promised anything while home.db is known to take nothing
            await store.durable(again.changes.seq)
        assert list(store.definitions("page")) == ["edited"]
    assert await states_of(leave_as_killed(killed, tmp_path / "killed again"), clock) == {
        state.entity_id: state.state for state in again.states()
    }
    await store.durable(again.changes.seq)
    await until(lambda: store.statistics().queued == 0)
    assert store.problem is None
    assert [version.version for version in store.history("page", "edited")] == [1]
    await store.close()
    assert await states_of(killed, clock) == {state.entity_id: state.state for state in again.states()}


async def test_closing_unattached_after_such_a_start_loses_nothing(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    home = await started(open_store(), clock)
    for number in range(20):
        home.report(f"sensor.s{number}", "kept", BIG, HTTP)
    killed = leave_as_killed(directory, tmp_path / "killed")
    with disk_full(100_000):
        await Store.open(killed, clock, 5).close()
    assert await states_of(killed, clock) == {state.entity_id: state.state for state in home.states()}


async def test_what_the_redo_log_does_not_take_is_committed_at_once(
    open_store: OpenStore,
    clock: VirtualClock,
    directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = open_store()
    home = await started(store, clock)

    def fail(_fd: int, _data: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fail)
        home.report("sensor.a", "1", {}, HTTP)
        sentence = "the redo log cannot be written: Input/output error; until that is mended a crash may cost reports"
        assert store.statistics().problem == sentence
        await until(lambda: store.statistics().queued == 0)
        home.report("sensor.a", "2", {}, HTTP)
        await until(lambda: store.statistics().queued == 0)
    assert (await states_of(leave_as_killed(directory, tmp_path / "killed"), clock))["sensor.a"] == "2"
    home.report("sensor.a", "3", {}, HTTP)
    assert store.statistics().problem is None
    assert "the redo log can be written again" in caplog.text


async def test_a_long_redo_log_is_committed_before_its_time(
    open_store: OpenStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "SEGMENT_BYTES", 200_000)
    store = open_store()
    home = await started(store, clock)
    for number in range(11):
        home.report("sensor.a", str(number), BIG, HTTP)
    await until(lambda: store.statistics().queued == 0)
    assert store.statistics().redo_bytes == 0


async def test_the_redo_log_stays_short_while_somebody_holds_home_db(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "SEGMENT_BYTES", 200_000)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    store = open_store()
    home = await started(store, clock)
    other = sqlite3.connect(directory / "home.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    home.report("sensor.first", "1", BIG, HTTP)
    clock.advance(5)
    await until(lambda: store.problem is not None)
    with pytest.raises(Unavailable, match="database is locked"):
        await store.durable(home.changes.seq)
    for number in range(200):
        home.report(f"sensor.s{number % 3}", str(number), BIG, HTTP)
        await asyncio.sleep(0)
    assert store.statistics().redo_bytes < 500_000
    killed = leave_as_killed(directory, tmp_path / "killed")
    other.close()
    assert await states_of(killed, clock) == {state.entity_id: state.state for state in home.states()}
    await store.durable(home.changes.seq)
    await until(lambda: store.statistics().queued == 0)
    assert store.statistics().redo_bytes == 0
    assert store.problem is None


async def test_a_definition_that_succeeds_wakes_what_failed_before(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    home = await started(store, clock)
    with disk_full(1):
        home.report("sensor.a", "1", {}, HTTP)
        with pytest.raises(Unavailable):
            await store.durable(home.changes.seq)
    await store.define("rule", "a", {}, None, "test")
    await until(lambda: store.statistics().queued == 0)
