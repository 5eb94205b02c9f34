"""All operations of the Home Assistant API: those of 2014, and those on the past that its clients came to use.

It must not know what an operation does.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import Operation
from hallway.api.operations.homeassistant import OPERATIONS as OF_NOW
from hallway.api.operations.homeassistant_past import OPERATIONS as OF_THE_PAST

OPERATIONS: Final[tuple[Operation, ...]] = (*OF_NOW, *OF_THE_PAST)
