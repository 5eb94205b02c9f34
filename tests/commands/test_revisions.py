"""Revisions of a running hub: `hallway revisions`, the examples of the guide, headers, a kill after an undo."""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hallway.cli import main
from hallway.commands.client import PASSWORD, Hub
from hallway.errors import InvalidInput
from tests.hubs import Answer, RunningHub

PAGE = (Path(__file__).parent.parent.parent / "docs" / "revisions.md").read_text("utf-8")
HOME = """\
home: {time_zone: Asia/Kolkata}
users:
  - {username: ann, password: "her:own", role: admin}
  - {username: guest, password: seen, role: guest}
devices: [{id: filed, class: DummySwitch, name: Filed}]
"""
LAMP = {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+05:30")
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    found = RunningHub(tmp_path_factory.mktemp("revised") / "home", HOME)
    found.start()
    yield found
    found.kill()


def put(hub: RunningHub, method: str, path: str, *, user: str = "ann:her:own", match: str = "", **data: Any) -> Answer:
    """An answer of the door for people."""
    headers = {"Authorization": f"Basic {b64encode(user.encode()).decode()}"}
    if match:
        headers["If-Match"] = match
    if not data:
        return hub.ask(method, path, headers=headers)
    headers["content-type"] = "application/json"
    return hub.ask(method, path, body=json.dumps(data).encode(), headers=headers)


@pytest.fixture
def ask(hub: RunningHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks the hub as ann: exit code, what is printed with dates as `DATE`, and what is complained of."""
    monkeypatch.setenv(PASSWORD, "her:own")

    def asked(*arguments: str) -> tuple[int, str, str]:
        ended = main(["revisions", *arguments, "--url", hub.base_url, "--user", "ann"])
        printed = capsys.readouterr()
        return ended, DATE.sub("DATE", printed.out), printed.err

    return asked


@pytest.fixture
def lamp(hub: RunningHub) -> Iterator[int]:
    """A lamp that was called otherwise first: the number of its second revision."""
    assert put(hub, "POST", "/api/device-config", deviceConfig=LAMP).status == 200
    changed = put(hub, "PATCH", "/api/device-config", deviceConfig={**LAMP, "name": "Light"})
    yield int(changed.headers["x-hallway-revision"])
    put(hub, "DELETE", "/api/device-config/lamp")


def named(hub: RunningHub) -> str:
    return str(put(hub, "GET", "/api/devices/lamp").json()["device"]["name"])


def test_the_guide_shows_what_can_be_wanted(hub: RunningHub, ask: Ask, lamp: int) -> None:
    lines = re.findall(r"^\$ hallway revisions (.*)$", PAGE, re.MULTILINE)
    assert len(lines) == 7
    for line in lines:
        ended, printed, error = ask(*(str(lamp) if word == "12" else word for word in shlex.split(line)))
        assert (ended, error) == (0, ""), line
        assert printed
    assert named(hub) == "Lamp"


def test_edits_are_listed_shown_and_undone(hub: RunningHub, ask: Ask, lamp: int) -> None:
    text = 'device lamp: name was "Lamp", is "Light"'
    assert text in PAGE
    ended, printed, _ = ask("list", "device", "lamp", "--limit", "1")
    assert (ended, printed) == (0, f"{lamp}  DATE  ann (pimatic)  {text}\n")
    assert ask("show", str(lamp))[1] == (
        f"revision {lamp}: {text}\n  DATE, by ann (pimatic); version 2 of device lamp\n"
        '  name\n    was  "Lamp"\n    is   "Light"\n'
    ).replace("version 2", re.search(r"version \d+", ask("show", str(lamp))[1])[0])  # type: ignore[index]
    dry = ask("undo", str(lamp), "--dry-run")[1]
    assert dry == 'device lamp: name was "Light", is "Lamp"\nnothing was changed: this was a dry run\n'
    assert named(hub) == "Light"
    done = ask("undo", str(lamp))[1]
    assert re.fullmatch(r"device lamp: .*\ndone; hallway revisions undo \d+ takes it back\n", done)
    assert named(hub) == "Lamp"
    ended, _, error = ask("undo", str(lamp))
    assert (ended, error) == (2, error)
    assert "device lamp was changed since revision" in error
    assert ask("undo", "999999")[2].startswith("hallway: there is no revision 999999")


def test_a_kill_right_after_an_undo_keeps_it(hub: RunningHub, lamp: int) -> None:
    assert put(hub, "POST", f"/api/revisions/{lamp}/undo").status == 200
    hub.kill()
    hub.start()
    assert named(hub) == "Lamp"
    newest = put(hub, "GET", "/api/revisions?kind=device&id=lamp&limit=1").json()["revisions"][0]
    assert (newest["author"], newest["door"]) == ("ann", "pimatic")


def test_the_revision_of_a_thing_is_told_and_may_be_asked_for(hub: RunningHub, lamp: int) -> None:
    seen = put(hub, "GET", "/api/devices/lamp")
    assert int(seen.headers["x-hallway-revision"]) == lamp
    assert put(hub, "GET", "/api/devices/filed").headers["x-hallway-revision"] == "0"
    assert "x-hallway-revision" not in put(hub, "GET", "/api/devices/nowhere").headers
    put(hub, "POST", "/api/pages/hidden", page={"name": "H", "allowedRoles": ["guest"]})
    hidden = put(hub, "GET", "/api/pages/hidden")
    assert (hidden.status, "x-hallway-revision" in hidden.headers) == (404, False)
    put(hub, "DELETE", "/api/pages/hidden")
    config = {**LAMP, "name": "Hall"}
    changed = put(hub, "PATCH", "/api/device-config", match=f'"{lamp}"', deviceConfig=config)
    assert changed.status == 200
    now = int(changed.headers["x-hallway-revision"])
    for given in ({"match": f'"{lamp}"'}, {"revision": lamp}):
        refused = put(hub, "PATCH", "/api/device-config", deviceConfig={**LAMP, "name": "Mine"}, **given)
        assert refused.status == 409
        body = refused.json()
        assert set(body) == {"success", "message", "conflict"}
        assert body["success"] is False
        assert f"yours is based on revision {lamp}, it is at {now} now, edited by ann" in body["message"]
        conflict = body["conflict"]
        assert set(conflict) == set(
            json.loads(PAGE[PAGE.index('{\n  "success"') : PAGE.index("```\n\nwith status")])["conflict"]
        )
        assert (conflict["yours"], conflict["now"]) == (lamp, now)
        assert conflict["fields"] == [{"field": "name", "was": "Light", "is": "Hall"}]
    assert named(hub) == "Hall"
    assert put(hub, "DELETE", f"/api/device-config/lamp?revision={lamp}").status == 409
    assert put(hub, "PATCH", "/api/device-config", match='W/"1-abc"', deviceConfig=config).status == 400
    assert put(hub, "PATCH", "/api/device-config", match="*", deviceConfig=config).status == 200


def test_the_shapes_are_those_of_the_guide(hub: RunningHub, lamp: int) -> None:
    line = put(hub, "GET", "/api/revisions?kind=device&id=lamp&limit=1").json()
    shown = json.loads(PAGE[PAGE.index('{\n  "revision"') : PAGE.index("```\n\n`fields` tell")])
    assert set(line) == {"success", "revisions"}
    assert {name: type(value) for name, value in line["revisions"][0].items()} == {
        name: type(value) for name, value in shown.items()
    }
    whole = put(hub, "GET", f"/api/revisions/{lamp}").json()
    assert set(whole) == {"success", "revision"}
    assert set(whole["revision"]) == {*shown, "current", "was", "is", "fields"}
    difference = put(hub, "GET", f"/api/revisions/{lamp}/diff").json()
    assert set(difference) == {"success", "difference"}
    assert set(difference["difference"]) == {"text", "forgotten", "fields"}
    for name, path, data in (
        ("undone", f"/api/revisions/{lamp}/undo", {"dryRun": True}),
        ("restored", "/api/revisions/restore", {"revision": lamp, "dryRun": True}),
    ):
        told = put(hub, "POST", path, **data).json()
        assert set(told) == {"success", name}
        assert set(told[name]) == {"dryRun", "act", "changes", "orders", "left"}
        for change in told[name]["changes"]:
            assert set(change) == {"kind", "id", "change", "text", "fields"}
    refused = put(hub, "POST", f"/api/revisions/{lamp}/undo", user="guest:seen", dryRun=True)
    assert (refused.status, set(refused.json())) == (403, {"success", "message"})
    assert put(hub, "GET", "/api/revisions/none").status == 400


def test_what_is_no_number_is_complained_of_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["revisions", "show", "lamp"])
    assert ended.value.code == 2
    assert "'lamp' is no number; `hallway revisions list` tells them" in capsys.readouterr().err


def test_what_the_hub_calls_a_parameter_is_an_option_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_given: object, **_named: object) -> object:
        raise InvalidInput("lamp was changed since: undo what came later first, or give force to overwrite it")

    monkeypatch.setattr(Hub, "ask", refuses)
    assert main(["revisions", "undo", "5"]) == 2
    assert capsys.readouterr().err.endswith("first, or give --force to overwrite it\n")
