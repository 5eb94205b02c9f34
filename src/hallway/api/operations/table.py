"""All operations of the door for people: those of pimatic 0.9, and our own beyond them.

REST, socket, self-description, `/api/actions` and OpenAPI have what stands here. It must not know what an operation
does.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import Operation
from hallway.api.operations.pimatic.table import OPERATIONS as OF_PIMATIC
from hallway.api.operations.rule_insight import OPERATIONS as OF_RULES

OPERATIONS: Final[tuple[Operation, ...]] = (*OF_PIMATIC, *OF_RULES)
