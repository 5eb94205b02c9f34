"""What is found at start: home.db with the redo log replayed into it, or what can be had when it is damaged.

It must not know the home.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.home.saved import Saved
from hallway.store import generations, tables
from hallway.store.contents import CHECKED, checksum
from hallway.store.database import Damaged, is_damage, open_database, version_of
from hallway.store.error_texts import said
from hallway.store.lock import HubLock
from hallway.store.losses import Signs
from hallway.store.migrations import newest
from hallway.store.pending_files import take_place
from hallway.store.redo import Redo
from hallway.store.rows import Batch, Record

_PRESENT = f"SELECT {', '.join(CHECKED)}, checksum, max(version) FROM definition GROUP BY kind, id"  # noqa: S608
_decode = msgspec.json.Decoder(Any).decode

log = logging.getLogger(__name__)


class Found(msgspec.Struct, frozen=True):
    """What was there at start. left: what home.db could not take of the redo log.

    damage: what became of home.db, if it was damaged; lost: what else tells that something is missing.
    """

    saved: Saved
    left: Batch | None = None
    damage: str | None = None
    lost: str | None = None


def recover(path: Path, redo: Redo, clock: Clock, lock: HubLock) -> tuple[sqlite3.Connection, Found]:
    """Open home.db and bring the redo log into it; a damaged one is mended. Unavailable: the hub cannot start.

    lock: tells how the hub before ended: if it was killed, its WAL and its redo log must be there.
    """
    signs = Signs(path, lock)
    records = redo.read(power_cut=not lock.same_boot)
    connection, found = _recover(path, redo, records, clock, signs)
    lost = signs.lost(redo, mended=found.damage is not None)
    if lost is not None:
        log.error("%s", lost)
    return connection, msgspec.structs.replace(found, lost=lost)


def _recover(
    path: Path, redo: Redo, records: list[Record], clock: Clock, signs: Signs
) -> tuple[sqlite3.Connection, Found]:
    try:
        take_place(path)
        _check_present(path, records)
        _keep_before_upgrade(path, clock)
        return _open(path, redo, records, signs)
    except (Damaged, UnicodeDecodeError) as damaged:  # SQLite's own words may quote what is no text
        found_wrong = said(damaged)
    from hallway.store.mending import mend  # noqa: PLC0415 - few hubs ever need it

    mended = mend(path, records, clock.now())
    redo.clear()
    sentence = f"home.db was damaged ({found_wrong}): {mended.sentence}"
    log.error("%s", sentence)
    connection, found = _open(path, redo, [], signs)
    return connection, msgspec.structs.replace(found, damage=sentence)


def _check_present(path: Path, records: list[Record]) -> None:
    """Damaged: there is no home.db, or an empty one, where there has been a home: a new hub has neither of the rest."""
    if (not path.exists() or not path.stat().st_size) and (records or generations.listed(path.parent)):
        raise Damaged("it is empty" if path.exists() else "it is missing")


def _keep_before_upgrade(path: Path, clock: Clock) -> None:
    """A generation of the old schema, from which one can go back; without one the file is not touched."""
    try:
        version = version_of(path, newest()) if path.is_file() else 0
        if 0 < version < newest():
            generations.keep(path, clock.now(), upgrade_from=version)
    except sqlite3.Error as error:
        if is_damage(error):
            raise Damaged(said(error)) from None
        raise Unavailable(f"{path} cannot be read: {said(error)}; mend the disk, then start again") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}; mend the disk, then start again") from None


def newer_than(records: Iterable[Record], committed: int) -> Batch:
    """What came after that change, as one batch."""
    batch = Batch()
    for record in records:
        if record.seq > committed:
            batch.put(record.seq, record.rows)
    return batch


def _open(path: Path, redo: Redo, records: list[Record], signs: Signs) -> tuple[sqlite3.Connection, Found]:
    wal = path.with_name(f"{path.name}-wal")
    left_running = wal.exists() and wal.stat().st_size > 0
    connection = open_database(path)
    signs.opened()
    try:
        signs.found(connection)
        _check_definitions(connection)
        if left_running:
            _check_wal(connection, path)
        found = _replay(connection, redo, records)
        connection.execute("PRAGMA query_only = ON")
    except (Damaged, UnicodeDecodeError):
        connection.close()
        raise
    except sqlite3.Error as error:
        connection.close()
        if is_damage(error) or _is_nonsense(error):
            raise Damaged(said(error)) from None
        raise Unavailable(f"{path} cannot be used: {said(error)}; mend the disk, then start again") from None
    return connection, found


def _is_nonsense(error: sqlite3.Error) -> bool:
    """Whether the file has other tables than it should: nobody but damage does that."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR


def _check_definitions(connection: sqlite3.Connection) -> None:
    """Damaged: the present version of one is not what was written, or no JSON."""
    for row in connection.execute(_PRESENT):
        kind, key, _at, _author, _door, body, *_numbers, written, _version = row
        if written is not None:
            if written != checksum(row[: len(CHECKED)]):
                raise Damaged(f"{kind} {key} is not what was written: its checksum differs")
            continue
        try:
            _decode(body or "null")
        except (msgspec.DecodeError, RecursionError) as error:
            raise Damaged(f"{kind} {key}: its text is no JSON: {error}") from None


def _check_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Damaged: SQLite takes a WAL up to where it is torn and says nothing; a generation may know better."""
    if tables.last_seq(connection) < generations.newest_seq(path.parent):
        raise Damaged("a generation is newer: commits are missing in its WAL")


def _replay(connection: sqlite3.Connection, redo: Redo, records: list[Record]) -> Found:
    """Saved is read with the records in the tables, also if these cannot be committed (a full disk)."""
    committed = tables.last_seq(connection)
    batch = newer_than(records, committed)
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
        log.warning("what the redo log had is not in home.db yet: %s", said(error))
        return Found(saved, batch)
    redo.clear()
    return Found(saved)
