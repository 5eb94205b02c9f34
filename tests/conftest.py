"""Fixtures for everybody: hubs in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hubs import DEMO_DEVICES, RunningHub

StartHub = Callable[[str], RunningHub]


@pytest.fixture
def start_hub(tmp_path: Path) -> Iterator[StartHub]:
    """Starts a hub with that configuration.yaml in a new home."""
    started: list[RunningHub] = []

    def start(configuration: str) -> RunningHub:
        hub = RunningHub(tmp_path / f"home{len(started)}", configuration)
        started.append(hub)
        hub.start()
        return hub

    yield start
    for hub in started:
        hub.kill()


@pytest.fixture
def hub(start_hub: StartHub) -> RunningHub:
    """A hub with three lights, two switches and a temperature sensor."""
    return start_hub(DEMO_DEVICES)
