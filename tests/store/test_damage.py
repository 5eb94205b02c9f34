"""Bytes and pages of home.db are spoiled: the hub starts, and has what a generation, readable rows or the log hold."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.store import contents, generations, repair
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build_kept, committed, leave_as_killed, until

PAGE = 1024
RULES = 40
Spoil = Callable[[bytearray, random.Random], None]


def some_bytes(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 5, 50))):
        data[chance.randrange(len(data))] = chance.randrange(256)


def some_pages(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 5))):
        at = chance.randrange(len(data) // PAGE) * PAGE
        data[at : at + PAGE] = chance.choice((bytes(PAGE), chance.randbytes(PAGE)))


def the_end(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def the_first_page(data: bytearray, chance: random.Random) -> None:
    at = chance.choice((0, 100))
    data[at:PAGE] = chance.randbytes(PAGE - at)


def two_pages_swapped(data: bytearray, chance: random.Random) -> None:
    a, b = (chance.randrange(1, len(data) // PAGE) * PAGE for _ in range(2))
    data[a : a + PAGE], data[b : b + PAGE] = data[b : b + PAGE], data[a : a + PAGE]


SPOILERS: tuple[Spoil, ...] = (some_bytes, some_pages, the_end, the_first_page, two_pages_swapped)


def rule(number: int, text: str) -> Attributes:
    return {
        "id": f"rule-{number:02}",
        "name": f"Rule {number} {text} " + "é" * (number * 7),
        "rule": "when lamp then x",
    }


class Lived:
    """A home that was edited before its generation, after it, and once more so that only the log has it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.in_generation: dict[str, str] = {}
        self.in_file: dict[str, str] = {}
        self.in_log: dict[str, str] = {}


def names(home: Home) -> dict[str, str]:
    return {each.id: str(each.name) for each in home.rules.all()}


