"""A home is put back wholly or not at all, also when it is killed over it; and from there one can go back."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hallway import durable
from hallway.clock import VirtualClock
from hallway.errors import HallwayError, InvalidInput, Unavailable
from hallway.home.home import Home
from hallway.proving import built
from hallway.store import backup, pending_files
from hallway.store.backup import Wanted
from hallway.store.definitions import Definition
from hallway.store.lock import hold
from hallway.store.offline import resting
from hallway.store.restoring import OF_THE_DIRECTORY, Restore, finish_alone, restore
from hallway.store.store import Store
from tests.store.homes import HTTP, build_kept

Files = dict[str, bytes]
Edit = Callable[[Home], object]


def live(directory: Path, clock: VirtualClock, *edits: Edit) -> int:
    """A hub runs there, is edited, and ends; the number of its last change."""

    async def run() -> int:
        store = Store.open(directory, clock)
        home = build_kept(clock, store)
        store.attach(home, asyncio.get_running_loop())
        for edit in edits:
            edit(home)
        await store.close()
        return home.changes.seq

    return asyncio.run(run())


def names(directory: Path, clock: VirtualClock) -> dict[str, str]:
    """What a hub that starts there has."""
    found: dict[str, str] = {}
    live(directory, clock, lambda home: found.update({d.id: str(d.name) for d in home.devices.values()}))
    return found


def device(key: str, name: str) -> Edit:
    return lambda home: home.add_device({"id": key, "class": "DummySwitch", "name": name}, "store", HTTP)


def renamed(key: str, name: str) -> Edit:
    return lambda home: home.change_device({"id": key, "class": "DummySwitch", "name": name}, HTTP)


@pytest.fixture
def file(directory: Path, clock: VirtualClock, tmp_path: Path) -> Path:
    """A backup of a home that went on: it has a and b, where the home has b with another name and c now."""
    live(directory, clock, device("a", "a"), device("b", "b"), lambda home: home.act("b", "turnOn", {}, HTTP))
    (directory / "configuration.yaml").write_text("devices: []\n")
    path = tmp_path / "b.tar"
    backup.make(directory, path, clock, built, Wanted())
    (directory / "configuration.yaml").write_text("devices: []  # later\n")
    live(directory, clock, renamed("b", "later"), device("c", "c"), lambda home: home.remove_device("a", HTTP))
    return path


def files_of(directory: Path) -> Files:
    found = (path for path in directory.rglob("*") if path.is_file() and path.name[-4:] not in ("-wal", "-shm"))
    return {str(path.relative_to(directory)): path.read_bytes() for path in found if path.name != "hub.lock"}


def kept_names(directory: Path) -> dict[str, str]:
    """What home.db has, without a hub that starts."""
    with closing(sqlite3.connect(directory / "home.db")) as connection:
        query = (
            "SELECT id, max(version), json_extract(body, '$.name') FROM definition WHERE kind = 'device' GROUP BY id"
        )
        return {key: name for key, _version, name in connection.execute(query) if name is not None}


def test_a_home_becomes_what_it_was_and_can_be_put_back(directory: Path, clock: VirtualClock, file: Path) -> None:
    said = list(restore(Restore(file=file, home=directory), clock, built))
    assert said[0] == "device: 1 added (a), 1 changed (b), 1 removed (c)"
    assert "configuration.yaml: differs" in said
    assert said[-1].startswith(f"restored from {file} of 2027-01-15T08:00:")
    assert names(directory, clock) == {"a": "a", "b": "b"}
    assert (directory / "configuration.yaml").read_text() == "devices: []\n"
    (kept,) = (directory / "backups").iterdir()
    assert said[-2] == f"the home as it was is kept: {kept}"
    list(restore(Restore(file=kept, home=directory), clock, built))
    assert names(directory, clock) == {"b": "later", "c": "c"}
    assert (directory / "configuration.yaml").read_text() == "devices: []  # later\n"


def test_changes_are_counted_on(directory: Path, clock: VirtualClock, file: Path) -> None:
    """Whoever waits for changes after the last one that they know misses none."""
    seq = live(directory, clock, renamed("b", "much later"))
    list(restore(Restore(file=file, home=directory), clock, built))
    assert live(directory, clock) > seq


def test_as_which_one_the_directory_writes_to_a_database_does_not_come_back(
    directory: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    """Nobody else needs to know that database for it: the restored home is a stranger to it, and is refused there."""
    live(directory, clock, device("a", "a"))

    def which() -> object:
        with resting(directory, clock) as home:
            return {(each.kind, each.id): each.body for each in home.definitions()}.get(OF_THE_DIRECTORY)

    with resting(directory, clock) as home:
        home.write([Definition(*OF_THE_DIRECTORY, 0, clock.now(), "hallway", "start", {"incarnation": "first"})], [])
    backup.make(directory, tmp_path / "b.tar", clock, built, Wanted())
    assert which() == {"incarnation": "first"}
    said = list(restore(Restore(file=tmp_path / "b.tar", home=directory), clock, built))
    assert said[-1].endswith("and verified")
    assert which() is None
    assert names(directory, clock) == {"a": "a"}


def test_values_come_back_too(directory: Path, clock: VirtualClock, file: Path) -> None:
    seen: list[object] = []
    live(directory, clock, lambda home: home.act("b", "turnOff", {}, HTTP))
    list(restore(Restore(file=file, home=directory), clock, built))
    live(directory, clock, lambda home: seen.append(home.device("b").value("state")))
    assert seen == [True]


def test_a_dry_run_tells_and_changes_nothing(directory: Path, clock: VirtualClock, file: Path) -> None:
    before = files_of(directory)
    said = list(restore(Restore(file=file, home=directory, dry_run=True), clock, built))
    assert said[0] == "device: 1 added (a), 1 changed (b), 1 removed (c)"
    assert said[-1] == "nothing was changed"
    assert files_of(directory) == before


def test_a_new_directory_gets_the_home(clock: VirtualClock, file: Path, tmp_path: Path) -> None:
    said = list(restore(Restore(file=file, home=tmp_path / "new"), clock, built))
    assert said[0] == "device: 2 added (a, b)"
    assert "configuration.yaml: added" in said
    assert names(tmp_path / "new", clock) == {"a": "a", "b": "b"}
    assert not (tmp_path / "new" / "backups").exists()


def test_the_configuration_may_stay_as_it_is(directory: Path, clock: VirtualClock, file: Path) -> None:
    list(restore(Restore(file=file, home=directory, configuration=False), clock, built))
    assert (directory / "configuration.yaml").read_text() == "devices: []  # later\n"
    assert names(directory, clock) == {"a": "a", "b": "b"}


def test_a_damaged_home_is_kept_as_it_is_and_replaced(directory: Path, clock: VirtualClock, file: Path) -> None:
    (directory / "home.db").write_bytes(b"no database " * 500)
    said = list(restore(Restore(file=file, home=directory), clock, built))
    assert names(directory, clock) == {"a": "a", "b": "b"}
    (kept,) = (directory / "backups").iterdir()
    assert kept.is_dir()
    assert (kept / "home.db").read_bytes() == b"no database " * 500
    assert f"the home as it was is kept: {kept}" in said


def test_the_history_comes_back_if_asked_for(directory: Path, clock: VirtualClock, tmp_path: Path) -> None:
    live(directory, clock, device("a", "a"))
    file = tmp_path / "b.tar"
    for number, wanted in ((1, Wanted(history=True)), (2, None)):
        with closing(sqlite3.connect(directory / "history.db")) as connection:
            connection.executescript("DROP TABLE IF EXISTS t; CREATE TABLE t (x);")
            connection.execute("INSERT INTO t VALUES (?)", (number,))
            connection.commit()
        if wanted is not None:
            backup.make(directory, file, clock, built, wanted)
    list(restore(Restore(file=file, home=directory, history=True), clock, built))
    found = {}
    for name in ("history.db", "history.db.before-restore"):
        with closing(sqlite3.connect(directory / name)) as connection:
            (found[name],) = connection.execute("SELECT x FROM t").fetchone()
    assert found == {"history.db": 1, "history.db.before-restore": 2}


# ---------------------------------------------------------------------- what is refused


def test_where_a_hub_runs_nothing_is_restored(directory: Path, clock: VirtualClock, file: Path) -> None:
    before = files_of(directory)
    lock = hold(directory)
    with pytest.raises(Unavailable, match="is in use by another hub"):
        list(restore(Restore(file=file, home=directory), clock, built))
    lock.release()
    assert files_of(directory) == before


def test_a_damaged_backup_changes_nothing(directory: Path, clock: VirtualClock, file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[9000] ^= 1
    file.write_bytes(data)
    before = files_of(directory)
    with pytest.raises(HallwayError, match="is damaged"):
        list(restore(Restore(file=file, home=directory), clock, built))
    assert files_of(directory) == before


def test_history_that_is_not_there_is_not_restored(directory: Path, clock: VirtualClock, file: Path) -> None:
    with pytest.raises(InvalidInput, match="has no history"):
        list(restore(Restore(file=file, home=directory, history=True), clock, built))


# ---------------------------------------------------------------------- killed over it


class Killed(BaseException):
    """Not an Exception, so that nobody makes something of it, as nobody could of a kill."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step-th time that a file or directory changes in the home, it happens no more."""
    counted = 0

    def wrap(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def counting(*given: object, **named: object) -> object:
            nonlocal counted
            counted += 1
            if counted >= step:
                raise Killed
            return real(*given, **named)

        monkeypatch.setattr(owner, name, counting)

    wrap(durable, "move")
    wrap(durable, "sync_directory")
    wrap(Path, "unlink")
    wrap(Path, "rmdir")


def test_a_kill_at_any_step_leaves_the_old_home_or_the_new_one(
    directory: Path, clock: VirtualClock, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = {"b": "later", "c": "c"}, {"a": "a", "b": "b"}
    ends = []
    for step in range(1, 200):
        there = tmp_path / f"{step}"
        shutil.copytree(directory, there)
        with monkeypatch.context() as patched:
            killed_at(step, patched)
            try:
                list(restore(Restore(file=file, home=there), clock, lambda _directory: {}))
            except Killed:
                pass
            else:
                break
        finish_alone(there)
        found, text = kept_names(there), (there / "configuration.yaml").read_text()
        assert (found, text) in ((old, "devices: []  # later\n"), (new, "devices: []\n")), step
        assert not (there / pending_files.NEXT).exists()
        ends.append(found == new)
        shutil.rmtree(there)
    assert ends == sorted(ends)
    assert ends.count(True) >= 5
    assert ends.count(False) >= 5


def test_a_dry_run_for_a_new_home_makes_nothing(tmp_path: Path, clock: VirtualClock, file: Path) -> None:
    said = list(restore(Restore(file=file, home=tmp_path / "newhome", dry_run=True), clock, built))
    assert said[-1] == "nothing was changed"
    assert not (tmp_path / "newhome").exists()


async def test_of_a_rule_that_cannot_be_read_a_backup_says_nothing(
    tmp_path: Path, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(tmp_path / "other", clock)
    await store.define("rule", "r1", {"id": "r1", "name": "r1", "rule": "when nonsense then x"}, None, "test")
    await store.close()
    home = await asyncio.to_thread(built, tmp_path / "other")
    assert home["rules"] == 1
    assert caplog.text == ""
