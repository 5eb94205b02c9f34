"""What is written for a change, and the batch in which many changes become one: of each thing only the last counts.

The same rows go into the redo log, come out of it and are put into home.db, so that a replayed home is the one that was
lived. It must not know files or SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from hallway.home.announcing import STORE
from hallway.home.changes import AnyChange, Defined, Noted, Ordered, Planned, StateChange, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.derived import FORMULA
from hallway.home.values import encode, same

MAX_IN_DEFINITION = 4096
"""Letters of a variable's value that stands in each version of its definition too."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all rows; in the redo log each is an array that begins with its letter."""


class StateRow(Row, frozen=True, array_like=True, gc=False, tag="s"):
    """An entity shows this; times in seconds since 1970."""

    entity_id: str
    state: str
    attributes: dict[str, Any]
    last_changed: float
    last_updated: float
    told_by: str


class EntityGone(Row, frozen=True, array_like=True, gc=False, tag="e"):
    """The entity shows nothing any more."""

    entity_id: str


class ValueRow(Row, frozen=True, array_like=True, gc=False, tag="v"):
    """A device's attribute has this value; changed is None when it was only confirmed."""

    device_id: str
    attribute: str
    value: Any
    updated: float
    changed: float | None


class DeviceFresh(Row, frozen=True, array_like=True, gc=False, tag="d"):
    """The device is gone or begins anew: it has none of the values that it had."""

    device_id: str


class VariableRow(Row, frozen=True, array_like=True, gc=False, tag="x"):
    """A variable has this value."""

    name: str
    value: Any


class VariableFresh(Row, frozen=True, array_like=True, gc=False, tag="y"):
    """The variable is gone or begins anew with the value of its definition."""

    name: str


class PlanRow(Row, frozen=True, array_like=True, gc=False, tag="p"):
    """A device will do something at `due` (seconds since 1970), or no longer (None)."""

    device_id: str
    name: str
    due: float | None


class NoteRow(Row, frozen=True, array_like=True, gc=False, tag="n"):
    """A part of the hub keeps this in mind, or no longer (None)."""

    owner: str
    name: str
    note: dict[str, Any] | None


class KeptId(Row, frozen=True, array_like=True, gc=False, tag="k"):
    """An owner got this entity id."""

    owner: str
    entity_id: str


class DefinitionRow(Row, frozen=True, array_like=True, gc=False, tag="f"):
    """Somebody defined this with change seq at that time (seconds since 1970), or removed it (no body).

    act: the number of the first change of what they did in one go, 0 when it was this one.
    """

    kind: str
    key: str
    seq: int
    at: float
    author: str | None
    door: str
    body: dict[str, Any] | None
    act: int = 0


