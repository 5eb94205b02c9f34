"""What home.db must say, out of the memory of a hub that runs: the home, and the newest version of each definition.

It must not know files, nor when it is asked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final, NamedTuple

from hallway.home.classes import REPORTED
from hallway.home.devices import Device
from hallway.home.formulas import computed_by
from hallway.home.home import Home
from hallway.home.revisions import EDITED
from hallway.home.values import encode
from hallway.store.contents import checksum
from hallway.store.definitions import MOST_REMOVED, Definition
from hallway.store.rows import (
    AnyRow,
    Batch,
    DefinitionRow,
    KeptId,
    NoteRow,
    PlanRow,
    StateRow,
    ValueRow,
    VariableRow,
)
from hallway.store.tables import write

Which = tuple[str, str]
MOST_GONE: Final = MOST_REMOVED + 500
"""So many definitions that were removed last are in memory: home.db forgets its older ones with the next commit."""
Version = tuple[Any, ...]
"""kind, id, version, at, author, door, body as text, seq, act."""
_COLUMNS: Final = "kind, id, version, at, author, door, body, seq, act"
_NEWEST: Final = f"SELECT {_COLUMNS}, max(version) FROM definition GROUP BY kind, id"  # noqa: S608
_VERSION, _AT, _BODY, _SEQ, _ACT = 2, 3, 6, 7, 8
_PUT: Final = f"INSERT OR REPLACE INTO definition ({_COLUMNS}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_FORGET: Final = "DELETE FROM definition WHERE kind = ? AND id = ?"
_FORGET_LATER: Final = "DELETE FROM definition WHERE kind = ? AND id = ? AND version > ?"
_WIPED: Final = ("state", "plan", "note")
"""Tables of which the home knows all rows; of the others it may not know those of things that it has no more."""


class Truth(NamedTuple):
    """Of one moment. rows: all but definitions; versions: the newest of each definition; seq: the last commit.

    known: all definitions that may be there, where that is known: any other was removed long ago.
    """

    rows: tuple[AnyRow, ...]
    versions: tuple[Version, ...]
    seq: int
    known: Container[Which] | None = None


class Newest:
    """The newest version of each definition, and what parts of the hub keep in mind.

    Of those that were removed only so many are kept as home.db keeps too: something may be made and removed for ever.
    """

    def __init__(self) -> None:
        self._versions: dict[Which, Version] = {}
        self._gone: dict[Which, None] = {}
        self._forgotten = False
        self._notes: dict[Which, NoteRow] = {}
        self._last = (0, 0)
        self._complete = False

    def read(self, reader: sqlite3.Connection, notes: Iterable[NoteRow]) -> None:
        """Begin with what home.db has. sqlite3.Error: it cannot be read."""
        found = [row[:-1] for row in reader.execute(_NEWEST)]
        self._versions, self._gone = {}, {}
        self._complete = True
        for version in sorted(found, key=lambda version: (version[_AT], version[_SEQ])):
            self._came(version)
        self.take(notes)

    def __len__(self) -> int:
        """How many versions it keeps."""
        return len(self._versions)

    def number(self, kind: str, key: str) -> int | None:
        """The number of the last edit of something, 0 when there was none; None: home.db has to be asked."""
        known = self._versions.get((kind, key))
        if known is not None:
            return int(known[_SEQ])
        return 0 if self._complete and not self._forgotten else None

    def last(self) -> tuple[int, int] | None:
        """The number of the last edit of anything and that of its act, 0 when there was none; None: as above."""
        return self._last if self._complete or self._last[0] else None

    def take(self, rows: Iterable[AnyRow]) -> None:
        """These have happened."""
        for row in rows:
            match row:
                case DefinitionRow():
                    body = None if row.body is None else encode(row.body).decode()
                    self._put(row.kind, row.key, (row.at, row.author, row.door, body, row.seq, row.act))
                case NoteRow(note=None):
                    self._notes.pop((row.owner, row.name), None)
                case NoteRow():
                    self._notes[row.owner, row.name] = row
                case _:
                    continue

    def defined(self, definition: Definition) -> None:
        """A version has been committed."""
        body = None if definition.body is None else encode(definition.body).decode()
        which = definition.kind, definition.id
        rest = (definition.at, definition.author, definition.door, body, definition.seq, definition.act)
        self._came((*which, definition.version, *rest))

    def truth(self, home: Home, waiting: Iterable[DefinitionRow], committed: int) -> Truth:
        """What home.db must say now. waiting: definitions that come into it later, committed: the last change in it."""
        coming = {(row.kind, row.key) for row in waiting}
        versions = tuple(version for which, version in self._versions.items() if which not in coming)
        known = frozenset((*self._versions, *coming)) if self._complete else None
        return Truth((*_rows_of(home), *self._notes.values()), versions, committed, known)

    def _put(self, kind: str, key: str, rest: tuple[Any, ...]) -> None:
        before = self._versions.get((kind, key))
        self._came((kind, key, 1 if before is None else before[_VERSION] + 1, *rest))

    def _came(self, version: Version) -> None:
        which = version[0], version[1]
        self._versions[which] = version
        self._gone.pop(which, None)
        if version[_BODY] is None:
            self._gone[which] = None
            if len(self._gone) > MOST_GONE:
                oldest = next(iter(self._gone))
                del self._gone[oldest], self._versions[oldest]
                self._forgotten = True
        number = version[_SEQ]
        if number > self._last[0] and version[0] in EDITED:
            self._last = number, version[_ACT] or number


def lay_over(connection: sqlite3.Connection, truth: Truth) -> None:
    """Let a file say it, inside the transaction that is open."""
    (known,) = connection.execute("SELECT last_seq FROM progress").fetchone()
    for table in _WIPED:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of the schema
    batch = Batch()
    batch.put(max(truth.seq, known), truth.rows)
    write(connection, batch)
    there: Mapping[Which, Version] = {(row[0], row[1]): row[:-1] for row in connection.execute(_NEWEST)}
    for version in truth.versions:
        kind, key, number, *rest = version
        if there.get((kind, key)) != version:
            connection.execute(_FORGET_LATER, (kind, key, number))
            connection.execute(_PUT, (*version, checksum((kind, key, *rest))))
    if truth.known is not None:
        connection.executemany(_FORGET, [which for which in there if which not in truth.known])


def _rows_of(home: Home) -> Iterable[AnyRow]:
    owners = home.entities.owners
    for state in home.states():
        told_by = owners[state.entity_id].told_by
        yield StateRow(state.entity_id, state.state, state.attributes, state.last_changed, state.last_updated, told_by)
    for device in home.devices.values():
        if device.class_name != REPORTED:
            yield from _values_of(device)
    for variable in home.variables:
        if variable.formula is None:
            yield VariableRow(variable.name, variable.value)
    for due in home.pending.all():
        yield PlanRow(due.device_id, due.name, due.at)
    for owner, entity_id in home.entities.kept.items():
        yield KeptId(owner, entity_id)


def _values_of(device: Device) -> Iterable[AnyRow]:
    """What is computed is not kept."""
    computed = {str(item.get("name")) for item in computed_by(device)}
    for name in device.attributes:
        held = device.held(name)
        if name not in computed and held.updated is not None:
            yield ValueRow(device.id, name, held.value, held.updated, held.changed)
