"""Rows of the tail into the tables of PostgreSQL, in the transaction that is open.

What is known of each series (how much there is of it, which attributes hold) goes with them. It must not know who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from hallway.home.past import SECONDS_OF
from hallway.store.history.archive import SeriesRow, TailRow
from hallway.store.history.rollups import SPANS, roll, running_bytes, running_of
from hallway.store.postgres.copying import COLUMNS, PIECE, Copied, in_binary
from hallway.store.postgres.session import Connection
from hallway.store.postgres.texts import from_postgres, to_postgres

_PUT_SERIES = """
    INSERT INTO series (number, kind, owner, name, type, discrete) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (number) DO UPDATE
    SET kind = excluded.kind, owner = excluded.owner, name = excluded.name,
        type = excluded.type, discrete = excluded.discrete
"""
_HELD = """
    SELECT series.number, series.more, more.body, series.rolling FROM series
    LEFT JOIN more ON more.series = series.number AND more.id = series.more WHERE series.number = ANY($1)
"""
_PUT_MORE = """
    INSERT INTO more (series, id, until, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (series, id) DO UPDATE SET until = greatest(more.until, excluded.until)
"""
_COUNT = """
    UPDATE series SET samples = samples + $2, first = least(first, $3), last = greatest(last, $4), more = $5,
        rolling = $6 WHERE number = $1
"""
BUCKET_COLUMNS = ("series", "seconds", "at", "least", "most", "mean", "last", "count", "rise")


class Held(msgspec.Struct):
    """Attributes that hold in a series from its row `id` on (None: there are none), and the latest sample with them."""

    id: int | None
    body: str
    until: int = 0


class Taken(msgspec.Struct):
    """What came of a series, in the order of ids. held: what holds at the end; rolling: where its roll-ups stand."""

    held: Held
    rolling: bytes | None
    rows: list[Copied]


async def put_series(connection: Connection, series: Iterable[SeriesRow]) -> None:
    """Series that came or were changed."""
    rows = [
        (row.number, row.series.kind, *map(to_postgres, (row.series.owner, row.series.name, row.type)), row.discrete)
        for row in series
    ]
    await connection.executemany(_PUT_SERIES, rows)


async def put_rows(connection: Connection, rows: Sequence[TailRow]) -> None:
    """Put samples, those of each series in the order of ids, and that all are taken. Their series must be known."""
    before = await connection.fetch(_HELD, list({row.series for row in rows}))
    came = {number: Taken(Held(more, body or ""), rolling, []) for number, more, body, rolling in before}
    mores = [(number, taken.held) for number, taken in came.items() if taken.held.id is not None]
    for number, row in enumerate(rows):
        _note(row, came[row.series], mores)
        if not number % (8 * PIECE):
            await asyncio.sleep(0)
    await connection.executemany(_PUT_MORE, [(series, more.id, more.until, more.body) for series, more in mores])
    for taken in came.values():
        taken.rows.sort(key=attrgetter("at", "id"))
    in_order = (row for taken in came.values() for row in taken.rows)
    await connection.copy_to_table("sample", source=in_binary(in_order), columns=COLUMNS, format="binary")
    buckets: list[tuple[Any, ...]] = []
    counts: list[tuple[Any, ...]] = []
    for series, taken in came.items():
        ats = [row.at for row in taken.rows]
        buckets += _rolled(series, taken, ats)
        counts.append((series, len(ats), ats[0], ats[-1], taken.held.id, taken.rolling))
        await asyncio.sleep(0)
    await connection.copy_records_to_table("bucket", records=buckets, columns=BUCKET_COLUMNS)
    await connection.executemany(_COUNT, counts)
    newest = max(taken.rows[-1].at for taken in came.values())
    await connection.execute("UPDATE home SET taken = $1, newest = $2", max(row.id for row in rows), newest)


def _note(row: TailRow, taken: Taken, mores: list[tuple[int, Held]]) -> None:
    series, at = row.series, row.at
    if row.more is not None:
        body = to_postgres(row.more.decode("utf-8", "replace"))
        if body != taken.held.body or taken.held.id is None:
            taken.held = Held(row.id, body, at)
            mores.append((series, taken.held))
    taken.held.until = max(taken.held.until, at)
    taken.rows.append(Copied(series, at, row.id, row.value, taken.held.id))


def _rolled(series: int, taken: Taken, ats: list[int]) -> Iterator[tuple[Any, ...]]:
    """The roll-ups that its samples make complete."""
    running, done = roll(running_of(taken.rolling), ats, [row.value for row in taken.rows])
    for span, rows in zip(SPANS, done, strict=True):
        yield from ((series, SECONDS_OF[span], *row) for row in rows)
    taken.rolling = None if running is None else running_bytes(running)


def body_of(text: str | None) -> bytes | None:
    """The attributes as they came."""
    return None if text is None else from_postgres(text).encode()
