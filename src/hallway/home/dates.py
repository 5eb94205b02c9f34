"""Dates as text, the way the Home Assistant API of 2014 writes them: `HH:MM:SS DD-MM-YYYY`, UTC, whole seconds.

It must not know whose dates they are.
"""

from __future__ import annotations

import time
from functools import lru_cache


@lru_cache(maxsize=4096)
def second_text(second: int) -> str:
    """A whole second since 1970 as text; the last few thousand are remembered."""
    return time.strftime("%H:%M:%S %d-%m-%Y", time.gmtime(second))


def date_text(at: float) -> str:
    """Seconds since 1970 → `19:22:29 21-11-2026`."""
    return second_text(int(at))
