"""Files that earlier hubs wrote open in the present one with everything that is in them, and one can go back."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.proving import built
from hallway.store import backup, contents, generations
from hallway.store.backup import Wanted
from hallway.store.migrations import newest, schema_files
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import build_kept
from tests.store.old_homes import AT, DATA, DEVICES, RULES, VARIABLES

OLD = [number for number in schema_files() if (DATA / f"home-{number}.db").exists()]


@pytest.fixture(params=OLD)
def schema(request: pytest.FixtureRequest, directory: Path) -> int:
    """A home of that schema."""
    directory.mkdir()
    shutil.copyfile(DATA / f"home-{request.param}.db", directory / "home.db")
    return int(request.param)


def version(path: Path) -> int:
    with closing(contents.read_only(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_there_is_a_file_of_each_schema() -> None:
    assert list(schema_files()) == OLD
    assert [version(DATA / f"home-{number}.db") for number in OLD] == OLD


async def test_everything_is_there(schema: int, open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    assert store.problem is None
    for kind, things in (("device", DEVICES), ("variable", VARIABLES), ("rule", RULES)):
        found = store.definitions(kind)
        assert [known.body for known in found.values()] == list(things)
        assert all(known.version == 2 and known.author == "ann" for known in found.values())
    assert [each.body is None for each in store.history("device", "gone")] == [False, True]
    saved = store.saved
    assert (saved.seq, saved.variables, saved.kept_ids["device:bed_light:light"]) == (
        100,
        {"comfort": 22},
        "light.bed_light",
    )
    assert [(due.device_id, due.name, due.at) for due in saved.pending] == [("bed_light", "later", AT + 1000)]
    assert [note.note for note in saved.notes] == ([{"since": AT}] if schema >= 3 else [])
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    assert home.device("bed_light").value("dimlevel") == 30
    assert home.device("kueche").name == "Küche"
    shown = home.state("light.bed_light")
    assert shown is not None
    assert shown.state == "on"
    assert home.rules.get("night").text == RULES[0]["rule"]


async def test_before_the_schema_changes_the_file_is_kept_as_it_was(
    schema: int, open_store: OpenStore, directory: Path
) -> None:
    before = (await asyncio.to_thread((directory / "home.db").read_bytes))[100:]
    store = open_store()
    await store.close()
    assert version(directory / "home.db") == newest()
    kept = generations.listed(directory)
    if schema == newest():
        assert kept == []
        return
    assert [path.name for path in kept] == [f"home-20270115T080000Z-schema{schema}.db"]
    assert (await asyncio.to_thread(kept[0].read_bytes))[100:] == before
    shutil.copyfile(kept[0], directory / "home.db")
    again = open_store()
    assert len(again.definitions("device")) == len(DEVICES)


async def test_the_redo_log_of_an_earlier_hub_is_taken_in(schema: int, directory: Path, open_store: OpenStore) -> None:
    shutil.copyfile(DATA / "redo-1.log", directory / "redo.0")
    store = open_store()
    saved = store.saved
    assert saved.seq == 105
    assert {kept.state.entity_id: kept.state.state for kept in saved.states} == {
        "light.bed_light": "on",
        "sensor.late": "5",
    }
    assert {(each.device_id, each.attribute): each.value for each in saved.values}["bed_light", "dimlevel"] == 80
    assert saved.variables == {"comfort": 19}
    assert saved.pending == ()
    assert {(note.owner, note.name) for note in saved.notes} >= {("rule:night", "time:0")}
    assert store.definitions("group")["all"].body == {"id": "all", "name": "All", "devices": []}
    assert saved.kept_ids["device:late"] == "light.late"


def test_a_home_of_an_earlier_schema_is_backed_up_and_stays_what_it_is(
    schema: int, directory: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    manifest = backup.make(directory, tmp_path / "b.tar", clock, built, Wanted())
    assert (manifest.schema, manifest.home["devices"], manifest.home["rules"]) == (newest(), 4, 1)
    assert version(directory / "home.db") == schema


def test_one_that_is_damaged_is_mended_from_its_own_rows(schema: int, directory: Path, clock: VirtualClock) -> None:
    with closing(sqlite3.connect(directory / "home.db")) as connection:
        connection.execute("UPDATE variable SET value = '{'")
        connection.commit()

    async def start() -> tuple[int, str | None]:
        store = Store.open(directory, clock)
        found = len(store.definitions("device")), store.problem
        await store.close()
        return found

    devices, problem = asyncio.run(start())
    assert devices == len(DEVICES)
    assert problem is not None
    if schema < newest():
        assert "no generation" in problem or "mended" in problem


def test_files_of_a_newer_hub_are_refused_and_left_as_they_are(directory: Path, clock: VirtualClock) -> None:
    directory.mkdir()
    shutil.copyfile(DATA / f"home-{newest()}.db", directory / "home.db")
    with closing(sqlite3.connect(directory / "home.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = (directory / "home.db").read_bytes()
    with pytest.raises(Unavailable, match="newer hallway"):
        Store.open(directory, clock)
    assert (directory / "home.db").read_bytes() == before
    assert generations.listed(directory) == []
