"""A backup of a home: one tar file with home.db, its configuration, a checksum of each of its rows and of each file.

It is done only once it has been read again, unpacked and opened; only then does the file get its name. It must not know
what a definition means: whoever calls gives a function that builds the home of a directory.
"""

from __future__ import annotations

import hashlib
import io
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from hallway import __version__, durable
from hallway.clock import Clock
from hallway.errors import HallwayError, InvalidInput, Unavailable
from hallway.store import contents, salvage, tables, trials
from hallway.store.backups import clear_unfinished, history_beside, no_history_alone, unfinished
from hallway.store.contents import Kept
from hallway.store.database import DATABASE_FILE, Damaged, is_damage, open_database, snapshot
from hallway.store.error_texts import said
from hallway.store.migrations import newest
from hallway.store.pending_files import CONFIGURATION, HISTORY_FILE, SECRETS
from hallway.store.recovery import newer_than
from hallway.store.redo import read_segments
from hallway.store.trials import trial

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
ROWS: Final = "rows.txt"
SUMS: Final = "SHA256SUMS"
PROBLEMS: Final = "problems of the configuration"
"""What a function that builds homes calls these."""
MOST_BYTES: Final = 2**30
"""Of one part: nothing larger is unpacked."""
COPIES: Final = 4
"""So many times the room of a home.db a trial may take, with its WAL and the copy that is looked at."""
_PARTS: Final = (MANIFEST, DATABASE_FILE, ROWS, CONFIGURATION, SECRETS, SUMS)
_NEEDED: Final = (MANIFEST, DATABASE_FILE, ROWS, SUMS)

Built = Mapping[str, int]
Build = Callable[[Path], Built]
"""Builds the home of a directory and tells how much of what it has; a HallwayError says why it cannot."""


class Aside(msgspec.Struct, frozen=True):
    """A file beside the backup that belongs to it."""

    file: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself. rows: by table; home: what the home that is built from it has."""

    format: int
    hallway: str
    schema: int
    made: str
    at: float
    seq: int
    rows: dict[str, int]
    home: dict[str, int]
    history: Aside | None = None


class Opened(msgspec.Struct, frozen=True):
    """A backup that is whole, and a directory with its home. remark: what could not be looked at."""

    manifest: Manifest
    home: Path
    remark: str | None = None


class Faulty(HallwayError):
    """A backup is not whole: one sentence for each thing that is wrong with it."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{path} is damaged: " + "; ".join(problems[:20]) + (" …" if len(problems) > 20 else ""))  # noqa: PLR2004


# ---------------------------------------------------------------------- a home as it is now


def room_for(path: Path) -> int:
    """How many bytes a trial with a home.db or a backup of that size may take."""
    return COPIES * path.stat().st_size if path.is_file() else 0


def collect(directory: Path, there: Path) -> None:
    """Copy a home as it is at one moment into an empty directory, in the present schema; also while a hub runs it.

    Everything that was acknowledged before is in it. InvalidInput: there is no home; Unavailable: it cannot be read.
    """
    if not (directory / DATABASE_FILE).is_file():
        raise InvalidInput(f"there is no home in {directory}: it has no {DATABASE_FILE}")
    try:
        records = read_segments(directory)
        snapshot(directory / DATABASE_FILE, there / DATABASE_FILE)
        with closing(open_database(there / DATABASE_FILE)) as connection:
            contents.check(connection)
            batch = newer_than(records, tables.last_seq(connection))
            if not batch.empty:
                connection.execute("BEGIN")
                tables.write(connection, batch)
                connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = DELETE")
        for name in (CONFIGURATION, SECRETS):
            if (directory / name).is_file():
                durable.copy(directory / name, there / name)
    except Damaged as damaged:
        raise Unavailable(
            f"{directory / DATABASE_FILE} is damaged: {said(damaged)}; start the hub again, it is mended then"
        ) from None
    except sqlite3.Error as error:
        what = "is damaged" if is_damage(error) else "cannot be copied"
        raise Unavailable(f"{directory / DATABASE_FILE} {what}: {said(error)}") from None
    except OSError as error:
        raise Unavailable(f"{directory} cannot be copied: {error}") from None


