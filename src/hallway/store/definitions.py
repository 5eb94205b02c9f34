"""Definitions with all their versions: what somebody edited, who it was, when and through which door.

A version is never changed; removing adds one without a body, and old ones are forgotten, so that home.db does not grow
for ever. It must not know what a body means, nor in which thread it is used.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from hallway.home.values import Attributes, decode, encode
from hallway.store.contents import checksum
from hallway.store.rows import DefinitionRow

_PUT = """
    INSERT INTO definition (kind, id, version, at, author, door, body, seq, act, checksum)
    SELECT ?, ?, coalesce(max(version), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM definition WHERE kind = ? AND id = ?
    RETURNING version
"""
_LATEST = """
    SELECT kind, id, max(version), at, author, door, body, seq, act FROM definition WHERE kind = ?
    GROUP BY id ORDER BY id
"""
_HISTORY = """
    SELECT kind, id, version, at, author, door, body, seq, act FROM definition
    WHERE kind = ? AND id = ? ORDER BY version
"""
_FORGET = """
    DELETE FROM definition WHERE kind = ? AND id = ? AND version <= ? AND version NOT IN (?, ?)
"""
_REMOVED_LAST = """
    SELECT coalesce(max(version), 0) FROM definition WHERE kind = ? AND id = ? AND body IS NULL
"""
_GONE_LONG = """
    SELECT kind, id FROM definition AS gone WHERE body IS NULL AND NOT EXISTS (
        SELECT 1 FROM definition WHERE kind = gone.kind AND id = gone.id AND version > gone.version
    ) ORDER BY at DESC, seq DESC LIMIT -1 OFFSET ?
"""
MOST_VERSIONS, FEWEST_VERSIONS = 100, 10
VERSION_BYTES = 10 * 2**20
"""So many of the newest versions of a definition are kept: as many as this holds, but never less or more than these."""
MOST_REMOVED = 1000
"""Of so many removed definitions the versions are kept, those removed last."""
_NEVER = (0, 0.0)
_BORN = """
    SELECT id, seq, at FROM definition AS first WHERE kind = ? AND version = 1 + coalesce(
        (SELECT max(version) FROM definition WHERE kind = first.kind AND id = first.id AND body IS NULL), 0)
"""


class Definition(msgspec.Struct, frozen=True):
    """One version of a definition: `at` in seconds since 1970; body is None when this version removed it.

    seq: the number of the change with which it came, 0 when it was none; since: the one with which the first version
    came, or the first after it had been removed; act: the number of the first change of what somebody did in one go, 0
    when it was this one.
    """

    kind: str
    id: str
    version: int
    at: float
    author: str | None
    door: str
    body: Attributes | None
    seq: int = 0
    since: int = 0
    act: int = 0


def check(definition: Definition) -> None:
    """CannotStore when the definition cannot be written as JSON."""
    encode([definition.kind, definition.id, definition.author, definition.door, definition.body])


def put(connection: sqlite3.Connection, definition: Definition) -> Definition:
    """Add a definition as the next version of its kind and id, inside the transaction that is open.

    Versions that are older than so many are forgotten.
    """
    body = None if definition.body is None else encode(definition.body).decode()
    which = (definition.kind, definition.id)
    row = (*which, float(definition.at), definition.author, definition.door, body, definition.seq, definition.act)
    ((version,),) = connection.execute(_PUT, (*row, checksum(row), *which)).fetchall()
    kept = min(max(VERSION_BYTES // max(len(body or ""), 1), FEWEST_VERSIONS), MOST_VERSIONS)
    if version > kept:
        _forget(connection, which, version - kept)
    return msgspec.structs.replace(definition, version=version)


def _forget(connection: sqlite3.Connection, which: tuple[str, str], last: int) -> None:
    """Forget its versions up to that one, but for the one with which it came: the order of definitions follows it."""
    ((removed,),) = connection.execute(_REMOVED_LAST, which).fetchall()
    connection.execute(_FORGET, (*which, last, removed, removed + 1))


def forget_removed(connection: sqlite3.Connection) -> None:
    """Forget all versions of what was removed long ago, inside the transaction that is open."""
    gone = connection.execute(_GONE_LONG, (MOST_REMOVED,)).fetchall()
    connection.executemany("DELETE FROM definition WHERE kind = ? AND id = ?", gone)


def latest(connection: sqlite3.Connection, kind: str, waiting: Iterable[DefinitionRow] = ()) -> dict[str, Definition]:
    """The present definitions of a kind by id, in the order in which they came; removed ones are left out.

    waiting: what is not committed yet, and goes over what is.
    """
    born = {key: (seq, at) for key, seq, at in connection.execute(_BORN, (kind,)).fetchall()}
    found = [_definition(row) for row in connection.execute(_LATEST, (kind,)).fetchall()]
    found = [msgspec.structs.replace(each, since=born.get(each.id, _NEVER)[0]) for each in found]
    known = {each.id: each for each in sorted(found, key=lambda each: born.get(each.id, _NEVER))}
    for row in waiting:
        before = known.get(row.key)
        if row.kind == kind and (before is None or before.seq < row.seq):
            stays = before is not None and before.body is not None
            if not stays:
                known.pop(row.key, None)
            version = 1 if before is None else before.version + 1
            known[row.key] = definition_of(row, version, before.since if before is not None and stays else row.seq)
    return {key: definition for key, definition in known.items() if definition.body is not None}


def history(connection: sqlite3.Connection, kind: str, key: str) -> tuple[Definition, ...]:
    """All versions of one definition, the first one first."""
    return tuple(_definition(row) for row in connection.execute(_HISTORY, (kind, key)).fetchall())


def with_versions(known: tuple[Definition, ...], key: str, rows: Iterable[DefinitionRow]) -> tuple[Definition, ...]:
    """All versions of one definition, and those that wait for their commit."""
    versions = list(known)
    for row in rows:
        if row.key == key and row.seq > max((version.seq for version in versions), default=0):
            versions.append(definition_of(row, versions[-1].version + 1 if versions else 1))
    return tuple(versions)


def definition_of(row: DefinitionRow, version: int = 0, since: int = 0) -> Definition:
    """What a row of the redo log defines."""
    return Definition(row.kind, row.key, version, row.at, row.author, row.door, row.body, row.seq, since, row.act)


def _definition(row: tuple[Any, ...]) -> Definition:
    kind, key, version, at, author, door, body, seq, act = row
    value = None if body is None else decode(body.encode())
    body = value if isinstance(value, dict) else None
    return Definition(kind, key, version, at, author, door, body, seq, act=act)
