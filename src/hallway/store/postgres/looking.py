"""How a database and the directory of a home stand to each other, told by looking at both; nothing is changed.

A hub may run meanwhile. It must not know the command line.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from hallway.errors import Unavailable
from hallway.store import definitions
from hallway.store.database import DATABASE_FILE
from hallway.store.error_texts import said
from hallway.store.history.file import FILE
from hallway.store.migrations import newest
from hallway.store.postgres.address import Address
from hallway.store.postgres.home_tables import snapshot
from hallway.store.postgres.identity import KEY, KIND
from hallway.store.postgres.log_moving import WORDS, counts_here
from hallway.store.postgres.sentences import FAILURES, sentence
from hallway.store.postgres.session import (
    CONNECT_SECONDS,
    LOCK_CLASS,
    SCHEMA_FILES,
    Connection,
    connect,
    is_ours,
)
from hallway.store.postgres.texts import from_postgres

_HOME: Final = "SELECT hub_id, incarnation, last_seq, synchronised, taken, logs_at FROM home"
_SAMPLES: Final = "SELECT coalesce(sum(samples), 0)::bigint FROM series"
_TAIL: Final = "SELECT last_id, length FROM tail WHERE last_id > (SELECT last_id FROM fold)"
_HOLDER: Final = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = $1
        AND objid::bigint = $2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Here(NamedTuple):
    """What a directory has. None: there is no such file. tail: of pieces of the tail the last number and the length."""

    hub_id: str | None = None
    incarnation: str | None = None
    seq: int | None = None
    tail: list[tuple[int, int]] | None = None
    logs: dict[str, int] | None = None


async def look(directory: Path, address: Address) -> list[str]:
    """It, in sentences. Unavailable: the database or a file cannot be read."""
    here = _here(directory)
    try:
        link = await connect(address, "hallway by hand reads", reads=True)
        try:
            return [line async for line in _told(link, address, here)]
        finally:
            with suppress(*FAILURES):
                await link.close(timeout=CONNECT_SECONDS)
    except FAILURES as error:
        raise Unavailable(sentence(error, address, by_hand=True)) from None


async def _told(link: Connection, address: Address, here: Here) -> AsyncIterator[str]:
    known = newest(SCHEMA_FILES)
    if not await is_ours(link, address):
        yield f"{address}, schema {address.schema}: nothing of hallway is there; it comes with the first start of a hub"
        return
    version = int(await link.fetchval("SELECT number FROM version"))
    held = await link.fetchval(_HOLDER, LOCK_CLASS, crc32(address.schema.encode()))
    yield f"{address}, schema {address.schema}: {'a hub writes to it now' if held else 'no hub writes to it now'}"
    if version != known:
        which = "a newer hallway has written it: update this one" if version > known else "the next start brings it up"
        yield f"its tables are of version {version}, those of this hallway of {known}: {which}"
        return
    row = await link.fetchrow(_HOME)
    if row is None:
        yield "it holds no home yet"
        return
    hub_id, incarnation, seq, synchronised, taken, logs_at = row
    yield _of_the_home(here, (from_postgres(hub_id), from_postgres(incarnation)), seq, synchronised)
    samples = await link.fetchval(_SAMPLES)
    left = [length for last, length in here.tail or () if last > taken]
    yield f"samples: {samples} there" + ("" if here.tail is None else f"; {sum(left)} wait in {FILE}")
    for name, words in WORDS.items():
        there = await link.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608 - names of our own tables
        local = "" if here.logs is None else f", {here.logs[name]} in {FILE}"
        yield f"{words}: {there} there{local}"
    if logs_at is not None:
        yield f"the last messages, changes or traces came at {_time(logs_at)}"


def _of_the_home(here: Here, claim: tuple[str, str], seq: int, at: int | None) -> str:
    there = f"the home: change {seq} there" + ("" if at is None else f", from {_time(at)}")
    if here.seq is None:
        return f"{there}; there is no {DATABASE_FILE} here: the next start takes it from the database"
    if here.hub_id != claim[0]:
        return f"the home there is another one (hub {claim[0]}, here it is {here.hub_id}): the database is not used"
    if here.incarnation not in {None, claim[1]}:
        return (
            f"{there}; another directory has taken it over, or this one was put back from a backup: this one does not "
            "write to it"
        )
    if seq > here.seq:
        return f"{there}, {here.seq} here: what is there is later"
    return f"{there}, {here.seq} here: " + ("in step" if seq == here.seq else f"{here.seq - seq} changes behind")


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


# ---------------------------------------------------------------------- the directory


def _here(directory: Path) -> Here:
    here = Here()
    if (directory / DATABASE_FILE).exists():
        with snapshot(directory / DATABASE_FILE) as home:
            known = definitions.latest(home.connection, KIND)
            hub_id, incarnation = (_named(known, key, name) for key, name in (("id", "id"), (KEY, "incarnation")))
            here = Here(hub_id, incarnation, home.seq)
    if (directory / FILE).exists():
        with _history(directory / FILE) as history:
            here = here._replace(tail=history.execute(_TAIL).fetchall(), logs=counts_here(history))
    return here


def _named(known: Mapping[str, definitions.Definition], key: str, name: str) -> str | None:
    body = known[key].body if key in known else None
    return None if body is None or body.get(name) is None else str(body[name])


@contextmanager
def _history(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", 5, uri=True)) as history:
            history.execute("PRAGMA query_only = ON")
            yield history
    except sqlite3.Error as error:
        raise Unavailable(f"{FILE} cannot be read: {said(error)}") from None
