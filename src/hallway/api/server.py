"""The server: listens, holds connections, ends them kindly. uvicorn's parts in our own event loop.

It must not know doors: it serves one ASGI app.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, Final

import msgspec
from uvicorn.config import Config
from uvicorn.server import ServerState

from hallway.api.protocol import AtOnce, Connection, Limits, Upgrade
from hallway.clock import Cancel, Clock
from hallway.errors import Unavailable

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
SERVER: Final = b"hallway"
SPARE_FILES = 64
"""Files that are not connections: databases, logs, links."""


class ServerLimits(msgspec.Struct, frozen=True):
    """How much the server takes on; times in seconds."""

    max_connections: int = 1000
    request_timeout: float = 10
    idle_timeout: float = 75
    backlog: int = 2048


class Server:
    """Serves one app on one address.

    at_once: answers what needs no waiting, before the app is asked; upgrade: takes connections that ask to speak
    something else than HTTP.
    """

    def __init__(
        self, app: App, at_once: AtOnce, clock: Clock, limits: ServerLimits, upgrade: Upgrade | None = None
    ) -> None:
        self._config = Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_keep_alive=max(1, round(limits.idle_timeout)),
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self._state = ServerState()
        self._clock = clock
        self._limits = limits
        self._shared = Limits(_room_for(limits.max_connections), limits.request_timeout, at_once, upgrade)
        self._listening: asyncio.Server | None = None
        self._cancel_sweep: Cancel = lambda: None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port (of use when 0 was given). Unavailable says why it cannot."""
        self._config.load()
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return Connection(self._shared, self._config, self._state, loop)

        try:
            self._listening = await loop.create_server(connection, host, port, backlog=self._limits.backlog)
        except (OSError, OverflowError) as error:
            why = "another program listens there" if getattr(error, "errno", 0) == errno.EADDRINUSE else error
            raise Unavailable(
                f"cannot listen on {host} port {port}: {why}; stop that one, or choose another with --port or --host"
            ) from None
        self._sweep()
        return int(self._listening.sockets[0].getsockname()[1])

    def _sweep(self) -> None:
        date = formatdate(self._clock.now(), usegmt=True).encode()
        self._state.default_headers = [(b"server", SERVER), (b"date", date)]
        self._shared.head = b"server: %b\r\ndate: %b\r\n" % (SERVER, date)
        for connection in list(self._state.connections):
            if isinstance(connection, Connection):
                connection.sweep()
        self._cancel_sweep = self._clock.call_later(1, self._sweep)

    async def stop(self, patience: float = 5) -> None:
        """Take no new connections, let running requests end, close everything after that many seconds."""
        self._cancel_sweep()
        if self._listening is not None:
            self._listening.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        waited = 0.0
        while (self._state.tasks or self._is_answering()) and waited < patience:
            await asyncio.sleep(0.02)
            waited += 0.02
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._state.connections):
            if isinstance(connection, Connection):
                connection.close()
        await asyncio.sleep(0)

    def _is_answering(self) -> bool:
        return any(isinstance(each, Connection) and each.is_answering for each in self._state.connections)


def _room_for(wanted: int) -> int:
    """As many connections as wanted, or as the system lets us have files for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = min(wanted, max(1, soft - SPARE_FILES))
    if room < wanted:
        log.warning("only %d connections instead of %d: the system allows %d open files", room, wanted, soft)
    return room
