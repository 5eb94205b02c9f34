"""Websocket frames as a client needs them: bytes that arrived into whole frames, and texts to send.

Only what a server sends is read: unmasked and in one piece. It must not know what the texts mean.
"""

from typing import Final, NamedTuple

from benchmarks.errors import BenchmarkError

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10


class Frame(NamedTuple):
    """The kind of a whole frame, and what is in it."""

    opcode: int
    payload: bytes


def split_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames at the front of the data, and the rest. Raises BenchmarkError for masks and pieces."""
    frames: list[Frame] = []
    at, end = 0, len(data)
    while end - at >= 2:
        first, length = data[at], data[at + 1]
        if first & 0xF0 != 0x80 or length > 127:
            raise BenchmarkError(f"a frame begins with {data[at : at + 2].hex()}: it is masked, packed or in pieces")
        begin = at + 2
        if length > 125:
            size = 2 if length == 126 else 8
            begin += size
            length = int.from_bytes(data[at + 2 : begin], "big")
        if begin > end or begin + length > end:
            break
        at = begin + length
        frames.append(Frame(first & 0x0F, data[begin:at]))
    return frames, data[at:]


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame of a client. The mask that the protocol wants is four zeros, which change nothing."""
    size = len(payload)
    if size > 125:
        return bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big") + b"\0\0\0\0" + payload
    return bytes([0x80 | opcode, 0x80 | size]) + b"\0\0\0\0" + payload
