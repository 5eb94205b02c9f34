"""SIGKILL at any moment: whatever the hub has acknowledged is there after the restart.

Clients write at both doors without pause while the hub is killed again and again on the same home. Of each thing that
it writes a client knows the value acknowledged last and the one under way: one of the two must be there afterwards.
What was to be done later is done later. How long the restarts took is told. HALLWAY_KILLS sets how often.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import random
import shutil
import sqlite3
import statistics
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import StartHub
from tests.hubs import PASSWORD, RunningHub
from tests.peers.targets import Target
from tests.peers.waiting import wait_until

KILLS = int(os.environ.get("HALLWAY_KILLS", "40"))
WRITING = (0.05, 0.4)
"""Seconds of writing before a kill; on a slow machine as long as it takes until everybody has written something."""
LIGHTS, SWITCHES, SENSORS, VARIABLES = 6, 6, 8, 4
PEOPLE = {"Authorization": f"Basic {base64.b64encode(b'ann:ann').decode()}", "Content-Type": "application/json"}
DOOR_OF_2015 = {"X-HA-Access": PASSWORD}
CONFIGURATION = "\n".join(
    [
        "users: [{username: ann, password: ann, role: admin}]",
        "devices:",
        *(f"  - {{id: light_{n}, class: DummyDimmer}}" for n in range(LIGHTS)),
        *(f"  - {{id: switch_{n}, class: DummySwitch}}" for n in range(SWITCHES)),
        *(f"  - {{id: temperature_{n}, class: DummyTemperatureSensor}}" for n in range(SENSORS)),
        "variables:",
        *(f"  - {{name: number-{n}, value: 0}}" for n in range(VARIABLES)),
        *(f"  - {{name: double-{n}, expression: $number-{n} * 2}}" for n in range(VARIABLES)),
        "  - {name: asked, value: 0}",
        "  - {name: done, value: 0}",
        "rules:",
        '  - {id: later, name: Later, rule: "when $asked changes then set $done to $asked after 1 second"}',
        "",
    ]
)

pytestmark = pytest.mark.timeout(300 + 10 * KILLS)


@dataclass
class Known:
    """What a client knows of one thing: the value acknowledged last, and the one on its way since then."""

    acknowledged: Any = None
    under_way: list[Any] = field(default_factory=list)

    def allows(self, value: Any) -> bool:
        return value == self.acknowledged or value in self.under_way

    def settle(self, value: Any) -> None:
        self.acknowledged, self.under_way = value, []


class Client(ABC):
    """One client: writes, one thing after the other, until the connection breaks."""

    headers = DOOR_OF_2015

    def __init__(self, keys: list[str], seed: int) -> None:
        self.known = {key: Known() for key in keys}
        self.writes = 0
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)

    def write_until_it_breaks(self, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while True:
                key = self._chance.choice(list(self.known))
                value, method, path, data = self.request(key, next(self._numbers))
                known = self.known[key]
                known.under_way.append(value)
                connection.request(method, path, json.dumps(data), self.headers)
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status in {200, 201}, (path, data, body)
                known.settle(value)
                self.writes += 1
        except (OSError, http.client.HTTPException):
            connection.close()

    @abstractmethod
    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        """The value that is to be kept, and method, path and data of the request that writes it."""

    @abstractmethod
    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        """The value after the restart."""


class Reports(Client):
    """States of things that the hub knows only from such reports."""

    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        attributes = {"n": number, "padding": "x" * self._chance.randrange(300)}
        return (str(number), attributes), "POST", f"/api/states/{key}", {"state": number, "attributes": attributes}

    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        return (states[key]["state"], states[key]["attributes"]) if key in states else None


class DeviceReports(Client):
    """States that devices report of themselves."""

    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        return str(number + 0.5), "POST", f"/api/states/{key}", {"state": number + 0.5}

    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        return states[key]["state"]


class Services(Client):
    """Lights and switches that are turned on and off."""

    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        service = self._chance.choice(["turn_on", "turn_off"])
        state = service.removeprefix("turn_")
        return state, "POST", f"/api/services/{key.partition('.')[0]}/{service}", {"entity_id": key}

    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        return states[key]["state"]


class Variables(Client):
    """Variables, whose new value is acknowledged only when it is committed or logged."""

    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        return str(number), "POST", "/api/services/variable/set", {"name": key, "value": number}

    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        entity_id = f"variable.{key.replace('-', '_')}"
        double = states[entity_id.replace("number", "double")]["state"]
        assert float(double) == 2 * float(states[entity_id]["state"]), key
        return states[entity_id]["state"]


class Registrations(Client):
    """Definitions: targets of event forwarding that are registered and cancelled, one port each."""

    def __init__(self, targets: dict[str, Target], seed: int) -> None:
        super().__init__(list(targets), seed)
        self._targets = targets

    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        target = self._targets[key]
        there = {"host": target.host, "port": target.port, "api_password": f"theirs {number}"}
        if self.known[key].acknowledged is None:
            return there["api_password"], "POST", "/api/event_forwarding", there
        return None, "DELETE", "/api/event_forwarding", there

    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        return forwarded.get(self._targets[key].port)


class Edits(Client):
    """Pages, groups and rules that somebody makes, names and removes at the door of pimatic."""

    headers = PEOPLE
    BODIES: Final = {"pages": "page", "groups": "group", "rules": "rule"}

    def request(self, key: str, number: int) -> tuple[Any, str, str, Any]:
        kind, body, name = key.partition("/")[0], self.BODIES[key.partition("/")[0]], f"Number {number}"
        if self.known[key].acknowledged is None:
            rule = {"ruleString": 'when light_0 is on then log "on"'} if kind == "rules" else {}
            return name, "POST", f"/api/{key}", {body: {"name": name, **rule}}
        if self._chance.random() < 0.2:
            return None, "DELETE", f"/api/{key}", {}
        return name, "PATCH", f"/api/{key}", {body: {"name": name}}

    def kept(self, key: str, states: dict[str, Any], forwarded: dict[int, str]) -> Any:
        kind, _, edited = key.partition("/")
        return {each["id"]: each["name"] for each in states[kind]}.get(edited)


@pytest.fixture
def targets() -> Iterator[dict[str, Target]]:
    started = {f"target {number}": Target() for number in range(3)}
    for target in started.values():
        target.come_back()
    yield started
    for target in started.values():
        target.die()


def test_nothing_acknowledged_is_lost(start_hub: StartHub, targets: dict[str, Target], tmp_path: Path) -> None:
    hub = start_hub(CONFIGURATION)
    clients: list[Client] = [
        Reports([f"sensor.reported_{number}" for number in range(40)], 1),
        Reports([f"weather.reported_{number}" for number in range(5)], 2),
        DeviceReports([f"sensor.temperature_{number}_temperature" for number in range(SENSORS)], 3),
        Services([f"light.light_{n}" for n in range(LIGHTS)] + [f"switch.switch_{n}" for n in range(SWITCHES)], 4),
        Variables([f"number-{number}" for number in range(VARIABLES)], 5),
        Registrations(targets, 6),
        Edits([f"{kind}/{name}" for kind in Edits.BODIES for name in ("one", "two")], 7),
    ]
    assert hub.ask("GET", "/api/pages", headers=PEOPLE).status == 200  # a first login takes its time
    for _key, known, value in look(hub, clients, {}):
        known.settle(value)
    chance = random.Random(7)
    restarts = []
    for kill in range(KILLS):
        asked = {"name": "asked", "value": kill + 1}
        assert hub.ask("POST", "/api/services/variable/set", asked).status == 200
        write_and_kill(hub, clients, chance.uniform(*WRITING))
        problems, forwarded = left_behind(hub.home, tmp_path / f"left{kill}")
        assert problems == "ok", f"after kill {kill}"
        restarts.append(timed_start(hub))
        found = look(hub, clients, forwarded)
        lost = {key: (known, value) for key, known, value in found if not known.allows(value)}
        assert lost == {}, f"after kill {kill}"
        for _key, known, value in found:
            known.settle(value)
        for target in targets.values():
            target.received.clear()
        if kill % 3 == 0:
            wait_until(partial(is_set, hub, "done", kill + 1), 60, "what was to be done after a second")
    registered = {key for key in targets if clients[5].known[key].acknowledged}
    hub.ask("POST", "/api/events/the_end")
    wait_until(lambda: {key for key in targets if targets[key].events("the_end")} == registered, 60, "the event there")
    writes = {f"{type(client).__name__} {len(client.known)}": client.writes for client in clients}
    sys.stdout.write(
        f"\n{KILLS} kills under {sum(writes.values())} acknowledged writes {writes}; start to first answer: "
        f"median {statistics.median(restarts) * 1000:.0f} ms, longest {max(restarts) * 1000:.0f} ms\n"
    )
    assert min(writes.values()) > KILLS


def is_set(hub: RunningHub, name: str, value: int) -> bool:
    return float(hub.ask("GET", f"/api/variables/{name}", headers=PEOPLE).json()["variable"]["value"]) == value


def write_and_kill(hub: RunningHub, clients: list[Client], seconds: float) -> None:
    failed: list[BaseException] = []

    def write(client: Client) -> None:
        try:
            client.write_until_it_breaks(hub.port)
        except AssertionError as error:
            failed.append(error)

    enough = [client.writes + 2 for client in clients]
    threads = [threading.Thread(target=write, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    wait_until(
        lambda: failed or all(client.writes >= least for client, least in zip(clients, enough, strict=True)),
        60,
        "writes of all clients",
    )
    hub.kill()
    for thread in threads:
        thread.join(60)
    assert failed == []


def timed_start(hub: RunningHub) -> float:
    began = time.monotonic()
    hub.start()
    return time.monotonic() - began


def look(hub: RunningHub, clients: list[Client], forwarded: dict[int, str]) -> list[tuple[str, Known, Any]]:
    """Each thing that was written, what its client knows, and what is there now."""
    states = {state["entity_id"]: state for state in hub.ask("GET", "/api/states").json()}
    states |= {kind: hub.ask("GET", f"/api/{kind}", headers=PEOPLE).json()[kind] for kind in Edits.BODIES}
    return [
        (key, known, client.kept(key, states, forwarded)) for client in clients for key, known in client.known.items()
    ]


def left_behind(home: Path, copy: Path) -> tuple[str, dict[int, str]]:
    """Of a copy of what the killed hub left: what SQLite finds wrong, and the registered targets by port."""
    copy.mkdir()
    for name in ("home.db", "home.db-wal"):
        if (home / name).exists():
            shutil.copyfile(home / name, copy / name)
    with contextlib.closing(sqlite3.connect(copy / "home.db")) as connection:
        problems = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        newest = "SELECT max(version), body FROM definition WHERE kind = 'forwarding' GROUP BY id"
        bodies = [json.loads(body) for _version, body in connection.execute(newest) if body is not None]
    shutil.rmtree(copy)
    return problems, {body["port"]: body["api_password"] for body in bodies}