# ---------------------------------------------------------------------- making one


class Wanted(msgspec.Struct, frozen=True):
    """What goes into a backup beside the home itself."""

    secrets: bool = False
    history: bool = False


def make(directory: Path, path: Path, clock: Clock, build: Build, wanted: Wanted) -> Manifest:
    """Back up the home of a directory to `path`, which is there only once it has been verified; a file there is kept.

    InvalidInput: there is no home, or there is a file already; Unavailable: it cannot be read or written; Faulty: what
    was written is not what there was.
    """
    try:
        if path.exists():
            raise InvalidInput(f"{path} exists already: choose another name")
        with trial(directory, path.parent, room=room_for(directory / DATABASE_FILE)) as home:
            return _made(directory, home, path, clock, build, wanted)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{path} cannot be written: {said(error)}") from None


def _made(directory: Path, home: Path, path: Path, clock: Clock, build: Build, wanted: Wanted) -> Manifest:
    collect(directory, home)
    built = build(home)
    if not wanted.secrets:
        (home / SECRETS).unlink(missing_ok=True)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    clear_unfinished(path.parent)
    with (
        no_history_alone(path),
        durable.coming(path) as new,
        unfinished(new),
        _history_coming(directory, path, wanted=wanted.history) as (history, aside),
    ):
        manifest = Manifest(*_described(home, clock), dict(built), aside)
        _pack(home, new, manifest)
        with opened(new, build, directory, secrets=directory / SECRETS, called=path, history=history):
            return manifest


def _described(home: Path, clock: Clock) -> tuple[int, str, int, str, float, int, dict[str, int]]:
    now = clock.now()
    made = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
    with closing(contents.read_only(home / DATABASE_FILE)) as connection:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        counted = Counter(row.table for row in contents.rows(connection))
        return FORMAT, __version__, int(schema), made, now, tables.last_seq(connection), dict(counted)


@contextmanager
def _history_coming(directory: Path, path: Path, *, wanted: bool) -> Iterator[tuple[Path | None, Aside | None]]:
    """A checked copy of history.db, which is beside the backup when the block ends well; None when there is none."""
    if not wanted or not (directory / HISTORY_FILE).is_file():
        yield None, None
        return
    target = history_beside(path)
    with durable.coming(target) as new, unfinished(new):
        try:
            snapshot(directory / HISTORY_FILE, new)
            with closing(contents.read_only(new)) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            raise Unavailable(f"{HISTORY_FILE} cannot be copied: {said(error)}") from None
        except Damaged as damaged:
            raise Unavailable(f"{HISTORY_FILE} is damaged: {said(damaged)}") from None
        if found != "ok":
            raise Unavailable(f"{HISTORY_FILE} is damaged: {said(Damaged(found))}")
        yield new, Aside(target.name, new.stat().st_size, _sha256_of(new))


def _pack(home: Path, new: Path, manifest: Manifest) -> None:
    parts = {MANIFEST: msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"}
    parts |= {name: (home / name).read_bytes() for name in _PARTS if (home / name).is_file()}
    with closing(contents.read_only(home / DATABASE_FILE)) as connection:
        lines = [f"{row.checksum} {_key(row)}\n" for row in contents.rows(connection)]
    parts[ROWS] = "".join(lines).encode()
    parts[SUMS] = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in parts.items()).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in parts.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(data), durable.PRIVATE, int(manifest.at)
            tar.addfile(member, io.BytesIO(data))
    durable.fill(new, packed.getvalue())


def _key(row: Kept) -> str:
    return msgspec.json.encode([row.table, *row.key]).decode()


# ---------------------------------------------------------------------- reading one


