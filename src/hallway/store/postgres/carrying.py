"""Samples and roll-ups from the archive in history.db into PostgreSQL, and back, counted and summed up on both sides.

What was carried stands under negative ids over there, before all that the tail of history.db brings. It must not know
homes; both transactions are somebody else's.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, Literal, NamedTuple
from zlib import crc32

from hallway.errors import Conflict, Unavailable
from hallway.home.past import SECONDS_OF, Series
from hallway.home.values import Value
from hallway.store.history.archive import SeriesRow
from hallway.store.history.folding import taken
from hallway.store.history.rollups import SPANS
from hallway.store.history.strands import KINDS, LOOK_AT_NEWEST, Strand, add, load, save
from hallway.store.history.tail_rows import put_series as put_local_series
from hallway.store.history.tail_rows import read_rows
from hallway.store.history.walking import Walk
from hallway.store.postgres.archive import MOST_ID, PAGE_ROWS
from hallway.store.postgres.copying import COLUMNS, Copied, in_binary
from hallway.store.postgres.session import Connection
from hallway.store.postgres.taking import BUCKET_COLUMNS, body_of, put_rows, put_series
from hallway.store.postgres.texts import from_postgres, to_postgres
from hallway.store.postgres.values import from_columns

log = logging.getLogger(__name__)

_AT_ONCE: Final = 20_000
_WAITING: Final = "SELECT coalesce(sum(length), 0) FROM tail WHERE last_id > (SELECT last_id FROM fold)"
_SERIES: Final = "SELECT number, kind, owner, name, type, discrete FROM series ORDER BY number"
_ROWS: Final = """
    SELECT sample.at, kind, number, text, body FROM sample
    LEFT JOIN more ON more.series = sample.series AND more.id = sample.more
    WHERE sample.series = $1 AND sample.id <= $2 ORDER BY sample.at, sample.id
"""
_BUCKETS: Final = """
    SELECT at, least, most, mean, last, count, rise FROM bucket WHERE series = $1 AND seconds = $2 ORDER BY at, ctid
"""
_COUNT: Final = """
    UPDATE series SET samples = samples + $2, first = least(first, $3), last = greatest(last, $4),
        more = coalesce(more, $5), rolling = coalesce(rolling, $6) WHERE number = $1
