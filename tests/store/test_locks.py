"""The locks of SQLite stay held while a hub has home.db open: without them another program cuts its index off."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store.database import begin_of, open_database, version_of
from hallway.store.migrations import newest
from tests.store.conftest import OpenStore

TRY = """\
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, int(sys.argv[3]), int(sys.argv[2]))
    except OSError:
        print("held")
"""
SHARED = 0x40000000 + 2, 510
"""Bytes of a database that everybody holds who has it open in this mode: the last one who closes it clears up."""
INDEX = 128, 1
"""The byte of the index that everybody holds: who finds it free makes the index anew."""


def is_held(path: Path, place: tuple[int, int]) -> bool:
    """Whether another program finds these bytes locked."""
    command = [sys.executable, "-c", TRY, str(path), *map(str, place)]
    return subprocess.run(command, check=True, capture_output=True, timeout=180).stdout == b"held\n"


async def test_they_are_held_from_the_start(open_store: OpenStore, clock: VirtualClock, directory: Path) -> None:
    for _start in range(2):  # of a new home, and of one that was closed
        store = open_store()
        await store.define("user", "ann", {}, None, "test")
        assert is_held(directory / "home.db", SHARED)
        assert is_held(directory / "home.db-shm", INDEX)
        await store.close()
    assert not (directory / "home.db-shm").exists()


def test_a_look_at_a_file_that_is_open_lets_go_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with closing(open_database(path)) as connection:
        connection.execute("SELECT * FROM progress").fetchall()
        assert version_of(path, 99) == newest()
        assert is_held(path, SHARED)
        with closing(open_database(path)):
            assert is_held(path, SHARED)
        assert is_held(path, SHARED)
    assert begin_of(path, 6) == b"SQLite"
    with pytest.raises(FileNotFoundError):
        begin_of(tmp_path / "none", 6)
