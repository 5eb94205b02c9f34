"""Others empty the redo log or write in it while the hub runs: what is said is true, what is acknowledged is kept."""

from __future__ import annotations

import asyncio
import logging
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store.redo import HEADER, Redo, encode, read_segments
from hallway.store.store import Store
from tests.conftest import StartHub
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build, committed, leave_as_killed

HUB = "users: [{username: ann, password: anns, role: admin}]\n"
ANN = {"authorization": f"Basic {b64encode(b'ann:anns').decode()}", "content-type": "application/json"}
SEGMENTS = ("redo.0", "redo.1")
LOST = "edits or values that came last may be lost"
Harm = Callable[[Path], None]


def empty(segment: Path) -> None:
    os.truncate(segment, 0)


def halve(segment: Path) -> None:
    os.truncate(segment, segment.stat().st_size // 2)


def write_behind_it(segment: Path) -> None:
    with segment.open("ab") as file:
        file.write(b"something else")


HARMS = pytest.mark.parametrize("harm", [empty, halve, write_behind_it])


def log_with(directory: Path, *numbers: int) -> Path:
    """The segment that has them."""
    redo = Redo(directory)
    redo.read()
    for number in numbers:
        redo.append(encode((number, ())))
    redo.close()
    return directory / "redo.1"


def read(directory: Path) -> tuple[list[int], Redo]:
    redo = Redo(directory)
    found = [record.seq for record in redo.read()]
    redo.close()
    return found, redo


# ---------------------------------------------------------------------- what is said at the start


def test_records_without_a_header_are_all_there_and_no_bytes_are_said_to_be_lost(tmp_path: Path) -> None:
    segment = log_with(tmp_path, 4, 5, 6)
    segment.write_bytes(segment.read_bytes()[len(HEADER) :])
    found, redo = read(tmp_path)
    assert found == [4, 5, 6]
    assert redo.damage == "redo.1 has no header, as one that was emptied while a hub wrote it: 3 records could be read"
    assert segment.read_bytes().startswith(HEADER)
    assert read(tmp_path)[1].damage is None


@pytest.mark.parametrize("place", [0, 3, len(HEADER) - 2, len(HEADER), len(HEADER) + 9, len(HEADER) + 30])
@pytest.mark.parametrize("taken", [0, 1, 5, 20, 35])
def test_the_bytes_that_are_told_are_those_that_the_file_had_and_has_no_more(
    tmp_path: Path, place: int, taken: int
) -> None:
    segment = log_with(tmp_path, *range(1, 9))
    data = segment.read_bytes()
    changed = data[:place] + b"?" + data[place + 1 + taken :]
    segment.write_bytes(changed)
    found, redo = read(tmp_path)
    after = segment.read_bytes()
    kept = len(after) - (0 if changed.startswith(HEADER) else len(HEADER))
    assert found[-1] == 8
    assert f"later records could be read, {len(changed) - kept} bytes are cut off" in str(redo.damage)


@pytest.mark.parametrize(
    ("numbers", "committed_before", "whole"),
    [
        ((4, 5, 6), 3, True),
        ((4, 4, 5, 5), 3, True),
        ((4, 5, 6), 5, True),
        ((4, 5, 6), 2, False),
        ((4, 6), 3, False),
        ((4, 6), 5, True),
    ],
)
def test_nothing_is_missing_where_the_numbers_follow_on_from_what_was_committed(
    tmp_path: Path, numbers: tuple[int, ...], committed_before: int, *, whole: bool
) -> None:
    segment = log_with(tmp_path, *numbers)
    segment.write_bytes(segment.read_bytes()[len(HEADER) :])
    assert read(tmp_path)[1].misses_nothing(committed_before) is whole


def test_where_bytes_are_cut_off_something_may_be_missing_whatever_the_numbers_say(tmp_path: Path) -> None:
    segment = log_with(tmp_path, 1, 2)
    segment.write_bytes(segment.read_bytes()[:-1])
    assert not read(tmp_path)[1].misses_nothing(0)


async def emptied_and_killed(store: Store, clock: VirtualClock, directory: Path, there: Path, *before: str) -> Path:
    """A variable is set as often as `before` says, the log is emptied, it is set once more, the hub is killed."""
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    for text in before:
        home.set_variable("text", text, HTTP)
    for name in SEGMENTS:
        empty(directory / name)
    home.set_variable("text", "after", HTTP)
    return leave_as_killed(directory, there)


async def test_no_alarm_is_given_where_nothing_is_missing(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = await emptied_and_killed(open_store(), clock, directory, tmp_path / "killed")
    caplog.clear()
    after = Store.open(killed, clock)
    assert after.saved.variables["text"] == "after"
    assert after.damage is None
    assert after.problem is None
    await after.close()
    (said,) = (entry for entry in caplog.records if "redo" in entry.getMessage())
    assert said.levelno == logging.WARNING
    assert "1 records could be read; no number is missing, so that nothing is lost" in said.getMessage()


async def test_an_alarm_is_given_where_a_number_is_missing(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    killed = await emptied_and_killed(open_store(), clock, directory, tmp_path / "killed", "before")
    after = Store.open(killed, clock)
    assert str(after.damage).startswith(f"{LOST}, check the home: redo.")
    await after.close()


# ---------------------------------------------------------------------- what is done while the hub runs


@HARMS
def test_who_syncs_is_told_once_and_what_is_whole_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Harm
) -> None:
    redo = Redo(tmp_path)
    redo.read()
    for number in range(1, 5):
        redo.append(encode((number, ())))
    harm(tmp_path / "redo.1")
    redo.append(encode((5, ())))
    with pytest.raises(OSError, match=r"redo\.1 was emptied or written by others while the hub runs"):
        redo.descriptors()
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR]
    redo.append(encode((6, ())))
    for descriptor in redo.descriptors():
        os.close(descriptor)
    numbers = [record.seq for record in read_segments(tmp_path)]
    assert numbers[-2:] == [5, 6]
    redo.close()
    again, then = read(tmp_path)
    assert (again, then.damage) == (numbers, None)


@pytest.mark.parametrize("torn", [False, True])
def test_what_the_hub_itself_left_behind_is_not_taken_for_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, torn: bool
) -> None:
    redo = Redo(tmp_path)
    redo.read()
    redo.append(encode((1, ())))
    if torn:
        real = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
        with pytest.raises(OSError, match="No space left"):
            redo.append(encode((2, ())))
        monkeypatch.undo()
    for descriptor in redo.descriptors():
        os.close(descriptor)
    redo.clear()
    assert redo.descriptors() == []
    redo.close()


