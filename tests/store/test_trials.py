"""Trial copies are gone after their block, and what a kill left behind is cleared, but never what is still tried."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.trials import PREFIX, clear, held, trial

KILLED = """\
import os, signal, sys
from pathlib import Path
from hallway.store.trials import trial
with trial(Path(sys.argv[1])) as home:
    (home / "home.db").write_bytes(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def trials_in(place: Path) -> list[Path]:
    return list(place.glob(f"{PREFIX}*"))


def test_it_is_for_us_alone_and_gone_in_the_end(tmp_path: Path) -> None:
    with trial(tmp_path) as home:
        assert list(home.iterdir()) == []
        (folder,) = trials_in(tmp_path)
        assert home.parent == folder
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(home.stat().st_mode) == 0o700
        (home / "home.db").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_behind_is_cleared_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False, timeout=180)
    (left,) = trials_in(tmp_path)
    with trial(tmp_path) as going_on:
        assert trials_in(tmp_path) == [going_on.parent]
        assert not left.exists()
        clear(tmp_path)
        with trial(tmp_path) as other:
            assert going_on.is_dir()
            assert other.is_dir()
    assert trials_in(tmp_path) == []


def test_other_files_and_links_are_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    place = tmp_path / "place"
    place.mkdir()
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}file").touch()
    clear(place)
    assert (elsewhere / "precious").exists()
    assert len(trials_in(place)) == 2


def test_the_first_place_with_room_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, roomy = tmp_path / "full", tmp_path / "roomy"
    full.mkdir()
    roomy.mkdir()
    monkeypatch.setattr("hallway.store.trials._free", lambda place: 10 if place == full else 1000)
    with trial(tmp_path / "nowhere", full, roomy, room=100) as home:
        assert home.parent.parent == roomy
    with trial(full, roomy, room=10) as home:
        assert home.parent.parent == full


def test_where_nothing_can_be_written_another_place_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tempfile.mkdtemp

    def refusing(prefix: str, dir: Path) -> str:  # noqa: A002 - as it is called
        if dir in refused:
            raise PermissionError(13, "Permission denied")
        return real(prefix=prefix, dir=dir)

    monkeypatch.setattr("hallway.store.trials.tempfile.mkdtemp", refusing)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(other))
    refused = {tmp_path}
    with trial(tmp_path) as home:
        assert home.parent.parent == other
    refused = {tmp_path, other}
    with pytest.raises(Unavailable, match="nothing can be tried: Permission denied"), trial(tmp_path):
        pass


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    assert held(tmp_path / "gone" / "lock") is None
    assert held(tmp_path / "lock") is not None
    assert held(tmp_path / "lock") is None