@pytest.fixture
async def lived(open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path) -> Lived:
    """Killed while it ran, its WAL folded into home.db."""
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", HTTP)
    for number in range(RULES):
        home.rules.add(rule(number, "first"), HTTP)
    await store.durable(home.changes.seq)
    await committed(store, clock)
    generations.keep(directory / "home.db", clock.now())
    lived = Lived(tmp_path / "killed")
    lived.in_generation = names(home)
    for number in range(0, RULES, 3):
        home.rules.change(f"rule-{number:02}", rule(number, "second"), HTTP)
    home.rules.add({"id": "new", "name": "new", "rule": "when lamp then x"}, HTTP)
    home.report("sensor.a", "42", {}, HTTP)
    await committed(store, clock)
    lived.in_file = names(home)
    home.rules.change("rule-01", rule(1, "third"), HTTP)
    home.rules.add({"id": "newest", "name": "newest", "rule": "when lamp then x"}, HTTP)
    await store.durable(home.changes.seq)
    lived.in_log = names(home)
    leave_as_killed(directory, lived.directory)
    shutil.copytree(directory / "generations", lived.directory / "generations")
    with closing(sqlite3.connect(lived.directory / "home.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return lived


async def start(directory: Path, clock: VirtualClock) -> tuple[dict[str, str], str | None, Home]:
    """What a hub that starts there has, and what it says; it can be started again then, and all is well."""
    store = Store.open(directory, clock, 5)
    problem = store.problem
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    found = names(home)
    await store.close()
    again = Store.open(directory, clock, 5)
    assert again.problem is None
    assert names(build_kept(clock, again)) == found
    await again.close()
    return found, problem, home


def readable_names(path: Path) -> dict[str, set[str]]:
    """The names that each rule had in any row that SQLite gives as it was written, however it is asked for."""
    found: dict[str, set[str]] = {}
    for direction in ("", "DESC"):
        columns = f"json_extract(body, '$.name'), checksum, {', '.join(contents.CHECKED)}"
        query = f"SELECT id, {columns} FROM definition WHERE kind = 'rule' ORDER BY id {direction}"
        try:
            with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
                for key, name, written, *row in connection.execute(query):
                    if written == contents.checksum(tuple(row)):
                        found.setdefault(key, set()).add(name)
        except (sqlite3.Error, UnicodeDecodeError):
            continue
    return found


@pytest.mark.parametrize("spoil", SPOILERS)
async def test_a_hub_starts_on_a_spoiled_file_and_has_all_that_is_somewhere(
    lived: Lived, clock: VirtualClock, tmp_path: Path, spoil: Spoil
) -> None:
    for seed in range(12):
        chance = random.Random(seed)
        directory = tmp_path / f"{seed}"
        shutil.copytree(lived.directory, directory)
        data = bytearray((directory / "home.db").read_bytes())
        spoil(data, chance)
        (directory / "home.db").write_bytes(data)
        still = readable_names(directory / "home.db")
        found, problem, _home = await start(directory, clock)
        assert found.keys() >= lived.in_generation.keys() | {"newest"}, seed
        for key, name in lived.in_log.items():
            if problem is None or name == lived.in_generation.get(key) or key in ("rule-01", "newest"):
                continue
            if name in still.get(key, ()):
                assert found.get(key) == name, (seed, key)
            else:
                assert found.get(key) in (name, lived.in_generation.get(key)), (seed, key)
        assert found["rule-01"] == lived.in_log["rule-01"]
        if problem is not None:
            aside = [path for path in directory.iterdir() if ".damaged-" in path.name and path.stat().st_size]
            assert aside[0].read_bytes() == data


async def test_a_damaged_file_is_mended_from_generation_rows_and_log(lived: Lived, clock: VirtualClock) -> None:
    data = bytearray((lived.directory / "home.db").read_bytes())
    with closing(sqlite3.connect(lived.directory / "home.db")) as connection:
        (value_page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'value'").fetchone()
    data[(value_page - 1) * PAGE : value_page * PAGE] = b"\xa5" * PAGE
    (lived.directory / "home.db").write_bytes(data)
    found, problem, home = await start(lived.directory, clock)
    assert found == lived.in_log
    shown = home.state("sensor.a")
    assert shown is not None
    assert shown.state == "42"
    assert problem is not None
    assert "it was mended from generations/home-20270115T080" in problem
    assert "what was written last to value may be missing" in problem
    assert "check the home, then the disk" in problem


async def test_without_a_first_page_the_one_of_the_generation_serves(lived: Lived, clock: VirtualClock) -> None:
    data = bytearray((lived.directory / "home.db").read_bytes())
    data[:PAGE] = bytes(PAGE)
    (lived.directory / "home.db").write_bytes(data)
    found, _problem, _home = await start(lived.directory, clock)
    assert found == lived.in_log


@pytest.mark.parametrize("text", [b"{oops", b'{"id": "rule-00", "name": "\xff\xfe"}', b'{"id": "rule-00"}'])
async def test_a_definition_that_is_not_what_was_written_is_the_one_of_the_generation(
    lived: Lived, clock: VirtualClock, text: bytes
) -> None:
    with closing(sqlite3.connect(lived.directory / "home.db")) as connection:
        update = "UPDATE definition SET body = CAST(? AS TEXT) WHERE id = 'rule-00' AND version = 2"
        connection.execute(update, (text,))
        connection.commit()
    found, problem, _home = await start(lived.directory, clock)
    assert found == {**lived.in_log, "rule-00": lived.in_generation["rule-00"]}
    assert problem is not None
    assert problem.startswith("home.db was damaged (")


async def test_commits_that_are_missing_in_a_torn_wal_are_taken_from_the_generation(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", HTTP)
    await committed(store, clock)
    home.rules.add(rule(1, "first"), HTTP)
    await committed(store, clock)
    generations.keep(directory / "home.db", clock.now())
    killed = leave_as_killed(directory, tmp_path / "killed")
    shutil.copytree(directory / "generations", killed / "generations")
    data = bytearray((killed / "home.db-wal").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (killed / "home.db-wal").write_bytes(data)
    found, problem, _home = await start(killed, clock)
    assert found == names(home)
    assert problem is not None
    assert "commits are missing in its WAL" in problem


async def test_a_kill_while_a_mended_file_takes_its_place_does_no_harm(lived: Lived, clock: VirtualClock) -> None:
    """It waits as home.db.next; what it replaces is still there, its WAL perhaps not."""
    good = (lived.directory / "home.db").read_bytes()
    (lived.directory / "home.db.next").write_bytes(good)
    (lived.directory / "home.db").write_bytes(b"damaged" * 1000)
    (lived.directory / "home.db-wal").write_bytes(b"of the damaged one")
    found, problem, _home = await start(lived.directory, clock)
    assert found == lived.in_log
    assert problem is None


async def test_generations_that_are_spoiled_too_are_passed_over(lived: Lived, clock: VirtualClock) -> None:
    (good,) = generations.listed(lived.directory)
    later = good.with_name("home-20280101T000000Z.db")
    later.write_bytes(good.read_bytes()[:5000])
    (lived.directory / "home.db").write_bytes(b"no database at all " * 100)
    found, problem, _home = await start(lived.directory, clock)
    assert found.keys() == lived.in_generation.keys() | {"newest"}
    assert good.name in str(problem)


async def test_a_generation_is_made_while_the_hub_writes(
    open_store: OpenStore, clock: VirtualClock, directory: Path
) -> None:
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.report("sensor.a", "1", {}, HTTP)
    task = asyncio.create_task(asyncio.to_thread(generations.keep, directory / "home.db", clock.now()))
    while not task.done():
        home.report("sensor.a", "2", {}, HTTP)
        clock.advance(5)
        await asyncio.sleep(0)
    await until(lambda: store.statistics().queued == 0)
    assert generations.listed(directory) == [await task]


async def test_a_table_that_is_called_otherwise_is_damage(lived: Lived, clock: VirtualClock) -> None:
    with closing(sqlite3.connect(lived.directory / "home.db")) as connection:
        connection.execute("ALTER TABLE progress RENAME TO prograss")
    found, problem, _home = await start(lived.directory, clock)
    assert found == lived.in_log
    assert problem is not None
    assert "no such table: progress" in problem


async def test_damage_that_cannot_be_mended_while_the_hub_runs_is_said_and_costs_nothing_that_came_later(
    open_store: OpenStore, clock: VirtualClock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise Unavailable("home.db cannot be made again: No space left on device")

    monkeypatch.setattr(repair, "remake", refuse)
    store = open_store()
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    heard: list[tuple[str, bool]] = []
    store.listen(lambda sentence, holds: heard.append((sentence, holds)))
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", HTTP)
    home.rules.add(rule(1, "first"), HTTP)
    await committed(store, clock)
    generations.keep(directory / "home.db", clock.now())
    with closing(sqlite3.connect(directory / "home.db")) as other:
        other.execute("UPDATE progress SET last_seq = last_seq")
        other.commit()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (directory / "home.db").open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (PAGE * 60))
    home.rules.change("rule-01", rule(1, "second"), HTTP)
    home.rules.add(rule(2, "new"), HTTP)
    home.report("sensor.a", "7", {}, HTTP)
    clock.advance(5)
    await until(lambda: store.problem is not None)
    assert "home.db is damaged: database disk image is malformed; home.db cannot be made again: No space" in str(
        heard[0]
    )
    assert "the hub tries again by itself, a new start mends it" in str(store.problem)
    home.rules.add(rule(3, "newer"), HTTP)
    await store.close()
    found, problem, after = await start(directory, clock)
    assert found == names(home)
    assert found.keys() == {"rule-01", "rule-02", "rule-03"}
    shown = after.state("sensor.a")
    assert shown is not None
    assert shown.state == "7"
    assert str(problem).startswith("home.db was damaged (")


@pytest.mark.parametrize("left", [None, b""])
async def test_a_home_db_that_is_gone_is_made_again_from_generation_and_log(
    lived: Lived, clock: VirtualClock, left: bytes | None
) -> None:
    (lived.directory / "home.db").unlink()
    if left is not None:
        (lived.directory / "home.db").write_bytes(left)
    found, problem, _home = await start(lived.directory, clock)
    assert found.keys() == lived.in_generation.keys() | {"newest"}
    assert found["rule-01"] == lived.in_log["rule-01"]
    wrong = "it is missing" if left is None else "it is empty"
    assert str(problem).startswith(f"home.db was damaged ({wrong}): it was mended from generations/home-")


async def test_a_home_db_that_is_gone_with_all_generations_is_made_again_from_the_log(
    lived: Lived, clock: VirtualClock
) -> None:
    (lived.directory / "home.db").unlink()
    shutil.rmtree(lived.directory / "generations")
    found, problem, _home = await start(lived.directory, clock)
    assert found.keys() == {"rule-01", "newest"}
    assert "home.db was damaged (it is missing): it was mended without a generation" in str(problem)


async def test_an_empty_directory_is_a_new_home(clock: VirtualClock, tmp_path: Path) -> None:
    found, problem, _home = await start(tmp_path, clock)
    assert (found, problem) == ({}, None)
