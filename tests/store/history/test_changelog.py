"""What the change log promises: each change once and in order, in memory or on the disk, as long as it is kept."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.home.changes import AnyChange, Updated
from hallway.home.recorded import Recorded, keys_of, turned
from hallway.store.history import change_rows, changelog
from hallway.store.history.change_rows import FULL
from hallway.store.history.changelog import ChangeLog, Keeping
from hallway.store.history.flushing import SWEEP_FIRST
from tests.store.history.desks import Desk
from tests.store.history.happenings import NAMES, NOW, a_week, as_kept, changes, told

DAY = 86_400.0
EVERYTHING = [f"{kind}:{name}" for kind in ("device", "entity", "variable", "event") for name in NAMES]


class LogDesk(Desk):
    """A change log on a file."""

    def open(self) -> None:
        super().open()
        self.book = self.log = ChangeLog(self.file, self.clock, self.keeping)

    async def settle(self) -> None:
        """Until nothing is under way."""
        while self.log._flushing._future is not None or self.log._merging is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def write(self) -> None:
        self.clock.advance(10)
        await self.settle()

    async def killed(self) -> None:
        """As `again`, after an end in which nobody closed anything."""
        await self.settle()
        self.file.close()
        self.open()

    async def all(self, keys: list[str] = EVERYTHING, after: float = 0.0, before: float = NOW * 2) -> list[Recorded]:
        return [change async for piece in self.log.between(keys, after, before) for change in piece]

    def do(self, statement: str, *given: object) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute(statement, given)
        connection.close()


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    desk = LogDesk(tmp_path)
    yield desk
    await desk.close()


def moves(name: str) -> Callable[[Recorded], bool]:
    return lambda change: isinstance(change, Updated) and change.device_id == name and turned(change, "a")


@st.composite
def lives(draw: st.DrawFn) -> list[list[tuple[str, AnyChange]]]:
    """Lives of a hub: in each, changes and what follows each. A killed hub may give numbers again."""
    found = []
    seq, at = 0, NOW
    for _ in range(draw(st.integers(1, 4))):
        life = []
        for _ in range(draw(st.integers(0, 12))):
            seq += 1
            at += draw(st.sampled_from([0.0, 0.001, 1.5, 100.0]))
            life.append((draw(st.sampled_from(["", "", "write", "ask"])), draw(changes(seq, at))))
        found.append(life)
    return found


@settings(max_examples=40, deadline=None)
@given(lives=lives(), small=st.sampled_from([2, 5, 64]), piece=st.sampled_from([1, 1000]), ends=st.data())
def test_it_answers_as_a_list_would(
    lives: list[list[tuple[str, AnyChange]]], small: int, piece: int, ends: st.DataObject
) -> None:
    async def live(directory: Path) -> None:
        desk = LogDesk(directory)
        expected: list[Recorded] = []
        try:
            for life in lives:
                written = len(expected)
                for then, change in life:
                    kept = as_kept(change)
                    desk.log.take(kept)
                    expected.append(kept)
                    if then == "write":
                        await desk.write()
                        written = len(expected)
                    elif then == "ask":
                        assert await desk.all() == expected
                killed = ends.draw(st.booleans())
                await (desk.killed() if killed else desk.again())
                if killed:
                    del expected[written:]
                await check(desk, expected, ends)
        finally:  # also when Hypothesis breaks an example off
            await desk.close()

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as directory:
        patch.setattr(changelog, "MOST_SMALL", small)
        patch.setattr(changelog, "PIECE", piece)
        asyncio.run(live(Path(directory)))


async def check(desk: LogDesk, expected: list[Recorded], ends: st.DataObject) -> None:
    assert await desk.all() == expected
    if not expected:
        return
    one = ends.draw(st.sampled_from(expected))
    other = ends.draw(st.sampled_from(expected))
    first, last = min(one.at, other.at), max(one.at, other.at)
    assert await desk.all(after=first, before=last) == [each for each in expected if first <= each.at <= last]
    key = next(keys_of(one))
    assert await desk.all([key]) == [each for each in expected if key in keys_of(each)]
    assert await desk.log.get(one.seq, one.at) == one
    assert (
        await desk.log.newest(key, lambda each: key in keys_of(each))
        == [each for each in expected if key in keys_of(each)][-1]
    )
    moved = [each for each in expected if moves("a")(each)]
    assert await desk.log.newest("moved:a.a", moves("a")) == (moved[-1] if moved else None)
    assert await desk.log.since() == min(desk.log._began, expected[0].at)


async def test_ten_thousand_changes_are_merged_into_full_blocks(desk: LogDesk) -> None:
    everything = list(a_week(10_000, DAY))
    for change in everything:
        desk.log.take(change)
        if change.seq % 100 == 0:
            await desk.write()
    await desk.write()
    counts = await desk.file.read(lambda c: [n for (n,) in c.execute("SELECT count FROM change_block ORDER BY id")])
    assert sum(counts) == len(everything)
    assert len(counts) < 30
    size = await desk.file.read(change_rows.size)
    assert size / len(everything) < 30
    assert await desk.all(["device:sensor7"]) == [each for each in everything if "device:sensor7" in keys_of(each)]
    await desk.again()
    assert await desk.all(["variable:v1"]) == [each for each in everything if "variable:v1" in keys_of(each)]


async def test_what_is_old_goes_in_small_steps(desk: LogDesk) -> None:
    desk.log.take(told(1, NOW, "a", {"a": 1}, {"a": 2}))
    await desk.write()
    desk.clock.advance(28 * DAY - 100)
    desk.log.take(told(2, NOW + 28 * DAY - 90, "a", {"a": 2}, {"a": 3}))
    await desk.write()
    await wait_for_sweep(desk)
    desk.clock.advance(SWEEP_FIRST + 3600)
    await wait_for_sweep(desk)
    assert [change.seq for change in await desk.all()] == [2]
    assert await desk.log.since() > NOW
    desk.keeping = Keeping(bytes=1)
    await desk.again()
    desk.clock.advance(SWEEP_FIRST)
    await wait_for_sweep(desk)
    assert await desk.all() == []


async def wait_for_sweep(desk: LogDesk) -> None:
    task = desk.log._flushing._sweeping
    assert task is not None
    await task


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE change_block SET body = zeroblob(50) WHERE id = 2",
        "UPDATE change_block SET crc = 5 WHERE id = 2",
        "DELETE FROM change_block WHERE id = 2",
    ],
)
async def test_a_block_that_is_not_whole_is_left_out_and_told(
    desk: LogDesk, statement: str, caplog: pytest.LogCaptureFixture
) -> None:
    for seq in (1, 2, 3):
        desk.log.take(told(seq, NOW + seq, "a", {"a": seq}, {"a": seq + 1}))
        await desk.write()
    desk.do(statement)
    assert [change.seq for change in await desk.all()] == [1, 3]
    assert await desk.log.get(2, NOW + 9) is None
    desk.log.take(told(4, NOW + 4, "a", {"a": 4}, {"a": 5}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changelog, "MOST_SMALL", 2)
        await desk.write()
    assert [change.seq for change in await desk.all()] == [1, 3, 4]
    assert ("block 2 of the change log cannot be read" in caplog.text) == (not statement.startswith("DELETE"))


async def test_while_the_disk_refuses_the_newest_wait_in_memory(desk: LogDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "MOST_WAITING", FULL)
    desk.file.refuses = True
    for seq in range(1, FULL + 101):
        desk.log.take(told(seq, NOW + seq, "a", {"a": seq}, {"a": seq + 1}))
    await desk.write()
    assert (len(desk.log._waiting), desk.log.dropped) == (FULL, 100)
    assert [change.seq for change in await desk.all()] == list(range(101, FULL + 101))
    newest = await desk.log.newest("moved:a.a", moves("a"))
    assert newest is not None
    assert newest.seq == FULL + 100
    assert await desk.log.get(101, NOW * 2) is not None
    desk.file.refuses = False
    await desk.write()
    assert (len(desk.log._waiting), desk.log.dropped) == (0, 100)
    await desk.again()
    assert [change.seq for change in await desk.all()] == list(range(101, FULL + 101))


async def test_what_comes_faster_than_it_is_written_is_dropped_and_told(
    desk: LogDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changelog, "MOST_WAITING", FULL)
    for seq in range(1, 2 * FULL + 101):  # the first of them are on their way as soon as they fill a block
        desk.log.take(told(seq, NOW + seq, "a", {"a": seq}, {"a": seq + 1}))
    await desk.settle()
    assert desk.log.dropped == 100
    assert "more happens than the disk takes: 100 had to be dropped since the start" in caplog.text
    await desk.again()
    assert [change.seq for change in await desk.all()] == [*range(1, FULL + 1), *range(FULL + 101, 2 * FULL + 101)]


async def test_what_json_cannot_carry_costs_nothing_else(desk: LogDesk) -> None:
    desk.log.take(told(1, NOW, "a", {"a": 1}, {"a": "\ud800"}))
    desk.log.take(told(2, NOW, "a", {"a": 1}, {"a": 2}))
    await desk.write()
    assert [change.seq for change in await desk.all()] == [2]


async def test_changes_may_not_be_kept_at_all(tmp_path: Path) -> None:
    desk = LogDesk(tmp_path, Keeping(seconds=0))
    desk.log.take(told(1, NOW, "a", {"a": 1}, {"a": 2}))
    await desk.write()
    assert await desk.all() == []
    await desk.close()
