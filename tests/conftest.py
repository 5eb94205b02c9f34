"""Fixtures for everybody: hubs in processes of their own, and a PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.hubs import DEMO_DEVICES, RunningHub
from tests.postgres_server import PostgresServer

# No example is too slow: that would be the machine, not the hub. Everything else is as Hypothesis has it here.
settings.register_profile("any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Hubs of this machine are asked without the proxy that leads out of it; registries are asked through it.
_HERE = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, _HERE))

# What whoever runs the tests has set for PostgreSQL and for a terminal is not meant for them.
for _name in list(os.environ):
    if _name.startswith("PG") or _name in {"COLUMNS", "LINES", "FORCE_COLOR"}:
        del os.environ[_name]

StartHub = Callable[[str], RunningHub]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take minutes come first: at the end, all but one of the processes would wait for them."""
    items.sort(key=lambda item: item.path.parent.name != "faults")


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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One for all tests that do not hurt it."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """One of its own for a test that kills it."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    """The URL of an empty database."""
    return postgres_server.new_database()
