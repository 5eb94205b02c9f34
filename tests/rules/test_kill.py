"""A real hub is killed while rules wait: what they waited for happens after the next start, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubs import RunningHub
from tests.peers.waiting import wait_until

CONFIGURATION = """\
devices:
  - {id: lamp, class: DummySwitch}
  - {id: fan, class: DummySwitch}
  - {id: pump, class: DummySwitch}
variables:
  - {name: count, value: 0}
rules:
  - {id: lasting, rule: when lamp is on for SECONDS seconds then turn fan on}
  - {id: back, rule: when lamp is on then turn pump on for SECONDS seconds}
  - {id: later, rule: when lamp is on then set $count to $count + 1 after SECONDS seconds}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    """One that was killed while its rules waited: for a few seconds, or as long as a slow machine needs."""
    for seconds in (3, 15, 60):
        hub = RunningHub(tmp_path / f"home{seconds}", CONFIGURATION.replace("SECONDS", str(seconds)))
        try:
            hub.start()
            began = time.monotonic()
            assert hub.ask("POST", "/api/services/switch/turn_on", {"entity_id": "switch.lamp"}).status == 200
            seen = (shows(hub, "switch.pump"), shows(hub, "switch.fan"))
            hub.kill()
            if time.monotonic() - began < seconds:
                assert seen == ("on", "off")
                yield hub
                return
        finally:
            hub.kill()
    raise AssertionError("it could not be killed before what the rules waited for was over")


def shows(hub: RunningHub, entity_id: str) -> str:
    return str(hub.ask("GET", f"/api/states/{entity_id}").json()["state"])


def test_what_rules_wait_for_happens_after_the_hub_was_killed(hub: RunningHub) -> None:
    hub.start()
    wait_until(lambda: shows(hub, "switch.fan") == "on", 120, "the fan that comes on")
    wait_until(lambda: shows(hub, "switch.pump") == "off", 120, "the pump that goes off again")
    wait_until(lambda: shows(hub, "variable.count") == "1", 120, "what is counted")
    hub.kill()
    hub.start()
    time.sleep(1)
    assert (shows(hub, "variable.count"), shows(hub, "switch.pump"), shows(hub, "switch.fan")) == ("1", "off", "on")
