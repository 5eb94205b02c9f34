"""Stores in a directory of their own, closed at the end of each test, and no thread left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store.postgres.identity import Claim
from hallway.store.postgres.server import Server
from hallway.store.store import Store
from tests.store.databases import CLAIM, Connect, serve, there

OpenStore = Callable[[], Store]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def open_store(clock: VirtualClock, directory: Path) -> AsyncIterator[OpenStore]:
    opened: list[Store] = []
    before = set(threading.enumerate())

    def open_one() -> Store:
        opened.append(Store.open(directory, clock, 5))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert {"hallway-writer", "hallway-sync"}.isdisjoint(left)


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects to a database and waits until it is there; everything is closed at the end."""
    opened: list[Server] = []
    loop = asyncio.get_running_loop()

    async def one(url: str, claim: Claim = CLAIM, *, wait: bool = True) -> Server:
        opened.append(serve(url, claim, loop))
        if wait:
            await there(opened[-1])
        return opened[-1]

    yield one
    for server in opened:
        await server.close()
