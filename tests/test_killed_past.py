"""A whole hub that is killed right after a change: once it runs again, the past ends with what holds."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hubs import RunningHub

ANN = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode(), "content-type": "application/json"}
HOME = """
history: {write_every: EVERY}
users:
  - {username: ann, password: secret, role: admin}
devices:
  - {id: lamp, class: DummySwitch, name: Lamp}
variables:
  - {name: mood, value: calm}
"""
SERIES = ("lamp.state", "switch.lamp", "$mood")


def tell(hub: RunningHub, method: str, path: str, data: Any = None) -> Any:
    answer = hub.ask(method, path, data, headers=ANN)
    assert answer.status == 200, answer.body
    return answer.json()


def newest(hub: RunningHub) -> list[Any]:
    told = [tell(hub, "GET", f"/api/history/samples?series={series}&newest=true&limit=1") for series in SERIES]
    return [each["samples"]["values"][0] for each in told]


def become(hub: RunningHub, action: str, mood: str) -> None:
    tell(hub, "GET", f"/api/device/lamp/{action}")
    tell(hub, "PATCH", "/api/variables/mood", {"type": "value", "valueOrExpression": mood})


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_after_a_kill_the_past_ends_with_what_holds_and_nothing_false_is_said_of_it(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path / "home", HOME.replace("EVERY", "1 s"))
    try:
        hub.start()
        become(hub, "turnOff", "sad")
        assert hub.stop() == 0
        hub.configure(HOME.replace("EVERY", "1 h"))  # so that nothing of what follows is in the past before the kill
        hub.start()
        until(lambda: tell(hub, "GET", "/api/history/status")["status"]["open"])
        become(hub, "turnOn", "gay")
        hub.kill()
        hub.configure(HOME.replace("EVERY", "1 s"))
        hub.start()
        until(lambda: newest(hub) == [True, "on", "gay"])
        for name in SERIES:
            told = tell(hub, "GET", f"/api/why?name={name}")["why"]
            assert [link["kind"] for link in told["chain"]] == ["unknown"]
            assert "not known" in told["sentence"]
    finally:
        hub.kill()
