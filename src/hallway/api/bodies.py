"""How the body of a request is read: in pieces, and no more of it than a limit.

It must not know what a body means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hallway.errors import TooLarge

Receive = Callable[[], Awaitable[Any]]


class GoneAway(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, length: int, limit: int) -> bytes:
    """The whole body, which says that it has so many bytes; TooLarge as soon as it is certain to exceed the limit."""
    too_large = f"the body may have {limit} bytes; split the request, or raise http: max_body in the configuration"
    if length > limit:
        raise TooLarge(too_large)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return _whole(message, body)
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(too_large)
    return _whole(message, b"".join(parts))


def _whole(message: Any, body: bytes) -> bytes:
    if message["type"] == "http.disconnect":
        raise GoneAway
    return body
