"""The schema grows by numbered steps, each of which is done wholly or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallway.store.migrations import migrate, newest, schema_files


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_database_gets_the_newest_schema(connection: sqlite3.Connection) -> None:
    migrate(connection)
    assert version(connection) == newest() == max(schema_files())
    assert tables(connection) == {"progress", "definition", "kept_id", "state", "value", "variable", "plan", "note"}


def test_all_tables_are_strict(connection: sqlite3.Connection) -> None:
    migrate(connection)
    assert {bool(row[5]) for row in connection.execute("PRAGMA table_list") if not row[1].startswith("sqlite_")} == {
        True
    }


def test_only_the_steps_that_are_missing_are_done_in_the_order_of_their_numbers(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    (tmp_path / "0001.sql").write_text("CREATE TABLE a (x);")
    migrate(connection, tmp_path)
    connection.execute("INSERT INTO a VALUES (1)")
    (tmp_path / "0010.sql").write_text("ALTER TABLE b ADD y;")
    (tmp_path / "0002.sql").write_text("ALTER TABLE a RENAME TO b;")
    migrate(connection, tmp_path)
    migrate(connection, tmp_path)
    assert version(connection) == 10
    assert connection.execute("SELECT x, y FROM b").fetchall() == [(1, None)]


def test_a_step_that_fails_leaves_the_database_at_the_step_before(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    (tmp_path / "0001.sql").write_text("CREATE TABLE a (x);")
    (tmp_path / "0002.sql").write_text("CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, tmp_path)
    assert (version(connection), tables(connection)) == (1, {"a"})
    assert not connection.in_transaction
