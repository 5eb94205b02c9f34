"""The operation on the clock of the home: what time it is there, and in which time zone.

It must not know what sets the clock.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import Ask, Hub, Operation
from hallway.api.operations.pimatic.forms import milliseconds
from hallway.home.values import Attributes

AREA: Final = "framework"


def get_clock(hub: Hub, _ask: Ask) -> Attributes:
    return {"time": milliseconds(hub.home.now()), "timeZone": str(hub.home.time_zone())}


OPERATIONS: Final = (
    Operation(
        "getClock",
        ("GET",),
        "/api/clock",
        "Tell what time it is at home, and in which time zone",
        "",
        "clock",
        get_clock,
        area=AREA,
        result_type="object",
    ),
)