AnyRow = (
    StateRow
    | EntityGone
    | ValueRow
    | DeviceFresh
    | VariableRow
    | VariableFresh
    | PlanRow
    | NoteRow
    | KeptId
    | DefinitionRow
)


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record of the redo log: the number of the change and its rows."""

    seq: int
    rows: list[AnyRow]


def rows_of(change: AnyChange) -> list[AnyRow]:
    """What is to be kept of a change; empty for an event."""
    match change:
        case Updated():
            rows: list[AnyRow] = [state_row(moved) for moved in change.states]
            if change.new and change.context.origin != FORMULA:
                rows += _value_rows(change)
            return rows
        case VariableSet():
            rows = [state_row(moved) for moved in change.states]
            if change.context.origin != FORMULA:
                rows.append(VariableRow(change.name, change.new))
            return rows
        case Planned() | Noted():
            return [_memo_row(change)]
        case Defined():
            return [*_fresh_rows(change), *(state_row(moved) for moved in change.states), *_definition_rows(change)]
        case Ordered():
            context, body = change.context, {"order": list(change.whole)}
            who = (context.user, context.origin)
            return [DefinitionRow("order", change.kind, change.seq, change.at, *who, body, change.act)]
        case _:
            return []


def _memo_row(change: Planned | Noted) -> PlanRow | NoteRow:
    """What is to happen, or to be kept in mind."""
    if isinstance(change, Planned):
        return PlanRow(change.device_id, change.name, change.due)
    return NoteRow(change.owner, change.name, change.note)


def state_row(moved: StateChange) -> StateRow | EntityGone:
    """What is to be kept of a state that moved."""
    new = moved.new
    if new is None:
        return EntityGone(moved.entity_id)
    return StateRow(moved.entity_id, new.state, new.attributes, new.last_changed, new.last_updated, moved.told_by)


def _value_rows(change: Updated) -> Iterator[AnyRow]:
    for name, value in change.new.items():
        before = change.old[name]
        same = before == value and type(before) is type(value)
        yield ValueRow(change.device_id, name, value, change.at, None if same else change.at)


def _fresh_rows(change: Defined) -> list[AnyRow]:
    """A definition that came or went takes the values with it; one that was changed leaves them."""
    if change.old is not None and change.new is not None:
        return []
    if change.kind == "variable":
        return [VariableFresh(change.key)]
    config = change.new or change.old or {}
    return [DeviceFresh(change.key)] if change.kind == "device" and config.get("class") != REPORTED else []


def _definition_rows(change: Defined) -> Iterator[AnyRow]:
    """What stands elsewhere is not kept here, nor is a definition that is as it was."""
    if change.source == STORE and not same(change.old, change.new):
        context, body = change.context, change.new
        if change.kind == "variable" and body and body.get("expression") is None and _is_large(body.get("value")):
            yield VariableRow(change.key, body["value"])
            body = {name: given for name, given in body.items() if name != "value"}
        who = (context.user, context.origin)
        yield DefinitionRow(change.kind, change.key, change.seq, change.at, *who, body, change.act)


def _is_large(value: Any) -> bool:
    """Whether a variable's value is kept as value alone, and not once more with each version of its definition."""
    if isinstance(value, list | dict):
        return len(encode(value)) > MAX_IN_DEFINITION
    return isinstance(value, str) and len(value) > MAX_IN_DEFINITION


class Batch:
    """The last of each thing since the last commit. `seq` is the number of the last change in it, 0 while it is empty.

    fresh: devices whose older values are to be forgotten before `values` are written; definitions: each of them, since
    all versions are kept.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.states: dict[str, StateRow | EntityGone] = {}
        self.fresh: dict[str, DeviceFresh] = {}
        self.values: dict[str, dict[str, ValueRow]] = {}
        self.variables: dict[str, VariableRow | VariableFresh] = {}
        self.plans: dict[tuple[str, str], PlanRow] = {}
        self.notes: dict[tuple[str, str], NoteRow] = {}
        self.kept: dict[str, KeptId] = {}
        self.definitions: list[DefinitionRow] = []

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write, not even a number."""
        return not self.seq

    def put_state(self, seq: int, row: StateRow | EntityGone) -> None:
        """Take in a change of one row, as `put` does."""
        self.seq = seq
        self.states[row.entity_id] = row

    def put(self, seq: int, rows: Iterable[AnyRow]) -> None:
        """Take in the rows of a change, over those of earlier ones."""
        self.seq = seq
        for row in rows:
            match row:
                case StateRow() | EntityGone():
                    self.states[row.entity_id] = row
                case ValueRow():
                    self._put_value(row)
                case DeviceFresh():
                    self.values.pop(row.device_id, None)
                    self.fresh[row.device_id] = row
                case VariableRow() | VariableFresh():
                    self.variables[row.name] = row
                case PlanRow():
                    self.plans[row.device_id, row.name] = row
                case NoteRow():
                    self.notes[row.owner, row.name] = row
                case KeptId():
                    self.kept[row.owner] = row
                case DefinitionRow():
                    self.definitions.append(row)

    def _put_value(self, row: ValueRow) -> None:
        values = self.values.setdefault(row.device_id, {})
        before = values.get(row.attribute)
        if row.changed is None and before is not None:
            row = msgspec.structs.replace(row, changed=before.changed)
        values[row.attribute] = row

    def rows(self) -> list[AnyRow]:
        """All rows, in an order in which they can be put again."""
        return [
            *self.states.values(),
            *self.fresh.values(),
            *(row for values in self.values.values() for row in values.values()),
            *self.variables.values(),
            *self.plans.values(),
            *self.notes.values(),
            *self.kept.values(),
            *self.definitions,
        ]

    def __len__(self) -> int:
        """How many rows it has."""
        return len(self.rows())
