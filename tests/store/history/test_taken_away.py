"""history.db is taken away while the hub runs: it is made again with all that it had, and nothing is refused for it."""

from __future__ import annotations

import asyncio
import errno
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hallway.errors import Unavailable
from hallway.store.history import file as file_module
from hallway.store.history.file import FILE, HistoryFile
from tests.conftest import StartHub
from tests.peers.waiting import wait_until
from tests.store.history.test_file import put, values

Harm = Callable[[Path], None]
HUB = "users: [{username: ann, password: anns, role: admin}]\nhistory: {write_every: 1 s}\n"
ANN = {"authorization": f"Basic {b64encode(b'ann:anns').decode()}"}
PARTS = (FILE, f"{FILE}-wal", f"{FILE}-shm")


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    for name in PARTS:
        path.with_name(name).unlink()


def delete_the_wal(path: Path) -> None:
    path.with_name(f"{FILE}-wal").unlink()


def delete_the_index(path: Path) -> None:
    path.with_name(f"{FILE}-shm").unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def move_the_directory(path: Path) -> None:
    there = path.parent.rename(path.parent.with_name("moved"))
    path.parent.mkdir()
    shutil.copyfile(there / FILE, path)


def put_another_in_its_place(path: Path) -> None:
    path.with_name("new").write_bytes(b"a letter to the editor")
    path.with_name("new").rename(path)


HARMS = pytest.mark.parametrize(
    "harm",
    [
        delete,
        delete_all,
        delete_the_wal,
        delete_the_index,
        move,
        move_the_directory,
        put_another_in_its_place,
    ],
)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def file(tmp_path: Path, said: list[str]) -> Iterator[HistoryFile]:
    (tmp_path / "home").mkdir()
    file = HistoryFile(tmp_path / "home" / FILE)
    file.on_damage(lambda sentence: said.append(f"damaged: {sentence}"), said.append)
    yield file
    file.close()


async def there(path: Path) -> list[int]:
    """What the next start finds."""
    again = HistoryFile(path)
    found = await again.read(values)
    await asyncio.to_thread(again.close)
    return found


@HARMS
@pytest.mark.parametrize("goes_on", [False, True])
async def test_nothing_is_lost_nor_refused_and_it_is_said_once(
    file: HistoryFile, said: list[str], harm: Harm, goes_on: bool
) -> None:
    await asyncio.wrap_future(put(file, 1, 2))
    assert await file.read(values) == [1, 2]
    harm(file.path)
    if goes_on:
        for value in (3, 4):
            await asyncio.wrap_future(put(file, value))
        assert await file.read(values) == [1, 2, 3, 4]
    await asyncio.to_thread(file.close)
    assert [text.split(":")[0] for text in said] == [
        "history.db was deleted, moved away or replaced while the hub runs"
    ]
    assert await there(file.path) == ([1, 2, 3, 4] if goes_on else [1, 2])
    assert file.path.stat().st_mode & 0o777 == 0o600


async def test_what_had_its_name_meanwhile_is_kept(file: HistoryFile, said: list[str]) -> None:
    await asyncio.wrap_future(put(file, 1))
    for number in (1, 2):
        put_another_in_its_place(file.path)
        await asyncio.wrap_future(put(file, 1 + number))
    others = [path.name for path in sorted(file.path.parent.glob("history.db.other*"))]
    assert others == ["history.db.other", "history.db.other-2"]
    assert [text.rpartition(" ")[2] for text in said] == others
    assert (file.path.parent / others[0]).read_bytes() == b"a letter to the editor"


