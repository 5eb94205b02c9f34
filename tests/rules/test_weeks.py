"""What happened before a restart or a kill can still be asked for: why, traces, and trying a rule on it."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hubs import RunningHub
from tests.kept import kept

CONFIGURATION = """\
users:
  - {username: ann, password: secret, role: admin}
devices:
  - {id: lamp, class: DummySwitch, name: Lamp}
  - {id: fan, class: DummySwitch, name: Fan}
variables:
  - {name: count, value: 0}
rules:
  - {id: windy, rule: when lamp is on then turn fan on for 1 hour}
  - {id: counting, rule: when fan is on then set $count to 5}
  - {id: never, rule: when lamp is on and $count > 100 then turn fan off}
history: {write_every: 1 s}
"""
ANN = {"Authorization": f"Basic {b64encode(b'ann:secret').decode()}"}


class Hub(RunningHub):
    """A hub that is asked by Ann."""

    def tell(self, path: str, data: Any = None) -> Any:
        answer = self.ask("GET" if data is None else "POST", path, body=data, headers=ANN | JSON)
        assert answer.status == 200, answer.body
        return answer.json()


JSON = {"content-type": "application/json"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path / "home", CONFIGURATION)
    hub.start()
    yield hub
    hub.stop()


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_after_a_kill_it_is_known_who_began_what_and_what_rules_did(hub: Hub) -> None:
    began = hub.process.create_time() * 1000
    hub.tell("/api/device/lamp/changeStateTo?state=true")
    before = hub.tell("/api/why?name=%24count")["why"]
    assert [link["kind"] for link in before["chain"]] == ["change", "rule", "change", "rule", "change", "person"]
    runs = {rule: hub.tell(f"/api/rules/{rule}/traces")["traces"] for rule in ("windy", "counting", "never")}
    assert [len(each) for each in runs.values()] == [1, 1, 1]
    until(lambda: kept(hub.home, "SELECT count(*) FROM trace") == 3)
    until(lambda: kept(hub.home, "SELECT max(last_seq) FROM change_block") >= before["chain"][0]["seq"])
    hub.kill()
    hub.start()
    after = hub.tell("/api/why?name=%24count")["why"]
    assert after == before | {"since": after["since"]}
    assert began - 10_000 < after["since"] < time.time() * 1000
    assert after["chain"][-1]["user"] == "ann"
    assert {rule: hub.tell(f"/api/rules/{rule}/traces")["traces"] for rule in runs} == runs
    (windy,) = runs["windy"]
    assert windy["actions"][0]["back"] is not None
    assert hub.tell(f"/api/rule-traces/{windy['id']}")["trace"] == windy
    trial = hub.tell("/api/try-rule", b'{"ruleString": "when lamp is on then turn fan off", "days": 1}')["trial"]
    assert [run["text"][0] for run in trial["runs"]] == ["ran: lamp is on (lamp.state is true)"]
    assert trial["since"] == after["since"]

    hub.tell("/api/device/lamp/changeStateTo?state=false")
    hub.tell("/api/device/lamp/changeStateTo?state=true")
    (newest, oldest) = hub.tell("/api/rules/windy/traces")["traces"]
    assert newest["id"] > max(each["id"] for traces in runs.values() for each in traces)
    assert oldest["actions"][0]["back"] is None
    hub.stop()
    hub.start()
    assert hub.tell("/api/rules/windy/traces")["traces"] == [newest, oldest]
    assert [link["kind"] for link in hub.tell("/api/why?name=lamp.state")["why"]["chain"]] == ["change", "person"]
