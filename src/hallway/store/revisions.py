"""The versions of all definitions, read as the revisions of a home: newest first, one, those of an act, of a moment.

Those that stand in the redo log only are among them. It must not know what a body means, nor write anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple

from hallway.errors import NotFound, Unavailable
from hallway.home.revisions import EDITED, BeingMended, Revision, Then
from hallway.home.values import Attributes, decode, encode
from hallway.store.database import is_damage
from hallway.store.error_texts import said
from hallway.store.repair import Repair
from hallway.store.rows import DefinitionRow
from hallway.store.truth import Newest

MOST_BYTES: Final = 8 * 2**20
"""A page of revisions ends with the one whose bodies make it longer than this."""
MOST_GLANCES: Final = 2000
"""Things of which is remembered that home.db could be read about them as they are."""
WAIT: Final = 10.0
"""Seconds that who reads waits for home.db to be made again."""

_READ: Final = "SELECT seq, kind, id, version, act, at, author, door, body FROM definition"
_OF_KINDS: Final = "seq > 0 AND +kind IN (SELECT value FROM json_each(?))"
_PAGE: Final = f"{_READ} WHERE {_OF_KINDS} AND seq < ? ORDER BY seq DESC LIMIT ?"
_PAGE_OF_ONE: Final = _READ + " WHERE kind = ? AND id = ? AND seq > 0 AND seq < ? ORDER BY version DESC LIMIT ?"
_ONE: Final = f"{_READ} WHERE {_OF_KINDS} AND seq = ?"
_FROM: Final = f"{_READ} WHERE {_OF_KINDS} AND seq >= ? ORDER BY seq"
_VERSION: Final = _READ + " WHERE kind = ? AND id = ? AND version = ?"
_BEFORE: Final = """
    SELECT version, body FROM definition WHERE kind = ? AND id = ? AND version < ? ORDER BY version DESC LIMIT 1
