"""The files of a move: read as text, written for nobody else, and the time zone of the machine."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hallway.errors import InvalidInput, Unavailable
from hallway.moving_files import local_time_zone, read_text, write_private


def test_a_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfpl\xc3\xa4in")
    assert read_text(tmp_path / "a") == "pläin"


def test_what_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\ntwo \xe4")
    with pytest.raises(InvalidInput, match="byte 0xe4 in line 2"):
        read_text(tmp_path / "a")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hallway.moving_files.MAX_FILE", 1 << 20)
    (tmp_path / "a").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(InvalidInput, match="larger than 1 MB"):
        read_text(tmp_path / "a")


def test_a_file_is_written_for_its_owner_only_and_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new ☃")
    assert path.read_text("utf-8") == "new ☃"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        write_private(tmp_path / "none" / "a", "text")


@pytest.mark.parametrize(
    ("variable", "link", "text", "zone"),
    [
        ("Europe/Berlin", "/usr/share/zoneinfo/Asia/Tokyo", None, "Europe/Berlin"),
        (":Europe/Berlin", None, None, "Europe/Berlin"),
        ("CET-1CEST", "/usr/share/zoneinfo/Asia/Tokyo", None, "Asia/Tokyo"),
        ("", "../usr/share/zoneinfo/Asia/Tokyo", "Europe/Paris", "Asia/Tokyo"),
        ("", None, "Europe/Paris\n", "Europe/Paris"),
        ("", "/somewhere/else", "Mars/Olympus", "UTC"),
        ("", None, None, "UTC"),
    ],
)
def test_the_time_zone_is_that_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, link: str | None, text: str | None, zone: str
) -> None:
    monkeypatch.setenv("TZ", variable)
    if link is not None:
        (tmp_path / "localtime").symlink_to(link)
    if text is not None:
        (tmp_path / "timezone").write_text(text)
    assert local_time_zone(tmp_path) == zone
