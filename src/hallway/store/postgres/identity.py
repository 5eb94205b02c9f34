"""Whose home a database holds: the hub, and which of its directories may write there.

A directory that takes its home from the database is a new incarnation of it; the one that had it before is refused from
then on, so that two machines never write over each other. It must not know what else stands there.
"""

from __future__ import annotations

from typing import NamedTuple

from hallway.store.postgres.address import Address
from hallway.store.postgres.session import Connection, Refused
from hallway.store.postgres.texts import from_postgres, to_postgres

KIND, KEY = "hub", "database"
"""The definition of home.db that says which incarnation it is."""
_PUT = "INSERT INTO home (hub_id, incarnation) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_GET = "SELECT hub_id, incarnation FROM home"
_IS_NOBODYS = "SELECT NOT EXISTS (SELECT FROM home)"


class Claim(NamedTuple):
    """The hub and the incarnation that a directory is."""

    hub_id: str
    incarnation: str


async def is_nobodys(connection: Connection) -> bool:
    """Whether it holds no home yet, or none any more."""
    return bool(await connection.fetchval(_IS_NOBODYS))


async def check(connection: Connection, claim: Claim, address: Address) -> None:
    """Make an empty database that home's. Refused: it is another's."""
    await connection.execute(_PUT, to_postgres(claim.hub_id), to_postgres(claim.incarnation))
    hub_id, incarnation = await connection.fetchrow(_GET) or ("", "")
    if from_postgres(hub_id) != claim.hub_id:
        raise Refused(
            f"the database {address}, schema {address.schema}, holds another home (hub {hub_id}, this is "
            f"{claim.hub_id}): give this one a schema of its own (?schema=NAME at the end of the URL); "
            "nothing was changed"
        )
    if from_postgres(incarnation) != claim.incarnation:
        raise Refused(
            f"the home in the database {address} was taken over by another directory, or this one was put back from a "
            "backup: stop the hub, then either remove home.db to take the home from the database, or say `hallway "
            "store move --home DIR --to database --replace` to let this home take its place; nothing was changed"
        )
