"""history.db as a file: one thread that writes it, a few that read it, each with a connection of its own.

It is opened when the first piece of work comes, in the thread that does it. It must not know what stands in the tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec

from hallway import durable
from hallway.errors import Unavailable
from hallway.store.database import BUSY_SECONDS, Damaged, Layout, is_damage, open_database
from hallway.store.error_texts import as_text, said
from hallway.store.history.present import copied, give_name, parts_of
from hallway.store.migrations import migrate
from hallway.store.pending_files import take_place
from hallway.store.writer import AnotherFile, Work, Writer

log = logging.getLogger(__name__)

FILE: Final = "history.db"
HISTORY: Final = Layout(Path(__file__).parent / "schema", page_bytes=4096, wal_pages=2000, cache_kib=1024, shrinks=True)
"""Most of it is written once and at its end; a page of the tail that is filled bit by bit goes to its place once."""

READERS: Final = 2
STEPS: Final = 10_000
"""After so many of its steps SQLite looks whether the answer is still wanted: some tenths of a millisecond."""
MOST_WAITING: Final = 200
"""More questions than these are refused: they would be answered long after anybody waits for them."""
UNREADABLE: Final = (TypeError, AttributeError, LookupError, UnicodeDecodeError, msgspec.MsgspecError)
"""What comes of values that are none of their kind."""
_NOT_WHAT_IT_SHOULD_BE: Final = "something in it is not what it should be"
_TAKEN_AWAY: Final = f"{FILE} was deleted, moved away or replaced while the hub runs"
_MADE_AGAIN: Final = "it was made again, with all that it had"
_CLOSED: Final = "the past cannot be read any more: the hub is going down"

T = TypeVar("T")


class HistoryFile:
    """The file of a directory, from the first piece of work until `close`; for the thread of an event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._damaged: Callable[[str], None] | None = None
        self._made_again: Callable[[str], None] | None = None
        wal = path.with_name(f"{path.name}-wal")
        self.left_open = wal.exists() and wal.stat().st_size > 0
        """Whether a hub that was killed has left it."""
        self.left_empty = path.exists() and path.stat().st_size == 0
        """Whether there is a file that has nothing in it, which no hub leaves."""
        self._readers = _Readers(path)
        self._pool = ThreadPoolExecutor(READERS, "hallway-history")
        self._calls: dict[_Call[Any], None] = {}
        self._opened = False
        self._looked = False
        self._closed = False
        self._writer = Writer(self._open, FILE, self._is_damaged, self._look)
        self._connection: sqlite3.Connection | None = None
        self._parts: dict[Path, tuple[int, int] | None] = {}
        self._nameless = False

    def on_damage(self, damaged: Callable[[str], None], made_again: Callable[[str], None] | None = None) -> None:
        """Who is told from now on, in some thread, what SQLite says when it finds the file damaged.

        made_again: likewise, that it was taken away and is there again.
        """
        self._damaged, self._made_again = damaged, made_again

    def _is_damaged(self, sentence: str) -> None:
        if self._damaged is not None:
            self._damaged(sentence)

    def _open(self) -> sqlite3.Connection:
        """Called in the writer's thread."""
        was = self._parts.get(self.path)
        if was is not None and durable.which(self.path) != was:
            self._bring_back(was)
        self._connection = _opened(self.path)
        self._parts = {part: durable.which(part) for part in parts_of(self.path)}
        return self._connection

    def _look(self) -> None:
        """Called before each transaction. AnotherFile: nobody would find what is written into the one that is open.

        That it cannot be made again now is no reason to let go of it: it is tried again the next time.
        """
        connection, gone = self._connection, False
        for part, known in self._parts.items():
            found = durable.which(part)
            if known is None:
                self._parts[part] = found
            gone = gone or found != self._parts[part]
        if connection is None or not gone:
            return
        try:
            building = copied(self.path, connection)  # who reads may need what is open while that cannot be
            with self._readers.kept_out():
                aside = give_name(self.path, building, self._parts[self.path])
        except (OSError, sqlite3.Error) as error:
            if not self._nameless:
                log.error("%s, and cannot be made again: %s; it is tried again", _TAKEN_AWAY, said(error))  # noqa: TRY400
            self._nameless = True
            return
        self._nameless, self._parts = False, {}
        self._tell_of_loss(_MADE_AGAIN if aside is None else f"{_MADE_AGAIN}; what had its name is {aside.name}")
        raise AnotherFile

    def _bring_back(self, was: tuple[int, int]) -> None:
        """It lost its name while the writer had it not open, as the disk refused: who reads may have it open still."""
        reader = self._readers.take_one()
        if reader is None:
            self._tell_of_loss("what was in it is lost")
            return
        try:
            building = copied(self.path, reader)
            with self._readers.kept_out():
                give_name(self.path, building, was)
        except (OSError, sqlite3.Error) as error:
            self._readers.put_back(reader)
            raise Unavailable(f"{_TAKEN_AWAY}, and cannot be made again: {said(error)}; mend the disk") from None
        reader.close()
        self._tell_of_loss(_MADE_AGAIN)

    def _tell_of_loss(self, became: str) -> None:
        sentence = f"{_TAKEN_AWAY}: {became}"
        log.error("%s", sentence)
        if self._made_again is not None:
            self._made_again(sentence)

    @property
    def commits(self) -> int:
        """How many commits there were since the file was opened."""
        return self._writer.commits

    def bytes_written(self) -> int | None:
        """How much was written to the file so far, its WAL included; None where the system does not tell."""
        return self._writer.bytes_written()

    def submit(self, work: Work[T]) -> Future[T]:
        """Let the work be done in the next transaction; the future is done after its commit.

        Unavailable, here or in the future: nothing of it is in the file. No more than a few should be under way at once
        for each part of the hub: what waits here is in memory, and a disk that refuses refuses all of it.
        """
        return self._writer.submit(partial(self._sensibly, work))

    def _sensibly(self, work: Work[T], connection: sqlite3.Connection) -> T:
        """Called in the writer's thread. What could not be understood may be damage: that is looked for."""
        try:
            return work(connection)
        except UNREADABLE:
            found = None if self._looked else _nonsense(connection)
            self._looked = True
            if found is None:
                raise
            raise Damaged(found) from None

    async def read(self, work: Work[T]) -> T:
        """Let the work read, all of it in one transaction: it sees the file as one commit left it.

        Whoever does not wait any more ends it. Unavailable: the file cannot be read now, or too much is asked at once.
        """
        if self._closed:
            raise Unavailable(_CLOSED)
        if len(self._calls) >= MOST_WAITING:
            raise Unavailable("too many questions about the past are waiting: ask again in a moment")
        if not self._opened:  # by the writer, who alone makes the file and brings its schema up to date
            await asyncio.wrap_future(self._writer.submit(_nothing))
            self._opened = True
        call = _Call(self._readers, work)
        self._calls[call] = None
        future = self._pool.submit(call.run)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._closed:
                raise Unavailable(_CLOSED) from None
            call.end()
            raise
        except sqlite3.Error as error:
            if call.ended:
                raise Unavailable(_CLOSED) from None
            if is_damage(error):
                self._is_damaged(said(error))
            raise Unavailable(f"{FILE} cannot be read: {said(error)}; mend the disk, then ask again") from None
        except UNREADABLE as error:
            raise await self.unreadable(error) from None
        finally:
            self._calls.pop(call, None)

    async def unreadable(self, error: Exception) -> Unavailable:
        """What to tell whoever could not understand what was read; it may be damage, which is looked for."""
        log.error("%s cannot be read", FILE, exc_info=error)
        found = await self._looked_through()
        return Unavailable(f"{FILE} cannot be read: {found or type(error).__name__}; ask again in a moment")

    async def _looked_through(self) -> str | None:
        """Whether what could not be understood is damage: once in a run, for it may take long."""
        if self._looked:
            return None
        self._looked = True
        found = await self.read(_nonsense)
        if found is not None:
            self._is_damaged(found)
        return found

    async def replace(self, work: Callable[[], T]) -> T:
        """Let the work put another file in its place, while nobody has it open: what is asked meanwhile waits."""

        def alone() -> T:
            with self._readers.kept_out():
                try:
                    return work()
                finally:
                    self._parts = {}

        return await asyncio.wrap_future(self._writer.alone(alone))

    def close(self) -> None:
        """End what reads, finish what is to be written, fold the WAL into the file."""
        if self._closed:
            return
        self._closed = True
        for call in list(self._calls):
            call.end()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._readers.close()
        if self._parts:
            self._writer.submit(_nothing)  # it is looked once more whether it is there
        self._writer.close()


