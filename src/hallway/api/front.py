"""The front: the one ASGI app behind a port. Fixed pages stand here, everything else goes to a door.

Where two doors have the same path, the credential says which of them is meant. Whatever goes wrong inside is told to
nobody outside: it is logged under a number, and that is what the client gets. It must not know what doors do.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec

from hallway.api.answer import JSON, Answer, Pending, error_answer

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Scope = dict[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
ROOT: Final = b"/api/"
"""The root of the API of 2014, which everybody may knock at without a credential."""
OWN_HEADERS: Final = frozenset((b"x-ha-access", b"x-hallway-hops"))
OWN_COOKIE, OTHER_COOKIE = b"sessionId=", b"pimatic.sess="
PASSWORD = b"api_password"
MAX_REMEMBERED, MAX_REMEMBERED_PATH = 4096, 128
NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Door(Protocol):
    """A door: an ASGI app that can also answer without a task, where all can be done at once."""

    def at_once(self, scope: Scope, body: bytes) -> Answer | Pending | None: ...
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class RoutedDoor(Door, Protocol):
    """A door that says what it has."""

    def has(self, path: str) -> bool:
        """Whether there is anything at that path."""
        ...


class PeoplesDoor(RoutedDoor, Protocol):
    """The door for people who log in with a name and a password."""

    @property
    def is_open(self) -> bool:
        """Whether anybody could come in there."""
        ...


class Late:
    """Bytes that are made when they are first asked for, and then kept: most homes never show most of their pages."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._made: bytes | None = None

    def __call__(self) -> bytes:
        if self._made is None:
            self._made = self._make()
        return self._made


class Page(msgspec.Struct, frozen=True):
    """Something that is the same for everybody. policy: what a browser may load into it.

    for_all: without it a home where people log in shows it to those who did, at their door.
    """

    content_type: str
    body: bytes | Late
    policy: str = NOTHING_ELSE
    for_all: bool = True

    def content(self) -> bytes:
        """The body, which may have to be made first."""
        return self.body if isinstance(self.body, bytes) else self.body()


class Doors:
    """Which door a request is for: that of the API of 2014 (its own), or that of people, if there is one."""

    def __init__(self, own: RoutedDoor, peoples: PeoplesDoor | None) -> None:
        self._own = own
        self._peoples = peoples
        self._only: dict[bytes, Door | None] = {}

    @property
    def peoples_is_open(self) -> bool:
        """Whether people log in here."""
        return self._peoples is not None and self._peoples.is_open

    def needs_body(self, scope: Scope) -> bool:
        """Whether the body may hold the credential that decides."""
        return self._peoples is not None and self._only_door(scope["raw_path"]) is None

    def of(self, scope: Scope, body: bytes) -> Door:
        """The door that has the path; if both or neither do, that of the credential; without any, that of people."""
        peoples = self._peoples
        path: bytes = scope["raw_path"]
        only = self._only_door(path)
        if peoples is None or only is self._own:
            return self._own
        names = dict(scope["headers"])
        if not OWN_HEADERS.isdisjoint(names):
            return self._own
        if only is not None:
            return only
        if not peoples.is_open or PASSWORD in scope["query_string"] or PASSWORD in body:
            return self._own
        cookie = names.get(b"cookie", b"")
        if b"authorization" in names or OTHER_COOKIE in cookie:
            return peoples
        return self._own if OWN_COOKIE in cookie or path == ROOT else peoples

    def _only_door(self, path: bytes) -> Door | None:
        """The only door that has that path, if it is one."""
        if path in self._only:
            return self._only[path]
        text = path.decode("latin-1")
        has_own, has_peoples = self._own.has(text), self._peoples is not None and self._peoples.has(text)
        only: Door | None = None
        if has_own is not has_peoples:
            only = self._own if has_own else self._peoples
        if len(path) <= MAX_REMEMBERED_PATH:
            if len(self._only) >= MAX_REMEMBERED:
                self._only.clear()
            self._only[path] = only
        return only


class Front:
    """Pages by path, other apps by path (`/socket.io/`), and the doors for everything else."""

    def __init__(
        self,
        own: RoutedDoor,
        pages: Mapping[str, Page],
        peoples: PeoplesDoor | None = None,
        apps: Mapping[bytes, App] = MappingProxyType({}),
    ) -> None:
        self._doors = Doors(own, peoples)
        self._pages = pages
        self._apps = apps
        self._waiting_paths = frozenset(path.encode() for path in pages) | frozenset(apps)
        self._failures = itertools.count(1)

    def at_once(self, scope: Scope, body: bytes) -> Answer | Pending | None:
        """The answer, if what is asked for can be done at once; it may have to be waited for until it may be told."""
        if scope["raw_path"] in self._waiting_paths:
            return None
        try:
            return self._doors.of(scope, body).at_once(scope, body)
        except Exception as error:  # noqa: BLE001 - a client gets an answer whatever is wrong with us
            return self._failed(scope, error)

    def _failed(self, scope: Scope, error: Exception) -> Answer:
        number = next(self._failures)
        log.error("failure %d while answering %s %s", number, scope["method"], scope["raw_path"], exc_info=error)
        return error_answer(500, f"the hub failed at this; what happened stands in its log as failure {number}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._page_at(scope)
        if page is not None and scope["method"] not in ("GET", "HEAD"):
            refused = error_answer(405, f"{scope['path']} takes GET and HEAD")
            await _send(send, 405, Page(JSON.decode(), refused.body), scope["method"], [(b"allow", b"GET, HEAD")])
            return
        if page is not None:
            await _send(send, 200, page, scope["method"])
            return
        try:
            app = self._apps.get(scope["raw_path"])
            if app is None:
                body, receive = await self._first_of_body(scope, receive)
                app = self._doors.of(scope, body)
            await app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - likewise
            answer = self._failed(scope, error)
            with suppress(RuntimeError):  # an answer that had begun already ends here
                await _send(send, answer.status, Page(JSON.decode(), answer.body), scope["method"])

    def _page_at(self, scope: Scope) -> Page | None:
        page = self._pages.get(scope["path"])
        if page is not None and not page.for_all and self._doors.peoples_is_open:
            return None
        return page

    async def _first_of_body(self, scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
        """The beginning of the body where it may decide about the door, and a `receive` that gives it once more."""
        sends_body = any(name in (b"content-length", b"transfer-encoding") for name, _value in scope["headers"])
        if not sends_body or not self._doors.needs_body(scope):
            return b"", receive
        first = await receive()
        waiting = [first]

        async def again() -> Any:
            return waiting.pop() if waiting else await receive()

        return first.get("body", b""), again


async def _send(send: Send, status: int, page: Page, method: str, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    content = page.content()
    headers = [
        (b"content-type", page.content_type.encode()),
        (b"content-length", b"%d" % len(content)),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", page.policy.encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
