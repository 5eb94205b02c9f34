"""Definitions with all their versions: what somebody edited, who it was, when and through which door.

A version is never changed; removing adds one without a body. It must not know what a body means, nor in which thread it
is used.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from hallway.home.values import Attributes, decode, encode
from hallway.store.rows import DefinitionRow

_PUT = """
    INSERT INTO definition (kind, id, version, at, author, door, body, seq)
    SELECT ?, ?, coalesce(max(version), 0) + 1, ?, ?, ?, ?, ? FROM definition WHERE kind = ? AND id = ?
    RETURNING version
"""
_LATEST = """
    SELECT kind, id, max(version), at, author, door, body, seq FROM definition WHERE kind = ? GROUP BY id ORDER BY id
"""
_HISTORY = """
    SELECT kind, id, version, at, author, door, body, seq FROM definition WHERE kind = ? AND id = ? ORDER BY version
"""
_NEVER = (0, 0.0)
_BORN = """
    SELECT id, seq, at FROM definition AS first WHERE kind = ? AND version = 1 + coalesce(
        (SELECT max(version) FROM definition WHERE kind = first.kind AND id = first.id AND body IS NULL), 0)
"""


class Definition(msgspec.Struct, frozen=True):
    """One version of a definition: `at` in seconds since 1970; body is None when this version removed it.

    seq: the number of the change with which it came, 0 when it was none; since: the one with which the first version
    came, or the first after it had been removed.
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


def check(definition: Definition) -> None:
    """CannotStore when the definition cannot be written as JSON."""
    encode([definition.kind, definition.id, definition.author, definition.door, definition.body])


def put(connection: sqlite3.Connection, definition: Definition) -> Definition:
    """Add a definition as the next version of its kind and id, inside the transaction that is open."""
    body = None if definition.body is None else encode(definition.body).decode()
    row = (definition.kind, definition.id, definition.at, definition.author, definition.door, body, definition.seq)
    ((version,),) = connection.execute(_PUT, (*row, definition.kind, definition.id)).fetchall()
    return msgspec.structs.replace(definition, version=version)


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
            versions.append(definition_of(row, len(versions) + 1))
    return tuple(versions)


def definition_of(row: DefinitionRow, version: int = 0, since: int = 0) -> Definition:
    """What a row of the redo log defines."""
    return Definition(row.kind, row.key, version, row.at, row.author, row.door, row.body, row.seq, since)


def _definition(row: tuple[Any, ...]) -> Definition:
    kind, key, version, at, author, door, body, seq = row
    value = None if body is None else decode(body.encode())
    return Definition(kind, key, version, at, author, door, value if isinstance(value, dict) else None, seq)
