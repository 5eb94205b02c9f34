"""When the passwords of a hub's first start are hashed: it does that in a thread of its own, beside all else.

Until then it holds more memory than later, and a hub that is killed before starts as if for the first time. It must
not know how they are hashed: only where the hashes are kept.
"""

from __future__ import annotations

from pathlib import Path

from tests.kept import kept
from tests.peers.waiting import wait_until


def wait_for_hashes(home: Path, *, users: int = 0) -> None:
    """Until the hashes are kept: of the hub's own password, or of so many users."""
    kind, count = ("user", users) if users else ("credential", 1)
    query = f"SELECT count(*) FROM definition WHERE kind = '{kind}'"
    wait_until(lambda: kept(home, query, "home.db") >= count, 60, f"the first passwords in {home}")
