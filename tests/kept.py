"""What of the past of a hub, or of the home, is on the disk already, looked up in its files beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def kept(home: Path, query: str, file: str = "history.db") -> int:
    """The number that a query gives; 0 while the file, its table or any row is not there yet."""
    try:
        with closing(sqlite3.connect(f"file:{home / file}?mode=ro", uri=True)) as connection:
            return int(connection.execute(query).fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return 0
