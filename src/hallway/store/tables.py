"""The tables of home.db in SQL: a batch goes in, what was saved comes out.

Only what changed is written. It must not know when that happens, nor in which thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from hallway.home.changes import State
from hallway.home.pending import Due
from hallway.home.saved import Saved, SavedNote, SavedState, SavedValue
from hallway.home.values import Value
from hallway.store import definitions
from hallway.store.database import Damaged
from hallway.store.rows import Batch, EntityGone, StateRow, ValueRow, VariableFresh, VariableRow

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Any).decode

_PUT_STATE = """
    INSERT INTO state (entity_id, state, attributes, last_changed, last_updated, told_by) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (entity_id) DO UPDATE SET state = excluded.state, attributes = excluded.attributes,
        last_changed = excluded.last_changed, last_updated = excluded.last_updated, told_by = excluded.told_by
"""
_PUT_VALUE = """
    INSERT INTO value (device_id, attribute, value, updated, changed) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (device_id, attribute) DO UPDATE SET value = excluded.value, updated = excluded.updated,
        changed = coalesce(excluded.changed, changed, updated)
"""
_PUT_VARIABLE = """
    INSERT INTO variable (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_PUT_PLAN = """
    INSERT INTO plan (device_id, name, due) VALUES (?, ?, ?)
    ON CONFLICT (device_id, name) DO UPDATE SET due = excluded.due
"""
_PUT_NOTE = """
    INSERT INTO note (owner, name, body) VALUES (?, ?, ?)
    ON CONFLICT (owner, name) DO UPDATE SET body = excluded.body
"""
_PUT_KEPT = """
    INSERT INTO kept_id (owner, entity_id) VALUES (?, ?)
    ON CONFLICT (owner) DO UPDATE SET entity_id = excluded.entity_id
"""


class Written(NamedTuple):
    """How much was given to the database: rows, and bytes of the texts in them."""

    rows: int = 0
    bytes: int = 0


def write(connection: sqlite3.Connection, batch: Batch) -> Written:
    """Put a batch into the tables, inside the transaction that is open."""
    states, values = batch.states.values(), [row for rows in batch.values.values() for row in rows.values()]
    variables, plans, notes = batch.variables.values(), batch.plans.values(), batch.notes.values()
    steps: list[tuple[str, list[tuple[Any, ...]]]] = [
        ("DELETE FROM state WHERE entity_id = ?", [(row.entity_id,) for row in states if isinstance(row, EntityGone)]),
        (_PUT_STATE, [_state(row) for row in states if isinstance(row, StateRow)]),
        ("DELETE FROM value WHERE device_id = ?", [(device_id,) for device_id in batch.fresh]),
        (_PUT_VALUE, [_value(row) for row in values]),
        ("DELETE FROM variable WHERE name = ?", [(row.name,) for row in variables if isinstance(row, VariableFresh)]),
        (_PUT_VARIABLE, [(row.name, _text(row.value)) for row in variables if isinstance(row, VariableRow)]),
        ("DELETE FROM plan WHERE device_id = ? AND name = ?", [(p.device_id, p.name) for p in plans if p.due is None]),
        (_PUT_PLAN, [(plan.device_id, plan.name, plan.due) for plan in plans if plan.due is not None]),
        ("DELETE FROM note WHERE owner = ? AND name = ?", [(n.owner, n.name) for n in notes if n.note is None]),
        (_PUT_NOTE, [(row.owner, row.name, _text(row.note)) for row in notes if row.note is not None]),
        (_PUT_KEPT, [(kept.owner, kept.entity_id) for kept in batch.kept.values()]),
        ("UPDATE progress SET last_seq = ?", [(batch.seq,)]),
    ]
    for statement, rows in steps:
        connection.executemany(statement, rows)
    for defined in batch.definitions:
        definitions.put(connection, definitions.definition_of(defined))
    if any(defined.body is None for defined in batch.definitions):
        definitions.forget_removed(connection)
    written = [row for _statement, rows in steps for row in rows]
    written += [(defined.kind, defined.key, _text(defined.body)) for defined in batch.definitions]
    return Written(len(written), sum(len(text) for row in written for text in row if isinstance(text, str)))


def _state(row: StateRow) -> tuple[Any, ...]:
    attributes = _text(row.attributes)
    return (row.entity_id, row.state, attributes, row.last_changed, row.last_updated, row.told_by)


def _value(row: ValueRow) -> tuple[Any, ...]:
    return (row.device_id, row.attribute, _text(row.value), row.updated, row.changed)


def _text(value: Value) -> str:
    return _encode(value).decode()


def last_seq(connection: sqlite3.Connection) -> int:
    """The number of the last change that is in the tables."""
    (seq,) = connection.execute("SELECT last_seq FROM progress").fetchone()
    return int(seq)


def read(connection: sqlite3.Connection) -> Saved:
    """All that was saved. Damaged: a text is no JSON."""
    states = connection.execute(
        "SELECT entity_id, state, attributes, last_changed, last_updated, told_by FROM state ORDER BY number"
    )
    values = connection.execute("SELECT device_id, attribute, value, updated, coalesce(changed, updated) FROM value")
    variables = connection.execute("SELECT name, value FROM variable")
    notes = connection.execute("SELECT owner, name, body FROM note")
    return Saved(
        seq=last_seq(connection),
        kept_ids=dict(connection.execute("SELECT owner, entity_id FROM kept_id").fetchall()),
        values=tuple(SavedValue(*row) for row in _decoded("value", values.fetchall(), 2)),
        states=tuple(SavedState(State(*row[:5]), row[5]) for row in _decoded("state", states.fetchall(), 2)),
        variables=dict(_decoded("variable", variables.fetchall(), 1)),
        pending=tuple(Due(*row) for row in connection.execute("SELECT device_id, name, due FROM plan").fetchall()),
        notes=tuple(SavedNote(*row) for row in _decoded("note", notes.fetchall(), 2) if isinstance(row[2], dict)),
    )


def _decoded(table: str, rows: Sequence[tuple[Any, ...]], column: int) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        try:
            value = _decode(row[column])
        except (msgspec.DecodeError, RecursionError) as error:
            raise Damaged(f"{table} {row[0]}: its text is no JSON: {error}") from None
        yield (*row[:column], value, *row[column + 1 :])
