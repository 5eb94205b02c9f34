"""One hub per directory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store import lock
from hallway.store.lock import Committed, HubLock, hold
from tests.faults.power import booted_anew

HOLD = """
import pathlib, sys
from hallway.store.lock import HubLock
lock = HubLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_hub_of_the_same_process_is_refused(tmp_path: Path) -> None:
    first = HubLock(tmp_path)
    with pytest.raises(Unavailable, match=rf"in use by another hub \(process {os.getpid()}\): stop that one"):
        HubLock(tmp_path)
    first.release()
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


def test_what_was_noted_is_there_until_somebody_runs_the_files_again(tmp_path: Path) -> None:
    first = HubLock(tmp_path)
    assert (first.was_running, first.same_boot, first.committed) == (False, False, None)
    first.running()
    first.note(Committed(7, 1763800000.123457))
    length = (tmp_path / "hub.lock").stat().st_size
    first.note(Committed(10**15))
    assert (tmp_path / "hub.lock").stat().st_size == length
    first.note(Committed(8, 1763800000.1234567))
    first.release()
    for _ in range(2):  # who looks and goes leaves it as it was
        looking = HubLock(tmp_path)
        assert (looking.was_running, looking.same_boot) == (True, True)
        assert looking.committed == Committed(8, 1763800000.1234567)
        looking.release()
    booted_anew(tmp_path / "hub.lock")
    after = HubLock(tmp_path)
    assert (after.was_running, after.same_boot) == (True, False)
    after.ended()
    after.release()
    last = HubLock(tmp_path)
    assert (last.was_running, last.same_boot, last.committed) == (False, True, None)
    last.release()


@pytest.mark.parametrize(("content", "running"), [("12\nrunning\n", True), ("12\n", False), ("\0" * 90, False)])
def test_a_lock_of_an_earlier_hub_tells_what_it_told(tmp_path: Path, content: str, *, running: bool) -> None:
    (tmp_path / "hub.lock").write_text(content)
    lock = HubLock(tmp_path)
    assert (lock.was_running, lock.same_boot, lock.committed) == (running, False, None)
    lock.release()
    lock = HubLock(tmp_path)
    assert lock.was_running == running
    lock.release()


def test_a_directory_that_was_made_for_a_hub_is_on_the_disk_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(lock, "sync_directory", synced.append)
    hold(tmp_path / "new" / "home").release()
    assert set(synced) == {tmp_path, tmp_path / "new"}


def test_a_directory_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"hub\.lock cannot be opened: No such file"):
        HubLock(tmp_path / "nowhere")


def test_the_lock_is_for_its_owner_only(tmp_path: Path) -> None:
    HubLock(tmp_path).release()
    assert stat.S_IMODE((tmp_path / "hub.lock").stat().st_mode) == 0o600
