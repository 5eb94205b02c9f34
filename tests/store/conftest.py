"""Stores in a directory of their own, closed at the end of each test, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store.store import Store

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

    def open_one() -> Store:
        opened.append(Store.open(directory, clock, 5))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()
    assert {"hallway-writer", "hallway-sync"}.isdisjoint(thread.name for thread in threading.enumerate())
