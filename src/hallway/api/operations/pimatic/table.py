"""All operations of pimatic 0.9, area by area.

What is not in this table does not exist for a client. It must not know what an operation does.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import Operation
from hallway.api.operations.pimatic import (
    attribute_times,
    database,
    devices,
    framework,
    groups,
    messages,
    pages,
    plugins,
    rules,
    variables,
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *framework.OPERATIONS,
    *rules.OPERATIONS,
    *variables.OPERATIONS,
    *plugins.OPERATIONS,
    *messages.OPERATIONS,
    *attribute_times.OPERATIONS,
    *database.OPERATIONS,
    *groups.OPERATIONS,
    *pages.OPERATIONS,
    *devices.OPERATIONS,
)
