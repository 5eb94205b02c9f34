"""history.db at rest, or closed, beside the database: both sides of the logs where nobody else uses that file.

It must not know what is asked of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from hallway.errors import Unavailable
from hallway.store.error_texts import said
from hallway.store.postgres.session import Connection
from hallway.store.writer import Work as Local

T = TypeVar("T")
Remote = Callable[[Connection], Awaitable[T]]


class Resting:
    """there: does work on a connection that writes."""

    def __init__(self, history: sqlite3.Connection, there: Callable[[Remote[Any]], Awaitable[Any]]) -> None:
        self._history = history
        self._there = there

    async def here(self, work: Local[T]) -> T:
        try:
            return work(self._history)
        except sqlite3.Error as error:
            raise Unavailable(f"history.db cannot be read: {said(error)}") from None

    async def write_here(self, work: Local[T]) -> T:
        try:
            self._history.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._history)
            except BaseException:
                self._history.execute("ROLLBACK")
                raise
            self._history.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(f"history.db cannot be written: {said(error)}; mend the disk") from None
        return result

    async def there(self, work: Remote[T]) -> T:
        result: T = await self._there(work)
        return result
