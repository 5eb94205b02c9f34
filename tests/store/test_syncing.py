"""When something is durable: the redo log is synced before it is said, and home.db takes over where that cannot be."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import HallwayError, Unavailable
from hallway.home.home import Home
from hallway.store import database
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build, committed, leave_as_killed, until


async def attached(store: Store, clock: VirtualClock) -> Home:
    """A home of which everything is in home.db."""
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    return home


class Disk:
    """What was synced: how long each file was then; how many syncs were begun; whether it works, or is held up."""

    def __init__(self) -> None:
        self.synced: list[tuple[int, int]] = []
        self.fails = False
        self.begun = 0
        self.go = threading.Event()
        self.go.set()

    def sync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        self.begun += 1
        assert self.go.wait(100)
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.synced.append((found.st_ino, found.st_size))

    def has(self, path: Path) -> bool:
        """Whether the file is on the disk as it is now."""
        found = path.stat()
        return (found.st_ino, found.st_size) in self.synced


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(os, "fdatasync", disk.sync)
    yield disk
    disk.go.set()


def in_use(directory: Path) -> list[Path]:
    """The segments that have records."""
    return [path for path in sorted(directory.glob("redo.*")) if path.stat().st_size > len(b"hallway redo log 1\n")]


async def test_durable_returns_when_the_log_is_synced_and_commits_nothing(
    open_store: OpenStore, clock: VirtualClock, directory: Path, disk: Disk
) -> None:
    store = open_store()
    home = await attached(store, clock)
    commits = store.statistics().commits
    home.set_variable("text", "kept", HTTP)
    (segment,) = in_use(directory)
    assert not disk.has(segment)
    await store.durable(home.changes.seq)
    assert disk.has(segment)
    assert store.statistics().commits == commits


async def test_who_waits_at_the_same_time_shares_syncs(open_store: OpenStore, clock: VirtualClock, disk: Disk) -> None:
    store = open_store()
    home = await attached(store, clock)

    async def set_text(number: int) -> None:
        home.set_variable("text", number, HTTP)
        await store.durable(home.changes.seq)

    await asyncio.gather(*(set_text(number) for number in range(200)))
    assert 1 <= len(disk.synced) <= 3


async def test_durable_waits_for_a_sync_that_begins_after_its_own_change(
    open_store: OpenStore, clock: VirtualClock, disk: Disk
) -> None:
    store = open_store()
    home = await attached(store, clock)
    disk.go.clear()
    syncs: list[int] = []

    async def report(entity_id: str) -> None:
        home.report(entity_id, "1", {}, HTTP)
        await store.durable(home.changes.seq)
        syncs.append(len(disk.synced))

    first = asyncio.create_task(report("sensor.a"))
    await until(lambda: disk.begun == 1)  # now the first is on its way
    second = asyncio.create_task(report("sensor.b"))
    await asyncio.sleep(0.02)
    disk.go.set()
    await asyncio.gather(first, second)
    assert len(disk.synced) == 2
    assert syncs[1] == 2


async def test_what_is_on_its_way_into_home_db_meanwhile_is_synced_too(
    open_store: OpenStore, clock: VirtualClock, directory: Path, disk: Disk
) -> None:
    store = open_store()
    home = await attached(store, clock)
    hold = threading.Event()
    held = store._disk.writer.submit(lambda _connection: hold.wait(100))
    home.report("sensor.a", "1", {}, HTTP)
    clock.advance(5)  # its commit is due, and does not come
    home.report("sensor.b", "1", {}, HTTP)
    await store.durable(home.changes.seq)
    assert len(in_use(directory)) == 2
    assert all(disk.has(segment) for segment in in_use(directory))
    hold.set()
    assert await asyncio.wrap_future(held)


async def test_what_cannot_be_synced_is_committed_before_it_is_said(
    open_store: OpenStore,
    clock: VirtualClock,
    directory: Path,
    tmp_path: Path,
    disk: Disk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = open_store()
    home = await attached(store, clock)
    disk.fails = True
    home.set_variable("text", "kept", HTTP)
    await store.durable(home.changes.seq)
    assert "the redo log cannot be synced: Input/output error" in str(store.problem)
    killed = leave_as_killed(directory, tmp_path / "killed")
    for segment in killed.glob("redo.*"):
        segment.unlink()
    after = Store.open(killed, clock, 5)
    assert after.saved.variables["text"] == "kept"
    await after.close()
    disk.fails = False
    home.set_variable("text", "again", HTTP)
    await store.durable(home.changes.seq)
    assert store.problem is None
    assert "can be written again" in caplog.text


async def test_nothing_is_promised_when_neither_log_nor_database_take_it(
    open_store: OpenStore, clock: VirtualClock, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    home = await attached(store, clock)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    held = store._disk.writer.submit(lambda connection: connection.execute("PRAGMA query_only = ON"))
    await asyncio.wrap_future(held)
    disk.fails = True
    home.set_variable("text", "lost", HTTP)
    with pytest.raises(Unavailable, match=r"home\.db cannot be written"):
        await store.durable(home.changes.seq)


async def test_who_would_rather_be_called_is_called_once(
    open_store: OpenStore, clock: VirtualClock, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    home = await attached(store, clock)
    told: list[HallwayError | None] = []

    def failing(_error: HallwayError | None) -> None:
        raise ValueError("a listener's own fault")

    home.report("sensor.a", "1", {}, HTTP)
    store.when_durable(home.changes.seq, failing)
    store.when_durable(home.changes.seq, told.append)
    assert told == []
    await until(lambda: told != [])
    store.when_durable(home.changes.seq, told.append)  # which is so already
    assert told == [None, None]
    assert "somebody who waited for the disk failed" in caplog.text


async def test_closing_tells_who_waits(open_store: OpenStore, clock: VirtualClock, disk: Disk) -> None:
    store = open_store()
    home = await attached(store, clock)
    told: list[HallwayError | None] = []
    for entity_id in ("sensor.a", "sensor.b"):
        home.report(entity_id, "1", {}, HTTP)
        store.when_durable(home.changes.seq, told.append)
    await store.close()
    assert told == [None, None]
    store.when_durable(home.changes.seq, told.append)
    assert told == [None, None, None]
    assert "hallway-sync" not in {thread.name for thread in threading.enumerate()}


async def test_a_cancelled_wait_harms_nobody(open_store: OpenStore, clock: VirtualClock, disk: Disk) -> None:
    store = open_store()
    home = await attached(store, clock)
    disk.go.clear()
    home.report("sensor.a", "1", {}, HTTP)
    tasks = [asyncio.create_task(store.durable(home.changes.seq)) for _ in range(3)]
    await until(lambda: disk.begun == 1)
    tasks[1].cancel()
    disk.go.set()
    await asyncio.gather(tasks[0], tasks[2])
    assert tasks[1].cancelled()
