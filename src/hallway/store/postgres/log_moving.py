"""The logs of a home at rest: they come out of the database, and are made the same on both sides before a move counts.

It must not know the command line.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from hallway.errors import Unavailable
from hallway.store.database import Damaged, open_database
from hallway.store.error_texts import said
from hallway.store.history.file import FILE, HISTORY
from hallway.store.postgres.log_sync import MOST_UNITS, bring, next_turn, put_turn, send, turn_of, turn_there
from hallway.store.postgres.logs import HIGHEST, LOGS, LOWEST, Log
from hallway.store.postgres.resting import Resting
from hallway.store.postgres.session import Connection

WORDS: Final = {"message": "messages", "change": "changes", "trace": "traces of rules"}


class Sum(NamedTuple):
    """Of the rows of a log: how many, and a checksum of them in their order."""

    rows: int = 0
    check: int = 0

    def plus(self, row: object) -> Sum:
        """With one more."""
        return Sum(self.rows + 1, crc32(repr(row).encode("utf-8", "surrogatepass"), self.check))


def beside(history: sqlite3.Connection, link: Connection) -> Resting:
    """Both sides, when nobody else uses history.db."""
    return Resting(history, lambda work: work(link))


async def bring_logs(link: Connection, directory: Path) -> dict[str, int]:
    """Put what the database has of them into history.db, if that is new or older: how many units of each.

    To be called by whoever holds the directory. Unavailable: not now; what has come stays.
    """
    try:
        with closing(open_database(directory / FILE, HISTORY)) as history:
            sides = beside(history, link)
            there = await turn_there(link)
            if turn_of(history) >= there:
                return {}
            brought = {each.name: await bring(sides, each, rests=True) for each in LOGS}
            await sides.write_here(partial(put_turn, turn=there))
            history.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, Damaged) as error:
        raise Unavailable(f"history.db cannot be written: {said(error)}") from None
    return brought


async def same_on_both_sides(link: Connection, history: sqlite3.Connection, *, replace: bool) -> str:
    """Make them so: a sentence about it. replace: what the database has beside is dropped, not brought here.

    Unavailable: they are not the same afterwards.
    """
    sides = beside(history, link)
    if turn_of(history) < await turn_there(link) and not replace:
        for each in LOGS:
            await bring(sides, each, rests=True)
    await next_turn(sides)
    told = []
    for each in LOGS:
        await send(sides, each)
        here, there = sum_here(history, each), await sum_there(link, each)
        if here != there:
            raise Unavailable(f"the {WORDS[each.name]} are not the same in the database; say it once more")
        told.append(f"{here.rows} {WORDS[each.name]}")
    return f"{', '.join(told)}, the same on both sides by count and checksum"


def counted(history: sqlite3.Connection) -> str:
    """How many rows history.db has, in words."""
    counts = counts_here(history)
    return ", ".join(f"{counts[name]} {words}" for name, words in WORDS.items())


def counts_here(history: sqlite3.Connection) -> dict[str, int]:
    """How many rows history.db has of each log."""
    counts = {}
    for each in LOGS:
        total = f"SELECT coalesce(sum({each.weight}), 0) FROM {each.table}"  # noqa: S608 - names of our own tables
        (counts[each.name],) = history.execute(total).fetchone()
    return counts


def sum_here(history: sqlite3.Connection, log: Log) -> Sum:
    """What the rows in history.db come to."""
    found = Sum()
    units = iter(history.execute(log.prints_here, (LOWEST, HIGHEST)).fetchall())
    while wanted := {number: print_ for number, print_, _weight in islice(units, MOST_UNITS)}:
        for row in log.flat(log.read(history, wanted)):
            found = found.plus(row)
    return found


async def sum_there(link: Connection, log: Log) -> Sum:
    """Likewise in the database."""
    found = Sum()
    async with link.transaction():
        async for row in link.cursor(log.exact, prefetch=MOST_UNITS):
            found = found.plus(tuple(row))
    return found
