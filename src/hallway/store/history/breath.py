"""Whoever works long in a thread of its own stops now and then, so that the thread of the loop can go on.

Python runs one thread at a time, and one that does not stop is only made to after some milliseconds. Each stop takes
about as long as unpacking some hundred rows, so there must not be one for every little thing. It must not know what
is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FIRST: Final = 24 * 1024
"""Bytes that are unpacked before the first stop, so that a day of a sensor needs none: some tenths of a millisecond."""
EVERY: Final = 4 * 1024
"""Likewise afterwards: whoever goes on for long stops at every chunk, or others that do so make the loop wait."""
EACH: Final = 1024
"""What is unpacked takes as long as so many bytes more, however little it is."""


def _stop() -> None:
    time.sleep(0)


class Breath:
    """For one thread. stop: what it does then."""

    def __init__(self, stop: Callable[[], None] = _stop) -> None:
        self._stop = stop
        self._left = FIRST

    def spend(self, size: int) -> None:
        """So many bytes are about to be unpacked."""
        self._left -= size + EACH
        if self._left < 0:
            self._stop()
            self._left = EVERY
