"""A home becomes what it was in a backup, wholly or not at all; what it was before is kept, so that one can go back.

What comes is made ready in a directory beside the home; renaming that is the one step by which it counts. It must not
know what a definition means.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from hallway import durable
from hallway.clock import Clock
from hallway.errors import HallwayError, InvalidInput, Unavailable
from hallway.store import backup, contents, tables, trials
from hallway.store.backup import Build, Faulty, Wanted
from hallway.store.backups import clear_unfinished, history_beside
from hallway.store.database import DATABASE_FILE
from hallway.store.error_texts import said
from hallway.store.lock import HubLock, hold
from hallway.store.pending_files import CONFIGURATION, HISTORY_FILE, NEXT, SECRETS, finish
from hallway.store.redo import read_segments
from hallway.store.stamped import free, stamp

KEPT_IN: Final = "backups"
NEW: Final = f"{NEXT}.new"
MOST_NAMES: Final = 10
OF_THE_DIRECTORY: Final = ("hub", "database")
"""The definition that says as which one a directory writes to a database. It does not come back: that database may hold
what a backup does not know, so somebody has to say that the restored home is to take its place there."""
_PRESENT: Final = "SELECT kind, id, max(version), body FROM definition GROUP BY kind, id"
_RAW: Final = (f"{DATABASE_FILE}*", "redo.[01]", CONFIGURATION, SECRETS)


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """A restoration as it was asked for. configuration, history: whether these come back, too."""

    file: Path
    home: Path
    dry_run: bool = False
    configuration: bool = True
    history: bool = False


def restore(asked: Restore, clock: Clock, build: Build) -> Iterator[str]:
    """Do it; what becomes of what, one sentence each. Unavailable: a hub runs there, or the disk refuses.

    Faulty, InvalidInput: the file is no good backup. Until the sentence that it is restored, nothing has changed. Who
    is interrupted is told which home is there. A dry run needs no lock: it reads as a backup does.
    """
    lock: HubLock | None = None
    counts = False
    try:
        if not asked.dry_run:
            lock = hold(asked.home)
            _tidy(asked.home, lock)
        secrets = asked.home / SECRETS
        with (
            backup.opened(asked.file, build, asked.home, secrets=secrets) as coming,
            _present(asked.home) as now,
        ):
            if asked.history and coming.manifest.history is None:
                raise InvalidInput(f"{asked.file} has no history: restore it without --history")
            yield from told(now, coming.home, configuration=asked.configuration)
            if lock is None:
                yield "nothing was changed"
                return
            if now is not None or (asked.home / DATABASE_FILE).exists():
                kept = _keep(asked, now, clock, build, secrets=(coming.home / SECRETS).exists())
                yield f"the home as it was is kept: {kept}"
            _make_ready(asked, coming.home, _highest(asked.home, now, coming.manifest.seq))
            counts = True
            finish(asked.home)
            lock.ended()
            _verify(asked.home, coming.home)
            yield f"restored from {asked.file} of {coming.manifest.made}, and verified"
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_interrupted(asked.home, lock, counts=counts)) from None
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{asked.home} cannot be restored: {said(error)}") from None
    finally:
        if lock is not None:
            lock.release()


def _interrupted(home: Path, lock: HubLock | None, *, counts: bool) -> str:
    """Put in order what somebody did not wait for; which home is there now."""
    if lock is None:
        return "nothing was changed"
    if not counts and not (home / NEXT).exists():
        _clear(home)
        return f"the home in {home} is as it was"
    finish(home)
    lock.ended()
    return f"the restored home is in place in {home}, though it was not read again"


def finish_alone(directory: Path) -> None:
    """Do the rest of a restoration that was cut off after it counted, and clear what else was left behind.

    To be called before anything of a home is read. Unavailable: a hub runs there, or the disk refuses.
    """
    lock = hold(directory)
    try:
        _tidy(directory, lock)
    except OSError as error:
        raise Unavailable(f"a restoration cannot be finished: {error.strerror or error}; mend the disk") from None
    finally:
        lock.release()


def _tidy(directory: Path, lock: HubLock) -> None:
    if finish(directory):
        lock.ended()
    _clear(directory)


def _clear(directory: Path) -> None:
    """What a kill left behind before it counted."""
    shutil.rmtree(directory / NEW, ignore_errors=True)
    trials.clear(directory)
    if (directory / KEPT_IN).is_dir():
        clear_unfinished(directory / KEPT_IN)


# ---------------------------------------------------------------------- the home as it is


@contextlib.contextmanager
def _present(directory: Path) -> Iterator[Path | None]:
    """A copy of the home as it is; None when there is none, or when it is damaged."""
    with trials.trial(directory, room=backup.room_for(directory / DATABASE_FILE)) as home:
        try:
            backup.collect(directory, home)
        except (InvalidInput, Unavailable):
            yield None
        else:
            yield home


def _keep(asked: Restore, now: Path | None, clock: Clock, build: Build, *, secrets: bool) -> Path:
    """A backup of the home as it is, or, when it is too damaged for one, its files as they are."""
    path = free(asked.home / KEPT_IN, f"before-restore-{stamp(clock.now())}", ".tar", "")
    with contextlib.suppress(HallwayError):
        if now is not None:
            backup.make(asked.home, path, clock, build, Wanted(secrets=secrets))
            return path
    folder = path.with_suffix("")
    folder.mkdir(mode=0o700, parents=True)
    for file in (file for pattern in _RAW for file in asked.home.glob(pattern)):
        durable.copy(file, folder / file.name)
    return folder


def _highest(directory: Path, now: Path | None, coming: int) -> int:
    """The number from which the home counts on: whoever waits for later changes than they know must not miss any."""
    present = 0
    if now is not None:
        with closing(contents.read_only(now / DATABASE_FILE)) as connection:
            present = tables.last_seq(connection)
    return 1 + max([coming, present, *(record.seq for record in read_segments(directory))])


def _make_ready(asked: Restore, coming: Path, seq: int) -> None:
    new = asked.home / NEW
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    durable.copy(coming / DATABASE_FILE, new / DATABASE_FILE)
    with closing(sqlite3.connect(new / DATABASE_FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("UPDATE progress SET last_seq = ?", (seq,))
        connection.execute("DELETE FROM definition WHERE kind = ? AND id = ?", OF_THE_DIRECTORY)
    for name in (CONFIGURATION, SECRETS) if asked.configuration else ():
        if (coming / name).exists():
            durable.copy(coming / name, new / name)
    if asked.history:
        durable.copy(history_beside(asked.file), new / HISTORY_FILE)
    durable.move(new, asked.home / NEXT)


def _verify(directory: Path, coming: Path) -> None:
    """Whether the home has each row that it should have."""
    with trials.trial(directory, room=backup.room_for(directory / DATABASE_FILE)) as folder:
        backup.collect(directory, folder)
        wrong = [row.name for row in _rows(coming) ^ _rows(folder)]
    if wrong:
        raise Faulty(directory, [f"{name} is not as it was restored" for name in sorted(set(wrong))])


def _rows(home: Path) -> set[contents.Kept]:
    with closing(contents.read_only(home / DATABASE_FILE)) as connection:
        return {row for row in contents.rows(connection) if row.table != "progress" and not _is_of_the_directory(row)}


def _is_of_the_directory(row: contents.Kept) -> bool:
    return row.table == "definition" and row.key[:2] == OF_THE_DIRECTORY


# ---------------------------------------------------------------------- what would change


def told(now: Path | None, coming: Path, *, configuration: bool = True) -> Iterator[str]:
    """What differs in a home that comes than in the one that is there: definitions by kind, values."""
    before, after = _definitions(now), _definitions(coming)
    for kind in sorted({kind for kind, _key in before | after}):
        parts = {
            "added": [key for k, key in after.keys() - before.keys() if k == kind],
            "changed": [
                key for k, key in after.keys() & before.keys() if k == kind and before[k, key] != after[k, key]
            ],
            "removed": [key for k, key in before.keys() - after.keys() if k == kind],
        }
        said = [f"{len(keys)} {what} ({_some(sorted(keys))})" for what, keys in parts.items() if keys]
        if said:
            yield f"{kind}: {', '.join(said)}"
    old, new = _values(now), _values(coming)
    differ = Counter(table for table, key in old.keys() | new.keys() if old.get((table, key)) != new.get((table, key)))
    for table, number in sorted(differ.items()):
        yield f"{table}: {number} differ"
    if configuration and (coming / CONFIGURATION).exists():
        there = None if now is None or not (now / CONFIGURATION).exists() else (now / CONFIGURATION).read_bytes()
        same = there == (coming / CONFIGURATION).read_bytes()
        yield f"{CONFIGURATION}: {'as it is' if same else 'added' if there is None else 'differs'}"


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _definitions(home: Path | None) -> dict[tuple[str, str], Any]:
    if home is None:
        return {}
    with closing(contents.read_only(home / DATABASE_FILE)) as connection:
        found = connection.execute(_PRESENT).fetchall()
    return {(kind, key): msgspec.json.decode(body) for kind, key, _version, body in found if body is not None}


def _values(home: Path | None) -> dict[tuple[str, tuple[Any, ...]], Any]:
    """What things are, without the times of it."""
    if home is None:
        return {}
    with closing(contents.read_only(home / DATABASE_FILE)) as connection:
        return {
            (table.name, table.part(table.key, row)): row[table.columns.index(shown)]
            for table in contents.tables_of(connection)
            if (shown := {"state": "state", "value": "value", "variable": "value"}.get(table.name))
            for row in connection.execute(contents.selected(table))
        }
