"""A database as a file: made, opened, checked, brought to the present schema, kept aside when it is damaged.

It must not know what stands in the tables.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from hallway import durable
from hallway.errors import Unavailable
from hallway.store.error_texts import as_text, said
from hallway.store.migrations import SCHEMA, migrate, newest
from hallway.store.stamped import free, stamp

DATABASE_FILE: Final = "home.db"
BUSY_SECONDS: Final = 5.0
"""How long a commit waits while another program (a shell, a backup) holds the database."""

_USER_VERSION_AT: Final = 60
_OPEN_FILES: Final = Path("/proc/self/fd")
_PARTS: Final = ("-wal", "-shm", "-journal", "")
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY: Final = 0xFF


class Damaged(Exception):
    """A database cannot be read; the text says what SQLite found."""


class FileDamaged(Unavailable):
    """A commit failed because the file is damaged. why: what SQLite found."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class CannotOpen(Unavailable):
    """A database cannot be opened because the disk refuses. why: what it said."""

    def __init__(self, path: Path, why: str, remedy: str) -> None:
        super().__init__(f"{path} cannot be opened: {why}; {remedy}, then start again")
        self.why = why


class Layout(NamedTuple):
    """How a database is laid out. schema: the folder of its schema files; cache_kib: memory of one connection.

    wal_pages: so many gather in the WAL before each goes to its place, once; they are kept on the disk until then.
    """

    schema: Path
    page_bytes: int
    wal_pages: int
    cache_kib: int = 2000
    shrinks: bool = False


HOME: Final = Layout(SCHEMA, page_bytes=1024, wal_pages=4096)
"""Each commit writes whole pages, mostly for single rows here and there: small ones wear a memory card half as much."""


def connect(path: Path, layout: Layout = HOME) -> sqlite3.Connection:
    """A connection to a database that exists, for this thread; transactions are begun and ended by hand."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", BUSY_SECONDS, uri=True, isolation_level=None)
    connection.text_factory = as_text
    try:
        connection.execute(f"PRAGMA page_size = {layout.page_bytes}")
        if layout.shrinks:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {layout.wal_pages}")
        connection.execute(f"PRAGMA cache_size = -{layout.cache_kib}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_database(path: Path, layout: Layout = HOME, *, check: bool = True) -> sqlite3.Connection:
    """A database in the present schema, made when it is not there. Unavailable: it is too new, or the disk refuses.

    Damaged: it is not whole, as far as that was looked at: all of it if `check`, else no more than opening needs.
    """
    known = newest(layout.schema)
    try:
        _make(path)
        version = version_of(path, known)
        if version > known:
            raise Unavailable(
                f"{path} was written by a newer hallway (schema {version}, this one knows {known} at most): "
                "update this one; nothing was changed"
            )
        connection = connect(path, layout)
        try:
            if check:
                _check(connection)
            migrate(connection, layout.schema)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        if is_damage(error):
            raise Damaged(said(error)) from None
        raise CannotOpen(path, said(error), "mend the disk or the file's rights") from None
    except UnicodeDecodeError as error:  # SQLite's own words quote what is no text
        raise Damaged(said(error)) from None
    except OSError as error:
        raise CannotOpen(path, error.strerror or str(error), "mend the disk") from None
    return connection


def is_damage(error: Exception) -> bool:
    """Whether SQLite says that the file is not whole (rather than that the disk refuses)."""
    return isinstance(error, Damaged) or getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _DAMAGED


def name_aside(path: Path, now: float) -> Path:
    """A free name for a damaged database; it holds the time."""
    return free(path.parent, f"{path.name}.damaged-{stamp(now)}", "")


def keep_aside(path: Path, now: float) -> Path:
    """Give a damaged database and its WAL a second name, which holds the time. OSError: the disk refuses."""
    aside = name_aside(path, now)
    for ending in ("-wal", ""):
        part, kept = path.with_name(path.name + ending), aside.with_name(aside.name + ending)
        if part.exists():
            try:
                os.link(part, kept)
            except OSError:  # not every file system knows second names
                durable.copy(part, kept)
    durable.sync_directory(path.parent)
    return aside


def clear(path: Path) -> None:
    """Remove a database that counts no more, and what belongs to it."""
    for ending in _PARTS:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def snapshot(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, what stands in its WAL too, into one file; also while a hub writes it.

    The copy is a new file, not synced yet. sqlite3.Error: it cannot be read, or not be written there. Damaged: what it
    says of its tables is no text.
    """
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", BUSY_SECONDS, uri=True)) as there,
        closing(sqlite3.connect(target, isolation_level=None)) as here,
    ):
        there.backup(here)
        try:
            here.execute("PRAGMA journal_mode = DELETE")
        except UnicodeDecodeError as error:  # SQLite's own words quote it
            raise Damaged(said(error)) from None


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    durable.sync_directory(path.parent)


def begin_of(path: Path, size: int) -> bytes:
    """The first bytes of a part of a database. OSError: it cannot be read.

    What this process has open is read through the descriptor that is there: closing another one would let go of all its
    locks on that file. Another program (a shell, a backup) would take itself for the only one then, remove the WAL, and
    cut the index off under the hub, which ends it.
    """
    wanted = path.stat()
    for each in list(_OPEN_FILES.iterdir()) if _OPEN_FILES.exists() else ():  # only Linux has it
        with contextlib.suppress(OSError):  # that of the listing itself is closed by now
            found = os.fstat(int(each.name))
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return os.pread(int(each.name), size, 0)
    with path.open("rb") as file:
        return file.read(size)


def version_of(path: Path, known: int) -> int:
    """`user_version` without changing the file: from its header, and from what a killed hub left in the WAL."""
    header = begin_of(path, _USER_VERSION_AT + 4)
    in_header = struct.unpack_from(">I", header, _USER_VERSION_AT)[0] if header.startswith(b"SQLite format 3\0") else 0
    wal = path.with_name(f"{path.name}-wal")
    if in_header > known or not wal.exists() or not wal.stat().st_size:
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
