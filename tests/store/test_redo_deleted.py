"""The redo log is taken away while the hub runs: it is made again with all that it had, and no edit is refused for it.

Taken away is one that was deleted, also when it keeps another name, one that was moved, and one in the place of which
another file stands.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hallway.clock import VirtualClock
from hallway.store.redo import HEADER, Redo, encode, read_segments
from hallway.store.store import Store
from tests.conftest import StartHub
from tests.hubs import Answer, RunningHub
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build, committed, leave_as_killed

HUB = "users: [{username: ann, password: anns, role: admin}]\n"
ANN = {"authorization": f"Basic {b64encode(b'ann:anns').decode()}", "content-type": "application/json"}
Spoil = Callable[[Path], None]
SEGMENTS = ("redo.0", "redo.1")


def delete(directory: Path) -> None:
    for name in SEGMENTS:
        (directory / name).unlink()


def replace(directory: Path) -> None:
    for name in SEGMENTS:
        (directory / "other").write_bytes(HEADER)
        (directory / "other").rename(directory / name)


def move(directory: Path) -> None:
    for name in SEGMENTS:
        (directory / name).rename(directory / f"moved.{name}")


def delete_one_with_two_names(directory: Path) -> None:
    for name in SEGMENTS:
        (directory / f"linked.{name}").hardlink_to(directory / name)
        (directory / name).unlink()


def copy_into_its_place(directory: Path) -> None:
    move(directory)
    for name in SEGMENTS:
        shutil.copyfile(directory / f"moved.{name}", directory / name)


GONE = "was deleted or moved away while the hub runs: it was made again, with all that it had"
REPLACED = "was replaced by another file while the hub runs: it was made again, with all that it had"
SPOILS = {
    delete: GONE,
    move: GONE,
    delete_one_with_two_names: GONE,
    replace: REPLACED,
    copy_into_its_place: REPLACED,
}
SPOILED = pytest.mark.parametrize(("spoil", "said"), SPOILS.items())


def ask(hub: RunningHub, method: str, path: str, data: Any = None) -> Answer:
    return hub.ask(method, path, data, headers=ANN)


def opened(directory: Path) -> Redo:
    redo = Redo(directory)
    redo.read()
    return redo


def sync(redo: Redo) -> None:
    for descriptor in redo.descriptors():
        os.fdatasync(descriptor)
        os.close(descriptor)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.name.startswith("redo")}


@SPOILED
def test_an_edit_after_it_survives_a_kill_and_so_does_what_was_before(
    start_hub: StartHub, spoil: Spoil, said: str
) -> None:
    hub = start_hub(HUB)
    assert hub.ask("POST", "/api/states/sensor.before", {"state": "1"}).status == 201
    spoil(hub.home)
    assert hub.ask("POST", "/api/states/sensor.between", {"state": "2"}).status == 201
    lamp = {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}
    assert ask(hub, "POST", "/api/device-config", {"deviceConfig": lamp}).status == 200
    hub.kill()
    assert names(hub.home) == set(SEGMENTS)
    for name in SEGMENTS:
        assert f"{name} {said}" in hub.log
    hub.restart()
    states = {each["entity_id"]: each["state"] for each in hub.ask("GET", "/api/states").json()}
    assert (states["sensor.before"], states["sensor.between"]) == ("1", "2")
    assert "switch.lamp" in states
    assert "is lost" not in hub.log
    assert "may be lost" not in hub.log


@pytest.mark.parametrize("spoil", SPOILS)
async def test_reports_alone_are_safe_again_with_the_next_commit(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, spoil: Spoil
) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    spoil(directory)
    home.set_variable("text", "before", HTTP)
    await committed(store, clock)
    home.set_variable("text", "after", HTTP)
    assert names(directory) == set(SEGMENTS)
    after = Store.open(leave_as_killed(directory, tmp_path / "killed"), clock, 5)
    assert after.saved.variables["text"] == "after"
    await after.close()


@SPOILED
def test_it_is_made_again_before_the_next_sync_and_written_from_then_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Spoil, said: str
) -> None:
    redo = opened(tmp_path)
    redo.append(encode((1, ())))
    spoil(tmp_path)
    redo.append(encode((2, ())))
    sync(redo)
    redo.append(encode((3, ())))
    sync(redo)
    assert [record.seq for record in read_segments(tmp_path)] == [1, 2, 3]
    assert sorted(entry.getMessage() for entry in caplog.records) == [f"{tmp_path / name} {said}" for name in SEGMENTS]
    redo.close()


@pytest.mark.parametrize("times", [1, 7])
def test_a_sync_looks_once_at_each_segment_and_a_record_at_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    redo = opened(tmp_path)
    looked: list[str] = []
    for name in ("stat", "lstat", "fstat"):
        real = getattr(os, name)

        def look(what: Any, *rest: Any, _real: Callable[..., Any] = real, **more: Any) -> Any:
            looked.append(str(what) if isinstance(what, int) else Path(what).name)
            return _real(what, *rest, **more)

        monkeypatch.setattr(os, name, look)
    for seq in range(100):
        redo.append(encode((seq, ())))
    assert looked == []
    for _ in range(times):
        sync(redo)
    assert looked == [*SEGMENTS] * times
    looked.clear()
    redo.switch()
    assert sorted(looked) == [*SEGMENTS]
    redo.close()


async def test_edits_that_share_a_sync_share_the_look(
    open_store: OpenStore, clock: VirtualClock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    await committed(store, clock)
    looked: list[str] = []
    real = os.stat

    def look(what: Any, *rest: Any, **more: Any) -> os.stat_result:
        looked.append(str(what))
        return real(what, *rest, **more)

    monkeypatch.setattr(os, "stat", look)
    waiting = []
    for number in range(30):
        home.set_variable("text", f"edit {number}", HTTP)
        waiting.append(store.durable(home.changes.seq))
    await asyncio.gather(*waiting)
    assert sorted(each for each in looked if "redo" in each) == [str(directory / name) for name in SEGMENTS]


def test_where_it_cannot_be_made_again_who_syncs_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    redo = opened(tmp_path / "home")
    redo.append(encode((1, ())))
    delete(tmp_path / "home")
    (tmp_path / "home").rmdir()
    with pytest.raises(FileNotFoundError):
        redo.descriptors()
    (tmp_path / "home").mkdir()
    sync(redo)
    redo.close()
    again = Redo(tmp_path / "home")
    assert [record.seq for record in again.read()] == [1]
    again.close()
