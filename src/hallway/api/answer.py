"""A whole answer to a request: status, JSON body, further headers; and how it looks on the wire.

It must not know what it is an answer to.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.errors import HallwayError, Told
from hallway.home.values import ascii_json, encode

JSON: Final = b"application/json"
Headers = list[tuple[bytes, bytes]]
STATUS_LINES: Final = MappingProxyType(
    {int(status): f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
)


class Answer(msgspec.Struct):
    """Status, body, and headers beside content type and length. Header values hold no line breaks."""

    status: int
    body: bytes
    headers: Headers = msgspec.field(default_factory=list)

    def wire(self, method: str, server_head: bytes) -> bytes:
        """All bytes of the answer; server_head: header lines that the server adds."""
        parts = [
            STATUS_LINES[self.status],
            server_head,
            b"content-type: application/json\r\ncontent-length: %d\r\n" % len(self.body),
        ]
        for name, value in self.headers:
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n", b"" if method == "HEAD" else self.body)
        return b"".join(parts)


class Pending(msgspec.Struct, frozen=True):
    """The answer to a request that has been done already, and that may be told only once something has happened.

    wait: is given whom to call then, also at once if it has happened already; refused: the answer if it cannot happen.
    """

    answer: Answer
    wait: Callable[[Told], None]
    refused: Callable[[HallwayError], Answer]


def error_answer(status: int, message: str, headers: Headers | None = None) -> Answer:
    """An error as every door writes it."""
    return Answer(status, ascii_json(encode({"message": message})), headers or [])
