"""One hub for all tests of a file that leave it as it is; tests that end, fill or kill a hub start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hubs import DEMO_DEVICES, RunningHub

VARIABLES = """\
variables:
  - {name: answer, value: 42}
  - {name: double, expression: $answer * 2}
  - {name: far, expression: $double + 1}
groups:
  - {id: lights, name: Lights, devices: [bed_light, ceiling_lights, kitchen_lights]}
  - {id: mixed, name: Mixed, devices: [bed_light, ac]}
"""


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """The hub of `hub` with variables and groups, shared by the tests of a file."""
    hub = RunningHub(tmp_path_factory.mktemp("door") / "home", DEMO_DEVICES + VARIABLES)
    hub.start()
    yield hub
    hub.kill()
