"""The front: the one ASGI app behind a port. Fixed pages stand here, everything else goes to a door.

Whatever goes wrong inside is told to nobody outside: it is logged under a number, and that is what the client gets.
It must not know what doors do.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from hallway.api.answer import JSON, Answer, error_answer

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Door(Protocol):
    """A door: an ASGI app that can also answer without waiting where nothing has to be waited for."""

    def at_once(self, scope: dict[str, Any], body: bytes) -> Answer | None: ...
    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None: ...


class Page(msgspec.Struct, frozen=True):
    """Something that is the same for everybody. policy: what a browser may load into it."""

    content_type: str
    body: bytes
    policy: str = NOTHING_ELSE


class Front:
    """Pages by path, and the door for all other paths."""

    def __init__(self, door: Door, pages: Mapping[str, Page]) -> None:
        self._door = door
        self._pages = pages
        self._page_paths = frozenset(path.encode() for path in pages)
        self._failures = itertools.count(1)

    def at_once(self, scope: dict[str, Any], body: bytes) -> Answer | None:
        """The answer, if it needs no waiting."""
        if scope["raw_path"] in self._page_paths:
            return None
        try:
            return self._door.at_once(scope, body)
        except Exception as error:  # noqa: BLE001 - a client gets an answer whatever is wrong with us
            return self._failed(scope, error)

    def _failed(self, scope: dict[str, Any], error: Exception) -> Answer:
        number = next(self._failures)
        log.error("failure %d while answering %s %s", number, scope["method"], scope["raw_path"], exc_info=error)
        return error_answer(500, f"the hub failed at this; what happened stands in its log as failure {number}")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"])
        if page is not None and scope["method"] not in ("GET", "HEAD"):
            refused = error_answer(405, f"{scope['path']} takes GET and HEAD")
            await _send(send, 405, Page(JSON.decode(), refused.body), scope["method"], [(b"allow", b"GET, HEAD")])
            return
        if page is not None:
            await _send(send, 200, page, scope["method"])
            return
        try:
            await self._door(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - likewise
            answer = self._failed(scope, error)
            with suppress(RuntimeError):  # an answer that had begun already ends here
                await _send(send, answer.status, Page(JSON.decode(), answer.body), scope["method"])


async def _send(send: Send, status: int, page: Page, method: str, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    body = b"" if method == "HEAD" else page.body
    headers = [
        (b"content-type", page.content_type.encode()),
        (b"content-length", b"%d" % len(page.body)),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", page.policy.encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
