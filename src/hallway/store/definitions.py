"""Definitions with all their versions: what somebody edited, who it was, when and through which door.

A version is never changed; removing adds one without a body. It must not know what a body means, nor in which thread it
is used.
"""

from __future__ import annotations

import sqlite3

import msgspec

from hallway.home.values import Attributes, decode, encode

_PUT = """
    INSERT INTO definition (kind, id, version, at, author, door, body)
    SELECT ?, ?, coalesce(max(version), 0) + 1, ?, ?, ?, ? FROM definition WHERE kind = ? AND id = ?
    RETURNING version
"""
_LATEST = """
    SELECT kind, id, max(version), at, author, door, body FROM definition WHERE kind = ? GROUP BY id ORDER BY id
"""
_HISTORY = """
    SELECT kind, id, version, at, author, door, body FROM definition WHERE kind = ? AND id = ? ORDER BY version
"""


class Definition(msgspec.Struct, frozen=True):
    """One version of a definition: `at` in seconds since 1970; body is None when this version removed it."""

    kind: str
    id: str
    version: int
    at: float
    author: str | None
    door: str
    body: Attributes | None


def check(definition: Definition) -> None:
    """CannotStore when the definition cannot be written as JSON."""
    encode([definition.kind, definition.id, definition.author, definition.door, definition.body])


def put(connection: sqlite3.Connection, definition: Definition) -> Definition:
    """Add a definition as the next version of its kind and id, inside the transaction that is open."""
    body = None if definition.body is None else encode(definition.body).decode()
    row = (definition.kind, definition.id, definition.at, definition.author, definition.door, body)
    ((version,),) = connection.execute(_PUT, (*row, definition.kind, definition.id)).fetchall()
    return msgspec.structs.replace(definition, version=version)


def latest(connection: sqlite3.Connection, kind: str) -> dict[str, Definition]:
    """The present definitions of a kind by id; removed ones are left out."""
    found = (_definition(*row) for row in connection.execute(_LATEST, (kind,)).fetchall())
    return {definition.id: definition for definition in found if definition.body is not None}


def history(connection: sqlite3.Connection, kind: str, key: str) -> tuple[Definition, ...]:
    """All versions of one definition, the first one first."""
    return tuple(_definition(*row) for row in connection.execute(_HISTORY, (kind, key)).fetchall())


def _definition(
    kind: str, key: str, version: int, at: float, author: str | None, door: str, body: str | None
) -> Definition:
    value = None if body is None else decode(body.encode())
    return Definition(kind, key, version, at, author, door, value if isinstance(value, dict) else None)
