"""One hub for the tests of a file, with devices of the common kinds and a group."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hubs import DEMO_DEVICES, RunningHub
from tests.peers.rest import Rest

_PLACE = "home: {name: Real, latitude: 52.0, longitude: 5.0, time_zone: Europe/Amsterdam}\n"
_GROUP = "groups:\n  - {id: mixed, name: Mixed, devices: [bed_light, ac]}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """A running hallway as a caller sees it; the tests of a file share it and each sets what it looks at."""
    hub = RunningHub(tmp_path_factory.mktemp("clients") / "home", _PLACE + DEMO_DEVICES + _GROUP)
    hub.start()
    yield Rest(hub.host, hub.port, hub.password)
    hub.kill()
