"""The three logs of history.db and their like in PostgreSQL: messages, blocks of changes, traces of rules.

Both sides are compared by prints of their rows, first many rows at a time. It must not know when they are compared.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hallway.home.recorded import Recorded
from hallway.store.history.change_block import Broken
from hallway.store.history.change_rows import opened, put_as
from hallway.store.postgres import change_columns
from hallway.store.postgres.copying import PIECE
from hallway.store.postgres.session import EARLIEST, LATEST, Connection
from hallway.store.postgres.texts import from_postgres, json_from_postgres, json_to_postgres, to_postgres

log = logging.getLogger(__name__)

Row = tuple[Any, ...]
LOWEST, HIGHEST = -(2**62), 2**62
_PRIME: Final = 2_147_483_629
_is_json = msgspec.json.Decoder(msgspec.Raw).decode


class Log:
    """One of them. table: its name on both sides; what it has many rows of are its units, each with a number.

    shift: 2 to that power units are compared at a time; here, there: the print of a unit; weight: its rows.
    """

    name: str
    table: str
    shift: int
    here: str
    there: str
    weight = "1"
    hot = "SELECT max(id) FROM {}"
    """From which unit on something may change without a change of the number of units."""

    @property
    def width(self) -> int:
        """So many units are compared at a time."""
        return 1 << self.shift

    # ------------------------------------------------------------------ comparing

    def _digest(self, print_: str, mark: str) -> str:
        check = f"sum((({print_}) % {_PRIME} + {_PRIME}) % {_PRIME} * ((id & {self.width - 1}) + 1))"
        return (
            f"SELECT id >> {self.shift} AS part, count(*), CAST({check} AS bigint) FROM {self.table} "  # noqa: S608
            f"WHERE id >= {mark} GROUP BY 1"
        )

    @property
    def digest_here(self) -> str:
        """In SQLite: parts from a unit on: number, units, sum over their prints."""
        return self._digest(self.here, "?")

    @property
    def digest_there(self) -> str:
        """Likewise in PostgreSQL."""
        return self._digest(self.there, "$1")

    @property
    def prints_here(self) -> str:
        """Number, print and weight of the units between two numbers."""
        return f"SELECT id, {self.here}, {self.weight} FROM {self.table} WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608

    @property
    def prints_there(self) -> str:
        """Number and print of the units of parts that are given by their first numbers."""
        return (
            f"SELECT id, {self.there} FROM unnest($1::bigint[]) AS part (low) "  # noqa: S608 - names of our own tables
            f"JOIN {self.table} ON id BETWEEN low AND low + {self.width - 1}"
        )

    @property
    def drop(self) -> tuple[str, ...]:
        """In PostgreSQL: drop units by their numbers."""
        return (f"DELETE FROM {self.table} WHERE id = ANY($1::bigint[])",)  # noqa: S608 - likewise

    # ------------------------------------------------------------------ out

    def read(self, history: sqlite3.Connection, wanted: Mapping[int, int]) -> list[Row]:
        """Units as PostgreSQL is to have them. wanted: their numbers, with the prints that they had when seen."""
        raise NotImplementedError

    async def put(self, link: Connection, rows: Sequence[Row]) -> None:
        """Put them; none of them may be there."""
        raise NotImplementedError

    exact: str
    """In PostgreSQL: all that `read` and `put` know of, in the order of units."""

    def flat(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Units as `exact` has them."""
        return rows

    # ------------------------------------------------------------------ in

    page: str
    """In PostgreSQL: the next units behind a number, at most so many of them."""

    async def page_of(self, link: Connection, found: Sequence[Any]) -> list[Row]:
        """The units of a page as history.db is to have them, their numbers first."""
        raise NotImplementedError

    def take(self, history: sqlite3.Connection, row: Row, number: int) -> None:
        """Put a unit under a number that is free."""
        raise NotImplementedError

    def new_of(self, history: sqlite3.Connection, row: Row) -> Row | None:
        """What history.db has not of a unit yet, under whatever number; None: it has all of it."""
        raise NotImplementedError


