"""The time, and dates as a hub of 2014 writes them: `HH:MM:SS DD-MM-YYYY`, UTC, whole seconds.

The client has a clock of its own because it stands alone; it must not know the hub's.
"""

import time
from datetime import UTC, datetime

DATE_FORMAT = "%H:%M:%S %d-%m-%Y"


def now() -> datetime:
    """The date in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def monotonic() -> float:
    """Seconds that only grow."""
    return time.monotonic()


def date_to_text(date: datetime) -> str:
    """As the hub writes it, in UTC whatever the zone of the date."""
    return date.astimezone(UTC).strftime(DATE_FORMAT)


def text_to_date(text: object) -> datetime | None:
    """What the hub wrote, in UTC; None when that is no date."""
    try:
        return datetime.strptime(str(text), DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
