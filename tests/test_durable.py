"""Whole files: there as they should be, or as they were."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hallway import durable


def test_what_is_written_is_there_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    durable.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail_halfway() -> None:
        with durable.coming(path) as new:
            durable.fill(new, b"half of it")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.with_name("file.new").write_bytes(b"half of something much longer than this")
    durable.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_copy_is_the_same_however_long(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(2 * durable.PIECE + 17))
    durable.copy(source, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


def test_it_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def syncing(descriptor: int) -> None:
        done.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replacing(source: Path, target: Path) -> Path:
        done.append("name")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", replacing)
    durable.write(tmp_path / "file", b"x")
    assert done == ["file", "name", "directory"]


def test_a_directory_is_moved_with_all_that_is_in_it_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    for name in ("a", "b"):
        (new / name).write_text(name)
    synced: list[int] = []
    fsync = os.fsync

    def syncing(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", syncing)
    inodes = {path.stat().st_ino for path in (new, new / "a", new / "b", tmp_path)}
    durable.move(new, tmp_path / "there")
    assert set(synced) == inodes
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["a", "b"]