@HARMS
async def test_all_that_was_acknowledged_is_in_home_db_then(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, harm: Harm
) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    home.set_variable("text", "before", HTTP)
    await store.durable(home.changes.seq)
    for name in SEGMENTS:
        harm(directory / name)
    home.set_variable("answer", 43, HTTP)
    await store.durable(home.changes.seq)
    after = Store.open(leave_as_killed(directory, tmp_path / "killed"), clock)
    assert (after.saved.variables["text"], after.saved.variables["answer"]) == ("before", 43)
    assert after.damage is None
    await after.close()
    home.set_variable("answer", 44, HTTP)
    await store.durable(home.changes.seq)
    assert store.problem is None


@HARMS
def test_a_whole_hub_keeps_its_edits_and_has_nothing_to_say_at_the_next_start(start_hub: StartHub, harm: Harm) -> None:
    hub = start_hub(HUB)
    assert hub.ask("POST", "/api/states/sensor.before", {"state": "1"}).status == 201
    for name in SEGMENTS:
        harm(hub.home / name)
    lamp = {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}
    assert hub.ask("POST", "/api/device-config", {"deviceConfig": lamp}, headers=ANN).status == 200
    hub.kill()
    hub.restart()
    states = {each["entity_id"]: each["state"] for each in hub.ask("GET", "/api/states").json()}
    assert states["sensor.before"] == "1"
    assert "switch.lamp" in states
    assert "was emptied or written by others while the hub runs" in hub.log
    assert LOST not in hub.log
