"""`hallway history export` of a running hub: what it prints and writes, how it ends; and its page tells the truth."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallway.cli import main
from tests.commands.stopped import stopped
from tests.hubs import DEMO_DEVICES, RunningHub
from tests.peers.ports import free_port

PAGE = (Path(__file__).parent.parent.parent / "docs" / "export.md").read_text("utf-8")
USERS = """\
users: [{username: admin, password: a long password, role: admin}, {username: kid, password: another one, role: kid}]
"""
VARIABLES = "variables: [{name: counter, value: 1}]\n"
ADMIN = "admin:a long password"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path_factory.mktemp("export") / "home", DEMO_DEVICES + VARIABLES + USERS)
    hub.start()
    for state in ("on", "off", '=cmd|" /C calc"!A1'):
        hub.ask("POST", "/api/states/light.hall", {"state": state, "attributes": {"brightness": 5}})
        time.sleep(0.01)
    yield hub
    hub.kill()


def run(hub: RunningHub, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hallway", "history", "export", "--url", hub.base_url, "--user", ADMIN, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def test_what_was_is_printed_as_csv_that_no_spreadsheet_runs(hub: RunningHub) -> None:
    ended = run(hub, "light.hall")
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert [(row["series"], row["value"]) for row in rows] == [
        ("light.hall", "on"),
        ("light.hall", "off"),
        ("light.hall", '\'=cmd|" /C calc"!A1'),
    ]
    assert json.loads(rows[0]["attributes"]) == {"brightness": 5}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rows[0]["time"])


def test_a_file_is_written_as_json_lines_when_it_is_called_so(hub: RunningHub, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    ended = run(hub, "--output", str(path))
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert ended.stdout == f"{len(lines)} lines are in {path}\n"
    assert {line["kind"] for line in lines} >= {"entity", "attribute"}
    assert oct(path.stat().st_mode)[-3:] == "600"


def test_messages_come_alone(hub: RunningHub) -> None:
    assert "hallway: started" in run(hub, "messages").stdout
    ended = run(hub, "messages", "light.hall")
    assert (ended.returncode, ended.stderr) == (
        2,
        "hallway: messages have columns of their own: export them alone\n",
    )


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (("nothing.here",), 2, "nothing is kept of nothing.here"),
        (("--after", "yesterday"), 2, "after must be a time"),
        (("--user", "admin:wrong"), 1, "its name or password is wrong"),
        (("--url", f"http://127.0.0.1:{free_port()}"), 1, "no hub answers"),
        (("--output", "/nowhere/at/all.csv"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_file(
    hub: RunningHub, options: tuple[str, ...], code: int, why: str
) -> None:
    ended = run(hub, *options)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert why in ended.stderr


def test_the_commands_of_the_page_can_be_given(
    hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALLWAY_PASSWORD", "a long password")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^hallway (history export .*)$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(
            command.partition("|")[0].replace("lamp.state", "ac.state").replace("$counter", "light.hall")
        )
        assert main([*words, "--url", hub.base_url]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["messages.csv", "november.csv"]


def test_a_file_that_is_complete_is_not_denied_when_it_is_stopped(hub: RunningHub, tmp_path: Path) -> None:
    output = tmp_path / "all.csv"
    asked = ("history", "export", "--url", hub.base_url, "--user", ADMIN, "--output", output)
    ended = stopped("hallway.durable:sync_directory", "SIGTERM", *asked, once_there=output)
    assert (ended.returncode, ended.stderr) == (143, f"hallway: stopped: {output} is new and complete\n")
    assert output.read_bytes()
