"""home.db is spoiled while the hub runs: it is made again of what the hub knows, and no edit is refused for it."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.home.home import Home
from hallway.home.revisions import BeingMended
from hallway.home.saved import restore
from hallway.store import contents, generations, repair
from hallway.store.remaking import Remade, remake
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build_kept, committed, leave_as_killed, look, until
from tests.store.test_damage import names, rule

PAGE = 1024
RULES = 40
Spoil = Callable[[Path], None]


def fold(path: Path) -> None:
    """All that was committed stands in the file itself, as it does after a while."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def overwritten(path: Path) -> None:
    fold(path)
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (path.stat().st_size - PAGE))


def some_pages_overwritten(path: Path) -> None:
    fold(path)
    chance = random.Random(1)
    with path.open("r+b") as file:
        for _ in range(path.stat().st_size // PAGE // 2):
            file.seek(PAGE * chance.randrange(1, path.stat().st_size // PAGE))
            file.write(chance.randbytes(PAGE))


def deleted(path: Path) -> None:
    path.unlink()


def deleted_with_its_wal(path: Path) -> None:
    for name in ("home.db", "home.db-wal", "home.db-shm"):
        path.with_name(name).unlink()


def wal_deleted(path: Path) -> None:
    path.with_name("home.db-wal").unlink()


def replaced_by_an_empty_file(path: Path) -> None:
    path.with_name("other").touch()
    path.with_name("other").rename(path)


def emptied(path: Path) -> None:
    fold(path)
    os.truncate(path, 0)


def cut_in_half(path: Path) -> None:
    fold(path)
    os.truncate(path, path.stat().st_size // 2)


def replaced_by_another_database(path: Path) -> None:
    other = path.with_name("other")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE definition (a)")
        connection.commit()
    other.rename(path)


SPOILERS = (
    overwritten,
    some_pages_overwritten,
    deleted,
    deleted_with_its_wal,
    wal_deleted,
    replaced_by_an_empty_file,
    emptied,
    cut_in_half,
    replaced_by_another_database,
)


class Running:
    """A hub's store with a home that has something of everything."""

    def __init__(self, store: Store, home: Home, directory: Path) -> None:
        self.store = store
        self.home = home
        self.path = directory / "home.db"
        self.heard: list[tuple[str, bool]] = []
        store.listen(lambda sentence, holds: self.heard.append((sentence, holds)))


@pytest.fixture
async def running(open_store: OpenStore, clock: VirtualClock, directory: Path) -> Running:
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", HTTP)
    home.add_device({"id": "blind", "class": "DummyShutter", "rollingTime": 900}, "store", HTTP)
    home.add_device({"id": "gone", "class": "DummySwitch"}, "store", HTTP)
    home.add_variable({"name": "x", "value": 1}, HTTP)
    home.add_variable({"name": "twice", "expression": "$x * 2"}, HTTP)
    for number in range(RULES):
        home.rules.add(rule(number, "first"), HTTP)
    await store.define("user", "ann", {"role": "admin"}, "ann", "pimatic")
    await committed(store, clock)
    generations.keep(directory / "home.db", clock.now())
    home.rules.change("rule-07", rule(7, "second"), HTTP)
    home.remove_device("gone", HTTP)
    home.set_order("rule", ["rule-05"], HTTP)
    home.act("lamp", "turnOn", {}, HTTP)
    home.act("blind", "moveDown", {}, HTTP)
    home.set_variable("x", 5, HTTP)
    home.report("sensor.a", "42", {"unit": "W"}, HTTP)
    await store.define("user", "ben", {"role": "guest"}, "ann", "pimatic")
    await committed(store, clock)
    return Running(store, home, directory)


def name_of(store: Store, rule_id: str) -> object:
    return (store.history("rule", rule_id)[-1].body or {}).get("name")


def asides(path: Path) -> list[Path]:
    return [each for each in path.parent.glob("home.db.damaged-*") if not each.name.endswith("-wal")]


def rows(path: Path) -> set[tuple[object, ...]]:
    with closing(contents.read_only(path)) as connection:
        return {(kept.table, *kept.row[(kept.table == "state") :]) for kept in contents.rows(connection)}


@pytest.mark.parametrize("spoil", SPOILERS)
async def test_it_is_made_again_and_edits_go_on(
    running: Running, clock: VirtualClock, tmp_path: Path, spoil: Spoil
) -> None:
    store, home = running.store, running.home
    fold(running.path)
    shutil.copy(running.path, tmp_path / "before")
    spoil(running.path)
    home.rules.change("rule-01", rule(1, "later"), HTTP)
    edit = asyncio.ensure_future(store.durable(home.changes.seq))
    user = asyncio.ensure_future(store.define("user", "cid", {"role": "guest"}, "ann", "pimatic"))
    clock.advance(5)
    await asyncio.wait_for(asyncio.gather(edit, user), 100)
    await until(lambda: store.statistics().queued == 0)
    assert [holds for _sentence, holds in running.heard] == [True]
    assert running.heard[0][0].startswith("home.db was damaged (")
    assert "it was made again while the hub runs" in str(store.problem)
    assert name_of(store, "rule-01") == rule(1, "later")["name"]
    home.rules.add(rule(99, "still later"), HTTP)
    await store.durable(home.changes.seq)
    await committed(store, clock)
    latest = {row for row in rows(tmp_path / "before") if row[0] in ("note", "plan", "variable", "kept_id")}
    assert latest <= rows(running.path)
    wanted, seen = names(home), look(home)
    killed = leave_as_killed(running.path.parent, tmp_path / "killed")
    await store.close()
    for directory in (killed, running.path.parent):
        again = Store.open(directory, clock, 5)
        assert again.problem is None
        other = build_kept(clock, again)
        assert names(other) == wanted
        assert {**look(other), "values": None} == {**seen, "values": None}
        assert other.value("lamp.state") is True
        assert other.order("rule")[0] == "rule-05"
        assert again.definitions("user").keys() == {"ann", "ben", "cid"}
        await again.close()


@pytest.mark.parametrize("spoil", [deleted, deleted_with_its_wal, wal_deleted, replaced_by_an_empty_file])
async def test_of_a_file_that_is_only_gone_nothing_is_lost(
    running: Running, clock: VirtualClock, tmp_path: Path, spoil: Spoil
) -> None:
    before = running.store.history("rule", "rule-07")
    spoil(running.path)
    running.home.report("sensor.a", "43", {}, HTTP)
    clock.advance(5)
    await until(lambda: running.store.problem is not None and running.store.statistics().queued == 0)
    assert running.store.history("rule", "rule-07") == before
    assert [version.version for version in before] == [1, 2]
    assert "from what the hub still had open; it has everything as it is now" in str(running.store.problem)
    kept = [each.name for each in running.path.parent.glob("home.db.damaged-*")]
    assert not kept or spoil in (replaced_by_an_empty_file, wal_deleted)
    assert running.store.at_risk == 0


async def test_what_was_there_is_kept(running: Running, clock: VirtualClock) -> None:
    overwritten(running.path)
    data = running.path.read_bytes()
    running.home.report("sensor.a", "43", {}, HTTP)
    clock.advance(5)
    await until(lambda: running.store.problem is not None and running.store.statistics().queued == 0)
    (aside,) = asides(running.path)
    assert aside.read_bytes()[PAGE:] == data[PAGE:]
    assert aside.name in str(running.store.problem)
    assert "from generations/home-" in str(running.store.problem)
    assert running.path.stat().st_mode & 0o777 == 0o600


async def test_a_whole_file_that_is_reported_by_mistake_stays_what_it_is(running: Running, clock: VirtualClock) -> None:
    fold(running.path)
    before = rows(running.path)
    running.store.report_damage("so it seemed")
    await until(lambda: running.store.problem is not None)
    assert rows(running.path) == before


async def test_a_reader_that_finds_the_damage_has_it_mended(running: Running) -> None:
    overwritten(running.path)
    with pytest.raises(Unavailable):
        running.store.revisions.as_of("rule", 2**53)
    await until(lambda: "made again" in str(running.store.problem))
    assert name_of(running.store, "rule-07") == rule(7, "second")["name"]
    (revision,) = running.store.revisions.newest_first(("rule",), "rule-07", 2**53, 1)
    assert revision.body == running.store.history("rule", "rule-07")[-1].body


async def test_while_the_disk_refuses_edits_are_refused_and_it_is_mended_later(
    running: Running, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, home = running.store, running.home

    def refuse(*_arguments: object) -> None:
        raise Unavailable("home.db cannot be made again: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(repair, "remake", refuse)
        overwritten(running.path)
        home.rules.change("rule-01", rule(1, "later"), HTTP)
        clock.advance(5)
        await until(lambda: store.problem is not None)
        assert "No space left on device" in str(store.problem)
        assert store.at_risk > 0
        with pytest.raises(Unavailable, match="damaged"):
            await store.define("user", "cid", {}, None, "pimatic")
    clock.advance(repair.NOT_BEFORE + 60)
    await until(lambda: store.statistics().queued == 0)
    await store.define("user", "cid", {}, None, "pimatic")
    assert "it was made again" in str(store.problem)


async def test_it_is_not_made_again_and_again(running: Running, clock: VirtualClock) -> None:
    store, home = running.store, running.home
    for number in range(5):
        replaced_by_another_database(running.path)
        home.report("sensor.a", str(number), {}, HTTP)
        clock.advance(5)
        told = "what happens stands in the redo log" if number else "it was made again"
        await until(lambda told=told: told in str(store.problem))  # type: ignore[misc]
        for _turn in range(20):
            await asyncio.sleep(0.01)
    assert len(asides(running.path)) == 1


async def test_an_end_in_the_midst_of_it_waits_for_it(running: Running, clock: VirtualClock) -> None:
    overwritten(running.path)
    running.store.report_damage("page 7 is gone")
    wanted = names(running.home)
    await running.store.close()
    again = Store.open(running.path.parent, clock, 5)
    assert again.problem is None
    home = Home(clock, seq=again.saved.seq)
    restore(home, again.saved)
    assert names(build_kept(clock, again)) == wanted
    await again.close()


async def test_while_it_is_made_again_edits_have_their_numbers_and_readers_may_wait(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, home = running.store, running.home
    revisions, begun, go_on = store.revisions, threading.Event(), threading.Event()

    def when_told(*arguments: Any) -> Remade:
        begun.set()
        go_on.wait(100)
        return remake(*arguments)

    monkeypatch.setattr(repair, "remake", when_told)
    before = revisions.present("rule", "rule-02")
    overwritten(running.path)
    with pytest.raises(BeingMended):
        revisions.as_of("rule", 2**53)
    await until(begun.is_set)
    home.rules.change("rule-01", rule(1, "later"), HTTP)
    assert revisions.present("rule", "rule-01") == revisions.newest() == revisions.newest_act() == home.changes.seq
    assert revisions.present("rule", "rule-02") == before
    assert revisions.present("rule", "never") == 0
    with pytest.raises(BeingMended, match="just being made again") as found:
        revisions.newest_first(("rule",), "rule-01", 2**53, 1)
    waiting = asyncio.ensure_future(found.value.over())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    go_on.set()
    await waiting
    (newest,) = revisions.newest_first(("rule",), "rule-01", 2**53, 1)
    assert newest.number == revisions.present("rule", "rule-01")
    await store.durable(newest.number)


async def test_what_was_edited_last_is_known_as_home_db_has_it(running: Running, clock: VirtualClock) -> None:
    store = running.store
    numbers = {key: store.revisions.present("rule", key) for key in ("rule-01", "rule-07", "never")}
    last = store.revisions.newest(), store.revisions.newest_act()
    await store.close()
    again = Store.open(running.path.parent, clock, 5)
    assert {key: again.revisions.present("rule", key) for key in numbers} == numbers
    assert (again.revisions.newest(), again.revisions.newest_act()) == last
    await again.close()


async def test_who_asks_for_a_number_gets_it_and_has_the_damage_mended(running: Running) -> None:
    known = running.store.revisions.present("rule", "rule-07")
    overwritten(running.path)
    assert running.store.revisions.present("rule", "rule-07") == known
    assert running.store.revisions.present("rule", "rule-08") > 0
    await until(lambda: "made again" in str(running.store.problem))
    assert running.store.revisions.present("rule", "rule-07") == known
