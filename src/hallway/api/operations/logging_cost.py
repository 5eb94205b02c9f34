"""What recording costs, and what it would cost by another rule: rows and bytes a day, from what was recorded so far.

Pure. It must not know who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hallway.home.devices import Attribute
from hallway.home.logging_times import LoggingTime, time_for
from hallway.home.past import Known
from hallway.home.values import Value

DAY: Final = 86_400.0
FEW: Final = 100
"""From fewer samples it is not told how large they are."""
ROW_BYTES: Final = 6.0
"""What a sample takes where nothing is known yet."""


class Cost(msgspec.Struct, frozen=True):
    """Of an attribute: rows and bytes a day, and the bytes of all that is kept at a time."""

    known: Known
    rows: float
    bytes: float
    kept: float


def cost_of(known: Known, now: Sequence[Value], wanted: Sequence[Value], row_bytes: float) -> Cost:
    """What an attribute would cost by a list that is wanted, when it was recorded by the list that holds now.

    Between two rows of a rule with an interval lies the interval and the wait for the next report: from that follows
    how often it reports.
    """
    before, after = _time(now, known), _time(wanted, known)
    rows = _rows_a_day(known)
    size = known.bytes / known.count if known.count >= FEW and known.bytes else row_bytes
    if not after.expire_ms or not rows:
        return Cost(known, 0.0, 0.0, 0.0)
    wait = max(DAY / rows - before.interval_ms / 1000, DAY / rows / 20)
    rows = DAY / (wait + after.interval_ms / 1000)
    return Cost(known, rows, rows * size, rows * size * after.expire_ms / 1000 / DAY)


def usual_bytes(all_known: Iterable[Known]) -> float:
    """What a sample takes on an average."""
    many = [known for known in all_known if known.count >= FEW and known.bytes]
    count = sum(known.count for known in many)
    return sum(known.bytes for known in many) / count if count else ROW_BYTES


def _rows_a_day(known: Known) -> float:
    if known.first is None or known.last is None or known.last <= known.first or known.count <= 1:
        return 0.0
    return (known.count - 1) * DAY / max(known.last - known.first, DAY / 24)


def _time(entries: Sequence[Value], known: Known) -> LoggingTime:
    kind = known.type
    attribute = Attribute(
        name=known.series.name,
        type="number" if kind == "number" else "boolean" if kind == "boolean" else "string",
        label="",
        description="",
        discrete=known.discrete,
    )
    return time_for(entries, known.series.owner, attribute)
