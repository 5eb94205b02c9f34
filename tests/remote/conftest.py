"""Hubs for the tests of the client: a fake one, and the real one."""

import threading
from collections.abc import Iterator

import pytest

from hallway.remote import API
from tests.remote.fake_hub import FakeHub, Hub, api_of, wait_until


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Every thread that a test or the client starts has ended when the test has."""
    before = set(threading.enumerate())
    yield
    wait_until(lambda: set(threading.enumerate()) <= before, "the threads end")


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    hub = FakeHub()
    yield hub
    hub.kill()


@pytest.fixture(params=["keeps connections", "closes connections", "real"])
def home(request: pytest.FixtureRequest) -> Iterator[Hub]:
    """Each kind of hub, one after the other."""
    if request.param == "real":
        yield request.getfixturevalue("hub")
        return
    hub = FakeHub("HTTP/1.1" if request.param == "keeps connections" else "HTTP/1.0")
    yield hub
    hub.kill()


@pytest.fixture
def api(home: Hub) -> API:
    return api_of(home)
