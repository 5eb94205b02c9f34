"""Makes the history.db files of earlier schemas in tests/store/data: `python -m tests.store.history.old_pasts`.

Each is made by the schema files up to its number and has rows as a hub of that schema wrote them. A file that was made
once is not made again when the schema grows: only the newest number is missing then.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from hallway.clock import VirtualClock
from hallway.home.changes import Context, VariableSet
from hallway.home.past import Series
from hallway.home.recorded import light
from hallway.store.history.archive import TailRow
from hallway.store.history.change_rows import put
from hallway.store.history.file import HISTORY
from hallway.store.history.folding import take
from hallway.store.history.tail_rows import drop_rows, put_rows
from hallway.store.migrations import migrate, schema_files

DATA = Path(__file__).parents[1] / "data"
FIRST = 4
"""The first schema of which there is a file."""
BEGIN = 1_780_000_000
SERIES = (
    Series("attribute", "outside", "temperature"),
    Series("attribute", "küche", "state"),
    Series("variable", "comfort"),
    Series("entity", "light.lamp"),
)
ROWS = 6000
FOLDED = 5000
BESIDE = 5


def value_of(number: int) -> float | bool | str:
    """The value of a row, by its number."""
    return (number / 10, number % 8 < 4, number * 0.25, f"on {number}")[number % len(SERIES)]


def make(version: int, path: Path) -> None:
    """A history.db of that schema."""
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number, file in schema_files(HISTORY.schema).items():
            if number <= version:
                shutil.copy2(file, folder)
        connection.execute(f"PRAGMA page_size = {HISTORY.page_bytes}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        migrate(connection, Path(folder))
        connection.execute("BEGIN")
        fill(connection, version)
        connection.execute("COMMIT")


def fill(connection: sqlite3.Connection, version: int) -> None:
    """Samples, most of them folded; some messages, changes and traces."""
    for table in ("series", "series_copy") if version >= 5 else ("series",):
        connection.executemany(
            f"INSERT INTO {table} (number, kind, owner, name, type, discrete) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, *series, kind, int(kind != "number"))
                for number, (series, kind) in enumerate(
                    zip(SERIES, ("number", "boolean", "number", "string"), strict=True), 1
                )
            ],
        )
    rows = [
        TailRow(number, 1 + number % len(SERIES), (BEGIN + number) * 1000, value_of(number), more_of(number))
        for number in range(1, ROWS + 1)
    ]
    take(connection, rows[: FOLDED // 2], print)
    take(connection, rows[FOLDED // 2 : FOLDED], print)
    put_rows(connection, rows)
    drop_rows(connection, FOLDED)
    for number in range(1, BESIDE + 1):
        at = (BEGIN + number) * 1000
        connection.execute(
            "INSERT INTO message VALUES (?, ?, 'info', ?, '', 'test', NULL, NULL)", (number, at, str(number))
        )
        body = f'{{"number":{number}}}'.encode()
        connection.execute("INSERT INTO trace VALUES (?, 'r', ?, 'done', 1, ?, ?)", (number, at / 1000, number, body))
    clock = VirtualClock(BEGIN)
    changes = [
        light(VariableSet(number, clock.now(), Context("test"), "v", number - 1, number, ()))
        for number in range(1, BESIDE + 1)
    ]
    put(connection, [change for change in changes if change is not None])


def more_of(number: int) -> bytes | None:
    """What an entity shows beside its state."""
    return b'{"attributes":{"unit":"W"}}' if number % len(SERIES) == len(SERIES) - 1 else None


if __name__ == "__main__":
    for number in range(FIRST, max(schema_files(HISTORY.schema)) + 1):
        target = DATA / f"history-{number}.db"
        if not target.exists():
            make(number, target)
