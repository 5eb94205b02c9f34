"""A hub was killed, and its WAL or its redo log is not as it left it: what is good is taken, and the loss is said."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.values import Attributes
from hallway.store.redo import HEADER
from hallway.store.store import Store
from tests.faults.power import booted_anew
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build_kept, committed, until

RULES = 6
Harm = Callable[[Path], None]


@pytest.fixture
async def killed(open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path) -> Path:
    """Some rules stand in the WAL, later ones in the redo log only."""
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", HTTP)
    for number in range(2 * RULES):
        rule: Attributes = {"id": f"rule-{number}", "name": "x" * 300, "rule": "when lamp then x"}
        home.rules.add(rule, HTTP)
        if number == RULES - 1:
            await committed(store, clock)
    await store.durable(home.changes.seq)
    there = tmp_path / "killed"
    there.mkdir()
    for name in ("redo.0", "redo.1", "home.db-shm", "home.db-wal", "home.db", "hub.lock"):
        shutil.copyfile(directory / name, there / name)
    return there


async def start(directory: Path, clock: VirtualClock) -> tuple[int, str | None]:
    """How many rules there are, and what is said; the next start has nothing to say any more."""
    store = Store.open(directory, clock)
    rules, said = len(store.definitions("rule")), store.problem
    assert store.damage == said
    await store.close()
    again = Store.open(directory, clock)
    assert (len(again.definitions("rule")), again.problem) == (rules, None)
    await again.close()
    return rules, said


def change(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x04
    path.write_bytes(data)


def log_of(directory: Path) -> Path:
    return max(directory.glob("redo.[01]"), key=lambda path: path.stat().st_size)


def wal_gone(directory: Path) -> None:
    (directory / "home.db-wal").unlink()


def redo_gone(directory: Path) -> None:
    for name in ("redo.0", "redo.1"):
        (directory / name).unlink()


def wal_and_index_gone(directory: Path) -> None:
    wal_gone(directory)
    (directory / "home.db-shm").unlink()


def wal_garbled(directory: Path) -> None:
    change(directory / "home.db-wal", (directory / "home.db-wal").stat().st_size // 2)


def wal_header_garbled(directory: Path) -> None:
    change(directory / "home.db-wal", 17)


def wal_halved(directory: Path) -> None:
    data = (directory / "home.db-wal").read_bytes()
    (directory / "home.db-wal").write_bytes(data[: len(data) // 2])


async def test_nothing_is_said_of_a_hub_that_was_killed_and_left_all(killed: Path, clock: VirtualClock) -> None:
    assert await start(killed, clock) == (2 * RULES, None)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (wal_gone, "home.db-wal was missing after the hub was killed"),
        (wal_and_index_gone, "home.db-wal was missing after the hub was killed"),
        (wal_garbled, "home.db-wal was damaged: "),
        (wal_header_garbled, "home.db-wal was damaged: "),
        (wal_halved, "home.db-wal was damaged: "),
    ],
)
async def test_a_wal_that_lost_commits_is_told(killed: Path, clock: VirtualClock, harm: Harm, told: str) -> None:
    harm(killed)
    rules, said = await start(killed, clock)
    assert RULES <= rules <= 2 * RULES
    assert str(said).startswith(f"edits or values that came last may be lost, check the home: {told}")


async def test_a_wal_that_another_program_put_in_its_place_is_no_loss(killed: Path, clock: VirtualClock) -> None:
    with closing(sqlite3.connect(killed / "home.db")) as connection:
        connection.execute("SELECT count(*) FROM definition").fetchone()
    assert not (killed / "home.db-wal").exists()
    assert await start(killed, clock) == (2 * RULES, None)


async def test_a_definition_that_went_with_the_wal_is_told(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store = open_store()
    store.attach(build_kept(clock, store), asyncio.get_running_loop())
    clock.advance(1)
    await store.define("rule", "a", {}, None, "test")
    there = tmp_path / "killed"
    shutil.copytree(directory, there)
    assert await start(there, clock) == (1, None)
    shutil.rmtree(there)
    shutil.copytree(directory, there)
    wal_and_index_gone(there)
    rules, said = await start(there, clock)
    assert (rules, str(said).endswith("home.db-wal was missing after the hub was killed")) == (0, True)


async def test_a_file_that_was_made_again_and_has_no_wal_yet_is_no_loss(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", HTTP)
    home.rules.add({"id": "first", "name": "x", "rule": "when lamp then x"}, HTTP)
    await committed(store, clock)
    store.report_damage("somebody says so")
    await until(lambda: str(store.damage).startswith("home.db was damaged (somebody says so)"))
    there = tmp_path / "killed"
    shutil.copytree(directory, there)
    (there / "home.db-wal").unlink(missing_ok=True)
    (there / "home.db-shm").unlink(missing_ok=True)
    assert await start(there, clock) == (1, None)


async def test_a_hole_with_whole_records_behind_it_is_told_when_the_power_was_cut(
    killed: Path, clock: VirtualClock
) -> None:
    booted_anew(killed / "hub.lock")
    log = log_of(killed)
    data = log.read_bytes()
    log.write_bytes(data[:512] + bytes(512) + data[1024:])
    rules, said = await start(killed, clock)
    assert RULES <= rules < 2 * RULES
    assert "whole records behind it cannot be used" in str(said)


async def test_a_redo_log_that_is_gone_is_told(killed: Path, clock: VirtualClock) -> None:
    redo_gone(killed)
    rules, said = await start(killed, clock)
    assert rules == RULES
    assert "were missing after the hub was killed" in str(said)
    assert "redo.0" in str(said)


async def test_a_redo_log_that_was_emptied_before_the_kill_is_told(killed: Path, clock: VirtualClock) -> None:
    log = log_of(killed)
    os.truncate(log, 0)
    rules, said = await start(killed, clock)
    assert rules == RULES
    assert str(said).endswith(f"check the home: {log.name} had been emptied when the hub was killed")


async def test_a_segment_without_a_header_is_no_loss_after_a_power_cut(killed: Path, clock: VirtualClock) -> None:
    booted_anew(killed / "hub.lock")  # what was written into a new one may not be on the disk then
    (idle,) = (killed / name for name in ("redo.0", "redo.1") if killed / name != log_of(killed))
    os.truncate(idle, 0)
    assert await start(killed, clock) == (2 * RULES, None)


async def test_a_redo_log_that_is_emptied_while_no_hub_runs_costs_nothing(killed: Path, clock: VirtualClock) -> None:
    await start(killed, clock)
    for name in ("redo.0", "redo.1"):
        os.truncate(killed / name, 0)
    assert await start(killed, clock) == (2 * RULES, None)


@pytest.mark.parametrize("place", [len(HEADER) + 2, len(HEADER) + 60])
async def test_one_bit_of_the_redo_log_costs_one_record(killed: Path, clock: VirtualClock, place: int) -> None:
    change(log_of(killed), place)
    rules, said = await start(killed, clock)
    assert rules == 2 * RULES - 1
    assert "was damaged at byte" in str(said)
    assert f"{RULES - 1} later records could be read" in str(said)


async def test_without_its_header_the_redo_log_still_has_its_records(killed: Path, clock: VirtualClock) -> None:
    change(log_of(killed), 3)
    rules, said = await start(killed, clock)
    assert rules == 2 * RULES
    assert "was damaged at byte 0" in str(said)


async def test_the_end_of_the_redo_log_that_is_cut_off_is_told(killed: Path, clock: VirtualClock) -> None:
    log = log_of(killed)
    log.write_bytes(log.read_bytes()[:-5])
    rules, said = await start(killed, clock)
    assert rules == 2 * RULES - 1
    assert str(said).endswith("bytes are cut off")
