"""Makes the logs in PostgreSQL what they are in history.db, and brings back what a history.db has lost.

Whatever is sent was compared before and goes in transactions of some thousand rows: sent twice it is the same, and it
goes on where it was cut off. It must not know when that is to be done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from hallway.store.postgres.logs import HIGHEST, LOGS, LOWEST, Log, Row
from hallway.store.postgres.session import Connection
from hallway.store.writer import Work as Local

PARTS: Final = 8
"""So many parts are compared row by row at a time."""
ROWS: Final = 2000
"""About so many are sent in one transaction."""
MOST_UNITS: Final = 500
MOST_TURNS: Final = 2**31 - 2
_TURN = "SELECT log_turn FROM home"
_PUT_TURN = "UPDATE home SET log_turn = $1"
_CAME = "UPDATE home SET logs_at = now()"

T = TypeVar("T")


class Sides(Protocol):
    """history.db and the database, each to be asked from where this runs. Unavailable: it is away."""

    async def here(self, work: Local[T]) -> T:
        """Read history.db, in one transaction."""
        ...

    async def write_here(self, work: Local[T]) -> T:
        """Write it, likewise."""
        ...

    async def there(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Work on the connection that writes."""
        ...


class Found(NamedTuple):
    """Units of some parts: which are to go there, and which are to come, with their prints and weights."""

    gone: list[int]
    coming: list[tuple[int, int, int]]


class Glance(NamedTuple):
    """What is seen of history.db without reading it; all but the turn by log.

    last: the highest number; hot: from which number on something may become other than it is.
    """

    turn: int
    units: dict[str, int]
    last: dict[str, int]
    hot: dict[str, int]


def glance(history: sqlite3.Connection) -> Glance:
    """A look at it."""
    units, last, hot = {}, {}, {}
    for each in LOGS:
        (units[each.name],) = history.execute(f"SELECT count(*) FROM {each.table}").fetchone()  # noqa: S608 - our own names
        (place,) = history.execute(each.hot.format(each.table)).fetchone()
        (newest,) = history.execute(f"SELECT coalesce(max(id), 0) FROM {each.table}").fetchone()  # noqa: S608 - likewise
        last[each.name] = newest
        hot[each.name] = newest if place is None else place
    return Glance(turn_of(history), units, last, hot)


def turn_of(history: sqlite3.Connection) -> int:
    """How often this file was made the same as the database."""
    (turn,) = history.execute("PRAGMA application_id").fetchone()
    return int(turn)


def put_turn(history: sqlite3.Connection, turn: int) -> None:
    """So often."""
    history.execute(f"PRAGMA application_id = {turn:d}")


async def turn_there(link: Connection) -> int:
    """Likewise for what the database holds; 0: it never was."""
    return int(await link.fetchval(_TURN) or 0)


async def next_turn(sides: Sides) -> int:
    """Begin a turn: from now on a history.db of before is known as such. What follows is to compare everything."""
    turn = max(await sides.here(turn_of), await sides.there(turn_there)) % MOST_TURNS + 1
    await sides.write_here(partial(put_turn, turn=turn))
    await sides.there(lambda link: link.execute(_PUT_TURN, turn))
    return turn


# ---------------------------------------------------------------------- there


async def send(sides: Sides, log: Log, low: int = LOWEST, also: Collection[int] = ()) -> int:
    """Send what differs from a unit on, and in the parts of some others: by how many units there are more now."""
    low = low >> log.shift << log.shift
    digest = await sides.there(lambda link: link.fetch(log.digest_there, low))
    parts = await sides.here(partial(_differing, log=log, low=low, there=digest))
    parts += sorted({number >> log.shift for number in also} - set(parts))
    more = 0
    for begin in range(0, len(parts), PARTS):
        lows = [part << log.shift for part in parts[begin : begin + PARTS]]
        prints = await sides.there(partial(_fetch, query=log.prints_there, given=lows))
        found = await sides.here(partial(_compared, log=log, lows=lows, there=prints))
        more += await _send(sides, log, found)
    return more


