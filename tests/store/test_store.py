"""The store as the hub uses it: what was saved, definitions with their versions, and when something is durable."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import stat
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.errors import CannotStore, Unavailable
from hallway.home.home import Home
from hallway.home.saved import Saved
from hallway.home.values import Value
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import HTTP, build, committed, differences, leave_as_killed, look, until


def attached(store: Store, clock: VirtualClock) -> Home:
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    return home


# ---------------------------------------------------------------------- files


def test_a_new_store_has_nothing_and_its_files_are_for_its_owner_only(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    assert store.saved == Saved()
    assert store.problem is None
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert set(modes) >= {"home.db", "hub.lock", "redo.0", "redo.1"}
    assert set(modes.values()) == {0o600}


async def test_a_second_store_on_the_directory_is_refused_and_harms_nothing(open_store: OpenStore) -> None:
    store = open_store()
    with pytest.raises(Unavailable, match="in use by another hub"):
        open_store()
    await store.define("credential", "a", {"x": 1}, None, "test")
    await store.close()
    assert open_store().definitions("credential")["a"].body == {"x": 1}


async def test_after_closing_only_whole_files_are_left(
    open_store: OpenStore, clock: VirtualClock, directory: Path
) -> None:
    store = open_store()
    home = attached(store, clock)
    home.report("sensor.a", "1", {}, HTTP)
    assert store.statistics().redo_bytes > 0
    await store.close()
    await store.close()
    assert names(directory) == ["home.db", "hub.lock", "redo.0", "redo.1"]
    assert open_store().statistics().redo_bytes == 0


async def test_a_store_that_nothing_was_attached_to_can_be_closed(open_store: OpenStore) -> None:
    await open_store().close()
    store = open_store()
    await store.durable(5)
    await store.close()


def test_a_refused_start_gives_the_directory_free_again(open_store: OpenStore, directory: Path) -> None:
    directory.mkdir()
    (directory / "redo.0").write_bytes(b"hallway redo log 7\n")
    with pytest.raises(Unavailable, match="newer hallway"):
        open_store()
    (directory / "redo.0").unlink()
    (directory / "home.db").mkdir()
    with pytest.raises(Unavailable, match=r"home\.db cannot be opened"):
        open_store()
    (directory / "home.db").rmdir()
    assert open_store().problem is None


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# ---------------------------------------------------------------------- damage


def overwrite(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:1024] + b"\xa5" * (len(data) - 1024))


async def test_a_damaged_database_without_a_generation_is_made_anew_of_the_redo_log(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    attached(store, clock)
    await store.define("credential", "a", {"x": 1}, None, "test")
    await store.close()
    store = open_store()
    home = attached(store, clock)
    await store.durable(home.changes.seq)
    home.report("sensor.late", "in the redo log", {"unit_of_measurement": "W"}, HTTP)
    killed = leave_as_killed(directory, tmp_path / "killed")
    overwrite(killed / "home.db")
    with caplog.at_level(logging.ERROR):
        after = Store.open(killed, clock, 5)
    assert [kept.state for kept in after.saved.states] == [home.state("sensor.late")]
    assert after.saved.seq == home.changes.seq
    assert after.definitions("credential") == {}
    aside = "home.db.damaged-20270115T080000Z"
    assert (killed / aside).exists()
    assert after.problem is not None
    assert "it was mended without a generation" in after.problem
    assert f"is kept as {aside}" in after.problem
    assert after.problem in caplog.text
    after.attach(build(clock, after), asyncio.get_running_loop())
    await after.define("credential", "a", {"x": 2}, None, "test")
    assert "it was mended" in str(after.statistics().problem)
    await after.close()
    again = Store.open(killed, clock, 5)
    assert again.problem is None
    assert [d.body for d in again.history("credential", "a")] == [{"x": 2}]
    await again.close()


async def test_a_text_that_somebody_spoiled_costs_that_row_only(
    open_store: OpenStore, clock: VirtualClock, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    home = attached(store, clock)
    home.report("sensor.a", "1", {}, HTTP)
    home.report("sensor.b", "2", {}, HTTP)
    await store.close()
    connection = sqlite3.connect(directory / "home.db")
    connection.execute("UPDATE state SET attributes = '{oops' WHERE entity_id = 'sensor.a'")
    connection.commit()
    connection.close()
    saved = {kept.state.entity_id for kept in open_store().saved.states}
    assert "sensor.a" not in saved
    assert "sensor.b" in saved
    assert "home.db was damaged (state sensor.a: its text is no JSON" in caplog.text


# ---------------------------------------------------------------------- values


async def test_values_are_committed_after_so_many_seconds_in_one_transaction(
    open_store: OpenStore, clock: VirtualClock
) -> None:
    store = open_store()
    home = attached(store, clock)
    await committed(store, clock)
    before = store.statistics()
    for number in range(100):
        home.report(f"sensor.s{number % 10}", str(number), {}, HTTP)
    clock.advance(4.9)
    await asyncio.sleep(0.02)
    assert store.statistics().commits == before.commits
    assert store.statistics().queued == 10
    clock.advance(0.1)
    await until(lambda: store.statistics().queued == 0)
    after = store.statistics()
    assert (after.commits - before.commits, after.rows - before.rows) == (1, 11)  # and the number of the last change
    assert after.bytes_written > before.bytes_written
    assert after.redo_bytes == 0


async def test_an_idle_home_writes_nothing(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    home = attached(store, clock)
    await committed(store, clock)
    before = store.statistics()
    home.fire("something", {}, HTTP)
    home.report("switch.switch", "off", dict(home.entities.states["switch.switch"].attributes), HTTP)
    clock.advance(3600)
    await asyncio.sleep(0.02)
    assert store.statistics() == before


async def test_what_the_redo_log_still_has_of_committed_changes_is_not_replayed(
    open_store: OpenStore, clock: VirtualClock, directory: Path
) -> None:
    store = open_store()
    home = attached(store, clock)
    home.report("sensor.a", "old", {}, HTTP)
    home.set_variable("text", "old", HTTP)
    segments = (directory / "redo.0", directory / "redo.1")
    old = [path.read_bytes() for path in segments]
    await store.durable(home.changes.seq)
    home.report("sensor.a", "new", {}, HTTP)
    home.set_variable("text", "new", HTTP)
    await store.close()
    for path, data in zip(segments, old, strict=True):
        path.write_bytes(data)
    saved = open_store().saved
    assert [kept.state.state for kept in saved.states if kept.state.entity_id == "sensor.a"] == ["new"]
    assert saved.variables["text"] == "new"


async def test_durable_of_what_is_durable_or_keeps_nothing_returns_at_once(
    open_store: OpenStore, clock: VirtualClock
) -> None:
    store = open_store()
    home = attached(store, clock)
    home.report("sensor.a", "1", {}, HTTP)
    await store.durable(home.changes.seq)
    commits = store.statistics().commits
    home.fire("something", {}, HTTP)
    await store.durable(home.changes.seq)
    assert store.statistics().commits == commits


async def test_numbers_go_on_after_a_kill_also_of_changes_at_start(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path
) -> None:
    store = open_store()
    home = attached(store, clock)
    seq = home.changes.seq
    assert seq > 0
    after = Store.open(leave_as_killed(directory, tmp_path / "killed"), clock, 5)
    assert after.saved.seq == seq
    await after.close()


async def test_a_home_that_counts_from_elsewhere_is_refused(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    attached(store, clock)
    await store.close()
    store = open_store()
    with pytest.raises(ValueError, match=r"give it seq=saved\.seq"):
        store.attach(Home(clock), asyncio.get_running_loop())


async def test_a_value_that_json_cannot_carry_is_left_out_alone(
    open_store: OpenStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    home = attached(store, clock)
    home.set_variable("wake", "half a pair \ud800", HTTP)
    home.set_variable("text", "fine", HTTP)
    await store.close()
    assert "is not kept, since JSON cannot carry it" in caplog.text
    saved = open_store().saved.variables
    assert saved["text"] == "fine"
    assert "wake" not in saved


async def test_states_that_are_no_longer_shown_are_forgotten(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    attached(store, clock)
    await store.close()
    store = open_store()
    assert "switch.switch" in {kept.state.entity_id for kept in store.saved.states}
    store.attach(build(clock, store, {}), asyncio.get_running_loop())
    await store.close()
    assert "switch.switch" not in {kept.state.entity_id for kept in open_store().saved.states}


async def test_values_of_a_device_that_is_missing_for_a_while_come_back(
    open_store: OpenStore, clock: VirtualClock
) -> None:
    store = open_store()
    home = attached(store, clock)
    home.act("dimmer", "changeDimlevelTo", {"dimlevel": 44}, HTTP)
    await store.close()
    store = open_store()
    store.attach(build(clock, store, {}), asyncio.get_running_loop())
    await store.close()
    assert build(clock, open_store()).device("dimmer").value("dimlevel") == 44


@pytest.mark.parametrize("value", [None, True, 0, 21.0, 2**70, "", "a\x00b", [1, {"a": None}], {"ü": [[]]}])
async def test_every_json_value_comes_back_as_it_was(open_store: OpenStore, clock: VirtualClock, value: Value) -> None:
    store = open_store()
    home = attached(store, clock)
    home.set_variable("text", value, HTTP)
    home.report("sensor.a", "a\x00b", {"value": value}, HTTP)
    before = look(home)
    await store.close()
    restored = build(clock, open_store())
    assert differences(before, look(restored)) == []
    assert repr(restored.variables.get("text").value) == repr(value)


# ---------------------------------------------------------------------- definitions


async def test_each_definition_has_versions_and_the_last_one_counts(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    first = await store.define("forwarding", "b", {"host": "10.0.0.2", "port": 8123}, "ann", "homeassistant")
    clock.advance(1)
    second = await store.define("forwarding", "b", {"host": "10.0.0.3"}, None, "homeassistant")
    other = await store.define("forwarding", "a", {"host": "ünïcode"}, "ann", "cli")
    same_id = await store.define("credential", "b", {"hash": "x"}, "ann", "cli")
    assert (first.version, second.version, other.version, same_id.version) == (1, 2, 1, 1)
    assert second.at == first.at + 1
    assert (first.author, second.author, other.door) == ("ann", None, "cli")

    def check(each: Store) -> None:
        assert each.definitions("forwarding") == {"a": other, "b": second}
        assert each.definitions("credential") == {"b": same_id}
        assert each.definitions("rule") == {}
        assert each.history("forwarding", "b") == (first, second)
        assert each.history("forwarding", "c") == ()

    check(store)
    await store.close()
    check(open_store())


async def test_a_removed_definition_is_left_out_and_stays_in_history(open_store: OpenStore) -> None:
    store = open_store()
    await store.define("credential", "a", {"hash": "x"}, "ann", "cli")
    removed = await store.define("credential", "a", None, "ann", "cli")
    assert (removed.version, removed.body) == (2, None)
    assert store.definitions("credential") == {}
    back = await store.define("credential", "a", {"hash": "y"}, "ann", "cli")
    assert back.version == 3
    assert store.definitions("credential") == {"a": back}
    assert [each.body for each in store.history("credential", "a")] == [{"hash": "x"}, None, {"hash": "y"}]


async def test_definitions_at_the_same_time_share_commits(open_store: OpenStore) -> None:
    store = open_store()
    made = await asyncio.gather(*(store.define("rule", f"r{n % 50}", {"n": n}, None, "test") for n in range(300)))
    assert [each.version for each in made] == [n // 50 + 1 for n in range(300)]
    assert 1 <= store.statistics().commits <= 5
    assert store.statistics().queued == 0
    assert len(store.definitions("rule")) == 50


async def test_a_definition_that_json_cannot_carry_is_refused_and_others_are_not(open_store: OpenStore) -> None:
    store = open_store()
    bad = "half a pair \ud800"
    made = await asyncio.gather(
        store.define("rule", "a", {"text": bad}, None, "test"),
        store.define("rule", bad, {}, None, "test"),
        store.define("rule", "b", {}, None, "test"),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in made] == ["CannotStore", "CannotStore", "Definition"]
    assert isinstance(made[0], CannotStore)
    assert list(store.definitions("rule")) == ["b"]


async def test_a_closed_store_takes_no_definition(open_store: OpenStore) -> None:
    store = open_store()
    await store.close()
    with pytest.raises(Unavailable, match="going down"):
        await store.define("rule", "a", {}, None, "test")