async def test_while_the_disk_refuses_it_goes_on_with_what_it_has_open(
    file: HistoryFile, said: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.wrap_future(put(file, 1))
    assert await file.read(values) == [1]
    delete(file.path)

    def refuses(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(file_module, "copied", refuses)
        for value in (2, 3):
            await asyncio.wrap_future(put(file, value))
            assert await file.read(values) == list(range(1, value + 1))
    assert said == []
    assert [entry.getMessage().partition(", and ")[2] for entry in caplog.records] == [
        "cannot be made again: No space left on device; it is tried again"
    ]
    await asyncio.wrap_future(put(file, 4))
    assert len(said) == 1
    assert await file.read(values) == [1, 2, 3, 4]
    await asyncio.to_thread(file.close)
    assert await there(file.path) == [1, 2, 3, 4]


async def test_one_that_goes_while_the_disk_is_full_comes_back_from_those_who_read(
    file: HistoryFile, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.wrap_future(put(file, 1))
    assert await file.read(values) == [1]

    def full(_connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(Unavailable, match="disk is full"):
        await asyncio.wrap_future(file.submit(full))  # the writer has the file open no more
    delete(file.path)

    def refuses(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(file_module, "copied", refuses)
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"cannot be made again: .*No space left on device; mend the disk"):
                await asyncio.wrap_future(put(file, 2))
    assert said == []
    await asyncio.wrap_future(put(file, 2))
    assert [text.partition(": ")[2] for text in said] == ["it was made again, with all that it had"]
    assert await file.read(values) == [1, 2]
    await asyncio.to_thread(file.close)
    assert await there(file.path) == [1, 2]


async def test_where_there_is_no_room_for_it_nothing_is_filled_and_those_who_read_keep_it(
    file: HistoryFile, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.wrap_future(put(file, 1))
    assert await file.read(values) == [1]
    delete(file.path)

    def full(_connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=0))
        with pytest.raises(Unavailable, match="disk is full"):
            await asyncio.wrap_future(file.submit(full))
        with pytest.raises(Unavailable, match="No space left on device"):
            await asyncio.wrap_future(put(file, 2))
        assert not file.path.with_name(f"{FILE}.new").exists()
    await asyncio.wrap_future(put(file, 2))
    assert [text.partition(": ")[2] for text in said] == ["it was made again, with all that it had"]
    assert await file.read(values) == [1, 2]


async def test_one_that_goes_while_nobody_has_it_open_is_said(file: HistoryFile, said: list[str]) -> None:
    await asyncio.wrap_future(put(file, 1))

    def full(_connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(Unavailable, match="disk is full"):
        await asyncio.wrap_future(file.submit(full))
    delete(file.path)
    await asyncio.wrap_future(put(file, 2))
    assert [text.partition(": ")[2] for text in said] == ["what was in it is lost"]
    assert await file.read(values) == [2]


async def test_another_program_that_reads_it_does_not_count(file: HistoryFile, said: list[str]) -> None:
    await asyncio.wrap_future(put(file, 1))
    connection = sqlite3.connect(file.path)
    assert connection.execute("SELECT count(*) FROM tail").fetchone() == (1,)
    connection.close()
    await asyncio.wrap_future(put(file, 2))
    assert said == []


@pytest.mark.parametrize("harm", [delete, put_another_in_its_place])
def test_a_whole_hub_keeps_its_past(start_hub: StartHub, harm: Harm) -> None:
    hub = start_hub(HUB)

    def told() -> list[str]:
        answer = hub.ask("GET", "/api/history/samples?series=sensor.x", headers=ANN)
        return [str(value) for value in answer.json()["samples"]["values"]] if answer.status == 200 else []

    def waiting() -> int:
        return int(hub.ask("GET", "/api/history/status", headers=ANN).json()["status"]["waiting"])

    hub.ask("POST", "/api/states/sensor.x", {"state": "before"})
    wait_until(lambda: told() == ["before"] and waiting() == 0, 100, "the first value is written")
    harm(hub.home / FILE)
    hub.ask("POST", "/api/states/sensor.x", {"state": "after"})
    wait_until(lambda: "it was made again, with all that it had" in hub.log, 100, "it is made again")
    wait_until(lambda: told() == ["before", "after"] and waiting() == 0, 100, "the second value is written")
    messages = hub.ask("GET", "/api/database/messages?criteria[level]=error", headers=ANN).json()["messages"]
    assert ["deleted, moved away or replaced" in message["text"] for message in messages] == [True]
    hub.kill()
    hub.start()
    wait_until(lambda: told() == ["before", "after"], 100, "both values are there after the kill")
