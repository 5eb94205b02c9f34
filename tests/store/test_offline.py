"""A home that nobody runs: looked at, and added to all at once or not at all."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from hallway.clock import Clock, SystemClock, VirtualClock
from hallway.errors import CannotStore, Unavailable
from hallway.home.values import Attributes
from hallway.store.definitions import Definition
from hallway.store.lock import HubLock
from hallway.store.offline import looked_at, resting
from hallway.store.rows import DeviceFresh, ValueRow, VariableFresh
from hallway.store.store import Store

CLOCK = VirtualClock()


def definition(key: str, body: Attributes | None) -> Definition:
    return Definition("device", key, 0, 5.0, None, "import", body)


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in sorted(directory.iterdir())}


async def open_store(directory: Path) -> Store:
    clock: Clock = SystemClock(asyncio.get_running_loop())
    return Store.open(directory, clock)


async def test_what_is_written_is_there_when_a_hub_starts(tmp_path: Path) -> None:
    with resting(tmp_path / "home", CLOCK) as home:
        rows = (DeviceFresh("lamp"), ValueRow("lamp", "state", value=True, updated=7.0, changed=7.0))
        home.write([definition("lamp", {"id": "lamp"}), definition("door", {"id": "door"})], rows)
    store = await open_store(tmp_path / "home")
    assert {key: known.body for key, known in store.definitions("device").items()} == {
        "lamp": {"id": "lamp"},
        "door": {"id": "door"},
    }
    assert [(v.device_id, v.attribute, v.value, v.updated) for v in store.saved.values] == [
        ("lamp", "state", True, 7.0)
    ]
    await store.close()


async def test_earlier_versions_are_kept(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.define("device", "lamp", {"name": "old"}, "ann", "pimatic")
    await store.close()
    with resting(tmp_path, CLOCK) as home:
        assert [known.body for known in home.definitions()] == [{"name": "old"}]
        home.write([definition("lamp", {"name": "new"})], ())
    store = await open_store(tmp_path)
    assert [(v.version, v.door, v.body) for v in store.history("device", "lamp")] == [
        (1, "pimatic", {"name": "old"}),
        (2, "import", {"name": "new"}),
    ]
    await store.close()


def test_what_was_removed_is_not_there(tmp_path: Path) -> None:
    with resting(tmp_path, CLOCK) as home:
        home.write([definition("lamp", {"id": "lamp"}), definition("lamp", None)], ())
    with resting(tmp_path, CLOCK) as home:
        assert home.definitions() == []


def test_a_variable_begins_anew(tmp_path: Path) -> None:
    with resting(tmp_path, CLOCK) as home:
        home.write([], (ValueRow("lamp", "state", value=False, updated=1.0, changed=None), VariableFresh("x")))
    with resting(tmp_path, CLOCK) as home:
        assert home.saved.variables == {}
        assert len(home.saved.values) == 1


def test_one_that_cannot_be_written_keeps_all_others_out(tmp_path: Path) -> None:
    with resting(tmp_path, CLOCK) as home:
        with pytest.raises(CannotStore):
            home.write([definition("lamp", {"id": "lamp"}), definition("bad", {"name": "\ud800"})], ())
        assert home.definitions() == []


def test_a_disk_that_refuses_changes_nothing(tmp_path: Path) -> None:
    with resting(tmp_path, CLOCK) as home:
        broken = ValueRow("lamp", "state", value=True, updated="soon", changed=None)  # type: ignore[arg-type]
        with pytest.raises(Unavailable, match="nothing was changed"):
            home.write([definition("lamp", {"id": "lamp"})], (broken,))
    with resting(tmp_path, CLOCK) as home:
        assert home.definitions() == []


def test_no_hub_starts_meanwhile_and_where_one_runs_nothing_is_done(tmp_path: Path) -> None:
    with resting(tmp_path, CLOCK), pytest.raises(Unavailable, match="in use"):
        HubLock(tmp_path)
    lock = HubLock(tmp_path)
    for held in (resting, looked_at):
        with pytest.raises(Unavailable, match="in use"), held(tmp_path, CLOCK):
            pass
    lock.release()


def test_looking_changes_nothing_at_all(tmp_path: Path) -> None:
    with resting(tmp_path / "home", CLOCK) as home:
        home.write([definition("lamp", {"id": "lamp"})], ())
    (tmp_path / "home" / "hub.lock").unlink()
    before = files_of(tmp_path / "home")
    with looked_at(tmp_path / "home", CLOCK) as home:
        assert [known.id for known in home.definitions()] == ["lamp"]
        home.write([definition("door", {"id": "door"})], ())
    assert files_of(tmp_path / "home") == before
    with looked_at(tmp_path / "none", CLOCK) as home:
        assert home.definitions() == []
    assert not (tmp_path / "none").exists()
