"""How the past is kept just now, as it is told: what waits, what was written, how much room it takes, what is wrong.

It must not know who asks.
"""

from __future__ import annotations

from hallway.errors import Unavailable
from hallway.home.values import Attributes
from hallway.store.history.file import HistoryFile
from hallway.store.history.history import HistoryStore
from hallway.store.history.retention import Retention, Space, space


def status_of(store: HistoryStore, retention: Retention, room: Space | None) -> Attributes:
    """Times in milliseconds since 1970; null where nothing is known.

    waiting: samples that are not on the disk yet; unfolded: those that the archive has not taken; lost: dropped since
    the start, since more came than the disk or the archive took.
    """
    flow, written = store.flow, store.file.bytes_written()
    last = flow.last_written
    return {
        "open": flow.open,
        "problem": store.problem,
        "waiting": flow.waiting,
        "unfolded": flow.mirror.count + max(flow.spooled - flow.taken, 0),
        "written": flow.written,
        "lost": flow.lost,
        "lastWritten": None if last is None else round(last * 1000),
        "bytesWritten": written,
        "bytesPerSample": None if written is None or not flow.written else round(written / flow.written, 1),
        "fileBytes": None if room is None else room.bytes,
        "usedBytes": None if room is None else room.used,
        "archived": flow.archived,
        "folds": flow.folds,
        "dropped": retention.dropped,
        "droppedEarly": retention.early,
    }


async def space_or_none(file: HistoryFile) -> Space | None:
    """How large the file is; None when it cannot be read."""
    try:
        return await space(file)
    except Unavailable:
        return None
