"""The operations on backups of the home: how they stand, and making one now.

It must not know how a backup is made, nor how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import Ask, BackupDesk, Hub, Operation, never
from hallway.api.operations.pimatic.declaring import maybe
from hallway.errors import InvalidInput, Unavailable

AREA: Final = "backup"


async def get_backups(hub: Hub, _ask: Ask) -> object:
    return await _desk(hub).status()


async def make_backup(hub: Hub, ask: Ask) -> object:
    history = ask.data.get("history")
    if history is not None and not isinstance(history, bool):
        raise InvalidInput("history is true or false: whether the history is backed up, too")
    return await _desk(hub).make(history=history)


def _desk(hub: Hub) -> BackupDesk:
    if hub.backups is None:
        raise Unavailable("this hub makes no backups")
    return hub.backups


OPERATIONS: Final = (
    Operation(
        "getBackups",
        ("GET",),
        "/api/backup",
        "Tell how backups are made, which there are, and what became of the last one",
        "config:read",
        "backup",
        get_backups,
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "makeBackup",
        ("POST",),
        "/api/backup",
        "Make a backup now; the answer comes when it has been verified",
        "config:write",
        "made",
        make_backup,
        (maybe("history", "boolean", "the history too, as a second file; as configured if it is not given"),),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
)
