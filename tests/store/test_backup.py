"""A backup counts once it has been restored: what is in it is what there was, and whatever is wrong is named."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
import shutil
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hallway.clock import VirtualClock
from hallway.errors import HallwayError, InvalidInput, Unavailable
from hallway.home.home import Home
from hallway.proving import built
from hallway.store import backup, backups, generations
from hallway.store.backup import Faulty, Wanted
from hallway.store.database import Damaged
from hallway.store.history.file import HISTORY
from hallway.store.migrations import newest
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build_kept, committed
from tests.store.old_homes import DATA

CONFIGURATION = """\
home: {time_zone: Europe/Berlin}
devices: [{id: of_the_file, class: DummySwitch}]
"""


async def living(open_store: OpenStore, clock: VirtualClock, directory: Path) -> tuple[Store, Home]:
    """A home with definitions in home.db, in its WAL and in the redo log, which runs on."""
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "lamp", "class": "DummyDimmer", "name": "Küche"}, "store", HTTP)
    home.rules.add({"id": "night", "name": "Night", "rule": "when lamp is on then log lamp"}, HTTP)
    home.add_variable({"name": "n", "value": 1}, HTTP)
    home.report("sensor.a", "1", {}, HTTP)
    await committed(store, clock)
    home.act("lamp", "changeDimlevelTo", {"dimlevel": 30}, HTTP)
    home.rules.add({"id": "late", "name": "in the log only", "rule": "when lamp is off then log lamp"}, HTTP)
    await store.durable(home.changes.seq)
    (directory / "configuration.yaml").write_text(CONFIGURATION)
    return store, home


def files_of(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.iterdir() if path.is_file() and path.name[-4:] not in ("-wal", "-shm"))
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture
def made(clock: VirtualClock, directory: Path, tmp_path: Path) -> Path:
    """A backup of a home that ran."""

    async def run() -> None:
        store, _home = await living(lambda: Store.open(directory, clock), clock, directory)
        await asyncio.to_thread(backup.make, directory, tmp_path / "b.tar", clock, built, Wanted())
        await store.close()

    asyncio.run(run())
    return tmp_path / "b.tar"


def test_a_home_that_runs_is_backed_up_with_all_that_was_acknowledged(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    manifest = backup.read_manifest(made)
    assert (manifest.home["devices"], manifest.home["rules"], manifest.home["variables"]) == (3, 2, 1)
    assert manifest.rows["definition"] == 4
    parts = unpacked(made)
    assert sorted(parts) == ["SHA256SUMS", "configuration.yaml", "home.db", "manifest.json", "rows.txt"]
    assert parts["configuration.yaml"].decode() == CONFIGURATION
    assert b'["definition","rule","late",1]' in parts["rows.txt"]
    assert backup.verify(made, built) is not None


def test_other_programs_can_read_and_check_it(made: Path, tmp_path: Path) -> None:
    there = tmp_path / "unpacked"
    there.mkdir()
    subprocess.run(["/bin/tar", "xf", made, "-C", there], check=True)
    subprocess.run(["/usr/bin/sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=there, check=True)
    with closing(sqlite3.connect(there / "home.db")) as connection:
        assert connection.execute("SELECT count(*) FROM definition").fetchone() == (4,)


async def test_secrets_are_in_it_only_if_that_was_asked_for(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store, _home = await living(open_store, clock, directory)
    await store.close()
    (directory / "configuration.yaml").write_text(CONFIGURATION + "http: {api_password: !secret it}\n")
    (directory / "secrets.yaml").write_text("it: sesame\n")
    without, with_them = tmp_path / "without.tar", tmp_path / "with.tar"
    await asyncio.to_thread(backup.make, directory, without, clock, built, Wanted())
    await asyncio.to_thread(backup.make, directory, with_them, clock, built, Wanted(secrets=True))
    assert b"sesame" not in without.read_bytes()
    assert unpacked(with_them)["secrets.yaml"] == b"it: sesame\n"
    alone = await asyncio.to_thread(backup.verify, without, built)
    assert alone.remark is not None
    assert "are secrets missing?" in alone.remark
    beside = await asyncio.to_thread(backup.verify, without, built, secrets=directory / "secrets.yaml")
    assert beside.remark is None


async def test_a_home_at_rest_is_left_as_it_is(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store, _home = await living(open_store, clock, directory)
    await store.close()
    before = files_of(directory)
    await asyncio.to_thread(backup.make, directory, tmp_path / "b.tar", clock, built, Wanted())
    assert files_of(directory) == before


async def test_the_history_is_a_second_file(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store, _home = await living(open_store, clock, directory)
    await store.close()
    with closing(sqlite3.connect(directory / "history.db")) as connection:
        connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);")
        path = tmp_path / "b.tar"
        manifest = await asyncio.to_thread(backup.make, directory, path, clock, built, Wanted(history=True))
    assert manifest.history is not None
    beside = backups.history_beside(path)
    assert manifest.history.file == beside.name == "b.history.db"
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    with closing(sqlite3.connect(beside)) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
    beside.write_bytes(beside.read_bytes()[:-1] + b"x")
    with pytest.raises(Faulty, match=r"b\.history\.db is not what was written"):
        await asyncio.to_thread(backup.verify, path, built)
    beside.unlink()
    with pytest.raises(Faulty, match=r"b\.history\.db, the history that belongs to it, is missing"):
        await asyncio.to_thread(backup.verify, path, built)


@pytest.mark.parametrize("name", ["hallway-20270115T080000Z.tar", "b.tar"])
async def test_a_backup_that_fails_leaves_no_history_behind(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, name: str
) -> None:
    store, _home = await living(open_store, clock, directory)
    await store.close()
    there, path = tmp_path / "there", tmp_path / "there" / name
    with closing(sqlite3.connect(directory / "history.db")) as connection:
        connection.execute("CREATE TABLE t (x)")

    def when_tried(do: Callable[[], object]) -> backup.Build:
        calls = iter((lambda: None, do))

        def build(_directory: Path) -> Mapping[str, int]:
            next(calls)()
            return {}

        return build

    def stop() -> None:
        raise KeyboardInterrupt

    for build in (when_tried(stop), when_tried(path.mkdir)):
        with pytest.raises((KeyboardInterrupt, Unavailable)):
            await asyncio.to_thread(backup.make, directory, path, clock, build, Wanted(history=True))
        assert [file.name for file in there.iterdir() if file.is_file()] == []
    path.rmdir()
    beside = backups.history_beside(path)
    beside.write_bytes(b"of somebody")
    if name == "b.tar":
        with pytest.raises(KeyboardInterrupt):
            await asyncio.to_thread(backup.make, directory, path, clock, when_tried(stop), Wanted(history=True))
        assert files_of(there) == {beside.name: b"of somebody"}
    manifest = await asyncio.to_thread(backup.make, directory, path, clock, built, Wanted(history=True))
    assert manifest == backup.read_manifest(path)
    assert sorted(files_of(there)) == sorted([path.name, beside.name])


# ---------------------------------------------------------------------- what cannot be backed up


def test_where_no_home_is_none_is_backed_up(clock: VirtualClock, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no home in"):
        backup.make(tmp_path, tmp_path / "b.tar", clock, built, Wanted())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_not_overwritten(made: Path, clock: VirtualClock, directory: Path) -> None:
    before = made.read_bytes()
    with pytest.raises(InvalidInput, match="exists already"):
        backup.make(directory, made, clock, built, Wanted())
    assert made.read_bytes() == before


async def test_what_does_not_come_back_as_it_was_is_no_backup(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    await living(open_store, clock, directory)
    numbers = iter(({"rules": 2}, {"rules": 1}))

    def forgetful(_directory: Path) -> Mapping[str, int]:
        return next(numbers)

    with pytest.raises(Faulty, match=r"b\.tar is damaged: the home that is built from it has 1 rules, there were 2"):
        await asyncio.to_thread(backup.make, directory, tmp_path / "b.tar", clock, forgetful, Wanted())
    assert [name for name in files_of(tmp_path) if name.startswith("b.tar")] == []


async def test_a_damaged_home_is_not_backed_up(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store, _home = await living(open_store, clock, directory)
    await store.close()
    data = (directory / "home.db").read_bytes()
    (directory / "home.db").write_bytes(data[:2048] + b"\xa5" * (len(data) - 2048))
    with pytest.raises(Unavailable, match=r"home\.db is damaged"):
        await asyncio.to_thread(backup.make, directory, tmp_path / "b.tar", clock, built, Wanted())


@pytest.mark.parametrize("name", ["home.db", "history.db"])
def test_a_file_whose_tables_have_names_that_are_no_text_is_damaged_too(
    clock: VirtualClock, directory: Path, tmp_path: Path, name: str
) -> None:
    directory.mkdir()
    shutil.copyfile(DATA / f"home-{newest()}.db", directory / "home.db")
    shutil.copyfile(DATA / f"history-{newest(HISTORY.schema)}.db", directory / "history.db")
    data = (directory / name).read_bytes()
    assert b"CREATE TABLE" in data
    (directory / name).write_bytes(data.replace(b"CREATE TABLE", b"CREATE\xc5TABLE"))
    with pytest.raises(Unavailable, match=rf"{name} is damaged: "):
        backup.make(directory, tmp_path / "b.tar", clock, built, Wanted(history=True))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    if name == "home.db":
        with pytest.raises(Damaged):
            generations.keep(directory / name, clock.now())


# ---------------------------------------------------------------------- what is wrong with one


def unpacked(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member)) is not None}


def pack(path: Path, parts: Mapping[str, bytes]) -> None:
    """A backup of these parts, its checksums in order."""
    parts = {name: data for name, data in parts.items() if name != "SHA256SUMS"}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in parts.items())
    with tarfile.open(path, "w") as tar:
        for name, data in {**parts, "SHA256SUMS": sums.encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def with_sql(data: bytes, folder: Path, statement: str) -> bytes:
    path = folder / "edited.db"
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE definition SET body = '{}' WHERE id = 'night'", "definition rule night 1: it is not what was written"),
        ("UPDATE value SET value = '7' WHERE attribute = 'dimlevel'", "value lamp dimlevel is not as it was written"),
        ("DELETE FROM value WHERE attribute = 'dimlevel'", "value lamp dimlevel is missing"),
        ("INSERT INTO variable VALUES ('intruder', '1')", "variable intruder was never written"),
        ("UPDATE state SET attributes = '{' WHERE entity_id = 'sensor.a'", "state sensor.a: its attributes cannot be"),
    ],
)
def test_the_record_that_is_wrong_is_named(made: Path, tmp_path: Path, statement: str, said: str) -> None:
    parts = unpacked(made)
    pack(made, {**parts, "home.db": with_sql(parts["home.db"], tmp_path, statement)})
    with pytest.raises(Faulty) as caught:
        backup.verify(made, built)
    assert said in str(caught.value)


def verdict(path: Path) -> str:
    """What verify says against a file."""
    try:
        backup.verify(path, lambda _home: {})
    except HallwayError as error:
        return error.message
    return ""


def test_a_spoiled_byte_is_found_wherever_it_is_or_does_no_harm(made: Path, tmp_path: Path) -> None:
    """All that a restoration brings is as it was, or verify says that it is not; the file is left as evidence."""
    whole = made.read_bytes()
    parts = unpacked(made)
    chance = random.Random(1)
    spoiled = tmp_path / "spoiled.tar"
    found = 0
    for _ in range(60):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        spoiled.write_bytes(data)
        said = verdict(spoiled)
        assert "spoiled.tar" in said or unpacked(spoiled) == parts
        assert spoiled.read_bytes() == data
        found += bool(said)
    assert found > 30


@pytest.mark.parametrize("length", [0, 100, 700, 5000, -1024])
def test_a_file_that_was_cut_off_is_no_backup(made: Path, length: int) -> None:
    data = made.read_bytes()
    made.write_bytes(data[:length])
    if length < 0:
        assert unpacked(made)  # what tar fills up with at the end may be missing
        return
    with pytest.raises(HallwayError, match=r"b\.tar is (damaged|no backup)"):
        backup.verify(made, built)


def test_one_of_a_newer_hallway_is_refused(made: Path, tmp_path: Path) -> None:
    parts = unpacked(made)
    manifest = msgspec.json.decode(parts["manifest.json"])
    for newer in ({"format": 2, "hallway": "9.0"}, {"schema": 99, "hallway": "9.0"}):
        path = tmp_path / "newer.tar"
        pack(path, {**parts, "manifest.json": msgspec.json.encode({**manifest, **newer})})
        with pytest.raises(InvalidInput, match=r"hallway.* 9\.0: update this one"):
            backup.verify(path, built)


def test_something_else_is_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "letter.tar"
    path.write_text("Dear Sir or Madam")
    with pytest.raises(InvalidInput, match="is no backup of a home"):
        backup.verify(path, built)
    with pytest.raises(InvalidInput, match="cannot be read"):
        backup.verify(tmp_path / "nowhere.tar", built)


def test_a_backup_with_more_in_it_unpacks_no_more(made: Path, tmp_path: Path) -> None:
    parts = unpacked(made)
    pack(made, {**parts, "../../evil": b"x", "/etc/evil": b"x"})
    with pytest.raises(Faulty, match=r"\.\./\.\./evil is missing, SHA256SUMS has it"):
        backup.verify(made, built)
    assert not (tmp_path / "evil").exists()


# ---------------------------------------------------------------------- by their names


def test_backups_are_listed_newest_first_and_other_files_are_left_alone(tmp_path: Path) -> None:
    names = ("hallway-20270115T080000Z.tar", "hallway-20270115T080000Z-2.tar", "hallway-20260101T000000Z.tar")
    for name in (*names, "mine.tar", "hallway-20270115T080000Z.tar.new", "before-restore-20270115T080000Z.tar"):
        (tmp_path / name).touch()
    (tmp_path / "hallway-20260101T000000Z.history.db").touch()
    assert [path.name for path in backups.listed(tmp_path)] == [names[1], names[0], names[2]]
    assert backups.made_at(tmp_path / names[0]) == 1_800_000_000.0
    backups.remove(tmp_path / names[2])
    assert [path.name for path in backups.listed(tmp_path)] == [names[1], names[0]]
    assert not (tmp_path / "hallway-20260101T000000Z.history.db").exists()
    assert backups.listed(tmp_path / "nowhere") == []


def test_a_history_that_belongs_to_no_backup_is_cleared_away(tmp_path: Path) -> None:
    def stamped(number: int, what: str) -> str:
        return f"hallway-20270115T08000{number}Z{what}"

    kept = [
        stamped(1, ".tar"),
        stamped(1, ".history.db"),
        stamped(2, ".tar.new"),  # is being made
        stamped(2, ".history.db"),
        "mine.history.db",
        "hallway-old.history.db",
        "before-restore-20270115T080000Z.history.db",
    ]
    left = [
        stamped(3, ".history.db"),
        stamped(3, "-2.history.db"),
        stamped(4, ".tar.new"),
        stamped(4, ".history.db"),
        stamped(5, ".history.db.new"),
        stamped(5, ".history.db.new-journal"),
    ]
    for name in (*kept, *left):
        (tmp_path / name).touch()
    with backups.unfinished(tmp_path / kept[2]):
        backups.clear_unfinished(tmp_path)
        assert sorted(files_of(tmp_path)) == sorted(kept)
    backups.clear_unfinished(tmp_path)
    assert sorted(files_of(tmp_path)) == sorted(kept[:2] + kept[4:])


async def test_a_busy_home_is_backed_up_as_it_was_at_one_moment(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    """Two variables are set one after the other; a backup never has the later one without the earlier one."""
    store, home = await living(open_store, clock, directory)
    for name in ("first", "second"):
        home.add_variable({"name": name, "value": 0}, HTTP)
    number = 0
    for round_ in range(6):
        there = tmp_path / str(round_)
        there.mkdir()
        task = asyncio.create_task(asyncio.to_thread(backup.collect, directory, there))
        acknowledged = number
        while not task.done():
            number += 1
            home.set_variable("first", number, HTTP)
            home.set_variable("second", number, HTTP)
            if number % 50 == 0:
                clock.advance(5)
                await asyncio.sleep(0)
        await task
        with closing(sqlite3.connect(there / "home.db")) as connection:
            found = dict(connection.execute("SELECT name, CAST(value AS INTEGER) FROM variable").fetchall())
        assert found["first"] - found["second"] in (0, 1)
        assert found["second"] >= acknowledged
        shutil.rmtree(there)
    await store.durable(home.changes.seq)
