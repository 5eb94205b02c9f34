"""The examples that pimatic's guide to its API prints: curl, and a socket."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lines import Lines
from tests.hubs import RunningHub
from tests.peers.environments import NodeClient, modules_of, program
from tests.peers.waiting import wait_until

# the first test of a fresh machine fetches the client
pytestmark = pytest.mark.timeout(600)

PROGRAM = Path(__file__).with_name("programs") / "guide.js"
USER, ADDRESS = "user:password", "http://your-pimatic"
HOUSE = """\
users: [{username: user, password: password, role: admin}]
devices: [{id: lamp, class: DummySwitch, name: Lamp}]
variables: [{name: the-answer, value: 42}]
pages: [{id: start, name: Start, devices: [{deviceId: lamp}]}]
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path_factory.mktemp("guide") / "home", HOUSE)
    hub.start()
    yield hub
    hub.kill()


def curl(hub: RunningHub, *arguments: str) -> Any:
    """The answer to a command line of the guide, at this hub."""
    command = [str(program("curl")), "--disable", "--silent", "--show-error", "--fail-with-body"]
    here = [argument.replace(ADDRESS, hub.base_url) for argument in arguments]
    done = subprocess.run([*command, *here], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_a_variable_is_read(hub: RunningHub) -> None:
    answer = curl(hub, "-X", "GET", "--user", USER, f"{ADDRESS}/api/variables/the-answer")
    assert list(answer) == ["variable", "success"]
    assert answer["success"] is True
    printed = {"name": "the-answer", "readonly": False, "type": "value", "value": 42}
    assert printed.items() <= answer["variable"].items()
    assert set(answer["variable"]) - set(printed) == {"unit"}, "a guide of later days has the unit, too"


def test_a_variable_is_updated(hub: RunningHub) -> None:
    answer = curl(
        hub,
        "-X",
        "PATCH",
        "--header",
        "Content-Type:application/json",
        "--data",
        '{"type": "value", "valueOrExpression": 1337}',
        "--user",
        USER,
        f"{ADDRESS}/api/variables/the-answer",
    )
    assert answer["success"] is True
    assert answer["variable"]["value"] == 1337
    assert curl(hub, "--user", USER, f"{ADDRESS}/api/variables/the-answer")["variable"]["value"] == 1337


def test_a_variable_is_created(hub: RunningHub) -> None:
    header, data = "Content-Type:application/json", '{"type": "expression", "valueOrExpression": "$the-answer + 1"}'
    address = f"{ADDRESS}/api/variables/one-more"
    answer = curl(hub, "-X", "POST", "--header", header, "--data", data, "--user", USER, address)
    assert answer["variable"]["type"] == "expression"
    base = curl(hub, "--user", USER, f"{ADDRESS}/api/variables/the-answer")["variable"]["value"]
    assert curl(hub, "--user", USER, address)["variable"]["value"] == base + 1


def test_the_api_docs_stand_where_the_guide_points_to(hub: RunningHub) -> None:
    page = hub.ask("GET", "/api/actions")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert b"updateVariable" in page.body


@pytest.mark.parametrize("version", ["1.7.4", "2.5.0", "4.8.4"])
def test_the_socket_hears_everything_and_calls(hub: RunningHub, version: str, tmp_path: Path) -> None:
    modules = modules_of(NodeClient("socket.io-client", version))
    url = f"{hub.base_url}?username=user&password=password"
    if version.startswith("4"):
        url = f"{hub.base_url}/?username=user&password=password"
    with Lines([program("node"), PROGRAM, modules, url], tmp_path / "log") as lines:
        (result,) = wait_until(lambda: lines.heard("callResult"), 60, "the result of the call")
        assert result["success"] is True
        assert result["result"]["variable"]["value"] == 1337
        first = {name: lines.heard(name)[0] for name in ("devices", "rules", "variables", "pages", "groups")}
        assert [device["id"] for device in first["devices"]] == ["lamp"]
        assert "the-answer" in {variable["name"] for variable in first["variables"]}
        assert curl(hub, "--user", USER, f"{ADDRESS}/api/device/lamp/toggle")["success"] is True
        (event,) = wait_until(lambda: lines.heard("deviceAttributeChanged"), 60, "the event")
        assert (event["deviceId"], event["attributeName"]) == ("lamp", "state")
