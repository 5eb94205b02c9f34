"""A whole hub: a large home as it was after a kill, and how little a small one takes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from hallway.demo import write_home
from tests.api.wire import settled_memory
from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, RunningHub

MB = 1_000_000


def large(count: int) -> str:
    classes = ("DummySwitch", "DummyDimmer", "DummyTemperatureSensor", "DummyContactSensor", "DummyHeatingThermostat")
    devices = [f"  - {{id: device_{n}, class: {classes[n % len(classes)]}, name: Device {n}}}" for n in range(count)]
    return "\n".join(["devices:", *devices, ""])


def test_a_home_of_a_thousand_devices_is_the_same_after_a_kill(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path / "home", large(1000))
    try:
        seconds = [timed_start(hub)]
        entities = [state["entity_id"] for state in hub.ask("GET", "/api/states").json()]
        assert len(entities) > 1000
        for number in range(0, 1000, 5):
            hub.ask("POST", "/api/services/switch/turn_on", {"entity_id": f"switch.device_{number}"})
        before = hub.ask("GET", "/api/states").json()
        hub.kill()
        seconds.append(timed_start(hub))
        assert hub.ask("GET", "/api/states").json() == before
        memory = settled_memory(hub) / MB
    finally:
        hub.kill()
    note(f"1000 devices: first start {seconds[0]:.2f} s, after a kill {seconds[1]:.2f} s, {memory:.0f} MB")


def timed_start(hub: RunningHub) -> float:
    began = time.monotonic()
    hub.start()
    return time.monotonic() - began


def test_the_demo_home_takes_less_than_60_mb(tmp_path: Path) -> None:
    write_home(tmp_path / "written", 8123)
    hub = RunningHub(tmp_path / "home", (tmp_path / "written" / "configuration.yaml").read_text("utf-8"))
    try:
        hub.start()
        memory = settled_memory(hub) / MB
    finally:
        hub.kill()
    note(f"the demo home: {memory:.1f} MB")
    assert memory < 60


def test_a_hub_that_is_left_alone_does_nearly_nothing(start_hub: StartHub) -> None:
    hub = start_hub(DEMO_DEVICES)
    settled_memory(hub)
    before = hub.process.cpu_times()
    time.sleep(3)
    after = hub.process.cpu_times()
    used = after.user + after.system - before.user - before.system
    note(f"idle: {used / 3:.2%} of one core")
    assert used < 0.1


def note(numbers: str) -> None:
    sys.stdout.write(f"\n{numbers}\n")
