"""The archive in PostgreSQL: what the tail of history.db has gathered, in tables that other programs can read too.

It must not know the tail, nor how the server is reached.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from hallway.errors import Unavailable
from hallway.home.past import SECONDS_OF, Bucket, Sample, Series, Span
from hallway.store.history.archive import Holding, Page, SeriesRow, TailRow
from hallway.store.history.rollups import Row, combined, running_of, until
from hallway.store.postgres.server import Server
from hallway.store.postgres.session import EARLIEST, LATEST, LONG_SECONDS, Connection, Link
from hallway.store.postgres.taking import body_of, put_rows, put_series
from hallway.store.postgres.texts import from_postgres
from hallway.store.postgres.values import from_columns

PAGE_ROWS: Final = 4096
OPEN_SECONDS: Final = 3.0
"""So long it waits for a server to which the hub is just connecting."""
MOST_ID: Final = 2**62
ROW_BYTES: Final = 140
"""About what a sample takes with its index, for those who want to know which series are large."""
_TAKEN = "SELECT taken FROM home"
_SERIES = "SELECT number, kind, owner, name, type, discrete FROM series ORDER BY number"
_ROWS = """
    SELECT sample.at, sample.id, kind, number, text, body FROM sample
    LEFT JOIN more ON more.series = sample.series AND more.id = sample.more
    WHERE sample.series = $1 AND sample.id <= $2 AND sample.at BETWEEN $3 AND $4
"""
_UPWARDS = f"{_ROWS} AND (sample.at, sample.id) > ($5, $6) ORDER BY sample.at, sample.id LIMIT $7"
_DOWNWARDS = f"{_ROWS} AND (sample.at, sample.id) < ($5, $6) ORDER BY sample.at DESC, sample.id DESC LIMIT $7"
_AT = """
    SELECT series.number, sample.at, kind, sample.number, text, body FROM unnest($1::integer[]) AS series (number)
    CROSS JOIN LATERAL (
        SELECT * FROM sample WHERE series = series.number AND at <= $2 ORDER BY at DESC, id DESC LIMIT 1
    ) AS sample LEFT JOIN more ON more.series = sample.series AND more.id = sample.more
"""
_BUCKETS = """
    SELECT at, least, most, mean, last, count, rise FROM bucket
    WHERE series = $1 AND seconds = $2 AND at BETWEEN $3 AND $4 ORDER BY at, ctid
"""
_ROLLING = "SELECT rolling, newest FROM series, home WHERE number = $1 AND newest IS NOT NULL"
_HOLDINGS = "SELECT number, samples, first, last FROM series WHERE samples > 0"
_EXPIRE = """
    WITH old AS (
        DELETE FROM sample WHERE (series, at, id) IN (
            SELECT series, at, id FROM sample WHERE series = $1 AND at < $2 ORDER BY at, id LIMIT $3
        ) RETURNING 1
    ) SELECT count(*) FROM old
"""
_RECOUNT = """
    UPDATE series SET samples = greatest(samples - $2, 0), first = (SELECT min(at) FROM sample WHERE series = $1),
        last = (SELECT max(at) FROM sample WHERE series = $1) WHERE number = $1
"""
_EXPIRE_MORE = """
    DELETE FROM more WHERE series = $1 AND until < $2
        AND id IS DISTINCT FROM (SELECT series.more FROM series WHERE number = $1)
"""
_EXPIRE_BUCKETS = """
    WITH old AS (
        DELETE FROM bucket WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM bucket WHERE seconds = $1 AND at < $2 ORDER BY at LIMIT $3
        )) RETURNING 1
    ) SELECT count(*) FROM old
"""
_MISCOUNTED = """
    SELECT series.number, kind, owner, name, samples, coalesce(found.count, 0) AS found FROM series
    FULL JOIN (SELECT series AS number, count(*) FROM sample GROUP BY series) AS found USING (number)
    WHERE coalesce(samples, 0) <> coalesce(found.count, 0) ORDER BY 1 LIMIT 1
