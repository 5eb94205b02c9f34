"""`hallway backup`, `verify` and `restore`: on the files of a home, whether a hub runs it or not.

A command is a line of arguments that becomes lines of text. It must not hold what a backup is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hallway.clock import Clock, SystemClock
from hallway.commands.stopping import if_stopped, if_stopped_writing
from hallway.errors import HallwayError, Unavailable
from hallway.proving import built
from hallway.settings import ConfigurationError, load
from hallway.store.backup import Manifest, Wanted, make
from hallway.store.backup import verify as verified
from hallway.store.backups import listed, remove
from hallway.store.pending_files import SECRETS
from hallway.store.restoring import Restore
from hallway.store.restoring import restore as restored
from hallway.store.stamped import free, stamp

Lines = Iterator[str]


# ---------------------------------------------------------------------- commands


def backup(given: argparse.Namespace) -> Lines:
    """Make a backup. HallwayError: there is none then."""
    if given.gently:
        os.nice(10)
    try:
        yield from _backed_up(given)
    except HallwayError as error:
        if given.json:
            yield msgspec.json.encode({"error": error.message}).decode()
        raise


def _backed_up(given: argparse.Namespace) -> Lines:
    wanted = Wanted(secrets=given.secrets, history=given.history)
    with _clock() as clock:
        to = given.to or given.home / _directory(given.home)
        try:
            path = _target(to, clock)
        except OSError as error:
            raise Unavailable(f"{to} cannot be reached: {error.strerror or error}") from None
        with if_stopped_writing(path, "no backup was made", f"the backup is made: {path}"):
            manifest = make(given.home, path, clock, built, wanted)
            yield from _made(given, path, manifest)


def _made(given: argparse.Namespace, path: Path, manifest: Manifest) -> Lines:
    """What there is to tell of a backup, and older ones removed if that is wanted."""
    removed = _remove_older(path, given.keep)
    size = path.stat().st_size
    if given.json:
        found = {"file": str(path), "bytes": size, "made": manifest.at, "home": manifest.home, "removed": removed}
        yield msgspec.json.encode(found).decode()
        return
    yield f"{path}: {size} bytes, {_counted(manifest.home)}; read again, restored for a trial and compared"
    if manifest.history is not None:
        yield f"the history is in {manifest.history.file}: {manifest.history.bytes} bytes"
    if not given.secrets and (given.home / SECRETS).exists():
        yield f"{SECRETS} is not in it: keep a copy of it elsewhere, or ask for it with --secrets"
    for name in removed:
        yield f"{name} was removed"


def verify(given: argparse.Namespace) -> Lines:
    """Look whether a backup is whole. HallwayError: what is wrong with it."""
    with if_stopped(f"{given.file} was not looked at to its end"):
        found = verified(given.file, built, secrets=None if given.home is None else given.home / SECRETS)
    yield f"{given.file} is whole: made {found.manifest.made} by hallway {found.manifest.hallway}"
    yield f"{_counted(found.manifest.home)}, {sum(found.manifest.rows.values())} rows, {found.manifest.seq} changes"
    if found.remark is not None:
        yield found.remark


def restore(given: argparse.Namespace) -> Lines:
    """Put a home back. HallwayError: it is as it was."""
    asked = Restore(
        file=given.file,
        home=given.home,
        dry_run=given.dry_run,
        configuration=not given.keep_configuration,
        history=given.history,
    )
    with _clock() as clock:
        yield from restored(asked, clock, built)
    if not given.dry_run:
        with if_stopped(f"the home in {given.home} is restored all the same"):
            yield from _of_the_database(given.home)


# ---------------------------------------------------------------------- parts


@contextmanager
def _clock() -> Iterator[Clock]:
    """The machine's clock, for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    try:
        yield SystemClock(loop)
    finally:
        loop.close()


def _of_the_database(home: Path) -> Lines:
    """What is left to do for a home that keeps itself in PostgreSQL too, which has another state of it."""
    try:
        url = load(home).store.url
    except ConfigurationError:
        return
    if url is not None:
        yield (
            "the database of `store: url` holds the home as it was, and refuses the restored one: "
            f"before you start the hub say `hallway store move --home {home} --to database --replace`, "
            "with --dry-run to see first what that would do"
        )


def _directory(home: Path) -> str:
    try:
        return load(home).backup.directory
    except ConfigurationError:
        return "backups"


def _target(to: Path, clock: Clock) -> Path:
    """A file of that name, or one with the time in its name in that directory."""
    if to.suffix == ".tar" and not to.is_dir():
        return to
    return free(to, f"hallway-{stamp(clock.now())}", ".tar")


def _remove_older(path: Path, keep: int | None) -> list[str]:
    """Of the directory of a backup that has just been made; it is among those that stay, however few these are."""
    if keep is None:
        return []
    older = [each for each in listed(path.parent) if each != path][max(keep, 1) - 1 :]
    try:
        for each in older:
            remove(each)
    except OSError as error:
        why = f"older ones cannot be removed: {error.strerror or error}"
        raise Unavailable(f"the backup is made, {path}, but {why}") from None
    return [each.name for each in older]


def _counted(home: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in home.items() if number) or "an empty home"