async def count_there(sides: Sides, log: Log) -> int:
    """How many units the database has."""
    count = await sides.there(lambda link: link.fetchval(f"SELECT count(*) FROM {log.table}"))  # noqa: S608 - our own names
    return int(count)


async def _fetch(link: Connection, query: str, given: Any) -> list[Any]:
    return list(await link.fetch(query, given))


def _differing(history: sqlite3.Connection, log: Log, low: int, there: Sequence[Any]) -> list[int]:
    known = {part: (count, check) for part, count, check in there}
    parts = [
        part
        for part, count, check in history.execute(log.digest_here, (low,))
        if known.pop(part, None) != (count, check)
    ]
    return sorted([*parts, *known])


def _compared(history: sqlite3.Connection, log: Log, lows: Sequence[int], there: Sequence[Any]) -> Found:
    known: dict[int, int] = dict(there)
    coming = []
    for low in lows:
        for number, print_, weight in history.execute(log.prints_here, (low, low + log.width - 1)):
            if known.get(number) == print_:
                del known[number]
            else:
                coming.append((number, print_, weight))
    return Found(list(known), coming)


async def _send(sides: Sides, log: Log, found: Found) -> int:
    gone: Sequence[int] = found.gone
    more = -len(gone)
    for wanted in _pieces(found.coming):
        rows = await sides.here(partial(log.read, wanted=wanted))
        await sides.there(partial(_put, log=log, gone=gone, rows=rows))
        more += len(rows)
        gone = ()
    if gone:
        await sides.there(partial(_put, log=log, gone=gone, rows=()))
    return more


def _pieces(coming: Sequence[tuple[int, int, int]]) -> Iterator[dict[int, int]]:
    piece: dict[int, int] = {}
    weight = 0
    for number, print_, rows in coming:
        if piece and (weight + rows > ROWS or len(piece) >= MOST_UNITS):
            yield piece
            piece, weight = {}, 0
        piece[number] = print_
        weight += rows
    if piece:
        yield piece


async def _put(link: Connection, log: Log, gone: Sequence[int], rows: Sequence[Row]) -> None:
    """What goes and what takes its place, in one transaction: nothing stands there twice."""
    async with link.transaction():
        which = list(gone)
        for statement in log.drop if which else ():
            await link.execute(statement, which)
        if rows:
            await log.put(link, rows)
        await link.execute(_CAME)


# ---------------------------------------------------------------------- here


async def bring(sides: Sides, log: Log, *, rests: bool) -> int:
    """Put what the database has and history.db has not into that: how many units.

    rests: nobody uses the file. Else numbers that the hub may give out are not taken: what has one of these comes under
    a number below 0.
    """
    offset = 1 + await sides.there(lambda link: link.fetchval(f"SELECT coalesce(max(id), 0) FROM {log.table}"))  # noqa: S608
    ends = f"SELECT min(coalesce(min(id), 0), 0), coalesce(max(id), 0), count(*) FROM {log.table}"  # noqa: S608
    least, most, there = await sides.here(lambda history: history.execute(ends).fetchone())
    upto = HIGHEST if rests else most
    take = partial(_take, log=log, upto=upto, offset=offset - least, known=there > 0 or not rests)
    after, count = LOWEST, 0
    while True:
        last, rows = await sides.there(partial(_page, log=log, after=after))
        if last is None:
            return count
        count += await sides.write_here(partial(take, rows=rows))
        after = last


async def _page(link: Connection, log: Log, after: int) -> tuple[int | None, list[Row]]:
    found = await link.fetch(log.page, after, 10 if log.weight != "1" else MOST_UNITS)
    return (found[-1][0], await log.page_of(link, found)) if found else (None, [])


def _take(history: sqlite3.Connection, log: Log, upto: int, offset: int, known: bool, rows: Sequence[Row]) -> int:
    """known: some of them may be there already."""
    count = 0
    for row in rows:
        fresh = log.new_of(history, row) if known else row
        if fresh is not None:
            number = fresh[0]
            is_free = f"SELECT 1 FROM {log.table} WHERE id = ?"  # noqa: S608 - our own names
            if number > upto or history.execute(is_free, (number,)).fetchone() is not None:
                number -= offset
            log.take(history, fresh, number)
            count += 1
    return count
