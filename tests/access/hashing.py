"""Password checks that the tests count and hold up. It must not know who asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hallway.access.passwords import is_password


class Hashing:
    """Counts how often a hash is computed and how many are at once; can be held up."""

    def __init__(self, compare: Callable[[bytes, str], bool] = is_password) -> None:
        self.seen: list[bytes] = []
        self.most_at_once = 0
        self._now = 0
        self._compare = compare
        self._lock = threading.Lock()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, password: bytes, kept: str) -> bool:
        with self._lock:
            self.seen.append(password)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        self.may_go_on.wait(20)
        right = self._compare(password, kept)
        with self._lock:
            self._now -= 1
        return right