def read_manifest(path: Path) -> Manifest:
    """What a backup says of itself. InvalidInput: it is none, or one of a newer hallway; Faulty: it is damaged."""
    parts, _problems = _unpack(path, (MANIFEST,))
    if MANIFEST not in parts:
        raise InvalidInput(f"{path} is no backup of a home: it has no {MANIFEST}")
    return _manifest(path, parts[MANIFEST])


def _manifest(path: Path, data: bytes) -> Manifest:
    try:
        given = msgspec.json.decode(data)
        if isinstance(given, dict) and isinstance(given.get("format"), int) and given["format"] > FORMAT:
            raise InvalidInput(f"{path} was written by hallway {given.get('hallway')}: update this one")
        return msgspec.convert(given, Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Faulty(path, [f"{MANIFEST} cannot be read: {error}"]) from None


def _unpack(path: Path, wanted: tuple[str, ...] = _PARTS) -> tuple[dict[str, bytes], list[str]]:
    """The parts of a backup by name, and what kept it from being read to its end."""
    parts: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.name not in wanted or not member.isreg() or member.name in parts:
                    continue
                if member.size > MOST_BYTES:
                    return parts, [f"{member.name} is said to be {member.size} bytes long"]
                file = tar.extractfile(member)
                parts[member.name] = b"" if file is None else file.read()
                if len(parts) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError) as error:
        return parts, [f"it cannot be read to its end: {error}"]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from None
    return parts, []


def verify(path: Path, build: Build, *, secrets: Path | None = None) -> Opened:
    """Read every record of a backup, unpack it, open it, build its home and compare.

    secrets: a secrets.yaml for a configuration whose secrets are not in the backup. Faulty: what is wrong with it;
    InvalidInput: it is no backup, or one of a newer hallway; Unavailable: there is no room to try it. Nothing is
    changed.
    """
    try:
        with opened(path, build, *(() if secrets is None else (secrets.parent,)), secrets=secrets) as found:
            return found
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{path} cannot be tried: {said(error)}; {trials.REMEDY}") from None


@contextmanager
def opened(
    written: Path,
    build: Build,
    *places: Path,
    secrets: Path | None = None,
    called: Path | None = None,
    history: Path | None = None,
) -> Iterator[Opened]:
    """A backup, verified, and a directory with its home for as long as the block lasts, in one of these places.

    called, history: the name that it will have, and where the history that will stand beside it is until then.
    """
    path = called or written
    parts, problems = _unpack(written)
    if not parts:
        raise InvalidInput(f"{path} is no backup of a home" + "".join(f": {problem}" for problem in problems))
    with trial(*places, room=room_for(written)) as home:
        problems += _missing(parts) + _wrong_sums(parts)
        problems += _wrong_rows(parts, home, as_written=not problems)
        if problems:
            raise Faulty(path, problems)
        manifest = _manifest(path, parts[MANIFEST])
        if manifest.schema > newest():
            raise InvalidInput(f"{path} was written by a newer hallway, {manifest.hallway}: update this one")
        for name in (DATABASE_FILE, CONFIGURATION, SECRETS):
            if name in parts:
                durable.write(home / name, parts[name])
        if secrets is not None and SECRETS not in parts and secrets.is_file():
            durable.copy(secrets, home / SECRETS)
        wrong, remark = _wrong_home(manifest, home, build)
        problems = [*_wrong_counts(manifest, home), *wrong, *_wrong_aside(manifest, history or history_beside(path))]
        if problems:
            raise Faulty(path, problems)
        if SECRETS not in parts:
            (home / SECRETS).unlink(missing_ok=True)
        yield Opened(manifest, home, remark)


def _missing(parts: Mapping[str, bytes]) -> list[str]:
    return [f"{name} is missing" for name in _NEEDED if name not in parts]


