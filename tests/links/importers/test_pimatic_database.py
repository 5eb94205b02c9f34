"""The database of pimatic tells the last values; it is only read."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hallway.errors import InvalidInput
from hallway.links.importers.pimatic_database import LastValue, Remembered, read

TABLES = """
    CREATE TABLE message (id INTEGER PRIMARY KEY, time DATETIME, level INTEGER, tags TEXT, text TEXT);
    CREATE TABLE deviceAttribute (id INTEGER PRIMARY KEY, deviceId VARCHAR(255), attributeName VARCHAR(255),
        type VARCHAR(255), discrete BOOLEAN, lastUpdate DATETIME, lastValue VARCHAR(255));
    CREATE TABLE attributeValueNumber (id INTEGER PRIMARY KEY, time DATETIME, deviceAttributeId INTEGER, value FLOAT);
    CREATE TABLE attributeValueString (id INTEGER PRIMARY KEY, time DATETIME, deviceAttributeId INTEGER, value TEXT);
"""
AT = 1_700_000_000_500


def database(path: Path, *attributes: tuple[Any, ...], tables: str = TABLES) -> Path:
    """A database with these attributes: device, attribute, type, time in ms, last value."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(tables)
        for row in attributes:
            connection.execute(
                "INSERT INTO deviceAttribute (deviceId, attributeName, type, discrete, lastUpdate, lastValue)"
                " VALUES (?, ?, ?, 1, ?, ?)",
                row,
            )
    return path


@pytest.mark.parametrize(
    ("kind", "kept", "value"),
    [
        ("number", "21.5", 21.5),
        ("number", "20", 20),
        ("number", 7, 7),
        ("boolean", "1", True),
        ("boolean", "0", False),
        ("boolean", 1, True),
        ("string", "hello", "hello"),
        ("string", "007", "007"),
    ],
)
def test_values_are_read_as_the_type_of_their_attribute(tmp_path: Path, kind: str, kept: Any, value: Any) -> None:
    found = read(database(tmp_path / "p.sqlite", ("lamp", "state", kind, AT, kept)))
    assert found.last == (LastValue("lamp", "state", value, 1_700_000_000.5),)
    assert type(found.last[0].value) is type(value)


@pytest.mark.parametrize(
    ("kind", "at", "kept"),
    [("number", AT, None), ("number", AT, "warm"), ("number", AT, "inf"), ("boolean", None, "1"), ("string", "x", "a")],
)
def test_what_was_never_known_is_no_value(tmp_path: Path, kind: str, at: Any, kept: Any) -> None:
    assert read(database(tmp_path / "p.sqlite", ("lamp", "state", kind, at, kept))).last == ()


def test_what_stays_behind_is_counted(tmp_path: Path) -> None:
    path = database(tmp_path / "p.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO message (text) VALUES (?)", [("a",), ("b",)])
        connection.execute("INSERT INTO attributeValueNumber (value) VALUES (1)")
        connection.executemany("INSERT INTO attributeValueString (value) VALUES (?)", [("a",), ("b",)])
    assert read(path) == Remembered((), messages=2, history=3)


def test_nothing_in_the_folder_changes(tmp_path: Path) -> None:
    path = database(tmp_path / "p.sqlite", ("lamp", "state", "boolean", AT, "1"))
    before = hashlib.sha256(path.read_bytes()).digest()
    read(path)
    assert [each.name for each in tmp_path.iterdir()] == ["p.sqlite"]
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_what_only_the_wal_holds_is_read_too(tmp_path: Path) -> None:
    path = database(tmp_path / "p.sqlite")
    with closing(sqlite3.connect(path)) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        with writing:
            writing.execute(
                "INSERT INTO deviceAttribute (deviceId, attributeName, type, lastUpdate, lastValue)"
                " VALUES ('lamp', 'state', 'boolean', 1000, '1')"
            )
        assert [value.device_id for value in read(path).last] == ["lamp"]


def test_a_database_that_pimatic_holds_is_told(tmp_path: Path) -> None:
    path = database(tmp_path / "p.sqlite")
    with closing(sqlite3.connect(path)) as pimatic:
        pimatic.execute("PRAGMA locking_mode = EXCLUSIVE")
        pimatic.execute("PRAGMA journal_mode = WAL")
        with pimatic:
            pimatic.execute("INSERT INTO message (text) VALUES ('a')")
        with pytest.raises(InvalidInput, match="if pimatic runs, stop it first"):
            read(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no database " * 200)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read(text)
    with pytest.raises(InvalidInput, match="no table deviceAttribute"):
        read(database(tmp_path / "other.sqlite", tables="CREATE TABLE a (b)"))
    with pytest.raises(InvalidInput, match="is not a file"):
        read(tmp_path / "missing")
