"""Socket.IO packets: how they are read, and how ours are written, in ASCII and once for everybody.

It must not know what is called or told.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from hallway.api.sockets import Packet
from hallway.errors import InvalidInput
from hallway.home.values import Value, ascii_json, decode, encode

ROOT: Final = "/"
CONNECT, DISCONNECT, EVENT, ACK, ERROR = "0", "1", "2", "3", "4"
OLD: Final = 3
"""The revision of the transport whose clients are connected unasked, and told errors as a text."""
_FORM: Final = re.compile(r"([0-4])(?:(/[^,]*)(?:,|$))?([0-9]*)(.*)", re.DOTALL)


class Incoming(msgspec.Struct, frozen=True):
    """A packet of a client: its kind, the namespace that it is for, and what it carries."""

    kind: str
    namespace: str = ROOT
    data: Value = None


def read(text: str) -> Incoming:
    """A packet out of a message. InvalidInput: it is none, or one with binary data."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidInput("this is no packet of Socket.IO that is understood here")
    kind, namespace, _ack, data = found.groups()
    try:
        carried = decode(data.encode()) if data else None
    except UnicodeEncodeError:
        raise InvalidInput("a text holds half a surrogate pair") from None
    return Incoming(kind, (namespace or ROOT).partition("?")[0], carried)


def event(name: str, payload: bytes, key: str = "") -> Packet:
    """An event with one payload, which is JSON already. key: as in Packet."""
    return Packet(b'42["%b",%b]' % (name.encode(), ascii_json(payload)), key)


def connected(revision: int, sid: str) -> Packet:
    """The client belongs to the namespace from now on."""
    return Packet(b"40" if revision == OLD else b"40" + encode({"sid": sid}))


def refused(revision: int, namespace: str, sentence: str) -> Packet:
    """The client does not belong to the namespace, and why."""
    where = "" if namespace == ROOT else f"{namespace},"
    told: Value = sentence if revision == OLD else {"message": sentence}
    return Packet(ascii_json(b"44" + where.encode() + encode(told)))
