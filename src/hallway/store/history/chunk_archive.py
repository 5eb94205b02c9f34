"""The archive in history.db itself: samples and roll-ups as packed rows, folded in by the thread that writes the file.

It must not know how rows are packed, nor where they come from.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from hallway.home.past import Bucket, Sample, Series, Span
from hallway.home.values import decode
from hallway.store.history.archive import Holding, Page, SeriesRow, TailRow
from hallway.store.history.breath import Breath
from hallway.store.history.codec import Columns, DamagedBody, unpack
from hallway.store.history.dropping import drop, drop_spans, forget
from hallway.store.history.file import HistoryFile
from hallway.store.history.folding import take, taken
from hallway.store.history.rollups import SPANS, Row, combined, running_of, until
from hallway.store.history.strands import KINDS, Report, load
from hallway.store.history.walking import Walk
from hallway.store.writer import Work

T = TypeVar("T")
log = logging.getLogger(__name__)

_SERIES_AT_ONCE: Final = 100
_CHECKED_AT_ONCE: Final = 500
_TOLD: Final = 5
"""Damaged bodies that are named when the archive is checked."""


class ChunkArchive:
    """Of a file that the caller opens and closes. report: is told what is damaged and therefore left out."""

    def __init__(self, file: HistoryFile, report: Report = log.warning) -> None:
        self._file = file
        self._report = report

    async def open(self) -> tuple[int, list[SeriesRow]]:
        """Up to where rows were taken; the series are those that the file knows anyway."""
        return await self._file.read(_opened)

    async def take(self, rows: Sequence[TailRow], series: Sequence[SeriesRow]) -> None:
        await self._write(partial(take, rows=rows, report=self._report))

    async def pages(
        self, series: int, after: int | None, before: int | None, *, descending: bool = False
    ) -> AsyncIterator[tuple[int, Page]]:
        """All of them say the same id: what is taken meanwhile is not in them."""
        walk = Walk(series * KINDS, after, before, self._report, descending=descending)
        while not walk.is_over:
            for table in await self._file.read(walk.step):
                yield walk.upto, Page(*table)

    async def at(self, series: Sequence[int], moment: int) -> Mapping[int, Sample]:
        found: dict[int, Sample] = {}
        for begin in range(0, len(series), _SERIES_AT_ONCE):
            found |= await self._file.read(partial(self._at, series[begin : begin + _SERIES_AT_ONCE], moment))
        return found

    async def buckets(self, series: int, span: Span, after: int, before: int) -> list[Bucket]:
        """Those that begin between the times, also one that nothing followed yet if its time is over."""
        return await self._file.read(partial(self._buckets, series, span, after, before))

    async def holdings(self) -> Mapping[int, Holding]:
        return await self._file.read(_holdings)

    async def forget(self, series: int) -> None:
        await self._write(partial(forget, series=series))

    async def expire(self, series: int, before: int, *, most: int) -> int:
        """Whole chunks; one that goes on after that time stays for a day and a third of its length at most."""
        work = partial(drop, number=series * KINDS, before=before, most=most, report=self._report)
        return await self._write(work)

    async def expire_buckets(self, span: Span, before: int, *, most: int) -> int:
        kind = SPANS.index(span) + 1
        return await self._write(partial(drop_spans, kind=kind, before=before, most=most, report=self._report))

    async def check(self) -> str | None:
        """SQLite's own check, and the sum of each body."""
        found = await self._file.read(_quick_check)
        if found != "ok":
            return f"history.db is damaged: {found}"
        damaged: list[str] = []
        for table in ("chunk", "piece"):
            after: int | None = -1
            while after is not None:
                after = await self._file.read(partial(_check_bodies, table, after, damaged))
        if not damaged:
            return None
        named = ", ".join(damaged[:_TOLD]) + (" …" if damaged[_TOLD:] else "")
        return f"{len(damaged)} packed pieces of history.db are damaged, their samples are lost: {named}"

    async def close(self) -> None:
        """Nothing is open here that the file does not close."""

    async def _write(self, work: Work[T]) -> T:
        return await asyncio.wrap_future(self._file.submit(work))

    def _at(self, series: Sequence[int], moment: int, connection: sqlite3.Connection) -> dict[int, Sample]:
        found, breath = {}, Breath()
        for number in series:
            walk = Walk(number * KINDS, None, moment, self._report, descending=True, breath=breath)
            tables: list[Columns] = []
            while not tables and not walk.is_over:
                tables = walk.step(connection, 1)
            if tables:
                at, value, *more = (column[-1] for column in tables[0])
                attributes = decode(more[0]) if more and more[0] else None
                found[number] = Sample(at / 1000, value, attributes if isinstance(attributes, dict) else None)
        return found

    def _buckets(
        self, series: int, span: Span, after: int, before: int, connection: sqlite3.Connection
    ) -> list[Bucket]:
        walk = Walk(series * KINDS + SPANS.index(span) + 1, after, before, self._report)
        rows: list[Row] = []
        while not walk.is_over:
            for table in walk.step(connection):
                rows += zip(*table, strict=True)
        strand = load(connection, series * KINDS)
        running = None if strand is None else running_of(strand.running)
        last = None if running is None else until(running, walk.newest, span)
        if last is not None and after <= last[0] <= before:
            rows.append(last)
            rows.sort(key=lambda row: row[0])
        return combined(rows)


def _opened(connection: sqlite3.Connection) -> tuple[int, list[SeriesRow]]:
    return taken(connection)[1], [
        SeriesRow(number, Series(kind, owner, name), value_type, bool(discrete))
        for number, kind, owner, name, value_type, discrete in connection.execute(
            "SELECT number, kind, owner, name, type, discrete FROM series"
        )
    ]


def _holdings(connection: sqlite3.Connection) -> dict[int, Holding]:
    rows = connection.execute(
        "SELECT number / ?, count, first, last, bytes FROM strand WHERE number % ? = 0 AND count > 0", (KINDS, KINDS)
    )
    return {series: Holding(*map(int, rest)) for series, *rest in rows}


def _quick_check(connection: sqlite3.Connection) -> str:
    return "; ".join(text for (text,) in connection.execute("PRAGMA quick_check(5)"))


def _check_bodies(table: str, after: int, damaged: list[str], connection: sqlite3.Connection) -> int | None:
    """Look at some more bodies: the id of the last one, None when there are no more."""
    last = None
    query = f"SELECT id, body FROM {table} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
    for last, body in connection.execute(query, (after, _CHECKED_AT_ONCE)):
        try:
            unpack(body)
        except DamagedBody as error:
            damaged.append(f"{table} {last} ({error})")
    return last
