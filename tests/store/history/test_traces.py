"""What the book of traces promises: each in its last form, newest first, over restarts, as long as it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.home.chronicle import TraceRow
from hallway.store.history import traces
from hallway.store.history.changelog import Keeping
from hallway.store.history.flushing import SWEEP_FIRST
from hallway.store.history.traces import TraceRows
from tests.store.history.desks import Desk
from tests.store.history.happenings import NOW

DAY = 86_400.0


class Body(msgspec.Struct, frozen=True):
    text: str


class TraceDesk(Desk):
    """A book of traces on a file."""

    def open(self) -> None:
        super().open()
        self.book = self.rows = TraceRows(self.file, self.clock, self.keeping)
        self.written: list[int] = []
        self.rows.when_written(self.told)

    def told(self, numbers: Iterable[int]) -> None:
        self.written += numbers

    async def write(self) -> None:
        self.clock.advance(10)
        while self.rows._flushing._future is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def sweep(self) -> None:
        self.clock.advance(SWEEP_FIRST)
        task = self.rows._flushing._sweeping
        assert task is not None
        await task


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    desk = TraceDesk(tmp_path)
    yield desk
    await desk.close()


def row(
    number: int,
    rule_id: str = "a",
    result: str = "ran",
    text: str = "",
    *,
    at: float | None = None,
    seq: int | None = None,
) -> TraceRow:
    body = Body(text or f"{rule_id}{number}")
    return TraceRow(number, rule_id, NOW + number if at is None else at, result, result == "ran", seq, body)


def texts(bodies: list[bytes]) -> list[str]:
    return [msgspec.json.decode(body, type=Body).text for body in bodies]


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, TraceRow]]:
    steps = []
    last = 0
    for _ in range(draw(st.integers(1, 25))):
        then = draw(st.sampled_from(["", "", "write", "again"]))
        number = draw(st.integers(max(1, last - 2), last + 2))
        last = max(last, number)
        rule_id, result = f"r{number % 2}", ("ran" if number % 3 else "ignored")
        text = draw(st.sampled_from(["planned", "done"]))
        steps.append((then, row(number, rule_id, result, text, seq=None if number % 4 else number)))
    return steps


@settings(max_examples=40, deadline=None)
@given(steps=lives(), before=st.integers(1, 60), limit=st.integers(1, 10))
def test_it_answers_as_a_dict_would(steps: list[tuple[str, TraceRow]], before: int, limit: int) -> None:
    async def live(directory: Path) -> None:
        desk = TraceDesk(directory)
        expected: dict[int, TraceRow] = {}
        for then, kept in steps:
            desk.rows.keep(kept)
            expected[kept.id] = kept
            if then == "write":
                await desk.write()
            elif then == "again":
                await desk.again()
            for result in (None, "ran", "ignored"):
                found = texts(await desk.rows.of("r1", result, before, limit))
                assert found == _expected(expected, result, before, limit)
            wanted = msgspec.json.encode(kept.body)
            assert await desk.rows.get(kept.id) == wanted
            if kept.did:
                assert await desk.rows.run_at(kept.rule_id, kept.seq, kept.at) == wanted
        await desk.close()

    with TemporaryDirectory() as directory:
        asyncio.run(live(Path(directory)))


def _expected(kept: dict[int, TraceRow], result: str | None, before: int, limit: int) -> list[str]:
    fitting = [each for each in kept.values() if each.rule_id == "r1" and each.id < before]
    newest = sorted((each for each in fitting if result in {None, each.result}), reverse=True, key=lambda each: each.id)
    return [each.body.text for each in newest[:limit] if isinstance(each.body, Body)]


async def test_the_run_of_a_change_is_found_or_the_last_one_before(desk: TraceDesk) -> None:
    for number in range(1, 6):
        desk.rows.keep(row(number, seq=100 + number))
    desk.rows.keep(row(6, result="ignored", seq=102))
    for _ in range(2):
        assert await desk.rows.run_at("a", 102, NOW + 9) == b'{"text":"a2"}'
        assert await desk.rows.run_at("a", 107, NOW + 4) == b'{"text":"a4"}'
        assert await desk.rows.run_at("a", None, NOW + 9) == b'{"text":"a5"}'
        assert await desk.rows.run_at("b", 102, NOW + 9) is None
        await desk.again()


async def test_it_is_told_what_has_its_last_form_on_the_disk(desk: TraceDesk) -> None:
    desk.rows.keep(row(1))
    desk.rows.keep(row(2))
    desk.clock.advance(10)
    desk.rows.keep(row(2, text="later"))
    await desk.write()
    assert desk.written == [1]
    await desk.write()
    assert desk.written == [1, 2]
    assert await desk.rows.get(2) == b'{"text":"later"}'


async def test_what_was_none_after_all_is_not_kept(desk: TraceDesk) -> None:
    desk.rows.keep(row(1, result="ignored"))
    desk.rows.take_back(1)
    await desk.write()
    assert await desk.rows.get(1) is None


async def test_what_is_old_or_too_much_goes(desk: TraceDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "AT_ONCE", 7)
    monkeypatch.setattr(traces, "MOST_OF_A_RULE", 40)
    for number in range(1, 101):
        desk.rows.keep(row(number, at=NOW - 28 * DAY + number * DAY / 20))
        desk.rows.keep(row(number + 100, "b", at=NOW))
    await desk.write()
    await desk.sweep()
    assert len(await desk.rows.of("a", None, 1000, 1000)) == 40
    assert len(await desk.rows.of("b", None, 1000, 1000)) == 40
    desk.clock.advance(4 * DAY)
    await desk.sweep()
    await desk.sweep()
    assert len(await desk.rows.of("a", None, 1000, 1000)) == 20
    desk.keeping = Keeping(bytes=2000)
    await desk.again()
    await desk.sweep()
    left = await desk.rows.of("a", None, 1000, 1000) + await desk.rows.of("b", None, 1000, 1000)
    assert 0 < len(left) <= 2000 // traces.ROW_BYTES


async def test_while_the_disk_refuses_the_newest_wait_in_memory(
    desk: TraceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "MOST_WAITING", 50)
    monkeypatch.setattr(traces, "HURRY", 20)
    desk.file.refuses = True
    for number in range(1, 101):
        desk.rows.keep(row(number))
    await desk.write()
    assert (len(desk.rows._waiting), desk.rows.dropped) == (50, 50)
    assert texts(await desk.rows.of("a", None, 1000, 1)) == ["a100"]
    desk.file.refuses = False
    await desk.write()
    assert (len(desk.rows._waiting), desk.rows.dropped) == (0, 50)
    assert len(desk.written) == 50


async def test_traces_may_not_be_kept_at_all(tmp_path: Path) -> None:
    desk = TraceDesk(tmp_path, Keeping(seconds=0))
    desk.rows.keep(row(1))
    assert desk.written == [1]
    await desk.close()
