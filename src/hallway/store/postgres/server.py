"""The thread in which a hub speaks with its database: one connection that writes, a few that read, back by themselves.

All that is public is for the hub's own loop and never holds it up. It must not know what stands in the tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import asyncpg
import msgspec

from hallway.errors import Unavailable
from hallway.store.postgres.address import Address
from hallway.store.postgres.sentences import FAILURES, is_for_somebody, sentence
from hallway.store.postgres.session import (
    COMMAND_SECONDS,
    CONNECT_SECONDS,
    Connection,
    Link,
    Refused,
    connect,
    open_session,
)

log = logging.getLogger(__name__)

FIRST_RETRY: Final = 0.5
LAST_RETRY: Final = 60.0
REFUSED_RETRY: Final = 30.0
PULSE: Final = 20.0
"""Seconds without a word after which the connection is tried."""
LAST_SECONDS: Final = 10.0
READERS: Final = 3
MOST_WAITING: Final = 200
_CLOSED: Final = "the database is closed: the hub is going down"
_GONE: Final = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedColumnError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""Somebody dropped the tables, or the server may only be read now: all is looked at again with a new connection."""

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]
Reading = Callable[[Link], Awaitable[T]]


class Condition(msgspec.Struct, frozen=True):
    """How it is. connected: it can be read and written; since: when that began; problem: why it is not so.

    refused: somebody has to do something before it is used.
    """

    connected: bool
    since: float
    problem: str | None = None
    refused: bool = False


