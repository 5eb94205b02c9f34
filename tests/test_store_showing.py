"""A device that people add says whether all is well with the store, and rules can wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.store_showing import LOOKED_AT_EVERY, SIZES_EVERY, StoreShowing
from tests.rules.houses import RuledHouse

TEST = Context("test")
NOW = 1_800_000_000.0


class Shown:
    """A home whose store is in the state that a test wants."""

    def __init__(self, directory: Path) -> None:
        self.clock = VirtualClock(NOW)
        self.home = Home(self.clock)
        self.directory = directory
        self.problem: str | None = None
        self.waiting = 0
        self.showing = StoreShowing(
            self.home, lambda: self.problem, lambda: self.waiting, directory, directory / "backups"
        )
        self.showing.start()

    def add(self, device_id: str = "store") -> None:
        self.home.add_device({"id": device_id, "class": "StoreDevice"}, "store", TEST)

    def shown(self) -> dict[str, object]:
        state = self.home.state("hallway.store")
        assert state is not None
        return {"state": state.state, **state.attributes}


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(tmp_path)


def test_nothing_is_shown_to_who_did_not_ask_for_it(shown: Shown) -> None:
    before = shown.home.changes.seq
    shown.problem = "the disk is full"
    shown.clock.advance(100)
    assert (shown.home.states(), shown.home.changes.seq) == ([], before)


def test_a_device_that_comes_is_told_at_once(shown: Shown) -> None:
    (shown.directory / "history.db").write_bytes(b"x" * 4096)
    (shown.directory / "backups").mkdir()
    (shown.directory / "backups" / "hallway-20270114T030000Z.tar").touch()
    shown.add()
    shown.clock.advance(0)
    told = shown.shown()
    assert told.pop("friendly_name", None) in (None, "store")
    assert told == {
        "state": "ok",
        "since": "2027-01-15T08:00:00Z",
        "atRisk": 0,
        "lastBackup": "2027-01-14T03:00:00Z",
        "historySize": 4096,
    }


def test_a_problem_shows_with_what_is_at_risk_and_ends(shown: Shown) -> None:
    shown.add()
    shown.clock.advance(60)
    shown.problem, shown.waiting = "home.db cannot be written: disk is full", 12
    shown.showing.look_soon()
    shown.clock.advance(0)
    told = shown.shown()
    assert (told["state"], told["what"], told["atRisk"]) == ("problem", shown.problem, 12)
    assert told["since"] == "2027-01-15T08:01:00Z"
    shown.problem = None
    shown.clock.advance(LOOKED_AT_EVERY)
    told = shown.shown()
    assert (told["state"], told.get("what"), told["atRisk"]) == ("ok", None, 0)


def test_what_stays_the_same_is_told_once_and_sizes_once_an_hour(shown: Shown) -> None:
    (shown.directory / "history.db").write_bytes(b"x" * 4096)
    shown.add()
    shown.clock.advance(0)
    before = shown.home.changes.seq
    (shown.directory / "history.db").write_bytes(b"x" * 5000)
    shown.clock.advance(SIZES_EVERY / 2)
    assert shown.home.changes.seq == before
    shown.clock.advance(SIZES_EVERY)
    assert shown.shown()["historySize"] == 5000


def test_a_file_that_comes_or_grows_fast_is_told_soon(shown: Shown) -> None:
    shown.add()
    shown.clock.advance(0)
    assert shown.shown().get("historySize") is None
    for size in (0, 4096, 8192):
        (shown.directory / "history.db").write_bytes(b"x" * size)
        shown.clock.advance(LOOKED_AT_EVERY)
        assert shown.shown()["historySize"] == size


def test_what_people_are_told_of_the_store_is_shown_at_once(shown: Shown) -> None:
    shown.add()
    shown.clock.advance(1)
    shown.problem = "the database is away"
    shown.home.messages.say("error", shown.problem, ("store",), TEST)
    shown.clock.advance(0)
    assert shown.shown()["what"] == shown.problem


def test_a_backup_that_was_made_shows_when_somebody_says_so(shown: Shown) -> None:
    shown.add()
    shown.clock.advance(1)
    (shown.directory / "backups").mkdir()
    (shown.directory / "backups" / "hallway-20270114T030000Z.tar").touch()
    shown.showing.look_soon(at_sizes=True)
    shown.clock.advance(0)
    assert shown.shown()["lastBackup"] == "2027-01-14T03:00:00Z"


def test_nothing_is_said_after_the_end(shown: Shown) -> None:
    shown.add()
    shown.clock.advance(0)
    shown.showing.stop()
    shown.problem = "too late"
    shown.add("another")
    shown.clock.advance(100)
    assert shown.shown()["state"] == "ok"


def test_a_rule_can_wait_for_it(tmp_path: Path) -> None:
    house = RuledHouse(
        'when state of hallway.store is "problem" then log "the store: $store.what"',
        devices=({"id": "store", "class": "StoreDevice"},),
    )
    problem: list[str] = []
    showing = StoreShowing(house.home, lambda: "".join(problem) or None, lambda: 0, tmp_path, tmp_path)
    showing.start()
    assert house.said == []
    problem.append("the disk is full")
    house.wait(LOOKED_AT_EVERY)
    assert house.said == ["rule r0: the store: the disk is full"]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            "the database postgresql://ann@db.home:5432/hall cannot be used: no route; mend it",
            "the database elsewhere cannot be used: no route; mend it",
        ),
        (
            "another hub writes to postgresql://ann@/hall?host=/run/pg, schema home: stop it",
            "another hub writes to elsewhere, schema home: stop it",
        ),
        (
            "there is no file /etc/ssl/private/root.pem that the hub may read",
            "there is no file root.pem that the hub may read",
        ),
        ("home.db was damaged: it is kept as home.db.damaged-2; 3/4 is there", None),
        ("made again from generations/home-20270115T080000Z.db", None),
    ],
)
def test_where_things_stand_is_not_for_everybody_who_sees_devices(shown: Shown, problem: str, told: str | None) -> None:
    shown.problem = problem
    shown.add()
    shown.clock.advance(0)
    assert shown.shown()["what"] == (told or problem)
