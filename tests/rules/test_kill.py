"""A real hub is killed while rules wait: what they waited for happens after the next start, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hubs import RunningHub

CONFIGURATION = """\
devices:
  - {id: lamp, class: DummySwitch}
  - {id: fan, class: DummySwitch}
  - {id: pump, class: DummySwitch}
variables:
  - {name: count, value: 0}
rules:
  - {id: lasting, rule: when lamp is on for 3 seconds then turn fan on}
  - {id: back, rule: when lamp is on then turn pump on for 3 seconds}
  - {id: later, rule: when lamp is on then set $count to $count + 1 after 3 seconds}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path / "home", CONFIGURATION)
    hub.start()
    yield hub
    hub.stop()


def shows(hub: RunningHub, entity_id: str) -> str:
    return str(hub.ask("GET", f"/api/states/{entity_id}").json()["state"])


def until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_what_rules_wait_for_happens_after_the_hub_was_killed(hub: RunningHub) -> None:
    assert hub.ask("POST", "/api/services/switch/turn_on", {"entity_id": "switch.lamp"}).status == 200
    assert (shows(hub, "switch.pump"), shows(hub, "switch.fan")) == ("on", "off")
    hub.kill()
    hub.start()
    assert until(lambda: shows(hub, "switch.fan") == "on", 10)
    assert until(lambda: shows(hub, "switch.pump") == "off", 10)
    assert until(lambda: shows(hub, "variable.count") == "1", 10)
    hub.kill()
    hub.start()
    time.sleep(1)
    assert (shows(hub, "variable.count"), shows(hub, "switch.pump"), shows(hub, "switch.fan")) == ("1", "off", "on")
