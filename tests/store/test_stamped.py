"""Names of files with a moment in them."""

from __future__ import annotations

from pathlib import Path

from hallway.store.stamped import free, stamp


def test_a_moment_is_told_in_utc() -> None:
    assert stamp(0.0) == "19700101T000000Z"


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    for expected in ("kept.tar", "kept-2.tar", "kept-3.tar"):
        found = free(tmp_path, "kept", ".tar")
        assert found == tmp_path / expected
        found.touch()


def test_a_name_is_taken_when_any_of_its_ends_is(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()

    assert free(tmp_path, "kept", ".tar", "") == tmp_path / "kept-2.tar"
