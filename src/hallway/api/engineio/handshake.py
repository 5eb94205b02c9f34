"""How a connection of ours becomes a websocket, and what is agreed on for it.

Apart from what reads frames, which is loaded with the first websocket. It must not know what the messages say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

from hallway.api.stream import Line as StreamLine
from hallway.errors import InvalidInput

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_LENGTH = 16
SMALL_MESSAGE = 64 * 1024
"""The largest message of somebody who is not known yet."""
LARGE_MESSAGE = 1_000_000


class Line(StreamLine, Protocol):
    """A connection to write to, and to end."""

    def close(self) -> None: ...


def accepted(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The answer that makes a connection a websocket. InvalidInput: the request does not ask for it as it should."""
    given = dict(headers)
    if given.get(b"sec-websocket-version") != b"13":
        raise InvalidInput("a websocket of version 13 is wanted: send Sec-WebSocket-Version: 13")
    key = given.get(b"sec-websocket-key", b"")
    try:
        is_key = len(base64.b64decode(key, validate=True)) == _KEY_LENGTH
    except binascii.Error:
        is_key = False
    if not is_key:
        raise InvalidInput("Sec-WebSocket-Key must be 16 bytes in base64")
    digest = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % digest
    )
