"""The schema of a database: numbered files in a folder, applied in order; `PRAGMA user_version` says how far it is.

It must not know what stands in the tables.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = Path(__file__).parent / "schema"
"""The one of home.db."""


def schema_files(folder: Path = SCHEMA) -> dict[int, Path]:
    """Number → file, in order."""
    return {int(path.stem): path for path in sorted(folder.glob("[0-9]*.sql"))}


def newest(folder: Path = SCHEMA) -> int:
    """The number of the schema that this hub writes."""
    return max(schema_files(folder))


def migrate(connection: sqlite3.Connection, folder: Path = SCHEMA) -> None:
    """Bring a database to the newest schema, each step in a transaction of its own.

    Then it stands in the file itself and not in the WAL, so that a file without its WAL is old but not empty.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    missing = [(number, path) for number, path in schema_files(folder).items() if number > version]
    for number, path in missing:
        _apply(connection, number, path.read_text("utf-8"))
    if missing:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _apply(connection: sqlite3.Connection, number: int, statements: str) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{statements}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
