"""A line to a client as a test sees it: what was written, and whether the client reads.

Also a client that notes what it is told, and readers of frames.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence

from hallway.api.sockets import Handshake, Packet, Session


class FakeLine:
    """Where the hub writes to. `paused`: the other side does not keep up."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.paused = False
        self.gone = False
        self.aborted = False
        self.callback: Callable[[], None] | None = None

    @property
    def pushing_paused(self) -> bool:
        return self.paused

    def push(self, data: bytes) -> None:
        if not self.gone:
            self.written.append(data)

    def on_writable(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback

    def abort(self) -> None:
        self.aborted = True
        self.gone = True

    def close(self) -> None:
        self.gone = True

    # what happens to it

    def resume(self) -> None:
        self.paused = False
        if self.callback is not None:
            self.callback()

    def lose(self) -> None:
        self.gone = True
        if self.callback is not None:
            self.callback()

    def texts(self) -> list[str]:
        """The text messages written so far; afterwards none are left."""
        data, self.written = b"".join(self.written), []
        return [payload.decode() for opcode, payload in frames(data) if opcode == 1]


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of each frame of a server."""
    found = []
    while data:
        length, begin = data[1], 2
        if length == 126:
            length, begin = struct.unpack(">H", data[2:4])[0], 4
        elif length == 127:
            length, begin = struct.unpack(">Q", data[2:10])[0], 10
        found.append((data[0] & 15, data[begin : begin + length]))
        data = data[begin + length :]
    return found


def masked(payload: bytes | str, opcode: int = 1, *, fin: bool = True) -> bytes:
    """A frame of a client."""
    data = payload.encode() if isinstance(payload, str) else payload
    mask = os.urandom(4)
    if len(data) < 126:
        head = bytes((opcode | fin << 7, 128 | len(data)))
    elif len(data) < 65536:
        head = struct.pack(">BBH", opcode | fin << 7, 254, len(data))
    else:
        head = struct.pack(">BBQ", opcode | fin << 7, 255, len(data))
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


class Speaker:
    """Stands behind a session: notes what comes, and greets with what it is given."""

    def __init__(self, session: Session, handshake: Handshake, greeting: Sequence[bytes] = (b"40",)) -> None:
        self.session = session
        self.handshake = handshake
        self.greeting = greeting
        self.messages: list[str] = []
        self.greeted = 0
        self.is_over = False

    def received(self, message: str) -> None:
        self.messages.append(message)

    def greet(self) -> None:
        self.greeted += 1
        self.session.send(*map(Packet, self.greeting), counted=False)

    def ended(self) -> None:
        assert not self.is_over, "it ends once"
        self.is_over = True


def tell(session: Session, *texts: bytes, key: str = "") -> None:
    """Tell a session what many are told."""
    packets = [Packet(text, key) for text in texts]
    session.tell(packets, b"".join(packet.frame for packet in packets))
