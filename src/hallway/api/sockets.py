"""What a transport of live messages and those who speak over it agree on: packets, sessions, and who stands behind one.

A packet is written and framed once, and the same bytes go to everybody. It must not know any transport, nor what the
messages mean.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

_TEXT_FRAME: Final = 0x81
_SMALL, _MEDIUM = 126, 0x10000


def text_frame(text: bytes) -> bytes:
    """A whole websocket text frame, as a server sends it."""
    length = len(text)
    if length < _SMALL:
        return bytes((_TEXT_FRAME, length)) + text
    if length < _MEDIUM:
        return struct.pack(">BBH", _TEXT_FRAME, 126, length) + text
    return struct.pack(">BBQ", _TEXT_FRAME, 127, length) + text


class Packet:
    """A packet for clients, ASCII only. key: of those with the same key only the last one matters; empty: each does."""

    __slots__ = ("frame", "key", "text")

    def __init__(self, text: bytes, key: str = "") -> None:
        self.text = text
        self.frame = text_frame(text)
        self.key = key


class Handshake(msgspec.Struct, frozen=True):
    """What a client said when it came: its revision of the transport, query, headers and address."""

    revision: int
    query: Mapping[str, str]
    headers: Sequence[tuple[bytes, bytes]]
    address: str


class Session(Protocol):
    """One client, seen by whoever speaks to it."""

    @property
    def revision(self) -> int: ...
    @property
    def sid(self) -> str: ...
    def begin(self) -> None:
        """There is something to say: `Client.greet` is called as soon as the client listens."""
        ...

    def trust(self) -> None:
        """It is known who this is: it may send larger messages, and does not have to make room for others."""
        ...

    def send(self, *packets: Packet, counted: bool = True) -> None:
        """Something for this client alone. counted: when too much of this waits for it, it is let go."""
        ...

    def tell(self, packets: Sequence[Packet], frames: bytes) -> None:
        """Something for many; frames: the frames of the packets in one piece."""
        ...

    def end(self) -> None:
        """Say good-bye."""
        ...


class Client(Protocol):
    """Who stands behind a session."""

    def received(self, message: str) -> None:
        """A message came in."""
        ...

    def greet(self) -> None:
        """The client listens and knows nothing: at first, and again when it stayed too far behind."""
        ...

    def ended(self) -> None:
        """The session is over."""
        ...


Accept = Callable[[Session, Handshake], Client]
