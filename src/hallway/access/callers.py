"""Callers: whoever asks something of the hub, with what they may do.

It must not know how they proved who they are.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from hallway.home.changes import Context

Permission = Literal["status", "events", "devices", "controlDevices", "links"]
EVERYTHING: frozenset[Permission] = frozenset(("status", "events", "devices", "controlDevices", "links"))
LINK_ONLY: frozenset[Permission] = frozenset(("status", "events"))


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the person or link, what they may do, and the context that their changes carry.

    link: the name of the hub that is calling, when it is one whose states we mirror.
    """

    name: str
    permissions: frozenset[Permission]
    context: Context
    link: str = ""