"""
_EMPTY: Final = (
    "DELETE FROM sample",
    "DELETE FROM more",
    "DELETE FROM bucket",
    "DELETE FROM series",
    "UPDATE home SET taken = 0, newest = NULL",
)
_EMPTY_HERE: Final = (
    "DELETE FROM chunk",
    "DELETE FROM place",
    "DELETE FROM piece",
    "DELETE FROM strand",
    "DELETE FROM layer",
)

Row = tuple[int, Value, bytes | None]
Relation = Literal["empty", "apart", "same", "more", "other"]
"""How the archive in history.db and the database stand: there is nothing here, or the database has nothing of that
time, or has the same, or here is all that it has and more, or it has something else."""


class Sum(NamedTuple):
    """Of the samples of a series: how many, and a checksum of them in their order."""

    samples: int = 0
    check: int = 0

    def plus(self, row: Row) -> Sum:
        """With one more."""
        return Sum(self.samples + 1, crc32(repr(row).encode("utf-8", "surrogatepass"), self.check))


def local_series(history: sqlite3.Connection) -> list[SeriesRow]:
    """The series that history.db knows."""
    return [
        SeriesRow(number, Series(kind, owner, name), value_type, bool(discrete))
        for number, kind, owner, name, value_type, discrete in history.execute(_SERIES)
    ]


def local_rows(history: sqlite3.Connection, number: int) -> Iterator[Row]:
    """The samples of a series in history.db, in the order of time."""
    for ats, values, *mores in _tables(history, number * KINDS):
        yield from zip(ats, values, mores[0] if mores else [None] * len(ats), strict=True)


def _tables(history: sqlite3.Connection, strand: int) -> Iterator[list[list[Any]]]:
    walk = Walk(strand, None, None, log.warning)
    while not walk.is_over:
        yield from walk.step(history)


async def remote_rows(link: Connection, number: int, upto: int = MOST_ID) -> AsyncIterator[Row]:
    """The samples of a series in the database whose ids are not higher, likewise."""
    async for at, kind, found, text, body in link.cursor(_ROWS, number, upto, prefetch=PAGE_ROWS):
        yield at, from_columns(kind, found, text), body_of(body)


async def remote_sum(link: Connection, number: int, upto: int = MOST_ID) -> Sum:
    """What they come to."""
    found = Sum()
    async for row in remote_rows(link, number, upto):
        found = found.plus(row)
    return found


def local_sum(history: sqlite3.Connection, number: int) -> Sum:
    """Likewise in history.db."""
    found = Sum()
    for row in local_rows(history, number):
        found = found.plus(row)
    return found


async def relation(link: Connection, history: sqlite3.Connection) -> Relation:
    """How the two archives stand to each other."""
    if not history.execute("SELECT count(*) FROM strand WHERE number % ? = 0 AND count > 0", (KINDS,)).fetchone()[0]:
        return "empty"
    _, upto, _ = taken(history)
    if not await link.fetchval("SELECT EXISTS (SELECT FROM sample WHERE id <= $1)", upto):
        return "apart"
    numbers = {row.number for row in local_series(history)}
    numbers |= {number for (number,) in await link.fetch("SELECT number FROM series")}
    for number in numbers:
        if local_sum(history, number) != await remote_sum(link, number, upto):
            return "more" if await _has_all(link, history) else "other"
    return "same"


async def _has_all(link: Connection, history: sqlite3.Connection) -> bool:
    """Whether history.db has each sample and each roll-up that the database has, in the same order."""
    known = {row.number: row.series for row in local_series(history)}
    for number, kind, owner, name, *_ in await link.fetch(_SERIES):
        if known.get(number) != Series(kind, from_postgres(owner), from_postgres(name)):
            return False
        rows = (repr(row) for row in local_rows(history, number))
        async for row in remote_rows(link, number):
            if repr(row) not in rows:
                return False
        for place, span in enumerate(SPANS, 1):
            rolled = (each for table in _tables(history, number * KINDS + place) for each in zip(*table, strict=True))
            if not all(tuple(each) in rolled for each in await link.fetch(_BUCKETS, number, SECONDS_OF[span])):
                return False
    return True


# ---------------------------------------------------------------------- out


async def carry_out(link: Connection, history: sqlite3.Connection, *, replace: bool) -> int:
    """Put all of the archive in history.db into the database: how many samples. replace: let it be all that is there.

    Conflict: the database counts its series otherwise; Unavailable: what came there is not what was sent.
    """
    if replace:
        for statement in _EMPTY:
            await link.execute(statement)
    series = local_series(history)
    await _check_names(series, await link.fetch(_SERIES))
    await put_series(link, series)
    count = 0
    for row in series:
        count += await _series_out(link, history, row.number)
    _, upto, newest = taken(history)
    await link.execute(
        "UPDATE home SET taken = greatest(taken, $1), newest = greatest(newest, $2)", upto, newest if upto else None
    )
    return count


def waiting(history: sqlite3.Connection) -> int:
    """How many samples the archive in history.db has not taken yet."""
    (count,) = history.execute(_WAITING).fetchone()
    return int(count)


async def carry_tail(link: Connection, history: sqlite3.Connection) -> int:
    """Put what no archive has taken yet into the database, as a hub does it: how many samples. They stay here, too."""
    await put_series(link, local_series(history))
    (folded,) = history.execute("SELECT last_id FROM fold").fetchone()
    there = int(await link.fetchval("SELECT taken FROM home") or 0)
    after, count, said = int(folded), 0, dict[int, bytes | None]()
    while rows := read_rows(history, after, _AT_ONCE, said):
        after = rows[-1].id
        fresh = [row for row in rows if row.id > there]
        if fresh:
            await put_rows(link, fresh)
        count += len(fresh)
    return count


async def _check_names(here: list[SeriesRow], there: list[Any]) -> None:
    known = {row.number: row.series for row in here}
    numbers = {series: number for number, series in known.items()}
    for number, kind, owner, name, *_ in there:
        series = Series(kind, from_postgres(owner), from_postgres(name))
        if known.get(number, series) != series or numbers.get(series, number) != number:
            raise Conflict(
                f"history.db and the database count their series otherwise: number {number} is {' '.join(series)} "
                "there; --replace lets what is moved take the place of what is there"
            )


async def _series_out(link: Connection, history: sqlite3.Connection, number: int) -> int:
    strand = load(history, number * KINDS)
    if strand is None:
        return 0
    sent = Sum()
    held: tuple[int, bytes] | None = None
    mores: dict[int, tuple[int, bytes]] = {}
    next_id = -strand.count - 1
    first = last = None

    def copied() -> Iterator[Copied]:
        nonlocal sent, held, next_id, first, last
        for at, value, more in local_rows(history, number):
            next_id += 1
            if more is None:
                held = None
            elif held is None or held[1] != more:
                held = (next_id, more)
            if held is not None:
                mores[held[0]] = (at, held[1])
            sent = sent.plus((at, value, more))
            first, last = (at if first is None else first), at
            yield Copied(number, at, next_id, value, None if held is None else held[0])

    await link.copy_to_table("sample", source=in_binary(copied()), columns=COLUMNS, format="binary")
    rows = [(number, row_id, until, to_postgres(body.decode())) for row_id, (until, body) in mores.items()]
    await link.executemany("INSERT INTO more (series, id, until, body) VALUES ($1, $2, $3, $4)", rows)
    for kind, span in enumerate(SPANS, 1):
        buckets = [
            (number, SECONDS_OF[span], *row)
            for table in _tables(history, number * KINDS + kind)
            for row in zip(*table, strict=True)
        ]
        await link.copy_records_to_table("bucket", records=buckets, columns=BUCKET_COLUMNS)
    if sent.samples:
        held_id = None if held is None else held[0]
        await link.execute(_COUNT, number, sent.samples, first, last, held_id, strand.running)
    if await remote_sum(link, number, -1) != sent:
        raise Unavailable(f"series {number} is not the same in the database as it was sent; nothing was changed")
    return sent.samples


# ---------------------------------------------------------------------- in


async def carry_in(link: Connection, history: sqlite3.Connection) -> int:
    """Let the archive in history.db be what the database holds: how many samples. Conflict, Unavailable: likewise."""
    there = await link.fetch(_SERIES)
    await _check_names(local_series(history), there)
    for statement in _EMPTY_HERE:
        history.execute(statement)
    put_local_series(
        history,
        [
            SeriesRow(number, Series(kind, from_postgres(owner), from_postgres(name)), from_postgres(kind_of), discrete)
            for number, kind, owner, name, kind_of, discrete in there
        ],
    )
    upto, newest = await link.fetchrow("SELECT taken, newest FROM home") or (0, None)
    for fold in (1, 2):
        history.execute("INSERT INTO layer (number, upto, newest) VALUES (?, ?, ?)", (fold, upto, newest or 0))
    count = 0
    for number, *_ in there:
        count += await _series_in(link, history, number)
    return count


async def _series_in(link: Connection, history: sqlite3.Connection, number: int) -> int:
    strand = Strand(number * KINDS, running=await link.fetchval("SELECT rolling FROM series WHERE number = $1", number))
    came = Sum()
    rows: list[Row] = []
    async for row in remote_rows(link, number):
        if len(rows) >= PAGE_ROWS:
            _add(history, strand, 1, rows)
            rows = []
        rows.append(row)
        came = came.plus(row)
    if rows:
        _add(history, strand, 2, rows)
    if rows or strand.running is not None:
        save(history, strand)
    for kind, span in enumerate(SPANS, 1):
        buckets = [tuple(row) for row in await link.fetch(_BUCKETS, number, SECONDS_OF[span])]
        if buckets:
            rolled = Strand(number * KINDS + kind)
            add(history, rolled, 2, list(map(list, zip(*buckets, strict=True))), log.warning)
            save(history, rolled)
    if local_sum(history, number) != came:
        raise Unavailable(f"series {number} is not the same in history.db as in the database; nothing was changed")
    return came.samples


def _add(history: sqlite3.Connection, strand: Strand, fold: int, rows: list[Row]) -> None:
    ats, values, mores = map(list, zip(*rows, strict=True))
    table: list[list[Any]] = [ats, values]
    if strand.more is not None or any(more is not None for more in mores):
        table.append(mores)
    newest = mores[-1]
    written = add(history, strand, fold, table, log.warning)
    if table[2:]:
        strand.more = LOOK_AT_NEWEST if written[2:] and written[2][-1] == newest else newest
