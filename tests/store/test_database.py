"""home.db as a file: new, whole, newer than this hub, damaged, unreachable."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.database import Damaged, connect, keep_aside, open_database
from hallway.store.error_texts import one_line
from hallway.store.migrations import newest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home.db"


def fill(path: Path) -> None:
    connection = open_database(path)
    connection.executemany("INSERT INTO variable VALUES (?, ?)", [(str(n), '"' + "x" * 500 + '"') for n in range(300)])
    connection.close()


def test_a_new_database_is_for_its_owner_only_in_wal_mode_and_of_small_pages(path: Path) -> None:
    connection = open_database(path)
    pragmas = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "page_size")}
    connection.execute("INSERT INTO variable VALUES ('a', '1')")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    connection.close()
    assert pragmas == {"journal_mode": "wal", "page_size": 1024}
    assert modes == {"home.db": 0o600, "home.db-wal": 0o600, "home.db-shm": 0o600}


def test_what_was_written_is_there_again(path: Path) -> None:
    fill(path)
    connection = open_database(path)
    assert connection.execute("SELECT count(*) FROM variable").fetchone() == (300,)
    connection.close()


def test_a_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {newest() + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(
        Unavailable, match=rf"newer hallway \(schema {newest() + 1}, this one knows {newest()} at most\)"
    ):
        open_database(path)
    assert path.read_bytes() == before


def test_a_newer_schema_that_a_killed_hub_left_in_the_wal_is_refused_and_left_as_it_is(
    path: Path, tmp_path: Path
) -> None:
    fill(path)
    connection = connect(path)
    connection.execute("PRAGMA user_version = 99")
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in ("home.db", "home.db-wal"):
        (killed / name).write_bytes((tmp_path / name).read_bytes())
    connection.close()
    before = [(killed / name).read_bytes() for name in ("home.db", "home.db-wal")]
    with pytest.raises(Unavailable, match="schema 99"):
        open_database(killed / "home.db")
    assert [(killed / name).read_bytes() for name in ("home.db", "home.db-wal")] == before


def cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def overwrite_pages(data: bytes) -> bytes:
    return data[:1024] + b"\xa5" * (len(data) - 1024)


def no_database(_data: bytes) -> bytes:
    return b"this is a letter to the editor. " * 40


@pytest.mark.parametrize("damage", [cut_in_half, overwrite_pages, no_database])
def test_a_damaged_database_is_told_from_a_disk_that_refuses(path: Path, damage: Callable[[bytes], bytes]) -> None:
    fill(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Damaged):
        open_database(path)


def test_keeping_aside_takes_what_belongs_to_it_along_and_overwrites_nothing(path: Path) -> None:
    for ending in ("", "-wal"):
        path.with_name(f"home.db{ending}").write_text(f"first{ending}")
    first = keep_aside(path, 1_800_000_000.5)
    assert path.read_text() == "first"
    for each in (path, path.with_name("home.db-wal")):
        each.unlink()
    path.write_text("second")
    second = keep_aside(path, 1_800_000_000.5)
    path.unlink()
    assert {each.name: each.read_text() for each in path.parent.iterdir()} == {
        "home.db.damaged-20270115T080000Z": "first",
        "home.db.damaged-20270115T080000Z-wal": "first-wal",
        "home.db.damaged-20270115T080000Z-2": "second",
    }
    assert (first.name, second.name) == ("home.db.damaged-20270115T080000Z", "home.db.damaged-20270115T080000Z-2")


def test_what_is_found_wrong_is_said_in_one_line_that_is_not_too_long() -> None:
    assert (
        one_line("*** in database main ***\nTree 5 page 7: never used")
        == "*** in database main *** Tree 5 page 7: never used"
    )
    assert one_line("x\n" * 500) == "x " * 100 + "…"


def test_a_database_that_cannot_be_opened_is_said_clearly(path: Path) -> None:
    path.mkdir()
    with pytest.raises(Unavailable, match=r"home\.db cannot be opened: .*mend"):
        open_database(path)


def test_tables_of_somebody_else_are_refused_and_left_as_they_are(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE state (x)")
    connection.execute("INSERT INTO state VALUES (1)")
    connection.commit()
    connection.close()
    with pytest.raises(Unavailable, match=r"home\.db cannot be opened: table state already exists"):
        open_database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT x FROM state").fetchall() == [(1,)]
    connection.close()