class Server:
    """Runs from `start` until `close`.

    check: is done on each new connection before it is used, may raise Refused; loop: the hub's; now: wall-clock time.
    """

    def __init__(
        self, address: Address, check: Work[None], loop: asyncio.AbstractEventLoop, now: Callable[[], float]
    ) -> None:
        self.address = address
        self.condition = Condition(connected=False, since=now(), problem="the database was not reached yet")
        self._check = check
        self._hub = loop
        self._now = now
        self._name = f"hallway {secrets.token_hex(8)}"
        self._listeners: list[Callable[[Condition], None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="hallway-postgres", daemon=True)
        self._connection: Connection | None = None
        self._readers: asyncpg.Pool | None = None
        self._reading = 0
        self._writing = asyncio.Lock()
        self._lost = asyncio.Event()
        self._ending = asyncio.Event()
        self._closed = False

    def listen(self, told: Callable[[Condition], None]) -> Callable[[], None]:
        """Call this, in the hub's loop, when the database is there, when it is away, and when it must not be used."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    async def reached(self, seconds: float) -> None:
        """Wait until it is there, for so long at most."""
        there = asyncio.Event()

        def told(condition: Condition) -> None:
            if condition.connected:
                there.set()

        unsubscribe = self.listen(told)
        try:
            if not self.condition.connected:
                await asyncio.wait_for(there.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            unsubscribe()

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    async def write(self, work: Work[T]) -> T:
        """Do work on the connection that writes, one after the other. Unavailable: it is away, or refused this.

        The work is to be one transaction: nothing of it was done then, or nobody knows, if the connection was lost.
        """
        return await self._there(self._write(work))

    async def read(self, work: Reading[T]) -> T:
        """Do work on a connection that reads. Unavailable: likewise."""
        if self._reading >= MOST_WAITING:
            raise Unavailable("too many questions to the database are waiting: ask again in a moment")
        self._reading += 1
        try:
            return await self._there(self._read(work))
        finally:
            self._reading -= 1

    async def close(self) -> None:
        """End what is under way, and the thread; again and again if need be."""
        if self._closed:
            return
        self._closed = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            await asyncio.to_thread(self._thread.join)
        else:
            self._loop.close()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        if self._closed or not self._thread.is_alive():
            work.close()
            raise Unavailable(_CLOSED if self._closed else self._why())
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
        except asyncio.CancelledError:
            if self._closed:
                raise Unavailable(_CLOSED) from None
            raise

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        keeping = asyncio.create_task(self._keep_connected())
        ending = asyncio.create_task(self._ending.wait())
        await asyncio.wait((keeping, ending), return_when=asyncio.FIRST_COMPLETED)
        with contextlib.suppress(TimeoutError):  # what is being written gets its end
            await asyncio.wait_for(self._writing.acquire(), LAST_SECONDS)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(keeping, ending, return_exceptions=True)
        await self._disconnect()

    async def _keep_connected(self) -> None:
        delay = FIRST_RETRY
        while True:
            try:
                await self._connect()
            except Refused as error:
                self._note(error.message, refused=True)
                delay = REFUSED_RETRY
            except Unavailable as error:
                self._note(error.message)
            except FAILURES as error:
                self._note(sentence(error, self.address), refused=is_for_somebody(error))
            except Exception as error:
                log.exception("the database is tried again")
                self._note(f"the database {self.address} cannot be used: {type(error).__name__}")
            else:
                delay = FIRST_RETRY
                await self._feel_pulse()
            await self._disconnect()
            await asyncio.sleep(delay)
            delay = min(2 * delay, LAST_RETRY)

    async def _connect(self) -> None:
        connection = await open_session(self.address, self._name)
        try:
            await self._check(connection)
        except BaseException:
            connection.terminate()
            raise
        self._lost.clear()
        self._readers = await self._pool()
        connection.add_termination_listener(self._note_loss)
        self._connection = connection
        self._note(None)

    def _note_loss(self, _connection: object) -> None:
        self._lost.set()

    async def _feel_pulse(self) -> None:
        """Until the connection is lost."""
        while not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), PULSE)
                return
            with contextlib.suppress(Unavailable):
                await self._write(lambda connection: connection.execute("SELECT 1", timeout=CONNECT_SECONDS))

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        readers, self._readers = self._readers, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=CONNECT_SECONDS / 5)
            except FAILURES:
                connection.terminate()
        if readers is not None:
            readers.terminate()
        if self.condition.connected and not self._ending.is_set():
            self._note(f"the connection with the database {self.address} was lost; the hub tries again by itself")

    async def _write(self, work: Work[T]) -> T:
        async with self._writing:
            connection = self._connection
            if connection is None or self._lost.is_set():
                raise Unavailable(self._why())
            try:
                return await work(connection)
            except asyncio.CancelledError:  # perhaps in the middle of a transaction: nobody goes on from there
                connection.terminate()
                self._lost.set()
                raise
            except FAILURES as error:
                told = sentence(error, self.address)
                if not isinstance(error, asyncpg.PostgresError) or isinstance(error, _GONE) or connection.is_closed():
                    connection.terminate()
                    self._lost.set()
                    self._note(told)
                raise Unavailable(told) from None

    async def _read(self, work: Reading[T]) -> T:
        if self._readers is None:
            raise Unavailable(self._why())
        try:
            async with self._readers.acquire(timeout=COMMAND_SECONDS) as connection:
                return await work(connection)
        except FAILURES as error:
            raise Unavailable(sentence(error, self.address)) from None

    async def _pool(self) -> asyncpg.Pool:
        """Connections that only read, made when they are needed."""

        async def one(*_given: object, **_options: object) -> Connection:
            return await connect(self.address, f"{self._name} reads", reads=True)

        async def leave(_connection: object) -> None:
            """Nothing is to be put back: a question is one statement."""

        return await asyncpg.create_pool(
            min_size=0, max_size=READERS, max_inactive_connection_lifetime=60, connect=one, reset=leave
        )

    def _why(self) -> str:
        return self.condition.problem or f"the database {self.address} is away just now"

    def _note(self, problem: str | None, *, refused: bool = False) -> None:
        before = self.condition
        connected = problem is None
        since = before.since if before.connected is connected else self._now()
        self.condition = condition = Condition(connected, since, problem, refused)
        if connected:
            log.info("the database %s is there", self.address)
        elif problem != before.problem:
            log.error("%s", problem)
        if before.connected is not connected or (refused and problem != before.problem):
            with contextlib.suppress(RuntimeError):  # the hub's loop was closed over it
                self._hub.call_soon_threadsafe(self._tell, condition)

    def _tell(self, condition: Condition) -> None:
        for told in list(self._listeners):
            told(condition)
