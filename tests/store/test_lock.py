"""One hub per directory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.lock import HubLock

HOLD = """
import pathlib, sys
from hallway.store.lock import HubLock
lock = HubLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_hub_of_the_same_process_is_refused(tmp_path: Path) -> None:
    lock = HubLock(tmp_path)
    with pytest.raises(Unavailable, match=rf"in use by another hub \(process {os.getpid()}\): stop that one"):
        HubLock(tmp_path)
    lock.release()
    HubLock(tmp_path).release()


def test_a_second_hub_of_another_process_is_refused_until_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Unavailable, match=rf"process {child.pid}"):
            HubLock(tmp_path)
        child.kill()
    HubLock(tmp_path).release()


def test_a_directory_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"hub\.lock cannot be opened: No such file"):
        HubLock(tmp_path / "nowhere")


def test_the_lock_is_for_its_owner_only(tmp_path: Path) -> None:
    HubLock(tmp_path).release()
    assert stat.S_IMODE((tmp_path / "hub.lock").stat().st_mode) == 0o600
