"""home.db as a file: made, opened, checked, brought to the present schema, moved aside when it is damaged.

It must not know what stands in the tables.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hallway.errors import Unavailable
from hallway.store.migrations import migrate, newest

BUSY_SECONDS: Final = 5.0
"""How long a commit waits while another program (a shell, a backup) holds home.db."""
PAGE_BYTES: Final = 1024
"""Each commit writes whole pages, mostly for single rows here and there: small ones wear a memory card half as much."""
WAL_PAGES: Final = 4096
"""So many pages gather in the WAL before each goes to its place, once; they are kept on the disk until then."""

_USER_VERSION_AT: Final = 60
_PARTS: Final = ("-wal", "-shm", "")
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY: Final = 0xFF


class Damaged(Exception):
    """home.db cannot be read; the text says what SQLite found."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a database that exists, for this thread; transactions are begun and ended by hand."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", BUSY_SECONDS, uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_database(path: Path) -> sqlite3.Connection:
    """home.db in the present schema. Damaged: it is not whole; Unavailable: it is too new, or the disk refuses."""
    try:
        _make(path)
        version = _version(path)
        if version > newest():
            raise Unavailable(
                f"{path} was written by a newer hallway (schema {version}, this one knows {newest()} at most): "
                "update this one; nothing was changed"
            )
        connection = connect(path)
        try:
            _check(connection)
            migrate(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        if is_damage(error):
            raise Damaged(str(error)) from None
        raise Unavailable(
            f"{path} cannot be opened: {error}; mend the disk or the file's rights, then start again"
        ) from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}; mend the disk, then start again") from None
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is not whole (rather than that the disk refuses)."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _DAMAGED


def move_aside(path: Path, now: float) -> Path:
    """Rename home.db and what belongs to it; the new name holds the time."""
    stamp = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    try:
        for ending in _PARTS:
            part = path.with_name(path.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        _sync(path.parent)
    except OSError as error:
        raise Unavailable(f"{path} is damaged and cannot be moved aside: {error.strerror}") from None
    return aside


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """So that the names in it survive a power failure."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _version(path: Path) -> int:
    """`user_version` without changing the file: from its header, and from what a killed hub left in the WAL."""
    with path.open("rb") as file:
        header = file.read(_USER_VERSION_AT + 4)
    in_header = struct.unpack_from(">I", header, _USER_VERSION_AT)[0] if header.startswith(b"SQLite format 3\0") else 0
    wal = path.with_name(f"{path.name}-wal")
    if in_header > newest() or not wal.exists() or not wal.stat().st_size:
        return int(in_header)
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def _check(connection: sqlite3.Connection) -> None:
    found = [text for (text,) in connection.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise Damaged("; ".join(found))
