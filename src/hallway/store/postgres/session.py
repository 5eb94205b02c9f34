"""A connection that may write: it holds the lock of the schema, and the schema is the present one.

The lock ends with the connection, after whatever this had begun: whoever has it sees how a lost COMMIT ended. It must
not know what stands in the tables.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from zlib import crc32

import asyncpg

from hallway.errors import Unavailable
from hallway.store.migrations import newest, schema_files
from hallway.store.postgres.address import Address
from hallway.store.postgres.sentences import FAILURES, sentence

SCHEMA_FILES: Final = Path(__file__).parent / "schema"
CONNECT_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 30.0
LONG_SECONDS: Final = 3600.0
"""For what is done once and may be much."""
LOCK_CLASS: Final = 0x68616C6C
_KEEP_ALIVE: Final = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
EARLIEST, LATEST = -200_000_000_000_000, 9_000_000_000_000_000
EPOCH_MICROSECONDS: Final = 946_684_800_000_000
"""From 1970 to 2000, where PostgreSQL's times begin."""
_ENCODINGS: Final = ("UTF8", "SQL_ASCII")
_OURS: Final = "SELECT to_regclass($1 || '.version') IS NOT NULL"
_IN_USE: Final = "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1))"
_TABLES: Final = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')"
_MAKES: Final = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_GHOSTS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND classid::bigint = $1 AND pg_locks.objid::bigint = $2 AND application_name = $3
        AND pid <> pg_backend_pid()
"""
_HOLDER: Final = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid::bigint = $1 AND pg_locks.objid::bigint = $2
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_BY_HAND: Final = "hallway by hand"
_THIS_COMMAND: Final = f"{_BY_HAND} {secrets.token_hex(8)}"
"""Of its own, so that no other command takes its connection for one that it has lost."""

Connection = asyncpg.Connection
Link = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class Refused(Unavailable):
    """The database is there and must not be used as it is: trying again soon is of no use."""


async def connect(address: Address, name: str, *, reads: bool = False, seconds: float = COMMAND_SECONDS) -> Connection:
    """A connection that speaks of times in milliseconds; name: as which it is seen at the server. FAILURES: none.

    reads: it shall not write; seconds: that a statement may take.
    """
    if address.ssl_root and not os.access(address.ssl_root, os.R_OK):
        raise Refused(
            f"the database {address} cannot be used: there is no file {address.ssl_root} that the hub may read; mend "
            "sslrootcert in the URL"
        )
    options = f"sslmode={address.ssl}" if address.ssl else ""
    if address.ssl_root:
        options += f"&sslrootcert={quote(address.ssl_root)}"
    connection: Connection = await asyncpg.connect(
        f"postgresql:///?{options}" if options else None,
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        timeout=CONNECT_SECONDS,
        command_timeout=seconds,
        server_settings={
            "application_name": name,
            "search_path": address.schema,
            "default_transaction_read_only": "on" if reads else "off",
            **_KEEP_ALIVE,
        },
    )
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=lambda at: (microseconds(at),),
        decoder=lambda parts: (parts[0] + EPOCH_MICROSECONDS) // 1000,
        format="tuple",
    )
    return connection


def microseconds(at: int) -> int:
    """Milliseconds since 1970 as PostgreSQL's own number; what is beyond all its times is the first or the last one."""
    return min(max(at, EARLIEST), LATEST) * 1000 - EPOCH_MICROSECONDS


async def open_session(
    address: Address, name: str, *, seconds: float = COMMAND_SECONDS, dry_run: bool = False
) -> Connection:
    """A connection that may write. dry_run: all of it is one transaction that nobody commits, its tables included.

    Refused: the schema is newer than this hub, somebody else's, or another hub writes there; FAILURES: not now.
    """
    connection = await connect(address, name, seconds=seconds)
    try:
        _check_encoding(connection, address)
        await _lock(connection, address, name)
        if dry_run:
            await connection.transaction().start()
        await _migrate(connection, address)
        await _check_tables(connection, address)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _check_encoding(connection: Connection, address: Address) -> None:
    encoding = connection.get_settings().server_encoding
    if encoding not in _ENCODINGS:
        raise Refused(
            f"the database {address} is kept in {encoding}, which cannot hold every text: make another one, "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0; nothing was changed"
        )