def _opened(path: Path) -> sqlite3.Connection:
    """The file, or the one that was mended and waits to take its place."""
    try:
        take_place(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be mended: {error.strerror or error}; mend the disk") from None
    connection = open_database(path, HISTORY, check=False)
    try:
        if _schema_of(connection) >= _right_schema():
            return connection
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    connection.close()
    raise Damaged(_NOT_WHAT_IT_SHOULD_BE)


def _schema_of(connection: sqlite3.Connection) -> frozenset[Any]:
    return frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))


@cache
def _right_schema() -> frozenset[Any]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, HISTORY.schema)
        return _schema_of(connection)


def _nonsense(connection: sqlite3.Connection) -> str | None:
    """What is wrong with the file, where something is that is of no use to whoever reads it."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return None if found == "ok" else _NOT_WHAT_IT_SHOULD_BE


def _nothing(_connection: sqlite3.Connection) -> None:
    """To have the file opened."""


class _Readers:
    """Connections that only read, made when they are needed and used again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: list[sqlite3.Connection] = []
        self._lent = 0
        self._shut = False
        self._changed = threading.Condition()

    def lend(self) -> sqlite3.Connection:
        """A connection; waits while the file is being replaced."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._lent += 1
            if self._free:
                return self._free.pop()
        try:
            return self._connect()
        except BaseException:
            self._back()
            raise

    def give_back(self, connection: sqlite3.Connection, *, sound: bool) -> None:
        """It is used no more; one that is not sound is closed."""
        if not sound:
            connection.close()
        self._back(connection if sound else None)

    def _back(self, connection: sqlite3.Connection | None = None) -> None:
        with self._changed:
            self._lent -= 1
            if connection is not None:
                self._free.append(connection)
            self._changed.notify_all()

    def take_one(self) -> sqlite3.Connection | None:
        """One that is not lent, and is nobody's but the caller's from now on."""
        with self._changed:
            return self._free.pop() if self._free else None

    def put_back(self, connection: sqlite3.Connection) -> None:
        """It may be lent again."""
        with self._changed:
            self._free.append(connection)

    def _connect(self) -> sqlite3.Connection:
        where = f"{self._path.absolute().as_uri()}?mode=rw"  # the shared memory of the WAL is written when reading too
        connection = sqlite3.connect(where, BUSY_SECONDS, uri=True, isolation_level=None, check_same_thread=False)
        connection.text_factory = as_text
        try:
            connection.execute(f"PRAGMA cache_size = -{HISTORY.cache_kib}")
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def kept_out(self) -> Iterator[None]:
        """All connections are closed, and none is lent, until the end of this."""
        with self._changed:
            self._shut = True
            self._changed.wait_for(lambda: self._lent == 0)
            self._close_free()
        try:
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()

    def close(self) -> None:
        """Those that are not lent."""
        with self._changed:
            self._close_free()

    def _close_free(self) -> None:
        for connection in self._free:
            connection.close()
        self._free.clear()


class _Call(Generic[T]):
    """A piece of work that reads; `end` may be called from another thread at any time."""

    def __init__(self, readers: _Readers, work: Work[T]) -> None:
        self._readers = readers
        self._work = work
        self.ended = False

    def run(self) -> T:
        """Called in a thread of the pool."""
        connection = self._readers.lend()
        sound = False
        try:
            if self.ended:
                raise Unavailable(_CLOSED)
            connection.set_progress_handler(self._is_over, STEPS)
            connection.execute("BEGIN")
            result = self._work(connection)
            connection.execute("COMMIT")
            connection.set_progress_handler(None, 0)
            sound = True
            return result
        finally:
            self._readers.give_back(connection, sound=sound)

    def _is_over(self) -> bool:
        return self.ended

    def end(self) -> None:
        """Nobody wants the answer any more."""
        self.ended = True
