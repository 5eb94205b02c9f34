"""A hub that is told to start again ends in good order and comes back with all that it knew."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hubs import Answer, RunningHub
from tests.peers.waiting import wait_until

CONFIGURATION = """\
users: [{username: admin, password: admin, role: admin}]
devices:
  - {id: lamp, class: DummySwitch, name: Lamp}
"""
WHO = {"Authorization": f"Basic {b64encode(b'admin:admin').decode()}", "Content-Type": "application/json"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    running = RunningHub(tmp_path / "home", CONFIGURATION)
    running.start()
    yield running
    running.stop()


def ask(hub: RunningHub, method: str, path: str, data: Any = None) -> Answer:
    return hub.ask(method, path, data, headers=WHO)


def test_it_comes_back_as_the_same_process_with_what_was_edited(hub: RunningHub) -> None:
    added = ask(hub, "POST", "/api/variables/kept", {"type": "value", "valueOrExpression": "5", "unit": "W"})
    assert added.status == 200, added.body
    assert ask(hub, "GET", "/api/device/lamp/turnOn").status == 200
    pid, started = hub.pid, hub.log.count(" runs ")
    assert ask(hub, "POST", "/api/restart").json() == {"void": True, "success": True}
    wait_until(lambda: hub.log.count(" runs ") > started, 60, "it runs again")
    hub.wait_until_it_answers(45)
    assert hub.pid == pid
    assert ask(hub, "GET", "/api/variables/kept").json()["variable"]["value"] == 5
    assert ask(hub, "GET", "/api/variables/lamp.state").json()["variable"]["value"] is True


def test_it_does_not_go_where_it_could_not_come_back_from(hub: RunningHub) -> None:
    (hub.home / "configuration.yaml").write_text("devices: nonsense", "utf-8")
    refused = ask(hub, "POST", "/api/restart")
    assert refused.status == 400
    assert "configuration.yaml:1" in refused.json()["message"]
    assert ask(hub, "GET", "/api/devices/lamp").status == 200
