"""To whom a command speaks: a reader who goes away, a full disk, a closed stream, a terminal that knows few letters."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.stopped import COMMAND, Ended, files_in, hallway, write_home
from tests.hubs import DEMO_DEVICES, RunningHub

ANN = "ann:a long password"
HUB = DEMO_DEVICES + f"users: [{{username: ann, password: {ANN.partition(':')[2]}, role: admin}}]\n"
CLOSED = "hallway: it cannot be printed: the standard output is closed\n"
FULL = "hallway: it cannot be printed: No space left on device\n"
WORK_UNTOLD = "hallway: what is done cannot be printed: No space left on device\n"
QUESTIONS = (
    ("rule", "list"),
    ("rule", "try", "when ac is turned on then turn decorative_lights off"),
    ("revisions", "list"),
    ("history", "export"),
)


def shell(line: str, *arguments: str | Path, **environment: str) -> Ended:
    """A line for a shell, in which HALLWAY stands for the command with these arguments."""
    command = shlex.join([*COMMAND, *map(str, arguments)])
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("HALLWAY", command)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def unread(*arguments: str | Path) -> Ended:
    """The command, whose reader is gone before it says a word."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, *map(str, arguments)]
    try:
        return subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    finally:
        os.close(writing)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path_factory.mktemp("telling") / "home", HUB)
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_home(tmp_path / "home")


@pytest.fixture
def moving_in(tmp_path: Path) -> tuple[str | Path, ...]:
    """The command that brings a door and a window into another home."""
    devices = [{"id": each, "name": each, "class": "DummyContactSensor"} for each in ("door", "window")]
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"devices": devices, "users": [], "roles": []}), "utf-8")
    return "import", "pimatic", config, "--home", tmp_path / "new"


# ---------------------------------------------------------------------- what was asked for is what is printed


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_ends_where_nobody_reads_it(hub: RunningHub, question: tuple[str, ...]) -> None:
    whom = ("--url", hub.base_url, "--user", ANN)
    ended = unread(*question, *whom)
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = shell("HALLWAY > /dev/full", *question, *whom)
    assert (ended.returncode, ended.stderr) == (1, FULL)
    ended = shell("HALLWAY >&-", *question, *whom)
    assert (ended.returncode, ended.stderr) == (1, CLOSED)


def test_the_first_lines_of_many_are_enough(hub: RunningHub) -> None:
    ended = shell("HALLWAY | head -1", "history", "export", "--url", hub.base_url, "--user", ANN)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "series" in ended.stdout
    assert ended.stdout.count("\n") == 1


def test_a_configuration_that_is_not_all_there_is_none(home: Path) -> None:
    export = ("export", "pimatic", "--home", home)
    ended = shell("HALLWAY > /dev/full", *export)
    assert (ended.returncode, ended.stderr) == (1, FULL)
    ended = shell("HALLWAY >&-", *export)
    assert (ended.returncode, ended.stderr) == (1, CLOSED)
    ended = unread(*export)
    assert ended.returncode == 0


# ---------------------------------------------------------------------- words about work


@pytest.mark.parametrize(("where", "said"), [("> /dev/full", WORK_UNTOLD), (">&-", "")])
def test_work_is_done_whether_it_can_be_told_or_not(
    home: Path, tmp_path: Path, moving_in: tuple[str | Path, ...], where: str, said: str
) -> None:
    ended = shell(f"HALLWAY {where}", "backup", tmp_path / "b.tar", "--home", home)
    assert (ended.returncode, ended.stderr) == (0, said)
    assert hallway("verify", tmp_path / "b.tar").returncode == 0
    ended = shell(f"HALLWAY {where}", *moving_in)
    assert (ended.returncode, ended.stderr) == (0, said)
    assert "has all of it already" in hallway(*moving_in).stdout
    ended = shell(f"HALLWAY {where}", "check", "--home", home)
    assert (ended.returncode, ended.stderr) == (0, said)


def test_an_import_and_a_move_are_done_though_nobody_listens(
    home: Path, moving_in: tuple[str | Path, ...], database: str
) -> None:
    ended = unread(*moving_in)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "has all of it already" in hallway(*moving_in).stdout
    ended = unread("store", "move", "--home", home, "--to", database)
    assert (ended.returncode, ended.stderr) == (0, "")
    told = hallway("store", "status", "--home", home, "--url", database)
    assert told.returncode == 0
    ended = shell("HALLWAY > /dev/full", "store", "status", "--home", home, "--url", database)
    assert (ended.returncode, ended.stderr) == (1, FULL)


# ---------------------------------------------------------------------- streams


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_may_be_cut_off(asked: str) -> None:
    ended = unread(asked)
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = shell("HALLWAY > /dev/full", asked)
    assert (ended.returncode, ended.stderr) == (0, WORK_UNTOLD)


def test_a_complaint_never_comes_among_what_was_asked_for_nor_into_a_file(home: Path, tmp_path: Path) -> None:
    ended = shell("HALLWAY 2>&-", "verify", tmp_path / "none.tar")
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")
    before = files_in(tmp_path)
    ended = shell("HALLWAY <&- >&- 2>&-", "export", "pimatic", "--home", home)
    assert ended.returncode == 1
    assert files_in(tmp_path) == before


def test_what_a_terminal_cannot_show_is_shown_otherwise(tmp_path: Path) -> None:
    home = write_home(tmp_path / "häuschen")
    ended = shell("HALLWAY", "check", "--home", home, PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert r"h\xe4uschen/configuration.yaml: 0 devices" in ended.stdout


def test_a_device_stays_a_device(home: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for command in (("export", "pimatic", "--home", home), ("history", "export")):
        ended = hallway(*command, "--output", pipe)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == f"hallway: {pipe} cannot be written: what is there is no file\n"
        assert pipe.is_fifo()
