"""How answers of pimatic's REST API are written: the envelope, and the headers that its clients and caches see.

It must not know what is answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson

from hallway.api.answer import STATUS_LINES, Answer, Headers
from hallway.api.large_results import Begun, begin
from hallway.api.operations.base import Operation
from hallway.api.operations.large_results import Flow
from hallway.errors import HallwayError, Stale, TooManyTries
from hallway.home.values import encode

Send = Callable[[Any], Awaitable[None]]
JSON_LINE: Final = b"content-type: application/json; charset=utf-8\r\n"
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
HTML_LINES: Final = b"content-type: text/html; charset=utf-8\r\nx-content-type-options: nosniff\r\n"
API_LINES: Final = (
    b"cache-control: no-cache, no-store, must-revalidate\r\npragma: no-cache\r\nexpires: 0\r\n" + JSON_LINE
)
CHALLENGE: Final = (b"www-authenticate", b'Basic realm="hallway", charset="UTF-8"')
VARY: Final = (b"vary", b"X-HTTP-Method-Override")
OTHER_STATUS: Final = frozenset((401, 403, 413, 429, 503))
"""Statuses of errors that are told as they are, beside that of what is stale; all others are 400 here."""
NOTHING: Final = b'{"success":true}'
NOT_FOUND: Final = b'{"success":false,"message":"Not Found"}'
_NOT_MODIFIED = 304
_BODILESS: Final = (204, _NOT_MODIFIED)


class Reply(Answer):
    """An answer with header lines that are the same for all of its kind, and an entity tag."""

    lines: bytes = API_LINES
    etag: bytes = b""

    def wire(self, method: str, server_head: bytes) -> bytes:
        parts = [STATUS_LINES[self.status], server_head, self.lines]
        if self.etag:
            parts += (b"etag: ", self.etag, b"\r\n")
        for name, value in self.headers:
            parts += (name, b": ", value, b"\r\n")
        if self.status in _BODILESS:
            parts.append(b"\r\n")
        else:
            parts += (b"content-length: %d\r\n\r\n" % len(self.body), b"" if method == "HEAD" else self.body)
        return b"".join(parts)


class Poured(Reply):
    """An answer that goes on behind its beginning, as fast as it is read."""

    begun: Begun | None = None


async def flowed(flow: Flow) -> Reply:
    """The answer to who asked for a file: whole when it is small."""
    beginning = await begin(flow)
    if beginning.rest is not None:
        return Poured(200, b"", begun=beginning)
    lines = b"".join(b"%b: %b\r\n" % header for header in beginning.headers)
    return Reply(200, beginning.first, [], b"cache-control: no-store\r\n" + lines)


def success(name: str, result: object) -> Reply:
    """The result of an operation under its name. None is not found where a result has a name, else there is none."""
    if result is None:
        return Reply(404, NOT_FOUND) if name else Reply(200, NOTHING)
    return Reply(200, encode({name or "result": result, "success": True}))


class Envelopes:
    """Writes results. What an operation gives as bytes already is wrapped once, as long as they are the same ones."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[object, bytes, bytes]] = {}

    def of(self, operation: Operation, result: object) -> Reply:
        """The result of an operation."""
        if result.__class__ is not orjson.Fragment:
            return success(operation.result, result)
        known = self._last.get(operation.name)
        if known is not None and known[0] is result:
            return Reply(200, known[1], [], API_LINES, known[2])
        reply = success(operation.result, result)
        reply.etag = tag_of(reply.body)
        self._last[operation.name] = (result, reply.body, reply.etag)
        return reply


def failure(error: HallwayError) -> Reply:
    """An error in the envelope."""
    status = error.status if error.status in OTHER_STATUS else 400
    headers: Headers = []
    if isinstance(error, TooManyTries):
        headers.append((b"retry-after", b"%d" % error.seconds))
    told: dict[str, object] = {"success": False, "message": error.message}
    if isinstance(error, Stale):
        status, told = error.status, {**told, "conflict": error.details}
    return Reply(status, encode(told), headers)


def page(status: int, sentence: str, headers: Headers | None = None) -> Reply:
    """A sentence as a page, for those who come with a browser."""
    return Reply(status, sentence.translate(_ESCAPED).encode(), headers or [], HTML_LINES)


def tag_of(body: bytes) -> bytes:
    """The entity tag of a body: the same while this process lives."""
    return b'W/"%x-%x"' % (len(body), hash(body) & 0xFFFFFFFFFFFFFFFF)


def tagged(reply: Reply, none_match: bytes) -> Reply:
    """The answer with its entity tag; 304 without a body when the client has it already."""
    reply.etag = reply.etag or tag_of(reply.body)
    if none_match and reply.status == 200 and _has(none_match, reply.etag):  # noqa: PLR2004 - what HTTP calls fresh
        reply.status, reply.body = _NOT_MODIFIED, b""
    return reply


def _has(none_match: bytes, etag: bytes) -> bool:
    return none_match == b"*" or any(given.strip().removeprefix(b"W/") == etag[2:] for given in none_match.split(b","))


async def send_reply(send: Send, reply: Reply, method: str) -> None:
    """Write an answer by way of ASGI; a HEAD has no body."""
    lines = [line.split(b": ", 1) for line in reply.lines.split(b"\r\n") if line]
    headers = [*map(tuple, lines), *reply.headers]
    if reply.etag:
        headers.append((b"etag", reply.etag))
    if reply.status not in _BODILESS:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})
