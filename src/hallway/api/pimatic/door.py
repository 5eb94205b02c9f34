"""The REST door of pimatic 0.9: request → who → operation → parameters → answer, with the checks in that order.

Whoever comes with a password gets a session along with the answer. It must not know what operations do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from hallway.access.callers import Caller
from hallway.access.cookies import CLEARED, NAME, values_in
from hallway.access.entrance import STRANGER, Entrance, Visit
from hallway.api.answer import Pending
from hallway.api.bodies import GoneAway, Receive, read_body
from hallway.api.cors import Origins
from hallway.api.front import Page
from hallway.api.large_results import pour
from hallway.api.operations.base import Edited, Operation
from hallway.api.operations.large_results import Flow
from hallway.api.operations.locking import GIVEN, revision_of
from hallway.api.pimatic.answers import (
    CHALLENGE,
    VARY,
    Envelopes,
    Poured,
    Reply,
    Send,
    failure,
    flowed,
    page,
    send_reply,
    tagged,
)
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.gathering import gather
from hallway.api.pimatic.login import LOGIN, LOGOUT, log_in, log_out
from hallway.api.pimatic.query import decoded, parse
from hallway.api.pimatic.request import Request, read_body_data, read_request
from hallway.api.protocol import MAX_AT_ONCE
from hallway.api.router import ANYTHING, Router
from hallway.errors import HallwayError, Unavailable
from hallway.home.revisions import BeingMended
from hallway.home.values import Attributes

REVISION: Final = b"x-hallway-revision"
_PARAMETER: Final = re.compile(r"\{[^}]*\}")


class _Routed(msgspec.Struct, frozen=True, gc=False):
    """An operation at a path, and the names of what stands in the path."""

    operation: Operation
    names: tuple[str, ...]


class _Found(msgspec.Struct, frozen=True, gc=False):
    """An operation with the parameters that stand in the path."""

    operation: Operation
    path: dict[str, str]


_Methods = dict[str, _Routed]


class PimaticDoor:
    """An ASGI app for the paths of pimatic. documents: pages for who is known, by path."""

    def __init__(
        self,
        calls: Calls,
        entrance: Entrance,
        max_body: int,
        origins: Origins | None = None,
        documents: Mapping[str, Page] | None = None,
    ) -> None:
        self._calls = calls
        self._envelopes = Envelopes()
        self._entrance = entrance
        self._max_body = max_body
        self._origins = origins or Origins()
        self._documents = {path.rstrip("/").lower(): found for path, found in (documents or {}).items()}
        self._routes: Router[_Methods] = Router(ANYTHING, loose=True)
        for operation in calls.operations:
            if operation.route:
                self._add(operation)

    def _add(self, operation: Operation) -> None:
        names = tuple(name[1:-1] for name in _PARAMETER.findall(operation.route))
        # what a parameter is called does not make it another route
        shape = _PARAMETER.sub("{}", operation.route).lower()
        methods = self._routes.at(shape) or {}
        methods |= dict.fromkeys(operation.methods, _Routed(operation, names))
        self._routes.add(shape, methods)

    def has(self, path: str) -> bool:
        """Whether there is anything at that path."""
        return self._routes.find(path) is not None or _is_of_login(path) or self._document(path) is not None

    @property
    def is_open(self) -> bool:
        """Whether anybody could come in: there are people, or nobody has to log in."""
        people = self._entrance.people
        return len(people) > 0 or not people.enabled

    # ------------------------------------------------------------------ of the front

    def at_once(  # noqa: PLR0911 - each is a reason to wait
        self, scope: dict[str, Any], body: bytes
    ) -> Reply | Pending | None:
        """The whole answer, unless something has to be waited for before anything is done; then nothing is yet.

        That of an edit is pending: it has been made, and is on its way to the disk.
        """
        request = read_request(scope)
        if _is_of_login(request.path):
            return None
        if self._is_preflight(request):
            return self._preflight(request)
        visit = self._entrance.known(request.get(b"authorization"), request.get(b"cookie"))
        if visit is None:
            return None
        caller = visit.caller
        try:
            if caller is None:
                reply = self._stranger(request)
            else:
                found = self._find(request)
                if isinstance(found, Reply):
                    reply = found
                elif not found.operation.at_once(self._calls.hub):
                    return None
                else:
                    arguments = self._arguments_at_once(found, request, body, caller)
                    result = self._calls.start(found.operation, arguments, caller)
                    if isinstance(result, Edited):
                        reply = self._envelope(found.operation, arguments, result.result)
                        return self._pending(result, reply, request, visit)
                    reply = self._envelope(found.operation, arguments, result)
        except HallwayError as error:
            if isinstance(error, BeingMended):
                return None  # nothing was done, and it may be waited for
            reply = failure(error)
        return self._finished(reply, request, visit)

    def _pending(self, edited: Edited, reply: Reply, request: Request, visit: Visit) -> Pending:
        def refused(error: HallwayError) -> Reply:
            return self._finished(failure(error), request, visit)

        return Pending(self._finished(reply, request, visit), edited.then, refused)

    def _envelope(self, operation: Operation, arguments: Attributes, result: object) -> Reply:
        """A result, and at which revision the thing is that it tells of, unless nobody knows that just now.

        What was done is told as done, whatever else cannot be read.
        """
        reply = self._envelopes.of(operation, result)
        if operation.about is not None and reply.status == 200:  # noqa: PLR2004 - it is there
            number = None
            with suppress(Unavailable):
                number = revision_of(self._calls.hub, operation.about, arguments)
            if number is not None:
                reply.headers.append((REVISION, b"%d" % number))
        return reply

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request = read_request(scope)
        visit = STRANGER
        try:
            if self._is_preflight(request):
                reply = self._preflight(request)
            elif request.path == LOGIN:
                reply = await self._log_in(request, receive)
            else:
                visit = await self._entrance.check(
                    request.get(b"authorization"), request.get(b"cookie"), request.address
                )
                if visit.caller is not None and _loose(request.path) == LOGIN:
                    # otherwise written than `/login` it is a path like all others, for those who are known already
                    visit, reply = STRANGER, await self._log_in(request, receive)
                else:
                    reply = await self._answer(request, visit, receive)
        except HallwayError as error:
            reply = failure(error)
        except GoneAway:
            return
        finished = self._finished(reply, request, visit)
        if isinstance(finished, Poured) and finished.begun is not None:
            await pour(finished.begun, scope, send, finished.headers)
        else:
            await send_reply(send, finished, request.sent)

    # ------------------------------------------------------------------ the steps

    async def _answer(self, request: Request, visit: Visit, receive: Receive) -> Reply:
        caller = visit.caller
        if caller is None:
            return self._stranger(request)
        if _loose(request.path) == LOGOUT and request.method == "GET":
            return await log_out(self._entrance, request.get(b"cookie"))
        found = self._find(request)
        if isinstance(found, Reply):
            return found
        self._allow(found, request, caller)
        body = await read_body(receive, request.length, self._max_body) if request.has_body else b""
        data = await self._body_data(request, body)
        arguments = _matching(found.operation, request, gather(found.operation, found.path, _query_of(request), data))
        result = await self._calls.begun(found.operation, arguments, caller)
        if isinstance(result, Flow):
            return await flowed(result)
        if isinstance(result, Edited):
            # others may edit it while it is on its way to the disk, and theirs is another revision
            reply = self._envelope(found.operation, arguments, result.result)
            await result
            return reply
        return self._envelope(found.operation, arguments, result)

    def _arguments_at_once(self, found: _Found, request: Request, body: bytes, caller: Caller) -> Attributes:
        self._allow(found, request, caller)
        query: Attributes = _query_of(request) if request.query else {}
        data = read_body_data(request.head, body) if body else None
        return _matching(found.operation, request, gather(found.operation, found.path, query, data))

    def _allow(self, found: _Found, request: Request, caller: Caller) -> None:
        """Forbidden: the caller may not, or it is a page from elsewhere that asks."""
        origin = request.get(b"origin")
        if origin:
            self._origins.check(origin, request.get(b"host"))
        self._calls.allow(found.operation, caller)

    async def _log_in(self, request: Request, receive: Receive) -> Reply:
        if request.method != "POST":
            return _nothing_at(request)
        self._origins.check(request.get(b"origin"), request.get(b"host"))
        body = await read_body(receive, request.length, MAX_AT_ONCE) if request.has_body else b""
        return await log_in(self._entrance, read_body_data(request.head, body), request.address)

    async def _body_data(self, request: Request, body: bytes) -> Attributes:
        if len(body) > MAX_AT_ONCE:
            return await asyncio.to_thread(read_body_data, request.head, body)
        return read_body_data(request.head, body) if body else {}

    def _find(self, request: Request) -> _Found | Reply:
        """The operation at the path for the method, or an answer that needs none."""
        found = self._routes.find(request.path)
        if found is None:
            document = self._document(request.path)
            if document is None or request.method != "GET":
                return _nothing_at(request)
            headers = [(b"content-security-policy", document.policy.encode())]
            return Reply(200, document.content(), headers, b"content-type: %b\r\n" % document.content_type.encode())
        methods, values = found
        if request.method == "OPTIONS":
            allowed = ",".join(methods)
            return page(200, allowed, [(b"allow", allowed.encode())])
        routed = methods.get(request.method)
        if routed is None:
            return _nothing_at(request)
        if not values:
            return _Found(routed.operation, {})
        texts = [decoded(value.encode("latin-1")) if "%" in value else value for value in values]
        return _Found(routed.operation, dict(zip(routed.names, texts, strict=True)))

    def _document(self, path: str) -> Page | None:
        return self._documents.get(path.rstrip("/").lower()) if self._documents else None

    def _is_preflight(self, request: Request) -> bool:
        """Whether a browser wants to know beforehand what a page of an allowed origin may ask."""
        return request.method == "OPTIONS" and self._origins.is_allowed(request.get(b"origin"))

    def _preflight(self, request: Request) -> Reply:
        return Reply(204, b"", self._origins.preflight(request.get(b"origin")), b"")

    def _stranger(self, request: Request) -> Reply:
        """Nobody that we know."""
        reply = page(401, "Unauthorized", [CHALLENGE])
        value, signature = values_in(request.get(b"cookie"))
        if value and signature:
            # a signature that does not count any more is not worth sending again
            reply.headers.append((b"set-cookie", CLEARED[1]))
        return reply

    def _finished(self, reply: Reply, request: Request, visit: Visit) -> Reply:
        """The answer with what goes along with every answer: session, entity tag, for whom it may be kept."""
        self._add_session(reply, request, visit)
        if request.sent == "POST":
            reply.headers.append(VARY)
        origin = request.get(b"origin")
        if origin and reply.status != 204:  # noqa: PLR2004 - a preflight holds these already
            reply.headers += self._origins.headers(origin)
        return reply if isinstance(reply, Poured) else tagged(reply, request.get(b"if-none-match"))

    def _add_session(self, reply: Reply, request: Request, visit: Visit) -> None:
        if visit.caller is None or reply.status == 401:  # noqa: PLR2004 - who is told to log in has no session
            return
        if visit.session is not None:
            values = self._entrance.cookies.renewed(visit.session)
        elif self._entrance.people.enabled or NAME + b"=" not in request.get(b"cookie"):
            values = self._entrance.cookies.shared(visit.caller)
        else:
            return
        if values is not None:
            reply.headers += [(b"set-cookie", value) for value in values]


def _loose(path: str) -> str:
    """The path as routes are compared: in lower case, and a `/` at the end says nothing."""
    return path.removesuffix("/").lower()


def _is_of_login(path: str) -> bool:
    return _loose(path) in (LOGIN, LOGOUT)


def _query_of(request: Request) -> Attributes:
    return parse(request.query) if request.query else {}


def _matching(operation: Operation, request: Request, arguments: Attributes) -> Attributes:
    """An edit may say in a header at which revision its thing was seen; `*`: at any."""
    match = request.get(b"if-match").strip()
    if match and match != b"*" and operation.about is not None and request.method != "GET":
        arguments[GIVEN] = match.decode("latin-1")
    return arguments


def _nothing_at(request: Request) -> Reply:
    return page(404, f"There is nothing at {request.sent} {request.path[:100]}; GET /api lists what there is.")