async def _copy(link: Connection, table: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """With a pause after some hundred: whoever else wants the interpreter gets it then."""
    for begin in range(0, len(rows), PIECE):
        await link.copy_records_to_table(table, records=rows[begin : begin + PIECE], columns=columns)
        await asyncio.sleep(0)


def _some(query: str, count: int) -> str:
    return query.format(", ".join("?" * count))


class Messages(Log):
    """Each is written once, and may go at any time."""

    name = table = "message"
    shift = 9
    here = f"min(max(at, {EARLIEST}), {LATEST})"
    there = "CAST(round(extract(epoch FROM at) * 1000) AS bigint)"
    page = "SELECT id, at, level, text, tags, origin, who, cause FROM message WHERE id > $1 ORDER BY id LIMIT $2"
    exact = "SELECT id, at, level, text, tags, origin, who, cause FROM message ORDER BY id"
    _columns = ("id", "at", "level", "text", "tags", "origin", "who", "cause")
    _read = "SELECT id, at, level, text, tags, origin, who, cause FROM message WHERE id IN ({}) ORDER BY id"

    def read(self, history: sqlite3.Connection, wanted: Mapping[int, int]) -> list[Row]:
        found = history.execute(_some(self._read, len(wanted)), tuple(wanted))
        return [
            (
                number,
                min(max(at, EARLIEST), LATEST),
                *(to_postgres(each) if isinstance(each, str) else each for each in rest),
            )
            for number, at, *rest in found.fetchall()
        ]

    async def put(self, link: Connection, rows: Sequence[Row]) -> None:
        await _copy(link, "message", rows, self._columns)

    async def page_of(self, link: Connection, found: Sequence[Any]) -> list[Row]:
        return [tuple(from_postgres(value) if isinstance(value, str) else value for value in row) for row in found]

    def take(self, history: sqlite3.Connection, row: Row, number: int) -> None:
        history.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, *row[1:]))

    def new_of(self, history: sqlite3.Connection, row: Row) -> Row | None:
        same = "SELECT 1 FROM message WHERE at = ? AND level = ? AND text = ? AND tags = ?"
        return row if history.execute(same, row[1:5]).fetchone() is None else None


class Traces(Log):
    """They may become others under the same number."""

    name = table = "trace"
    shift = 9
    here = f"CAST(min(max(at, {EARLIEST / 1000}), {LATEST / 1000}) * 1000 AS INTEGER) + length(body) * 7919"
    there = "CAST(trunc(at * 1000) AS bigint) + size * 7919::bigint"
    page = (
        "SELECT id, rule_id, at, result, did, seq, body FROM trace "
        "WHERE id > $1 AND body IS NOT NULL ORDER BY id LIMIT $2"
    )
    exact = "SELECT id, rule_id, at, result, did, seq, size, body FROM trace ORDER BY id"
    _columns = ("id", "rule_id", "at", "result", "did", "seq", "size", "body")
    _read = "SELECT id, rule_id, at, result, did, seq, length(body), body FROM trace WHERE id IN ({}) ORDER BY id"

    def read(self, history: sqlite3.Connection, wanted: Mapping[int, int]) -> list[Row]:
        found = history.execute(_some(self._read, len(wanted)), tuple(wanted)).fetchall()
        return [
            (
                number,
                to_postgres(rule_id),
                _in_range(at),
                to_postgres(result),
                bool(did),
                seq,
                size,
                _json_or_none(number, body),
            )
            for number, rule_id, at, result, did, seq, size, body in found
        ]

    async def put(self, link: Connection, rows: Sequence[Row]) -> None:
        await _copy(link, "trace", rows, self._columns)

    async def page_of(self, link: Connection, found: Sequence[Any]) -> list[Row]:
        return [
            (
                number,
                from_postgres(rule_id),
                at,
                from_postgres(result),
                int(did),
                seq,
                json_from_postgres(body).encode(),
            )
            for number, rule_id, at, result, did, seq, body in found
        ]

    def take(self, history: sqlite3.Connection, row: Row, number: int) -> None:
        into = "INSERT INTO trace (id, rule_id, at, result, did, seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
        history.execute(into, (number, *row[1:]))

    def new_of(self, history: sqlite3.Connection, row: Row) -> Row | None:
        """A trace keeps its number for ever."""
        return row if history.execute("SELECT 1 FROM trace WHERE id = ?", row[:1]).fetchone() is None else None