"""
_LATEST: Final = "SELECT seq, version FROM definition WHERE kind = ? AND id = ? ORDER BY version DESC LIMIT 1"
_NEWEST: Final = "SELECT coalesce(max(seq), 0) FROM definition WHERE kind IN (SELECT value FROM json_each(?))"
_AT: Final = "SELECT coalesce(max(seq), 0), count(*) FROM definition WHERE at <= ?"
_VERSIONS: Final = "SELECT id, version, seq, body IS NULL FROM definition WHERE kind = ? ORDER BY id, version"
_BODY: Final = "SELECT body FROM definition WHERE kind = ? AND id = ? AND version = ?"
_KINDS: Final = encode(list(EDITED)).decode()


_Rows = tuple[int, int, int, int]
"""Which rows of the redo log: the numbers of the first and the last, how many they are, and what is committed."""
_NO_ROWS: Final[_Rows] = (0, 0, 0, 0)


class _Mark(NamedTuple):
    """A version without its body; row: that of the redo log, if it stands there only."""

    version: int
    seq: int
    gone: bool
    row: DefinitionRow | None = None


class StoredRevisions:
    """Reads what is committed, and `waiting`: what is not known to be committed yet, oldest first."""

    def __init__(self, reader: sqlite3.Connection, waiting: Callable[[], Sequence[DefinitionRow]]) -> None:
        self._reader = reader
        self._waiting = waiting
        self._newest = Newest()
        self._glances: dict[tuple[str, str], int] = {}
        self._known_fresh: tuple[_Rows, list[Revision]] = _NO_ROWS, []
        self.repair: Repair | None = None
        """What makes home.db again: whoever reads meanwhile may wait for that."""
        self.damaged: Callable[[str], object] = _noted_by_nobody
        """Is told what is wrong with home.db, when it turns out to be damaged."""

    def use(self, reader: sqlite3.Connection) -> None:
        """Read with this connection from now on."""
        self._reader = reader
        self._glances.clear()
        self._known_fresh = _NO_ROWS, []

    def follow(self, newest: Newest) -> None:
        """It knows from now on what was edited last, so that nobody reads home.db for that."""
        self._newest = newest

    # ------------------------------------------------------------------ single edits

    def newest_first(self, kinds: Collection[str], key: str | None, before: int, limit: int) -> list[Revision]:
        """Those of these kinds with a lower number than `before`, at most so many; key: of one kind, that id alone."""
        with self._reading():
            fresh = [
                revision
                for revision in reversed(self._fresh())
                if revision.kind in kinds and key in (None, revision.id) and revision.number < before
            ][:limit]
            return fresh + list(self._committed(kinds, key, before, limit - len(fresh)))

    def get(self, number: int) -> Revision:
        """The revision of that number. NotFound: there is none, or it is not kept any more."""
        with self._reading():
            for revision in self._fresh():
                if revision.number == number:
                    return revision
            rows = self._reader.execute(_ONE, (_KINDS, number)).fetchall()
            if rows:
                return self._revision(rows[0])
        raise NotFound(
            f"there is no revision {number}: it never was, or is not kept any more (the newest 100 of each thing are)"
        )

    def of_act(self, act: int) -> list[Revision]:
        """All of what was done in one go, in its order. NotFound: nothing of it is kept."""
        with self._reading():
            found: list[Revision] = []
            for row in self._reader.execute(_FROM, (_KINDS, act)):
                if act not in (row[0], row[4]):  # nothing else happens while an act goes on
                    break
                found.append(self._revision(row))
            found += [revision for revision in self._fresh() if act in (revision.number, revision.act)]
        if not found:
            raise NotFound(f"nothing is kept of what was done with revision {act}")
        return found

    def version(self, kind: str, key: str, version: int) -> Revision:
        """That version of one thing. NotFound: there is none, or it is not kept any more."""
        with self._reading():
            for revision in self._fresh():
                if (revision.kind, revision.id, revision.version) == (kind, key, version):
                    return revision
            rows = self._reader.execute(_VERSION, (kind, key, version)).fetchall()
            if rows:
                return self._revision(rows[0])
        raise NotFound(
            f"there is no version {version} of {kind} {key[:60]}: it never was, or is not kept any more "
            "(the newest 100 are)"
        )

    def present(self, kind: str, key: str) -> int:
        """The number of the last edit of something, 0 when it was never edited."""
        number = self._newest.number(kind, key)
        if number is None:
            return self._present(kind, key)
        if self._glances.get((kind, key)) != number:
            self._glance(kind, key, number)
        return number

    def _glance(self, kind: str, key: str, number: int) -> None:
        """The number is known, but damage that is seen now, and not only at the next commit, is mended from memory."""
        if len(self._glances) >= MOST_GLANCES:
            self._glances.clear()
        self._glances[kind, key] = number
        try:
            self._reader.execute(_LATEST, (kind, key)).fetchall()
        except sqlite3.Error as error:
            self._unreadable(error)

    def _present(self, kind: str, key: str) -> int:
        for row in reversed(self._waiting()):
            if (row.kind, row.key) == (kind, key):
                return row.seq
        try:
            found = self._reader.execute(_LATEST, (kind, key)).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from None
        return int(found[0][0]) if found else 0

    def newest(self) -> int:
        """The number of the last edit of anything, 0 when there was none."""
        last = self._newest.last()
        if last is not None:
            return last[0]
        with self._reading():
            waiting = [row.seq for row in self._waiting() if row.kind in EDITED]
            return waiting[-1] if waiting else self._newest_committed()

    def newest_act(self) -> int:
        """The number of the first edit of what was done last in one go, 0 when nothing was."""
        last = self._newest.last()
        if last is not None:
            return last[1]
        found = self.newest_first(EDITED, None, 2**53, 1)
        return found[0].act if found else 0

    # ------------------------------------------------------------------ moments

    def at(self, moment: float) -> int:
        """The number of the last edit up to a moment in seconds since 1970. NotFound: the home was not there then."""
        with self._reading():
            ((number, known),) = self._reader.execute(_AT, (moment,)).fetchall()
            fresh = [row.seq for row in self._waiting() if row.at <= moment]
        if not known and not fresh:
            raise NotFound(
                "nothing is known of that moment: the home began later, or what was then is not kept any more"
            )
        return max(int(number), *fresh, 0)

    def as_of(self, kind: str, number: int) -> dict[str, Then]:
        """What was there of a kind after the edit of that number, in the order in which it came."""
        with self._reading():
            found = [
                (key, then)
                for key, marks in self._marks(kind).items()
                if (then := self._then(kind, key, marks, number))
            ]
        return dict(sorted(found, key=lambda each: each[1].since))

    def _marks(self, kind: str) -> dict[str, list[_Mark]]:
        """All versions of everything of a kind, without their bodies."""
        marks: dict[str, list[_Mark]] = {}
        for key, version, seq, gone in self._reader.execute(_VERSIONS, (kind,)):
            marks.setdefault(key, []).append(_Mark(version, seq, bool(gone)))
        committed = self._newest_committed()
        for row in self._waiting():
            if row.kind == kind and row.seq > committed:
                known = marks.setdefault(row.key, [])
                known.append(_Mark(known[-1].version + 1 if known else 1, row.seq, row.body is None, row))
        return marks

    def _then(self, kind: str, key: str, marks: list[_Mark], number: int) -> Then | None:
        past = [mark for mark in marks if mark.seq <= number]
        if not past and marks[0].version > 1:  # what was before is forgotten, also whether it was there
            return Then({}, 0, 0, 0, forgotten=True)
        if not past or past[-1].gone:
            return None
        last, later = past[-1], marks[len(past) :]
        removed = max((place for place, mark in enumerate(past) if mark.gone), default=-1)
        body = last.row.body if last.row is not None else self._body(kind, key, last.version)
        forgotten = bool(later) and later[0].version != last.version + 1
        return Then(body or {}, last.seq, last.version, past[removed + 1].seq, forgotten)

    # ------------------------------------------------------------------ reading

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """All that is read in this block is of one moment, whatever is committed meanwhile."""
        try:
            self._reader.execute("BEGIN")
            try:
                yield
            finally:
                self._reader.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: sqlite3.Error) -> Unavailable:
        if is_damage(error):
            self.damaged(said(error))
        repair = self.repair
        if repair is not None and repair.under_way:
            over = partial(repair.wait, WAIT)
            return BeingMended("home.db is damaged and is just being made again; ask again in a moment", over)
        return Unavailable(f"home.db cannot be read: {said(error)}")

    def _body(self, kind: str, key: str, version: int) -> Attributes | None:
        ((text,),) = self._reader.execute(_BODY, (kind, key, version)).fetchall()
        return _decoded(text)

    def _committed(self, kinds: Collection[str], key: str | None, before: int, limit: int) -> Iterator[Revision]:
        if key is None:
            rows = self._reader.execute(_PAGE, (encode(list(kinds)).decode(), before, limit))
        else:
            (kind,) = kinds
            rows = self._reader.execute(_PAGE_OF_ONE, (kind, key, before, limit))
        size = 0
        for row in rows:
            yield self._revision(row)
            size += len(row[-1] or "")
            if size > MOST_BYTES:
                return

    def _revision(self, row: tuple[Any, ...]) -> Revision:
        seq, kind, key, version, act, at, author, door, body = row
        before = self._reader.execute(_BEFORE, (kind, key, version)).fetchall()
        was = _decoded(before[0][1]) if before else None
        forgotten = (before[0][0] if before else 0) != version - 1
        return Revision(seq, kind, key, version, act or seq, at, author, door, _decoded(body), was, forgotten)

    def _newest_committed(self) -> int:
        return int(self._reader.execute(_NEWEST, (_KINDS,)).fetchone()[0])

    def _fresh(self) -> list[Revision]:
        """Those that stand in the redo log only, oldest first."""
        rows = [row for row in self._waiting() if row.kind in EDITED]
        if not rows:
            self._known_fresh = _NO_ROWS, []
            return []
        committed = self._newest_committed()
        these = rows[0].seq, rows[-1].seq, len(rows), committed
        if self._known_fresh[0] != these:
            self._known_fresh = these, self._read_fresh(rows, committed)
        return self._known_fresh[1]

    def _read_fresh(self, rows: Sequence[DefinitionRow], committed: int) -> list[Revision]:
        last: dict[tuple[str, str], tuple[int, Attributes | None]] = {}
        fresh: list[Revision] = []
        for row in rows:
            if row.seq <= committed:
                continue
            which = row.kind, row.key
            version, was = last[which] if which in last else self._last(*which)
            act = row.act or row.seq
            revision = Revision(row.seq, *which, version + 1, act, row.at, row.author, row.door, row.body, was)
            fresh.append(revision)
            last[which] = version + 1, row.body
        return fresh

    def _last(self, kind: str, key: str) -> tuple[int, Attributes | None]:
        found = self._reader.execute(_LATEST, (kind, key)).fetchall()
        return (int(found[0][1]), self._body(kind, key, found[0][1])) if found else (0, None)


def _noted_by_nobody(_why: str) -> None:
    """The next commit finds it, or the next start."""


def _decoded(text: str | None) -> Attributes | None:
    """A body; a text that is no JSON object (somebody edited it) says nothing."""
    value = None if text is None else decode(text.encode())
    return value if isinstance(value, dict) else None
