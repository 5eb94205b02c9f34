"""What is found at start: home.db with the redo log replayed into it, or what can be had when it is damaged.

It must not know the home.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

import msgspec

from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.home.saved import Saved
from hallway.store import tables
from hallway.store.database import Damaged, is_damage, move_aside, open_database
from hallway.store.redo import Redo
from hallway.store.rows import Batch, Record

log = logging.getLogger(__name__)


class Found(msgspec.Struct, frozen=True):
    """What was there at start. left: what home.db could not take of the redo log; damage: what became of home.db."""

    saved: Saved
    left: Batch | None = None
    damage: str | None = None


def recover(path: Path, redo: Redo, clock: Clock) -> tuple[sqlite3.Connection, Found]:
    """Open home.db and bring the redo log into it; a damaged one is moved aside. Unavailable: the hub cannot start."""
    records = redo.read()
    try:
        return _open(path, redo, records)
    except Damaged as damaged:
        found_wrong = str(damaged)
    aside = move_aside(path, clock.now())
    sentence = (
        f"home.db is damaged ({found_wrong}) and was moved to {aside.name}; the hub goes on with the {len(records)} "
        "records of the redo log. Passwords and definitions are not recovered from older generations: "
        "put a good copy of home.db back while the hub is stopped"
    )
    log.error("%s", sentence)
    connection, found = _open(path, redo, records)
    return connection, msgspec.structs.replace(found, damage=sentence)


def _open(path: Path, redo: Redo, records: list[Record]) -> tuple[sqlite3.Connection, Found]:
    connection = open_database(path)
    try:
        found = _replay(connection, redo, records)
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        connection.close()
        if is_damage(error):
            raise Damaged(str(error)) from None
        raise Unavailable(f"{path} cannot be used: {error}; mend the disk, then start again") from None
    return connection, found


def _replay(connection: sqlite3.Connection, redo: Redo, records: list[Record]) -> Found:
    """Saved is read with the records in the tables, also if these cannot be committed (a full disk)."""
    committed = tables.last_seq(connection)
    batch = Batch()
    for record in records:
        if record.seq > committed:
            batch.put(record.seq, record.rows)
    if batch.empty:
        redo.clear()
        return Found(tables.read(connection))
    connection.execute("BEGIN IMMEDIATE")
    tables.write(connection, batch)
    saved = tables.read(connection)
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if is_damage(error):
            raise
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        log.warning("what the redo log had is not in home.db yet: %s", error)
        return Found(saved, batch)
    redo.clear()
    return Found(saved)
