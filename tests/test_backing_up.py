"""Backups by the clock and on demand: when they are made, what is said and shown of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from hallway.backing_up import Backups, Plan
from hallway.clock import VirtualClock
from hallway.errors import Conflict, Unavailable
from hallway.home.home import Home

DAY = 86400.0
MADE = 1_800_000_300.0


class Runner:
    """Stands in for the program: makes an empty file and answers, or fails."""

    def __init__(self, directory: Path, clock: VirtualClock) -> None:
        self.asked: list[list[str]] = []
        self.error: str | None = None
        self.go = asyncio.Event()
        self.go.set()
        self._directory = directory
        self._clock = clock

    async def __call__(self, arguments: list[str]) -> bytes:
        self.asked.append(arguments)
        await self.go.wait()
        if self.error is not None:
            return msgspec.json.encode({"error": self.error})
        self._directory.mkdir(exist_ok=True)
        file = self._directory / f"hallway-2027011{4 + len(self.asked)}T080500Z.tar"
        file.touch()
        told = {"file": str(file), "bytes": 20480, "made": self._clock.now(), "home": {}}
        return b"a line before\n" + msgspec.json.encode(told) + b"\n"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def home(clock: VirtualClock) -> Home:
    return Home(clock)


@pytest.fixture
def runner(tmp_path: Path, clock: VirtualClock) -> Runner:
    return Runner(tmp_path / "backups", clock)


@pytest.fixture
def made_by(home: Home, runner: Runner, tmp_path: Path) -> Backups:
    return Backups(home, Plan(tmp_path, tmp_path / "backups", DAY, 3), runner)


async def settle(made_by: Backups) -> None:
    """Until the look that is under way, if one is, has led to whatever it leads to."""
    while made_by._task is not None:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.001)


async def test_the_first_is_made_soon_after_the_start_and_then_once_a_day(
    made_by: Backups, clock: VirtualClock, runner: Runner, home: Home, tmp_path: Path
) -> None:
    made_by.define()
    assert "backup" not in home.devices
    made_by.start()
    clock.advance(299)
    await settle(made_by)
    assert runner.asked == []
    clock.advance(1)
    await settle(made_by)
    assert runner.asked == [["backup", "--home", str(tmp_path), str(tmp_path / "backups"), "--json", "--keep", "3"]]
    assert home.device("backup").value("state") == "ok"
    assert home.device("backup").value("last") == "2027-01-15T08:05:00Z"
    for _hour in range(23):
        clock.advance(3600)
        await settle(made_by)
    assert len(runner.asked) == 1
    assert home.device("backup").value("age") == 23
    clock.advance(3600)
    await settle(made_by)
    assert len(runner.asked) == 2
    made_by.stop()


async def test_a_backup_of_an_earlier_run_counts(
    made_by: Backups, clock: VirtualClock, runner: Runner, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "hallway-20270115T070000Z.tar").touch()
    made_by.define()
    assert "backup" in home.devices
    made_by.start()
    clock.advance(300)
    await settle(made_by)
    assert runner.asked == []
    assert home.device("backup").value("age") == 1
    made_by.stop()


async def test_one_that_fails_is_said_shown_and_tried_again_in_an_hour(
    made_by: Backups, clock: VirtualClock, runner: Runner, home: Home
) -> None:
    runner.error = "home.db is damaged"
    made_by.start()
    clock.advance(300)
    await settle(made_by)
    message = home.messages.all()[-1]
    assert (message.level, message.text) == ("error", "no backup was made: home.db is damaged")
    assert home.device("backup").value("state") == "failed"
    assert "home.db is damaged" in str(home.device("backup").value("error"))
    status = await made_by.status()
    assert isinstance(status["error"], dict)
    assert status["error"]["time"] == 1_800_000_300_000
    clock.advance(1800)
    await settle(made_by)
    assert len(runner.asked) == 1
    runner.error = None
    clock.advance(1801)
    await settle(made_by)
    assert len(runner.asked) == 2
    assert home.device("backup").value("state") == "ok"
    assert home.messages.all()[-1].level == "info"
    assert (await made_by.status())["error"] is None
    made_by.stop()


async def test_never_is_never_but_on_demand(home: Home, clock: VirtualClock, runner: Runner, tmp_path: Path) -> None:
    made_by = Backups(home, Plan(tmp_path, tmp_path / "backups", 0, 3), runner)
    made_by.start()
    clock.advance(300)
    await settle(made_by)
    assert runner.asked == []
    made = await made_by.make(history=True)
    assert runner.asked[0][-1] == "--history"
    assert made == {"file": "hallway-20270115T080500Z.tar", "time": 1_800_000_300_000, "size": 20480, "verified": True}
    status = await made_by.status()
    assert status["next"] is None
    assert status["last"] == {**made, "size": 0}
    made_by.stop()


async def test_one_at_a_time(made_by: Backups, runner: Runner) -> None:
    runner.go.clear()
    first = asyncio.create_task(made_by.make())
    await asyncio.sleep(0)
    assert (await made_by.status())["running"] is True
    with pytest.raises(Conflict, match="being made already"):
        await made_by.make()
    runner.go.set()
    await first


async def test_a_process_that_says_nothing_sensible_has_failed(home: Home, tmp_path: Path) -> None:
    for answer in (b"", b"Traceback", b"[]", b'{"file": 5}', b'{"error": "x"}'):

        async def run(_arguments: list[str], answer: bytes = answer) -> bytes:
            return answer

        with pytest.raises(Unavailable, match="there is no backup"):
            await Backups(home, Plan(tmp_path, tmp_path / "backups"), run).make()


async def test_why_the_real_program_made_none_is_understood(home: Home, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    made_by = Backups(home, Plan(nowhere, tmp_path / "backups"))
    with pytest.raises(Unavailable, match=f"^there is no backup: there is no home in {nowhere}: it has no home.db$"):
        await made_by.make()
    assert made_by.problem == f"no backup was made: there is no home in {nowhere}: it has no home.db"


async def test_a_device_of_that_name_is_left_alone(
    made_by: Backups, home: Home, clock: VirtualClock, runner: Runner
) -> None:
    home.add_device({"id": "backup", "class": "DummySwitch"}, "file")
    made_by.start()
    clock.advance(300)
    await settle(made_by)
    assert len(runner.asked) == 1
    assert home.device("backup").value("state") is False
    made_by.stop()
