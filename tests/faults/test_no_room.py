"""A whole hub on a disk that is full, read-only or broken for a while: it answers, says what is wrong and recovers.

What it acknowledged before, meanwhile and afterwards is there after it was killed. The disk fails below Python and
SQLite, for all files or for those of one name.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.disk import Orders, compiled, environment
from tests.hubs import RunningHub
from tests.peers.waiting import wait_until

PEOPLE = {"Authorization": f"Basic {base64.b64encode(b'ann:ann').decode()}", "Content-Type": "application/json"}
CONFIGURATION = """\
users: [{username: ann, password: ann, role: admin}]
store: {values_every: 200 ms}
history: {write_every: 1 s}
variables: [{name: number, value: 0}]
"""
Fail = Callable[[Orders], None]


class House:
    """A hub on such a disk, and what it has acknowledged: of pages all names that may be there."""

    def __init__(self, hub: RunningHub, orders: Orders) -> None:
        self.hub = hub
        self.orders = orders
        self.pages: dict[str, set[str]] = {}
        self.reports: dict[str, str] = {}
        self.past: dict[str, list[str]] = {}
        self._numbers = itertools.count(1)

    def edit(self) -> bool:
        """Give a page another name; whether that was acknowledged. If it was not, it may be done nevertheless."""
        number = next(self._numbers)
        page, name = f"page{number % 3}", f"Number {number}"
        method = "PATCH" if page in self.pages else "POST"
        answer = self.hub.ask(method, f"/api/pages/{page}", {"page": {"name": name}}, headers=PEOPLE)
        if answer.status in {200, 201}:
            self.pages[page] = {name}
            return True
        assert answer.status == 503, answer.body
        assert "cannot be written" in answer.json()["message"]
        self.pages[page].add(name)
        return False

    def shown(self) -> list[dict[str, Any]]:
        return list(self.hub.ask("GET", "/api/pages", headers=PEOPLE).json()["pages"])

    def report(self) -> None:
        """Reports are taken whatever the disk does."""
        number = next(self._numbers)
        entity_id = f"sensor.s{number % 5}"
        data = {"state": str(number), "attributes": {"text": "x" * 3000}}
        assert self.hub.ask("POST", f"/api/states/{entity_id}", data).status in {200, 201}
        self.reports[entity_id] = str(number)
        self.past.setdefault(entity_id, []).append(str(number))

    def work(self, times: int) -> None:
        for _ in range(times):
            self.report()
            self.edit()
        assert {each["entity_id"]: each["state"] for each in self.states()}.items() >= self.reports.items()

    def works_until_it_says(self, words: str) -> None:
        """What was made longer before may be overwritten for a while: a full disk shows only when there is more."""

        def said() -> bool:
            self.work(1)
            return words in self.hub.log

        wait_until(said, 120, f"{words!r} in the log")

    def states(self) -> list[dict[str, Any]]:
        return list(self.hub.ask("GET", "/api/states").json())

    def past_is_there(self) -> None:
        """Every report is in the past, once."""
        wait_until(lambda: self._asked("sensor.s0") is not None, 120, "the past to be open")
        assert {entity_id: self._asked(entity_id) for entity_id in self.past} == self.past

    def _asked(self, entity_id: str) -> list[str] | None:
        answer = self.hub.ask("GET", f"/api/history/period?filter_entity_id={entity_id}")
        return [state["state"] for states in answer.json() for state in states] if answer.status == 200 else None

    def all_is_there(self) -> None:
        names = {each["id"]: each["name"] for each in self.shown()}
        assert {page: names.get(page) for page, known in self.pages.items() if names.get(page) not in known} == {}
        assert {each["entity_id"]: each["state"] for each in self.states()}.items() >= self.reports.items()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("library"))


@pytest.fixture
def new_house(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    orders = Orders(tmp_path / "orders")
    hub = RunningHub(tmp_path / "home", CONFIGURATION)
    for name, value in environment(library, hub.home, orders=orders.path).items():
        monkeypatch.setenv(name, value)
    yield House(hub, orders)
    hub.kill()


@pytest.fixture
def house(new_house: House) -> House:
    new_house.hub.start()
    assert new_house.hub.ask("GET", "/api/pages", headers=PEOPLE).status == 200  # a first login takes its time
    return new_house


WAYS: dict[str, tuple[Fail, str]] = {
    "full": (lambda orders: orders.full(), "No space left on device"),
    "nearly full": (lambda orders: orders.full(left=20_000), "No space left on device"),
    "read-only": (lambda orders: orders.read_only(), "Read-only file system"),
    "broken": (lambda orders: orders.broken(), "Input/output error"),
    "a broken redo log": (lambda orders: orders.broken("redo."), "the redo log cannot be"),
    "no room for home.db": (lambda orders: orders.full("home.db"), "home.db cannot be written"),
    "no room for history.db": (lambda orders: orders.full("history.db"), "history.db cannot be written"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_hub_answers_says_so_recovers_and_keeps_what_it_acknowledged(house: House, way: str) -> None:
    fail, said = WAYS[way]
    house.work(5)
    fail(house.orders)
    house.work(10)
    house.works_until_it_says(said)
    house.work(5)
    assert house.orders.refused
    house.orders.well()
    wait_until(house.edit, 120, "an edit that is kept")
    house.work(5)
    if way.endswith(("home.db", "redo log")):
        house.hub.kill()
        house.hub.start()
    else:
        house.hub.restart()
        house.past_is_there()
    house.all_is_there()


def test_what_was_reported_while_the_past_could_never_be_opened_is_in_it_once_there_is_room(new_house: House) -> None:
    new_house.orders.full("history.db")
    new_house.hub.start()
    new_house.work(5)
    new_house.works_until_it_says("history.db cannot be written")
    new_house.work(5)
    new_house.orders.well()
    new_house.past_is_there()
    new_house.hub.restart()
    new_house.past_is_there()
    new_house.all_is_there()


def test_edits_that_were_acknowledged_are_there_when_it_is_killed_meanwhile(house: House) -> None:
    for way in ("full", "read-only", "broken"):
        house.work(5)
        WAYS[way][0](house.orders)
        house.work(5)
        house.hub.kill()
        house.orders.well()
        house.hub.start()
        house.reports = {}
        house.all_is_there()
