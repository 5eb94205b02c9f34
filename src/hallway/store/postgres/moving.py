"""A home at rest moves: out of the files of its directory into PostgreSQL, or back into them. All of it or nothing.

Both sides are compared afterwards, before anything counts. It must not know the command line.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from hallway.clock import Clock
from hallway.errors import Conflict, InvalidInput, Unavailable
from hallway.store.database import DATABASE_FILE, Damaged, open_database
from hallway.store.error_texts import said
from hallway.store.history.file import FILE, HISTORY
from hallway.store.offline import Resting, resting
from hallway.store.postgres.address import Address
from hallway.store.postgres.carrying import carry_in, carry_out, carry_tail, relation, waiting
from hallway.store.postgres.fetching import arrive, holds_a_home, this_one
from hallway.store.postgres.home_tables import TABLES, inwards, snapshot
from hallway.store.postgres.identity import KEY, KIND, Claim
from hallway.store.postgres.log_moving import counted, same_on_both_sides
from hallway.store.postgres.replicating import compare, whole
from hallway.store.postgres.session import Connection, used_by_hand
from hallway.store.postgres.texts import to_postgres as nul_free

Lines = list[str]
_ALL_SAMPLES: Final = "SELECT coalesce(sum(samples), 0)::bigint FROM series"


class Move(NamedTuple):
    """What is to be moved. replace: let it take the place of what is there; dry_run: change nothing and tell."""

    directory: Path
    address: Address
    clock: Clock
    replace: bool = False
    dry_run: bool = False


async def to_postgres(move: Move) -> Lines:
    """Home and past into the database: what was done. Conflict: something else is there; Unavailable: not now."""
    path = move.directory / DATABASE_FILE
    if not path.exists():
        raise InvalidInput(f"there is no home.db in {move.directory}: nothing to move")
    with resting(move.directory, move.clock) as home:
        claim = _claim(home, move)

        async def done(link: Connection) -> Lines:
            await _own(link, claim, move)
            told = await _home_out(link, path, move)
            return [*told, *await _past_out(link, move), *_what_to_write(move)]

        lines: Lines = await used_by_hand(move.address, done, dry_run=move.dry_run)
        return lines


def _claim(home: Resting, move: Move) -> Claim:
    """Who the directory is; one that has no incarnation gets it, before the database does."""
    known = {(each.kind, each.id): each.body or {} for each in home.definitions()}
    hub_id = known.get((KIND, "id"), {}).get("id")
    if hub_id is None:
        raise InvalidInput("this home has never run: start it once, then move it")
    incarnation = known.get((KIND, KEY), {}).get("incarnation")
    if not isinstance(incarnation, str):
        incarnation = secrets.token_hex(8)
        if not move.dry_run:
            home.write([this_one(incarnation, move.clock.now)], [])
    return Claim(str(hub_id), incarnation)


async def _own(link: Connection, claim: Claim, move: Move, *, may_take: bool = True) -> None:
    """may_take: whether the directory may take the place of another one that has it now, if that is wanted."""
    there = await link.fetchrow("SELECT hub_id, incarnation FROM home")
    if there is not None and inwards(tuple(there))[0] != claim.hub_id:
        raise Conflict(
            f"{move.address}, schema {move.address.schema}, holds another home: give this one a schema of its own "
            "(?schema=NAME at the end of the URL); nothing was changed"
        )
    if there is not None and inwards(tuple(there))[1] != claim.incarnation and not (may_take and move.replace):
        way = "--replace lets this one take its place" if may_take else "remove home.db to take the home from there"
        raise Conflict(
            f"the home in {move.address} was taken over by another directory, or this one was put back from a backup: "
            f"{way}; nothing was changed"
        )
    if not move.dry_run:
        await link.execute(
            "INSERT INTO home (hub_id, incarnation) VALUES ($1, $2) ON CONFLICT (one) DO UPDATE SET incarnation = $2",
            nul_free(claim.hub_id),
            claim.incarnation,
        )


async def _home_out(link: Connection, path: Path, move: Move) -> Lines:
    with snapshot(path) as home:
        async with link.transaction():
            differing = [await compare(link, home, table, send=False) for table in TABLES]
        if move.dry_run:
            return [f"the home: {sum(differing)} rows would be written to {move.address}"]
        seq = await whole(link, path, move.address, replace=move.replace)
        async with link.transaction():
            left = [await compare(link, home, table, send=False) for table in TABLES]
        if any(left):
            raise Unavailable(f"{sum(left)} rows of the home are not the same in the database; say it once more")
        (versions,) = home.connection.execute("SELECT count(*) FROM definition").fetchone()
    return [f"the home, as it is after change {seq}: {sum(differing)} rows written, {versions} versions of definitions"]


async def _past_out(link: Connection, move: Move) -> Lines:
    if not (move.directory / FILE).exists():
        return ["there is no history.db: no samples, messages, changes or traces to move"]
    with _history(move.directory) as history:
        return [await _samples_out(link, history, move), await _logs(link, history, move)]


async def _samples_out(link: Connection, history: sqlite3.Connection, move: Move) -> str:
    async with link.transaction():
        how = await relation(link, history)
        if how == "other" and not move.replace:
            raise Conflict(
                "the database has other samples of the same time: --replace drops all samples that it has and puts "
                "those of history.db in their place; the samples were left as they are"
            )
        if move.dry_run:
            count = 0 if how == "same" else _count(history)
            return f"samples: {count + waiting(history)} would be written"
        told = "the samples of history.db are in the database already, and the same"
        if how != "same":
            count = await carry_out(link, history, replace=how in {"more", "other"})
            told = f"{count} samples, the same on both sides by count and checksum"
        last = await carry_tail(link, history)
    return f"{told}; {last} more that came last" if last else told


async def _logs(link: Connection, history: sqlite3.Connection, move: Move) -> str:
    """Messages, changes and traces become the same on both sides; what only one of them has comes to the other."""
    if move.dry_run:
        return f"{counted(history)} would be compared"
    return await same_on_both_sides(link, history, replace=move.replace)


async def to_files(move: Move) -> Lines:
    """Home and past into the directory: what was done. Conflict, Unavailable: likewise."""

    async def fetched(link: Connection) -> Lines:
        if not await holds_a_home(link):
            raise InvalidInput(f"{move.address} holds no home: nothing to move")
        if move.dry_run:
            return [f"the home of {move.address} would be taken into {move.directory}, with its past"]
        move.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [f"the home, as it was after change {await arrive(link, move.directory, move.clock)}"]

    told: Lines = []
    if not (move.directory / DATABASE_FILE).exists():
        told = await used_by_hand(move.address, fetched, dry_run=move.dry_run)
        if move.dry_run:
            return told
    with resting(move.directory, move.clock) as home:
        claim = _claim(home, move)

        async def done(link: Connection) -> Lines:
            await _own(link, claim, move, may_take=False)
            there = int(await link.fetchval("SELECT last_seq FROM home") or 0)
            if there > home.saved.seq:
                raise Conflict(
                    f"{move.address} holds a later state of this home (change {there}, here it is {home.saved.seq}): "
                    "remove home.db to take the home from there; nothing was changed"
                )
            return [*(told or ["home.db has all of the home"]), *await _past_in(link, move)]

        lines: Lines = await used_by_hand(move.address, done, dry_run=move.dry_run)
    return [*lines, "now take `url` out of `store` in configuration.yaml; the database is left as it is"]


async def _past_in(link: Connection, move: Move) -> Lines:
    with _history(move.directory) as history:
        async with link.transaction():
            how = await relation(link, history)
            if how == "other" and not move.replace:
                raise Conflict(
                    "history.db has other samples of the same time: --replace drops all samples that it has and puts "
                    "those of the database in their place; the samples were left as they are"
                )
            if move.dry_run:
                count = 0 if how == "more" else await link.fetchval(_ALL_SAMPLES)
                return [f"samples: {count} would be written into history.db", await _logs(link, history, move)]
            told = "history.db has all samples of the database, and more"
            history.execute("BEGIN IMMEDIATE")
            if how == "apart":  # they come along, so that history.db has both
                await carry_out(link, history, replace=False)
            if how != "more":
                told = f"{await carry_in(link, history)} samples, the same on both sides by count and checksum"
        history.execute("COMMIT")
        logs = await _logs(link, history, move)
        history.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return [told, logs]


@contextmanager
def _history(directory: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(open_database(directory / FILE, HISTORY)) as history:
            yield history
    except (sqlite3.Error, Damaged) as error:
        raise Unavailable(f"history.db cannot be used: {said(error)}; it was left as it is") from None


def _count(history: sqlite3.Connection) -> int:
    (count,) = history.execute("SELECT coalesce(sum(count), 0) FROM strand WHERE number % 4 = 0").fetchone()
    return int(count)


def _what_to_write(move: Move) -> Lines:
    if move.dry_run:
        return ["nothing was changed"]
    return [
        "now write into configuration.yaml:",
        "  store: {url: !secret database_url}",
        "and into secrets.yaml beside it:",
        f"  database_url: {move.address.url}    (with the password behind the user)",
    ]