def _in_range(at: float) -> float:
    """A time that PostgreSQL knows."""
    return min(max(at, EARLIEST / 1000), LATEST / 1000)


def _json_or_none(number: int, body: bytes) -> str | None:
    try:
        _is_json(body)
        return json_to_postgres(body.decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
        log.warning("trace %d cannot be read: the database gets it without its body", number)
        return None


class Changes(Log):
    """Their units are blocks, which hold many and are merged while they are small."""

    name = "change"
    table = "change_block"
    shift = 4
    here = there = "crc"
    weight = "count"
    hot = "SELECT min(id) FROM (SELECT id, count FROM {} ORDER BY id DESC LIMIT 100) WHERE count < 1000"
    page = "SELECT id FROM change_block WHERE id > $1 ORDER BY id LIMIT $2"
    exact = f"SELECT {', '.join(change_columns.COLUMNS)} FROM change ORDER BY block, place"  # noqa: S608
    _read = "SELECT id, prints, body, crc FROM change_block WHERE id IN ({}) ORDER BY id"
    _changes = f"SELECT block, {change_columns.READ} FROM change WHERE block = ANY($1::bigint[]) ORDER BY block, place"  # noqa: S608
    _near = "SELECT id, prints, body, crc FROM change_block WHERE last_seq >= ? AND first_seq <= ?"

    @property
    def drop(self) -> tuple[str, ...]:
        return (*super().drop, "DELETE FROM change WHERE block = ANY($1::bigint[])")

    def read(self, history: sqlite3.Connection, wanted: Mapping[int, int]) -> list[Row]:
        """Blocks with the rows of their changes; one that is not whole has none.

        One that is another by now is left out: others are in it that have not gone there yet.
        """
        found = history.execute(_some(self._read, len(wanted)), tuple(wanted)).fetchall()
        blocks: list[Row] = []
        for row in found:
            if row[3] != wanted[row[0]]:
                continue
            changes = _opened(row)
            rows = [change_columns.to_row(row[0], place, change) for place, change in enumerate(changes)]
            blocks.append((row[0], row[3], rows))
        return blocks

    def flat(self, rows: Sequence[Row]) -> Sequence[Row]:
        return [change for _number, _crc, changes in rows for change in changes]

    async def put(self, link: Connection, rows: Sequence[Row]) -> None:
        blocks = [(number, crc, len(changes)) for number, crc, changes in rows]
        await _copy(link, "change_block", blocks, ("id", "crc", "count"))
        await _copy(link, "change", self.flat(rows), change_columns.COLUMNS)

    async def page_of(self, link: Connection, found: Sequence[Any]) -> list[Row]:
        blocks: dict[int, list[Recorded]] = {number: [] for (number,) in found}
        for block, *columns in await link.fetch(self._changes, list(blocks)):
            blocks[block].append(change_columns.from_row(columns))
        return [(number, changes) for number, changes in blocks.items() if changes]

    def take(self, history: sqlite3.Connection, row: Row, number: int) -> None:
        put_as(history, number, row[1])

    def new_of(self, history: sqlite3.Connection, row: Row) -> Row | None:
        number, changes = row
        seqs = [change.seq for change in changes]
        known: dict[int, list[Recorded]] = {}
        for near in history.execute(self._near, (min(seqs), max(seqs))).fetchall():
            for change in _opened(near):
                known.setdefault(change.seq, []).append(change)
        left = [change for change in changes if change not in known.get(change.seq, ())]
        return (number, left) if left else None


def _opened(row: Row) -> list[Recorded]:
    try:
        return opened(row)
    except Broken as error:
        log.warning("block %d of the change log cannot be read and is left out: %s", row[0], error)
        return []


LOGS: Final[tuple[Log, ...]] = (Messages(), Changes(), Traces())
_WORDS: Final = {"message": "messages", "change": "blocks of changes", "trace": "traces of rules"}


def in_words(counts: Mapping[str, int]) -> str:
    """So many units of each log; empty: of none."""
    return ", ".join(f"{count} {_WORDS[name]}" for name, count in counts.items() if count)
