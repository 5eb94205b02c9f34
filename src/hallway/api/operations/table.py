"""All operations of the door for people: those of pimatic 0.9, and our own beyond them.

REST, socket, self-description, `/api/actions` and OpenAPI have what stands here. It must not know what an operation
does.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hallway.api.operations.backup import OPERATIONS as OF_BACKUP
from hallway.api.operations.base import Operation
from hallway.api.operations.exporting import OPERATIONS as OF_EXPORT
from hallway.api.operations.history import OPERATIONS as OF_HISTORY
from hallway.api.operations.home_clock import OPERATIONS as OF_CLOCK
from hallway.api.operations.locking import with_revision
from hallway.api.operations.pimatic.table import OPERATIONS as OF_PIMATIC
from hallway.api.operations.revisions import OPERATIONS as OF_REVISIONS
from hallway.api.operations.rule_insight import OPERATIONS as OF_RULES
from hallway.api.operations.scenes import OPERATIONS as OF_SCENES


def _our_own(operation: Operation) -> Operation:
    """pimatic takes the number at the beginning of a text; nobody needs that of what pimatic has not."""
    parameters = tuple(msgspec.structs.replace(parameter, strict=True) for parameter in operation.parameters)
    return msgspec.structs.replace(operation, parameters=parameters)


_OURS: Final = (*OF_RULES, *OF_SCENES, *OF_REVISIONS, *OF_EXPORT, *OF_HISTORY, *OF_BACKUP, *OF_CLOCK)
OPERATIONS: Final[tuple[Operation, ...]] = tuple(
    with_revision(operation) for operation in (*OF_PIMATIC, *map(_our_own, _OURS))
)
