"""What rules do when the clocks change: lived through in ten time zones, and written as the table in docs/time.md.

`python -m tests.rules.time_docs` writes the table; a test compares it with what happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hallway.home.changes import Said
from tests.rules.houses import RuledHouse

PAGE = Path(__file__).parent.parent.parent / "docs" / "time.md"
BEGIN = "<!-- from here on written by `python -m tests.rules.time_docs` -->"
ZONES = (
    "Europe/Amsterdam",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Los_Angeles",
    "America/Havana",
    "America/Santiago",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
)
YEAR = 2027
HOUR = 3600.0


class Turn(NamedTuple):
    """The clocks of a zone are changed by so many seconds; `within`: a local time that is skipped or comes twice."""

    zone: ZoneInfo
    at: float
    by: float
    within: datetime


class Lived(NamedTuple):
    """What happened around it: moments of the fixed time, of the ticks, and of what lasted and of the night."""

    fixed: tuple[float, ...]
    ticks: tuple[float, ...]
    lasted: float
    night: tuple[float, float]


def local(moment: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone)


def turns(zone: ZoneInfo) -> Iterator[Turn]:
    """The changes of a year."""
    hour = datetime(YEAR, 1, 1, tzinfo=UTC).timestamp()
    for moment in (hour + 1800.0 * number for number in range(365 * 48)):
        before, after = local(moment - 1, zone), local(moment, zone)
        by = ((after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())).total_seconds()
        if by:
            naive = before.replace(tzinfo=None) + timedelta(seconds=1)
            yield Turn(zone, moment, by, naive + timedelta(seconds=by / 2))


def live_through(turn: Turn) -> Lived:
    """Two days around the change with four rules."""
    zone = turn.zone
    noon = local(turn.at - 12 * HOUR, zone).replace(hour=12, minute=0, second=0).timestamp()
    house = RuledHouse(
        f'when its {turn.within:%H:%M} then log "fixed"',
        'when every 1 hour then log "tick"',
        'when lamp is on for 3 hours then log "lasted"',
        'when its between 22:00 and 6:00 then log "night" else log "day"',
        now=noon - 1,
        zone=zone,
    )
    house.wait(turn.at - house.clock.now() - HOUR)
    house.turn("lamp", True)
    house.wait(36 * HOUR)
    said = [(change.at, change.message.text.partition(": ")[2]) for change in house.changes if isinstance(change, Said)]

    def at(text: str) -> list[float]:
        return [moment for moment, word in said if word == text]

    night = next(begin for begin in at("night") if begin > noon)
    return Lived(
        tuple(at("fixed")), tuple(at("tick")), at("lasted")[0], (night, next(d for d in at("day") if d > night))
    )


def row(turn: Turn) -> str:
    lived, zone = live_through(turn), turn.zone
    before, after = local(turn.at - 1, zone) + timedelta(seconds=1), local(turn.at, zone)
    same_day = [moment for moment in lived.fixed if abs(moment - turn.at) < 12 * HOUR]
    runs = ", ".join(f"{local(moment, zone):%H:%M} (UTC{_offset(moment, zone)})" for moment in same_day)
    gaps = {later - earlier for earlier, later in zip(lived.ticks, lived.ticks[1:], strict=False)}
    every = ", ".join(_length(gap) for gap in sorted(gaps))
    cells = (
        str(zone.key),
        f"{after:%d %b}",
        f"{before:%H:%M} → {after:%H:%M}",
        f"{turn.within:%H:%M} {'is skipped' if turn.by > 0 else 'comes twice'}: {runs}",
        every,
        f"{_length(lived.lasted - (turn.at - HOUR))}, at {local(lived.lasted, zone):%H:%M}",
        _length(lived.night[1] - lived.night[0]),
    )
    return f"| {' | '.join(cells)} |"


def _offset(moment: float, zone: ZoneInfo) -> str:
    text = f"{local(moment, zone):%z}"
    return f"{text[:3]}:{text[3:]}"


def _length(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02} h"


def table() -> str:
    head = (
        "| zone | day | clocks | `its …` within the change runs at | `every 1 hour` | `for 3 hours`, begun 1 h before "
        "| `its between 22:00 and 6:00` |\n|---|---|---|---|---|---|---|\n"
    )
    rows = [row(turn) for name in ZONES for turn in turns(ZoneInfo(name))]
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text("utf-8").partition(BEGIN)[0]
    PAGE.write_text(f"{text}{BEGIN}\n\n{table()}", "utf-8")