"""
_FORGET = (
    "DELETE FROM sample WHERE series = $1",
    "DELETE FROM more WHERE series = $1",
    "DELETE FROM bucket WHERE series = $1",
    "DELETE FROM series WHERE number = $1",
)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class PostgresArchive:
    """Implements Archive on a server. To be used from the hub's loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[int, SeriesRow] = {}

    async def open(self) -> tuple[int, list[SeriesRow]]:
        await self._server.reached(OPEN_SECONDS)

        async def found(link: Link) -> tuple[int, list[SeriesRow]]:
            rows = await link.fetch(_SERIES)
            return int(await link.fetchval(_TAKEN) or 0), [_series(*row) for row in rows]

        taken, series = await self._server.read(found)
        self._known |= {row.number: row for row in series}
        return taken, series

    async def take(self, rows: Sequence[TailRow], series: Sequence[SeriesRow]) -> None:
        self._known |= {row.number: row for row in series}

        async def put(connection: Connection) -> None:
            async with connection.transaction():
                # what a COMMIT whose answer was lost has taken is not sent again
                taken = int(await connection.fetchval(f"{_TAKEN} FOR UPDATE") or 0)
                left = [row for row in rows if row.id > taken]
                await put_series(connection, series)
                await self._tell_missing(connection, {row.series for row in left})
                if left:
                    await put_rows(connection, left)

        await self._server.write(put)

    async def _tell_missing(self, connection: Connection, numbers: set[int]) -> None:
        """Series that the database had, if its tables were dropped while the hub ran."""
        rows = await connection.fetch("SELECT number FROM series WHERE number = ANY($1)", list(numbers))
        missing = numbers - {number for (number,) in rows}
        if not missing <= self._known.keys():
            raise Unavailable(f"the database {self._server.address} does not know series {min(missing)} of the past")
        await put_series(connection, [self._known[number] for number in missing])

    async def pages(
        self, series: int, after: int | None, before: int | None, *, descending: bool = False
    ) -> AsyncIterator[tuple[int, Page]]:
        """Each piece is a question of its own, so that nobody who reads slowly holds anything up over there.

        All of them show what had been taken at the first one.
        """
        taken = -1
        where = (LATEST, MOST_ID) if descending else (EARLIEST, -MOST_ID)
        low, high = EARLIEST if after is None else after, LATEST if before is None else before
        statement = _DOWNWARDS if descending else _UPWARDS

        async def piece(link: Link) -> tuple[int, list[Any]]:
            upto = int(await link.fetchval(_TAKEN) or 0) if taken < 0 else taken
            return upto, await link.fetch(statement, series, upto, low, high, *where, PAGE_ROWS)

        while True:
            taken, rows = await self._server.read(piece)
            if rows:
                where = (rows[-1][0], rows[-1][1])
                yield taken, _page(rows[::-1] if descending else rows)
            if len(rows) < PAGE_ROWS:
                return

    async def at(self, series: Sequence[int], moment: int) -> Mapping[int, Sample]:
        rows = await self._server.read(lambda link: link.fetch(_AT, list(series), moment))
        return {
            number: Sample(at / 1000, from_columns(kind, found, text), _more(body))
            for number, at, kind, found, text, body in rows
        }

    async def buckets(self, series: int, span: Span, after: int, before: int) -> list[Bucket]:
        seconds = SECONDS_OF[span]

        async def found(link: Link) -> tuple[list[Row], Any]:
            rows = await link.fetch(_BUCKETS, series, seconds, after, before)
            return [tuple(row) for row in rows], await link.fetchrow(_ROLLING, series)

        rows, rolling = await self._server.read(found)
        running = None if rolling is None else running_of(rolling[0])
        last = None if running is None else until(running, rolling[1], span)
        if last is not None and after <= last[0] <= before:
            rows.append(last)
            rows.sort(key=itemgetter(0))
        return combined(rows)

    async def holdings(self) -> Mapping[int, Holding]:
        rows = await self._server.read(lambda link: link.fetch(_HOLDINGS))
        return {number: Holding(count, first, last, count * ROW_BYTES) for number, count, first, last in rows}

    async def forget(self, series: int) -> None:
        async def gone(connection: Connection) -> None:
            async with connection.transaction():
                for statement in _FORGET:
                    await connection.execute(statement, series, timeout=LONG_SECONDS)

        await self._server.write(gone)

    async def expire(self, series: int, before: int, *, most: int) -> int:
        async def old(connection: Connection) -> int:
            async with connection.transaction():
                count = int(await connection.fetchval(_EXPIRE, series, before, most))
                if count:
                    await connection.execute(_RECOUNT, series, count)
                if count < most:
                    await connection.execute(_EXPIRE_MORE, series, before)
                return count

        return await self._server.write(old)

    async def expire_buckets(self, span: Span, before: int, *, most: int) -> int:
        async def old(connection: Connection) -> int:
            return int(await connection.fetchval(_EXPIRE_BUCKETS, SECONDS_OF[span], before, most))

        return await self._server.write(old)

    async def check(self) -> str | None:
        try:
            rows = await self._server.read(lambda link: link.fetch(_MISCOUNTED, timeout=LONG_SECONDS))
        except Unavailable as error:
            return error.message
        for number, kind, owner, name, samples, found in rows:
            what = f"series {number}" if kind is None else f"{kind} {'.'.join(filter(None, (owner, name)))}"
            return f"the database {self._server.address} has {found} samples of {what}, it should have {samples or 0}"
        return None

    async def close(self) -> None:
        """The server is closed by whom it belongs to."""


def _series(number: int, kind: Any, owner: str, name: str, type_: str, discrete: bool) -> SeriesRow:
    series = Series(kind, from_postgres(owner), from_postgres(name))
    return SeriesRow(number, series, from_postgres(type_), discrete)


def _more(body: str | None) -> dict[str, Any] | None:
    return None if body is None else _decode(from_postgres(body))


def _page(rows: Sequence[Any]) -> Page:
    values = [from_columns(kind, number, text) for _at, _id, kind, number, text, _body in rows]
    has_more = any(row[5] is not None for row in rows)
    return Page([row[0] for row in rows], values, [body_of(row[5]) for row in rows] if has_more else ())