def _wrong_sums(parts: Mapping[str, bytes]) -> list[str]:
    lines = parts.get(SUMS, b"").decode("utf-8", "replace").splitlines()
    sums = {name: digest for digest, _space, name in (line.partition("  ") for line in lines)}
    if SUMS not in parts:
        return []
    problems = [f"{name} is not in {SUMS}" for name in parts if name != SUMS and name not in sums]
    problems += [f"{name} is missing, {SUMS} has it" for name in sums if name not in parts]
    return problems + [
        f"{name} is not what was written (its SHA-256 differs)"
        for name, data in parts.items()
        if name in sums and hashlib.sha256(data).hexdigest() != sums[name]
    ]


def _wrong_rows(parts: Mapping[str, bytes], home: Path, *, as_written: bool) -> list[str]:
    """Which rows of home.db are not as they were written. sqlite3.Error: the disk refuses, the file is as_written."""
    if DATABASE_FILE not in parts or ROWS not in parts:
        return []
    listed = [line.partition(" ") for line in parts[ROWS].decode("utf-8", "replace").splitlines()]
    written = {key: checksum for checksum, _space, key in listed}
    scratch = home / "looked-at.db"
    durable.write(scratch, parts[DATABASE_FILE])
    found, problems = {}, list[str]()
    try:
        with closing(contents.read_only(scratch)) as connection:
            try:
                contents.check(connection)
            except Damaged as damaged:
                problems.append(f"{DATABASE_FILE}: {damaged}")
            for row in salvage.readable(connection):
                try:
                    found[_key(row)] = row.checksum
                except ValueError:
                    problems.append(f"{row.name} holds what is no text")
    except sqlite3.Error as error:
        if as_written and not is_damage(error):
            raise
        problems.append(f"{DATABASE_FILE}: {said(error)}")
    finally:
        scratch.unlink()
    problems += [f"{_shown(key)} is missing" for key in written if key not in found]
    problems += [f"{_shown(key)} was never written" for key in found if key not in written]
    return problems + [
        f"{_shown(key)} is not as it was written" for key, sum_ in found.items() if written.get(key, sum_) != sum_
    ]


def _shown(key: str) -> str:
    try:
        parts = msgspec.json.decode(key)
    except msgspec.DecodeError:
        return key[:80]
    return " ".join(str(part) for part in parts) if isinstance(parts, list) else key[:80]


def _wrong_counts(manifest: Manifest, home: Path) -> list[str]:
    with closing(contents.read_only(home / DATABASE_FILE)) as connection:
        counted = Counter(row.table for row in contents.rows(connection))
        seq = tables.last_seq(connection)
    problems = [
        f"{table} has {counted[table]} rows, {manifest.rows.get(table, 0)} were written"
        for table in sorted(counted | Counter(manifest.rows))
        if counted[table] != manifest.rows.get(table, 0)
    ]
    return problems if seq == manifest.seq else [*problems, f"it counts {seq} changes, {manifest.seq} were written"]


def _wrong_home(manifest: Manifest, home: Path, build: Build) -> tuple[list[str], str | None]:
    """Whether the real store opens it and a home can be built, with as much in it as there was; and what is unknown."""
    try:
        built = build(home)
    except HallwayError as error:
        return [f"no home can be built from it: {error.message}"], None
    if built.get(PROBLEMS, 0) > manifest.home.get(PROBLEMS, 0):
        return (
            [],
            f"its {CONFIGURATION} cannot be used here, so what it declares was not compared: are secrets missing?",
        )
    return [
        f"the home that is built from it has {built[what]} {what}, there were {number}"
        for what, number in manifest.home.items()
        if what in built and built[what] != number
    ], None


def _wrong_aside(manifest: Manifest, file: Path) -> list[str]:
    """Whether the history beside it is what was written."""
    aside = manifest.history
    if aside is None:
        return []
    if not file.is_file():
        return [f"{file.name}, the history that belongs to it, is missing"]
    wrong = _sha256_of(file) != aside.sha256
    return [f"{file.name} is not what was written (its SHA-256 differs)"] if wrong else []


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
