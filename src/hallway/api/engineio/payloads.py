"""Payloads: several packets in the body of one poll, in the framings that clients of both revisions use.

Revision 3 counts: `<length>:<packet>` in text, where old clients encode UTF-8 twice and newer ones once, and
`00 <digits> ff <packet>` in binary. Revision 4 separates with a sign. It must not know HTTP or sessions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hallway.errors import InvalidInput

SEPARATOR: Final = b"\x1e"
MOST_PACKETS = 1000
"""More packets in one body than any client has to say at once."""
_MOST_DIGITS = 9
_LONGEST_SIGN = 4
_STRING, _BINARY, _END_OF_LENGTH = 0, 1, 0xFF


def counted(packets: Iterable[bytes]) -> bytes:
    """Revision 3 as text. Packets are ASCII, for which the single and the double encoding are the same."""
    return b"".join([b"%d:%b" % (len(packet), packet) for packet in packets])


def counted_in_binary(packets: Iterable[bytes]) -> bytes:
    """Revision 3 for clients that take bytes."""
    return b"".join([b"\x00%b\xff%b" % (_digits(len(packet)), packet) for packet in packets])


def _digits(number: int) -> bytes:
    return bytes(ord(digit) - ord("0") for digit in str(number))


def separated(packets: Iterable[bytes]) -> bytes:
    """Revision 4."""
    return SEPARATOR.join(packets)


def read_separated(body: bytes) -> list[str]:
    """The packets of a body of revision 4. InvalidInput: it is none."""
    if body.count(SEPARATOR) >= MOST_PACKETS:
        raise InvalidInput(_TOO_MANY)
    return _text(body).split("\x1e")


def read_counted(body: bytes) -> list[str]:
    """The packets of a text body of revision 3, in either encoding. InvalidInput: it is none.

    Lengths count the units of UTF-16, as JavaScript does.
    """
    text = _text(body)
    if text.isascii():
        return _split(text)
    return [_single(_joined(packet)) for packet in _split(_units(text))]


def _units(text: str) -> str:
    """The text with the halves of surrogate pairs as signs of their own."""
    if max(text) <= "\uffff":
        return text
    units = text.encode("utf-16-le")
    return "".join(chr(int.from_bytes(units[at : at + 2], "little")) for at in range(0, len(units), 2))


def _joined(packet: str) -> str:
    """The text with these halves put together again. InvalidInput: one is alone."""
    try:
        return packet.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise InvalidInput("the body is no payload of revision 3: a length ends within a sign") from None


def _split(text: str) -> list[str]:
    packets: list[str] = []
    at = 0
    while at < len(text):
        colon = text.find(":", at, at + _MOST_DIGITS + 1)
        digits = text[at:colon]
        if colon < 0 or not (digits.isascii() and digits.isdigit()):
            raise InvalidInput(f"the body is no payload of revision 3: a length and a colon are wanted at sign {at}")
        at = colon + 1 + int(digits)
        if at > len(text):
            raise InvalidInput(f"the body is no payload of revision 3: it ends before the {digits} signs it announces")
        packets.append(text[colon + 1 : at])
        if len(packets) > MOST_PACKETS:
            raise InvalidInput(_TOO_MANY)
    return packets


def _single(packet: str) -> str:
    """The packet without the second encoding, if it has one."""
    try:
        return packet.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return packet


def read_counted_in_binary(body: bytes) -> list[str]:
    """The packets of a binary body of revision 3. InvalidInput: it is none, or holds what is not text."""
    packets: list[str] = []
    at = 0
    while at < len(body):
        if body[at] == _BINARY:
            raise InvalidInput("binary messages are not taken: send text")
        end = body.find(_END_OF_LENGTH, at, at + _MOST_DIGITS + 2)
        digits = body[at + 1 : end]
        if body[at] != _STRING or end < at + 2 or max(digits) > 9:  # noqa: PLR2004 - digits are the bytes 0 to 9
            raise InvalidInput(f"the body is no binary payload of revision 3: 00 <digits> ff is wanted at byte {at}")
        length = int("".join(map(str, digits)))
        packet, at = _binary_packet(body, end + 1, length)
        packets.append(packet)
        if len(packets) > MOST_PACKETS:
            raise InvalidInput(_TOO_MANY)
    return packets


def _binary_packet(body: bytes, begin: int, length: int) -> tuple[str, int]:
    """The packet there and where it ends. Some clients count its bytes, others its signs."""
    end = begin + length
    if end > len(body):
        raise InvalidInput(f"the body is no binary payload: it ends before the {length} bytes that it announces")
    if end == len(body) or body[end] in (_STRING, _BINARY):
        return _single(_text(body[begin:end])), end
    signs = body[begin : begin + _LONGEST_SIGN * length].decode("utf-8", "surrogateescape")[:length]
    packet = signs.encode("utf-8", "surrogateescape")
    return _single(_text(packet)), begin + len(packet)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8: byte {error.start} cannot be read") from None


_TOO_MANY = f"the body holds more than {MOST_PACKETS} packets"
