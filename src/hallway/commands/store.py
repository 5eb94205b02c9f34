"""`hallway store`: takes a home at rest out of its files into a PostgreSQL database or back, and tells how both stand.

A command is a line of arguments that becomes lines of text. It must not know how anything is moved.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hallway.clock import SystemClock
from hallway.errors import InvalidInput
from hallway.settings import load
from hallway.store.postgres.address import need_driver, read_address

FILES: Final = "files"
DATABASE: Final = "database"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be done, below `hallway store`."""
    doings = parser.add_subparsers(required=True, metavar="WHAT", dest="doing")
    text = "move a home and its past into a PostgreSQL database, or back into its files; the hub must be stopped"
    move = doings.add_parser("move", help=text, description=text)
    move.add_argument("--home", type=Path, required=True, metavar="DIR", help="directory of the home")
    where = (
        "files; database, for the one of the configuration; or a URL: postgresql://USER:PASSWORD@HOST:5432/DATABASE. "
        "Others on this machine may see a URL that is written here"
    )
    move.add_argument("--to", required=True, metavar="WHERE", help=where)
    move.add_argument("--replace", action="store_true", help="let what is moved take the place of what is there")
    move.add_argument("--dry-run", action="store_true", help="tell what would be moved and change nothing")
    text = "tell what the database has of a home, and how far behind it is; the hub may run"
    status = doings.add_parser("status", help=text, description=text)
    status.add_argument("--home", type=Path, required=True, metavar="DIR", help="directory of the home")
    where = "a URL instead of that of the configuration"
    status.add_argument("--url", default=DATABASE, metavar="URL", help=where)


def done(given: argparse.Namespace) -> Sequence[str]:
    """Do it: what there is to tell. InvalidInput: it cannot be asked so; HallwayError: it was not done."""
    need_driver()
    return _told(given) if given.doing == "status" else _moved(given)


def _told(given: argparse.Namespace) -> Sequence[str]:
    from hallway.store.postgres.looking import look  # noqa: PLC0415 - needs a driver that is not installed everywhere

    return asyncio.run(look(given.home, read_address(_url(given.url, given.home))))


def _moved(given: argparse.Namespace) -> Sequence[str]:
    from hallway.store.postgres import moving  # noqa: PLC0415 - needs a driver that is not installed everywhere

    address = read_address(_url(given.to, given.home))
    with asyncio.Runner() as runner:
        move = moving.Move(given.home, address, SystemClock(runner.get_loop()), given.replace, given.dry_run)
        return runner.run(moving.to_files(move) if given.to == FILES else moving.to_postgres(move))


def _url(where: str, home: Path) -> str:
    if where not in {FILES, DATABASE}:
        return where
    url = load(home, must_exist=True).store.url
    if url is None:
        raise InvalidInput(f"{home}/configuration.yaml says nothing of a database: set `url` in `store`")
    return url
