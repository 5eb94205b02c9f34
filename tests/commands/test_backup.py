"""`hallway backup`, `verify` and `restore` from outside: readers that go away, Ctrl-C, kills, a hub that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from hallway.store.trials import PREFIX
from tests.commands.stopped import write_home
from tests.hubs import RunningHub
from tests.store.test_locks import INDEX, SHARED, is_held

COMMAND = [sys.executable, "-m", "hallway"]
DEVICES = "devices: [{id: lamp, class: DummySwitch, name: Lamp}]\n"
STOPPED = """\
import os, signal, sys
from hallway.cli import main
from hallway.store import restoring
from hallway.commands import backup

def stopping(*given, **named):
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    raise AssertionError("it went on")

signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests may have had it ignored
owner = backup if hasattr(backup, sys.argv[1]) else restoring
setattr(owner, sys.argv[1], stopping)
sys.exit(main(sys.argv[3:]))
"""
"""The command, which gets a signal as soon as it calls a function of that name."""
Files = dict[str, bytes]


def hallway(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=180, check=False)


def stopped(where: str, how: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STOPPED, where, how, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def unread(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, whose reader is gone before it says a word."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=180,
            check=False,
        )
    finally:
        os.close(writing)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a hub that has ended, with a configuration that is not that of the backup any more."""
    hub = RunningHub(tmp_path / "home", DEVICES)
    hub.start()
    hub.kill()
    assert hallway("backup", tmp_path / "b.tar", "--home", hub.home).returncode == 0
    (hub.home / "configuration.yaml").write_text("devices: []  # later\n")
    return hub.home


@pytest.fixture
def file(home: Path) -> Path:
    return home.parent / "b.tar"


def is_restored(home: Path) -> bool:
    return "later" not in (home / "configuration.yaml").read_text()


def left_in(home: Path) -> list[str]:
    return [path.name for path in home.iterdir() if path.name.startswith((PREFIX, "restore.next"))]


# ---------------------------------------------------------------------- readers that go away


def test_what_nobody_reads_is_done_all_the_same(home: Path, file: Path) -> None:
    ended = unread("restore", file, "--home", home)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert is_restored(home)
    ended = unread("backup", home.parent / "other.tar", "--home", home)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert tarfile.is_tarfile(home.parent / "other.tar")
    ended = unread("verify", file)
    assert (ended.returncode, ended.stderr) == (0, "")
    file.write_bytes(file.read_bytes()[:3000])
    assert unread("verify", file).returncode == 1
    ended = unread("export", "pimatic", "--home", home)
    assert "Traceback" not in ended.stderr
    assert "Broken" not in ended.stderr
    assert ended.returncode == 0


def test_nor_does_it_matter_that_nobody_hears_the_complaint(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "verify", str(home / "nothing.tar")]
    assert subprocess.run(command, stdout=writing, stderr=writing, timeout=180, check=False).returncode == 1
    os.close(writing)


def test_a_full_disk_for_the_words_does_not_stop_the_work(home: Path, file: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "restore", str(file), "--home", str(home)]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=180, check=False)
    assert (ended.returncode, ended.stderr) == (
        0, "hallway: what is done cannot be printed: No space left on device\n"
    )  # fmt: skip
    assert is_restored(home)


# ---------------------------------------------------------------------- what cannot be done


def test_a_backup_that_cannot_be_made_is_said_to_programs_and_ends_with_1(home: Path, file: Path) -> None:
    before = file.read_bytes()
    ended = hallway("backup", file, "--home", home, "--json")
    why = f"{file} exists already: choose another name"
    assert (ended.returncode, ended.stderr) == (1, f"hallway: {why}\n")
    assert json.loads(ended.stdout) == {"error": why}
    assert file.read_bytes() == before
    nowhere = home.parent / ("x" * 300)
    ended = hallway("backup", nowhere, "--home", home, "--json")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "name too long" in json.loads(ended.stdout)["error"]


LIMITED = """\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.executable, [sys.executable, "-m", "hallway", *sys.argv[2:]])
"""


@pytest.mark.parametrize("most", [512, 4096, 24576])
def test_a_backup_that_there_is_no_room_to_try_is_not_called_damaged(tmp_path: Path, most: int) -> None:
    file = tmp_path / "b.tar"
    assert hallway("backup", file, "--home", write_home(tmp_path / "home")).returncode == 0
    command = [sys.executable, "-c", LIMITED, str(most), "verify", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(
        rf"hallway: {file} cannot be tried: [^;\n]+; mend the disk, or set TMPDIR to a directory with room\n",
        ended.stderr,
    )


# ---------------------------------------------------------------------- Ctrl-C and kills


@pytest.mark.parametrize(
    ("where", "said", "restored"),
    [
        ("_keep", "the home in {home} is as it was", False),
        ("_make_ready", "the home in {home} is as it was", False),
        ("_verify", "the restored home is in place in {home}, though it was not read again", True),
    ],
)
def test_ctrl_c_says_which_home_is_there(home: Path, file: Path, where: str, said: str, restored: bool) -> None:
    ended = stopped(where, "SIGINT", "restore", file, "--home", home)
    assert (ended.returncode, ended.stderr) == (130, f"hallway: stopped: {said.format(home=home)}\n")
    assert is_restored(home) is restored
    assert left_in(home) == []


def test_ctrl_c_on_a_backup_leaves_none(home: Path, file: Path) -> None:
    other = home.parent / "other.tar"
    ended = stopped("make", "SIGINT", "backup", other, "--home", home)
    assert (ended.returncode, ended.stderr) == (130, "hallway: stopped: no backup was made\n")
    assert not other.exists()
    ended = stopped("verified", "SIGINT", "verify", file)
    assert (ended.returncode, ended.stderr) == (130, f"hallway: stopped: {file} was not looked at to its end\n")


def test_what_a_kill_leaves_behind_is_cleared_by_the_next_command_or_start(home: Path, file: Path) -> None:
    stopped("_keep", "SIGKILL", "restore", file, "--home", home)
    (home / "restore.next.new").mkdir()
    unfinished = home / "backups" / "hallway-20270115T080000Z.tar.new"
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.touch()
    assert len(left_in(home)) > 2
    hub = RunningHub(home, "devices: []  # later\n")
    hub.start()
    try:
        assert left_in(home) == []
        assert not unfinished.exists()
    finally:
        hub.kill()
    stopped("_keep", "SIGKILL", "restore", file, "--home", home)
    assert left_in(home)
    assert hallway("restore", file, "--home", home).returncode == 0
    assert left_in(home) == []


# ---------------------------------------------------------------------- beside a hub that runs


def test_a_dry_run_tells_beside_a_running_hub_and_leaves_its_files_alone(home: Path, file: Path) -> None:
    hub = RunningHub(home, "devices: []  # later\n")
    hub.start()
    try:
        before = (home / "home.db-wal").stat().st_ino, (home / "home.db-shm").stat().st_ino
        ended = hallway("restore", file, "--home", home, "--dry-run")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.splitlines()[-2:] == ["configuration.yaml: differs", "nothing was changed"]
        assert before == ((home / "home.db-wal").stat().st_ino, (home / "home.db-shm").stat().st_ino)
        assert is_held(home / "home.db", SHARED)
        assert is_held(home / "home.db-shm", INDEX)
        assert hub.ask("POST", "/api/states/sensor.a", {"state": "1"}).status == 201
        refused = hallway("restore", file, "--home", home)
        assert refused.returncode == 1
        assert "is in use by another hub" in refused.stderr
        assert left_in(home) == []
    finally:
        hub.kill()
