"""The traces of rules: in memory until they are written, then as rows of history.db, each in its last form.

While the disk takes nothing the oldest are dropped and counted. It must not know what is in a trace.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from hallway.clock import Clock
from hallway.errors import Unavailable
from hallway.home.chronicle import TraceRow
from hallway.store.history.changelog import FOUR_WEEKS, Keeping
from hallway.store.history.file import HistoryFile
from hallway.store.history.flushing import Flushing
from hallway.store.writer import Work

MOST_WAITING: Final = 10_000
HURRY: Final = 2_000
MOST_OF_A_RULE: Final = 20_000
"""A rule that runs all the time keeps no more than these."""
ROW_BYTES: Final = 100
"""Of a row beside its body, about."""
AT_ONCE: Final = 1000
_PUT: Final = """
    INSERT INTO trace (id, rule_id, at, result, did, seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body
"""
Listener = Callable[[Iterable[int]], None]
_encode = msgspec.json.Encoder().encode


class TraceRows:
    """From here until `close`, in the thread of the loop."""

    def __init__(
        self, file: HistoryFile, clock: Clock, keeping: Keeping = FOUR_WEEKS, write_every: float = 10.0
    ) -> None:
        self._file = file
        self._clock = clock
        self._keeping = keeping
        self._waiting: dict[int, TraceRow] = {}
        self._writing: dict[int, TraceRow] = {}
        self.dropped = 0
        self._told: list[Listener] = []
        self._flushing: Flushing[None] = Flushing(self, file, clock, write_every)

    async def close(self) -> None:
        """Write what is left."""
        await self._flushing.close()

    # ------------------------------------------------------------------ keeping

    def keep(self, row: TraceRow) -> None:
        if not self._keeping.seconds:
            self._tell([row.id])
            return
        self._waiting[row.id] = row
        if len(self._waiting) >= HURRY:
            self._drop_what_is_too_much()
            self._flushing.now()
        self._flushing.soon()

    def take_back(self, trace_id: int) -> None:
        self._waiting.pop(trace_id, None)

    def when_written(self, told: Listener) -> None:
        self._told.append(told)

    def _drop_what_is_too_much(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting)))
            self.dropped += 1

    def next_batch(self) -> Work[None] | None:
        if not self._waiting:
            return None
        self._writing, self._waiting = self._waiting, {}
        return partial(_put, rows=tuple(self._writing.values()))

    def written(self, result: None) -> None:
        done, self._writing = self._writing, {}
        self._tell([trace_id for trace_id in done if trace_id not in self._waiting])
        if self._waiting:
            self._flushing.soon()

    def _tell(self, numbers: Iterable[int]) -> None:
        for told in self._told:
            told(numbers)

    def refused(self) -> None:
        self._waiting, self._writing = {**self._writing, **self._waiting}, {}
        self._drop_what_is_too_much()

    # ------------------------------------------------------------------ reading

    def _in_memory(self) -> Mapping[int, TraceRow]:
        return {**self._writing, **self._waiting}

    async def of(self, rule_id: str, result: str | None, before: int, limit: int) -> list[bytes]:
        memory = self._in_memory()
        newer = {
            number: row
            for number, row in memory.items()
            if row.rule_id == rule_id and number < before and result in {None, row.result}
        }
        try:
            kept = await self._file.read(partial(_of, rule_id=rule_id, result=result, before=before, limit=limit))
        except Unavailable:
            kept = {}
        found = {**kept, **{number: _body(row) for number, row in newer.items()}}
        return [found[number] for number in sorted(found, reverse=True)[:limit]]

    async def get(self, trace_id: int) -> bytes | None:
        row = self._in_memory().get(trace_id)
        if row is not None:
            return _body(row)
        try:
            return await self._file.read(partial(_one, query="SELECT body FROM trace WHERE id = ?", given=(trace_id,)))
        except Unavailable:
            return None

    async def run_at(self, rule_id: str, seq: int | None, before: float) -> bytes | None:
        runs = [row for row in self._in_memory().values() if row.did and row.rule_id == rule_id and row.at <= before]
        exact = [row for row in runs if seq is not None and row.seq == seq]
        if exact:
            return _body(exact[-1])
        try:
            kept = await self._file.read(partial(_run_at, rule_id=rule_id, seq=seq, before=before, last=not runs))
        except Unavailable:
            kept = None
        if kept is None and runs:
            return _body(max(runs, key=lambda row: row.at))
        return kept

    # ------------------------------------------------------------------ dropping

    async def sweep(self) -> None:
        before = self._clock.now() - self._keeping.seconds
        while await self._flushing.do(partial(_expire, before=before)) == AT_ONCE:
            pass
        for rule_id, upto in (await self._file.read(_too_many)).items():
            while await self._flushing.do(partial(_drop_of, rule_id=rule_id, upto=upto)) == AT_ONCE:
                pass
        if self._keeping.bytes:
            most = self._keeping.bytes
            while await self._flushing.do(partial(_shrink, most_bytes=most)) == AT_ONCE:
                pass


def _body(row: TraceRow) -> bytes:
    return _encode(row.body() if callable(row.body) else row.body)


# ---------------------------------------------------------------------- SQL


def _put(connection: sqlite3.Connection, rows: Sequence[TraceRow]) -> None:
    connection.executemany(_PUT, [(*row[:4], int(row.did), row.seq, _body(row)) for row in rows])


def _of(connection: sqlite3.Connection, rule_id: str, result: str | None, before: int, limit: int) -> dict[int, bytes]:
    chosen = " AND result = ?" if result is not None else ""
    given = (rule_id, before, *([result] if result is not None else []), limit)
    query = f"SELECT id, body FROM trace WHERE rule_id = ? AND id < ?{chosen} ORDER BY id DESC LIMIT ?"  # noqa: S608
    return dict(connection.execute(query, given).fetchall())


def _one(connection: sqlite3.Connection, query: str, given: tuple[object, ...]) -> bytes | None:
    row = connection.execute(query, given).fetchone()
    return None if row is None else bytes(row[0])


def _run_at(
    connection: sqlite3.Connection, rule_id: str, seq: int | None, before: float, *, last: bool
) -> bytes | None:
    """The run with that change; if there is none and `last`, the last one up to a time."""
    if seq is not None:
        exact = "SELECT body FROM trace WHERE did = 1 AND seq = ? AND rule_id = ? AND at <= ? ORDER BY id DESC LIMIT 1"
        found = _one(connection, exact, (seq, rule_id, before))
        if found is not None:
            return found
    newest = "SELECT body FROM trace WHERE did = 1 AND rule_id = ? AND at <= ? ORDER BY at DESC LIMIT 1"
    return _one(connection, newest, (rule_id, before)) if last else None


def _expire(connection: sqlite3.Connection, before: float) -> int:
    old = "DELETE FROM trace WHERE id IN (SELECT id FROM trace WHERE at < ? ORDER BY at LIMIT ?)"
    return connection.execute(old, (before, AT_ONCE)).rowcount


def _too_many(connection: sqlite3.Connection) -> dict[str, int]:
    """Rules of which too many are kept, and the number up to which theirs are to go."""
    counts = connection.execute(
        "SELECT rule_id, count(*) FROM trace GROUP BY rule_id HAVING count(*) > ?", (MOST_OF_A_RULE,)
    ).fetchall()
    last = "SELECT id FROM trace WHERE rule_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
    return {rule_id: connection.execute(last, (rule_id, MOST_OF_A_RULE)).fetchone()[0] for rule_id, _count in counts}


def _drop_of(connection: sqlite3.Connection, rule_id: str, upto: int) -> int:
    old = "DELETE FROM trace WHERE id IN (SELECT id FROM trace WHERE rule_id = ? AND id <= ? LIMIT ?)"
    return connection.execute(old, (rule_id, upto, AT_ONCE)).rowcount


def _shrink(connection: sqlite3.Connection, most_bytes: int) -> int:
    """Drop the oldest while there are more bytes than that, some at a time."""
    (total,) = connection.execute("SELECT total(length(body) + ?) FROM trace", (ROW_BYTES,)).fetchone()
    if total <= most_bytes:
        return 0
    oldest = "DELETE FROM trace WHERE id IN (SELECT id FROM trace ORDER BY id LIMIT ?)"
    return connection.execute(oldest, (AT_ONCE,)).rowcount
