"""The hub's end of a PostgreSQL database, for tests."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from hallway.clock import SystemClock
from hallway.store.postgres.address import read_address
from hallway.store.postgres.identity import Claim, check
from hallway.store.postgres.server import Server
from tests.postgres_server import PostgresServer
from tests.store.homes import until

Connect = Callable[..., Awaitable[Server]]
CLAIM = Claim("hub", "first")


def serve(url: str, claim: Claim, loop: asyncio.AbstractEventLoop) -> Server:
    """Begin to connect."""
    address = read_address(url)
    server = Server(address, lambda connection: check(connection, claim, address), loop, SystemClock(loop).now)
    server.start()
    return server


async def there(server: Server) -> None:
    """Until it can be used."""
    end = time.monotonic() + 100
    while not server.condition.connected:
        assert time.monotonic() < end, server.condition.problem
        await asyncio.sleep(0.005)


async def kill_often(
    mortal: PostgresServer,
    server: Server,
    times: int,
    chance: random.Random,
    pause: float,
    done: Callable[[], int] | None = None,
) -> None:
    """Kill and start it so often, after up to so many seconds, and mostly before the next time be connected again.

    done: what was done with it, of which there shall be more by then.
    """
    for _ in range(times):
        await asyncio.sleep(chance.uniform(0, pause))
        await asyncio.to_thread(mortal.kill)
        await asyncio.to_thread(mortal.start)
        if chance.random() < 0.7:
            await until(lambda: server.condition.connected)
            if done is not None:
                before = done()
                await until(lambda before=before: done() > before)  # type: ignore[misc]
