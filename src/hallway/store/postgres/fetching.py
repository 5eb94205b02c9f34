"""A home comes out of PostgreSQL into a directory that has none: for a new machine, or when the old disk is gone.

All of it or nothing: the file gets its name at the end. From then on that directory is the one that may write to the
database, and no older one. It must not know what the rows mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

from hallway import durable
from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.store import definitions
from hallway.store.database import DATABASE_FILE, Damaged, clear, open_database
from hallway.store.definitions import Definition
from hallway.store.error_texts import said
from hallway.store.lock import hold
from hallway.store.postgres.address import need_driver, read_address
from hallway.store.postgres.home_tables import TABLES, Table, inwards
from hallway.store.postgres.identity import KEY, KIND
from hallway.store.postgres.log_moving import bring_logs
from hallway.store.postgres.logs import in_words
from hallway.store.postgres.sentences import FAILURES
from hallway.store.postgres.session import Connection, used_by_hand
from hallway.store.postgres.texts import to_postgres
from hallway.store.redo import HEADER
from hallway.store.stamped import free, stamp

log = logging.getLogger(__name__)

ARRIVING: Final = f"{DATABASE_FILE}.arriving"
_AT_ONCE: Final = 500
_HOLDS: Final = "SELECT EXISTS (SELECT FROM home WHERE last_seq > 0 OR EXISTS (SELECT FROM definition))"
_OF_THE_OLD: Final = (f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-journal", "redo.0", "redo.1")


def fetch_home(directory: Path, url: str, clock: Clock) -> str | None:
    """Take the home of a directory without home.db from the database, if there is one: a sentence about it.

    Unavailable: the database cannot be asked, so nobody knows whether this is a new home.
    """
    if any((directory / name).exists() for name in (DATABASE_FILE, f"{DATABASE_FILE}.next")):
        return None
    need_driver()
    address = read_address(url)
    lock = hold(directory)
    try:
        with ThreadPoolExecutor(1, "hallway-fetch") as thread:  # who calls may be in a loop
            work = thread.submit(lambda: asyncio.run(used_by_hand(address, lambda link: _all(link, directory, clock))))
            seq: int | None = work.result()
        if seq is not None:
            lock.ended()
    except Unavailable as error:
        raise Unavailable(
            f"there is no home.db in {directory}, and the database that may hold this home cannot be asked: "
            f"{error.message}. Start again when it is there; without `store: url` a new home begins"
        ) from None
    finally:
        lock.release()
    return None if seq is None else f"the home was taken from {address}, as it was after change {seq}"


async def _all(connection: Connection, directory: Path, clock: Clock) -> int | None:
    seq = await arrive(connection, directory, clock)
    if seq is not None:
        try:
            brought = await bring_logs(connection, directory)
        except (Unavailable, *FAILURES) as error:  # the home is there: the rest comes while the hub runs
            log.warning("messages, changes and traces do not come from the database yet: %s", error)
        else:
            log.info("out of the database came %s", in_words(brought) or "no messages, changes or traces")
    return seq


async def holds_a_home(connection: Connection) -> bool:
    """Whether there is one in the database."""
    return bool(await connection.fetchval(_HOLDS))


async def arrive(connection: Connection, directory: Path, clock: Clock) -> int | None:
    """Make home.db from what the database holds: the number of the last change; None: it holds no home."""
    if not await holds_a_home(connection):
        return None
    path = directory / ARRIVING
    clear(path)
    incarnation = secrets.token_hex(8)
    try:
        with closing(open_database(path)) as home:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                seq = int(await connection.fetchval("SELECT last_seq FROM home"))
                home.execute("BEGIN IMMEDIATE")
                for table in TABLES:
                    await _fill(connection, home, table)
            home.execute("UPDATE progress SET last_seq = ?", (seq,))
            definitions.put(home, this_one(incarnation, clock.now))
            home.execute("COMMIT")
            home.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # in this order: a directory that is told to be the one without being it would refuse to write, and begin anew
        await connection.execute("UPDATE home SET incarnation = $1", to_postgres(incarnation))
        _put_aside(directory, clock.now())
        durable.move(path, directory / DATABASE_FILE)
    except (sqlite3.Error, Damaged, OSError) as error:
        raise Unavailable(f"{path} cannot be written: {said(error)}; nothing was changed") from None
    finally:
        with contextlib.suppress(OSError):
            clear(path)
    return seq


def _put_aside(directory: Path, now: float) -> None:
    """What a killed hub left of a home.db that is gone would be read into the one that comes."""
    (directory / f"{DATABASE_FILE}-shm").unlink(missing_ok=True)
    for name in _OF_THE_OLD:
        part = directory / name
        if part.exists() and part.stat().st_size > (len(HEADER) if name.startswith("redo") else 0):
            aside = free(directory, f"{name}.left-{stamp(now)}", "")
            durable.move(part, aside)
            log.warning("%s is of a home.db that is gone: it is not used, and kept as %s", part, aside.name)


def this_one(incarnation: str, now: Callable[[], float]) -> Definition:
    """The definition that says which incarnation of the home a directory has."""
    return Definition(KIND, KEY, 0, now(), "hallway", "start", {"incarnation": incarnation})


async def _fill(connection: Connection, home: sqlite3.Connection, table: Table) -> None:
    columns = ", ".join(table.columns)
    marks = ", ".join("?" * len(table.columns))
    put = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    rows = []
    async for row in connection.cursor(table.everything, prefetch=_AT_ONCE):
        rows.append(inwards(tuple(row)))
        if len(rows) >= _AT_ONCE:
            home.executemany(put, rows)
            rows = []
    home.executemany(put, rows)
    there = await connection.fetchval(f"SELECT count(*) FROM {table.name}")  # noqa: S608 - likewise
    ((here,),) = home.execute(f"SELECT count(*) FROM {table.name}").fetchall()  # noqa: S608 - likewise
    if here != there:
        raise Unavailable(f"{table.name}: {here} of {there} rows came; nothing was changed")