async def _lock(connection: Connection, address: Address, name: str) -> None:
    number = crc32(address.schema.encode())
    signed = number - 2**32 if number >= 2**31 else number
    holder = None
    for _ in range(10):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK_CLASS, signed):
            return
        # a connection of ours that was lost may not be known as such over there
        ghosts = await connection.fetch(_GHOSTS, LOCK_CLASS, number, name)
        holder = await connection.fetchval(_HOLDER, LOCK_CLASS, number)
        if not ghosts and holder is not None and not _is_by_hand(holder):  # a command comes to its end by itself
            break
        await asyncio.sleep(0.1)
    if _is_by_hand(holder):
        raise Refused(
            f"another command moves a home to or from {address}, schema {address.schema}, just now, or a hub takes its "
            "home from there: wait until that is done; nothing was changed"
        )
    raise Refused(
        f"another hub writes to {address}, schema {address.schema}: stop it, "
        "or give this one a schema of its own (?schema=NAME at the end of the URL)"
    )


def _is_by_hand(holder: str | None) -> bool:
    return holder is not None and holder.startswith(_BY_HAND)


async def is_ours(connection: Connection, address: Address) -> bool:
    """Whether the schema has been made by a hub."""
    return bool(await connection.fetchval(_OURS, address.schema))


async def _migrate(connection: Connection, address: Address) -> None:
    """Bring the schema to the newest form, each step in a transaction of its own."""
    known = newest(SCHEMA_FILES)
    there = 0
    if await is_ours(connection, address):
        there = int(await connection.fetchval("SELECT number FROM version"))
    elif await connection.fetchval(_IN_USE, address.schema):
        raise Refused(
            f"the schema {address.schema} of {address} holds tables that are not hallway's: "
            "give the hub another one (?schema=NAME at the end of the URL)"
        )
    if there > known:
        raise Refused(
            f"{address} was written by a newer hallway (schema {there}, this one knows {known} at most): "
            "update this one; nothing was changed"
        )
    for number, path in schema_files(SCHEMA_FILES).items():
        if number > there:
            async with connection.transaction():
                if number == 1 and not await connection.fetchval("SELECT to_regnamespace($1)::oid", address.schema):
                    await connection.execute(f"CREATE SCHEMA {address.schema}")
                await connection.execute(path.read_text("utf-8"))
                await connection.execute("UPDATE version SET number = $1", number)


async def _check_tables(connection: Connection, address: Address) -> None:
    """They are made once; what somebody has dropped since then is not made anew beside what others still know of it."""
    wanted = {name for path in schema_files(SCHEMA_FILES).values() for name in _MAKES.findall(path.read_text("utf-8"))}
    missing = wanted - {name for (name,) in await connection.fetch(_TABLES, address.schema)}
    if missing:
        raise Refused(
            f"the schema {address.schema} of {address} lacks what somebody has dropped: {', '.join(sorted(missing))}. "
            f"Put that back, or drop the rest too: DROP SCHEMA {address.schema} CASCADE; the hub makes it anew then, "
            "with all but the samples that the database had; nothing was changed"
        )


async def used_by_hand(address: Address, work: Callable[[Connection], Awaitable[Any]], *, dry_run: bool = False) -> Any:
    """Do work on a connection that may write, once. Unavailable: it cannot be, or it failed half-way."""
    try:
        connection = await open_session(address, _THIS_COMMAND, seconds=LONG_SECONDS, dry_run=dry_run)
        try:
            return await work(connection)
        finally:
            with suppress(*FAILURES):
                await connection.close(timeout=CONNECT_SECONDS)
    except FAILURES as error:
        raise Unavailable(sentence(error, address, by_hand=True)) from None
