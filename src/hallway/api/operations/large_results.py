"""Results that are too large to be held at once: they come in pieces, and flow out as fast as somebody reads them.

It must not know how a piece is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from hallway.home.changes import State
from hallway.home.values import Attributes


async def close(pieces: AsyncIterator[Any]) -> None:
    """No more pieces are wanted."""
    closing = getattr(pieces, "aclose", None)
    if closing is not None:
        await closing()


class Flow(msgspec.Struct, frozen=True):
    """Bytes of a content type, in pieces; name: of the file, for those who keep it as one."""

    pieces: AsyncIterator[bytes]
    content_type: str
    name: str = ""


class StatePiece(msgspec.Struct, frozen=True, gc=False):
    """Some states of one entity, oldest first; begins: they are the first ones of it."""

    states: list[State]
    begins: bool


class StateLists(msgspec.Struct, frozen=True):
    """For each entity the list of its states."""

    pieces: AsyncIterator[StatePiece]


class Entries(msgspec.Struct, frozen=True):
    """A list of objects."""

    pieces: AsyncIterator[list[Attributes]]
