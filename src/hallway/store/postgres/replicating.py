"""Brings PostgreSQL to what home.db holds: all of it by comparing, or the rows that are known to have changed.

Each is one transaction from one look at home.db, so the replica always is the home as it was at one moment. What is
sent says what there is, not what happened: sent twice it is the same. It must not know when that is to be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hallway.store.postgres.address import Address
from hallway.store.postgres.home_tables import DEFINITION, TABLES, Row, Snapshot, Table, outwards, snapshot
from hallway.store.postgres.session import Connection, Refused

AT_ONCE: Final = 500
_PUT_SEQ = "UPDATE home SET last_seq = $1, synchronised = now()"
_VERSIONS = """
    SELECT kind, id, max(version) FROM definition
    WHERE (kind, id) IN (SELECT * FROM unnest($1::text[], $2::text[])) GROUP BY kind, id
"""
_NEWER = f"{DEFINITION.some(2)} AND version > ?"

Key = tuple[Any, ...]
Dirty = Mapping[Table, set[Key]]
"""The keys of rows that have changed, or the values with which such keys begin."""


async def whole(connection: Connection, path: Path, address: Address, *, replace: bool = False) -> int:
    """Compare all and send what differs: the number of the last change that is there now.

    Refused: the database holds a later state of this home, and replace does not say that it is to be given up.
    """
    with snapshot(path) as home:
        async with connection.transaction():
            there = int(await connection.fetchval("SELECT last_seq FROM home FOR UPDATE") or 0)
            if there > home.seq and not replace:
                raise Refused(_later(address, there, home.seq))
            for table in TABLES:
                await compare(connection, home, table)
            await connection.execute(_PUT_SEQ, home.seq)
    return home.seq


async def refuse_later(connection: Connection, path: Path, address: Address) -> None:
    """Refused: the database holds a later state of this home than home.db."""
    there = int(await connection.fetchval("SELECT last_seq FROM home") or 0)
    with snapshot(path) as home:
        if there > home.seq:
            raise Refused(_later(address, there, home.seq))


def _later(address: Address, there: int, here: int) -> str:
    return (
        f"the database {address} holds a later state of this home (change {there}, here it is {here}): stop the hub, "
        "then either remove home.db to take the home from the database, or say `hallway store move --home DIR --to "
        "database --replace` to let this home take its place; nothing was changed"
    )


async def part(connection: Connection, path: Path, dirty: Dirty) -> int:
    """Send the rows with these keys as they are now: the number of the last change that is there then."""
    with snapshot(path) as home:
        async with connection.transaction():
            for table, keys in dirty.items():
                every = list(keys)
                for begin in range(0, len(every), AT_ONCE):
                    some = every[begin : begin + AT_ONCE]
                    if table is DEFINITION:
                        await _send_versions(connection, home, some)
                    else:
                        await _send(connection, home, table, some)
            await connection.execute(_PUT_SEQ, home.seq)
    return home.seq


async def _send(connection: Connection, home: Snapshot, table: Table, keys: list[Key]) -> None:
    gone: dict[int, list[Row]] = {}
    rows: list[Row] = []
    for key in keys:
        found = [outwards(row) for row in home.connection.execute(table.some(len(key)), key)]
        if len(key) < len(table.key) or not found:
            gone.setdefault(len(key), []).append(outwards(key))
        rows += found
    for length, which in gone.items():
        await connection.executemany(table.drop(length), which)
    await connection.executemany(table.put, rows)


async def _send_versions(connection: Connection, home: Snapshot, keys: list[Key]) -> None:
    """A version never changes, so only newer ones are sent."""
    kinds, ids = zip(*map(outwards, keys), strict=True)
    found = await connection.fetch(_VERSIONS, list(kinds), list(ids))
    known = {(kind, key): version for kind, key, version in found}
    for kind, key in keys:
        newest = known.get(outwards((kind, key)), 0)
        rows = home.connection.execute(_NEWER, (kind, key, newest)).fetchall()
        await connection.executemany(DEFINITION.put, [outwards(row) for row in rows])


async def compare(connection: Connection, home: Snapshot, table: Table, *, send: bool = True) -> int:
    """How many rows differ; all of them are sent, or dropped over there. To be called in a transaction."""
    keys = len(table.key)
    there: dict[Row, int] = {}
    removed: set[Row] = set()
    async for found in connection.cursor(table.compared, prefetch=AT_ONCE):
        row = tuple(found)
        there[row[:keys]] = hash(row[keys:])
        if table is DEFINITION and row[6] is None:
            removed.add(row[:keys])
    newest: dict[Row, int] = {}
    rows: list[Row] = []
    differing = 0
    for found in home.connection.execute(table.everything):
        row = outwards(found)
        if table is DEFINITION:
            newest[row[:2]] = max(newest.get(row[:2], 0), row[2])
        if there.pop(row[:keys], None) != table.print_of(row):
            rows.append(row)
        if len(rows) >= AT_ONCE:
            differing += len(rows)
            if not send:
                rows = []
                continue
            await connection.executemany(table.put, rows)
            rows = []
            await asyncio.sleep(0)
    differing += len(rows)
    gone = _other_versions(there, newest, removed) if table is DEFINITION else list(there)
    if send:
        await connection.executemany(table.put, rows)
        await connection.executemany(table.drop(keys), gone)
    return differing + len(gone)


def _other_versions(there: Mapping[Row, int], newest: Mapping[Row, int], removed: set[Row]) -> list[Row]:
    """Versions that this home never had. What it had and has forgotten is kept: older ones, and what was removed."""
    last: dict[Row, int] = {}
    for kind, key, version in there:
        last[kind, key] = max(last.get((kind, key), 0), version)
    gone: list[Row] = []
    for kind, key, version in there:
        known = newest.get((kind, key))
        forgotten = (kind, key, last[kind, key]) in removed if known is None else version < known
        if not forgotten:
            gone.append((kind, key, version))
    return gone
