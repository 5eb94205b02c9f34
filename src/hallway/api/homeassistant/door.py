"""The door itself: request → operation → answer, with the checks in the order of the original.

JSON (422), path (404), method (405), credential (401), permission (401), operation. Every answer of an operation to a
call without a live session opens one. It must not know what operations do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, Final, cast

import msgspec

from hallway.access.callers import Caller
from hallway.access.entrance import STRANGER, Entrance, Visit
from hallway.access.gate import DOOR, Gate
from hallway.api.answer import Answer, Headers, error_answer
from hallway.api.bodies import GoneAway, Receive, read_body
from hallway.api.homeassistant.answers import Send, Writer, send_answer
from hallway.api.homeassistant.request import (
    METHOD,
    PASSWORD,
    Head,
    hops_in,
    is_same_origin,
    read_data,
    read_head,
    read_query,
    session_in,
)
from hallway.api.large_results import begin, pour
from hallway.api.operations.base import Ask, Hub, Operation, Result
from hallway.api.operations.homeassistant import Stream
from hallway.api.operations.homeassistant_table import OPERATIONS
from hallway.api.operations.large_results import Flow
from hallway.api.protocol import MAX_AT_ONCE, connection_of
from hallway.api.router import Router
from hallway.api.stream import Streams, as_it_is
from hallway.errors import Forbidden, HallwayError, NotAllowed
from hallway.home.changes import Context
from hallway.home.values import Attributes, encode

UNAUTHORIZED = "API password missing or incorrect."
KEEPS_PASSWORD = frozenset({"forward_events"})
"""Operations whose data has an api_password of their own: the other hub's."""
OLD_EVENT_STREAM: Final = b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\r\n"
"""For clients of HTTP/1.0, which know no chunks: the stream ends with the connection."""
EVENT_STREAM: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"transfer-encoding", b"chunked"),
)

Methods = dict[str, Operation]


class HomeAssistantDoor:
    """An ASGI app for the paths below /api that this API has. entrance: where people log in, who may use it too."""

    def __init__(self, hub: Hub, gate: Gate, streams: Streams, max_body: int, entrance: Entrance | None = None) -> None:
        self._hub = hub
        self._gate = gate
        self._streams = streams
        self._max_body = max_body
        self._entrance = entrance
        self._writer = Writer()
        self._routes: Router[Methods] = Router()
        self._cookies: dict[str, tuple[str, tuple[bytes, bytes]]] = {}
        for operation in OPERATIONS:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        found = self._routes.at(operation.route)
        methods: Methods = found if found is not None else {}
        methods |= dict.fromkeys(operation.methods, operation)
        patterns = [
            str(p.schema["pattern"]) for p in operation.parameters if p.where == "path" and "pattern" in p.schema
        ]
        word = re.compile(patterns[0]) if patterns else None
        self._routes.add(operation.route, methods, open_ended=operation.open_ended, word=word)
        if operation.route == "/api/":
            self._routes.add("/api", methods)

    def has(self, path: str) -> bool:
        """Whether there is anything at that path."""
        return self._routes.find(path) is not None

    def at_once(self, scope: dict[str, Any], body: bytes) -> Answer | None:
        """The whole answer, unless something has to be waited for; then nothing has happened yet."""
        head = read_head(scope["headers"])
        try:
            query: bytes = scope["query_string"]
            data = read_data(query, body) if query or body else {}
            found = self._find(scope, data)
            if isinstance(found, Answer):
                return found
            operation, parameters = found
            if not operation.at_once(self._hub):
                return None
            session, known, credential = self._known_caller(head, data)
            if known is None and self._has_to_wait(credential, head):
                return None
            if known is None and credential:
                self._gate.note_wrong()
            caller = self._allowed(operation, head, known, credential)
        except HallwayError as error:
            return error_answer(error.status, error.message)
        try:
            result = operation.handler(self._hub, _ask(operation, parameters, head, data, caller))
            answer = self._writer.write(operation.result, result)
        except HallwayError as error:
            answer = error_answer(error.status, error.message)
        return self._with_session(answer, session, caller)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            head = read_head(scope["headers"])
            query: bytes = scope["query_string"]
            body = await self._read(receive, head, scope) if head.length or head.chunked else b""
            if len(body) > MAX_AT_ONCE:
                data = await asyncio.to_thread(read_data, query, body)
            else:
                data = read_data(query, body) if query or body else {}
            found = self._find(scope, data)
            answer = found if isinstance(found, Answer) else await self._use(*found, head, data, scope, send)
        except HallwayError as error:
            answer = error_answer(error.status, error.message)
        except GoneAway:
            return
        if answer is not None:
            await send_answer(send, answer, scope["method"])

    async def _use(
        self,
        operation: Operation,
        parameters: tuple[str, ...],
        head: Head,
        data: Attributes,
        scope: dict[str, Any],
        send: Send,
    ) -> Answer | None:
        """Let a caller who may use the operation; None when the answer went out already."""
        session, known, credential = self._known_caller(head, data)
        if known is None and credential:
            known = await self._gate.check(credential)
        elif known is None:
            known = session = await self._checked_person(head, scope)
        caller = self._allowed(operation, head, known, credential)
        ask = _ask(operation, parameters, head, data, caller)
        if operation.result == "stream":
            return await self._stream(operation, ask, scope, send)
        try:
            result: Result = operation.handler(self._hub, ask)
            if result.__class__ is CoroutineType:
                result = await cast("Coroutine[None, None, Result]", result)
            flow = self._writer.flow(result)
            if flow is not None:
                return await self._flow(flow, scope, send, [] if session else [self._session_cookie(caller)])
            answer = self._writer.write(operation.result, result)
        except HallwayError as error:
            answer = error_answer(error.status, error.message)
        return self._with_session(answer, session, caller)

    async def _flow(self, flow: Flow, scope: dict[str, Any], send: Send, cookies: Headers) -> Answer | None:
        """A result that comes in pieces: a small one as any other, a large one as fast as it is read."""
        begun = await begin(flow)
        if begun.rest is None:
            return Answer(200, begun.first, cookies)
        await pour(begun, scope, send, cookies)
        return None

    async def _read(self, receive: Receive, head: Head, scope: dict[str, Any]) -> bytes:
        """The body. A large one is read only of those whose credential stands before it, and is right."""
        limit = self._max_body
        if head.chunked or head.length > MAX_AT_ONCE:
            _session, known, credential = self._known_caller(head, read_query(scope["query_string"]))
            if known is None and credential:
                known = await self._gate.check(credential)
            elif known is None:
                known = await self._checked_person(head, scope)
            if known is None:
                limit = min(limit, MAX_AT_ONCE)
        return await read_body(receive, head.length, limit)

    # ------------------------------------------------------------------ the steps

    def _find(self, scope: dict[str, Any], data: Attributes) -> tuple[Operation, tuple[str, ...]] | Answer:
        """The operation at the path, for the method that is asked for, and the parameters in the path."""
        path: str = scope["raw_path"].decode("ascii")
        found = self._routes.find(path)
        if found is None:
            return error_answer(404, f"there is nothing at {path[:100]}; GET /api/openapi.json lists what there is")
        asked = data.pop(METHOD, scope["method"]) if data else scope["method"]
        operation = found[0].get(asked) if isinstance(asked, str) else None
        if operation is None:
            allowed = ", ".join(found[0])
            return error_answer(405, f"{path[:100]} takes {allowed}", [(b"allow", allowed.encode())])
        return operation, found[1]

    def _known_caller(self, head: Head, data: Attributes) -> tuple[Caller | None, Caller | None, bytes]:
        """Whose session it is, who is calling, and by which credential: the first that is there decides."""
        session = self._gate.sessions.caller(session_in(head.cookie)) if head.cookie else None
        credential = head.password or _password_in(data)
        if credential:
            return session, self._gate.known(credential), credential
        caller = session or self._gate.guest
        if caller is None:
            # people have sessions of their own, so there is none to be opened for them here
            session = caller = self._person(head)
        return session, caller, credential

    def _has_to_wait(self, credential: bytes, head: Head) -> bool:
        """Whether a credential that is not known has to be checked, or its sender to be slowed down."""
        if credential:
            return self._gate.is_slowed or not self._gate.is_known_wrong(credential)
        return bool(head.authorization) and self._visit(head) is None

    def _visit(self, head: Head) -> Visit | None:
        """Who came as a person; None: their password has to be checked first."""
        entrance = self._entrance
        if entrance is None or not entrance.people.enabled or not (head.authorization or head.cookie):
            return STRANGER
        return entrance.known(head.authorization, head.cookie)

    def _person(self, head: Head) -> Caller | None:
        visit = self._visit(head)
        return None if visit is None or visit.caller is None else _at_this_door(visit.caller)

    async def _checked_person(self, head: Head, scope: dict[str, Any]) -> Caller | None:
        if self._entrance is None or self._visit(head) is not None:
            return None
        visit = await self._entrance.check(head.authorization, head.cookie, (scope.get("client") or ("",))[0])
        return None if visit.caller is None else _at_this_door(visit.caller)

    def _allowed(self, operation: Operation, head: Head, caller: Caller | None, credential: bytes) -> Caller:
        """The caller, who may use the operation. NotAllowed: not so; Forbidden: a page of somebody else asks."""
        if caller is None or not (caller.may(operation.permission) or caller.role):
            raise NotAllowed(UNAUTHORIZED)
        if not caller.may(operation.permission):
            raise Forbidden(f"this needs the permission {operation.permission}, which the role {caller.role} has not")
        if head.origin and not credential and not is_same_origin(head):
            raise Forbidden("a page of another site asks this of your browser: send the password along, or open ours")
        return caller

    def _with_session(self, answer: Answer, session: Caller | None, caller: Caller) -> Answer:
        """Open a session with the answer to a call that had none."""
        if session is None:
            answer.headers.append(self._session_cookie(caller))
        return answer

    async def _stream(self, operation: Operation, ask: Ask, scope: dict[str, Any], send: Send) -> Answer | None:
        wanted = cast("Stream", operation.handler(self._hub, ask))
        connection, counts = connection_of(scope), self._still_counts(ask.caller)
        if scope["http_version"] == "1.0":
            connection.push(OLD_EVENT_STREAM)
            await self._streams.serve(connection, wanted.only, as_it_is, wanted.hears, counts)
            connection.close()
            return None
        await send({"type": "http.response.start", "status": 200, "headers": EVENT_STREAM})
        await self._streams.serve(connection, wanted.only, hears=wanted.hears, counts=counts)
        await send({"type": "http.response.body", "body": b""})
        return None

    def _still_counts(self, caller: Caller) -> Callable[[], bool] | None:
        """Whether somebody with a role still is who they are now; None for those who have none."""
        if self._entrance is None or not caller.role:
            return None
        people = self._entrance.people
        stamp = people.stamp(caller.name)

        def counts() -> bool:
            now = people.caller(caller.name) if people.enabled else people.nobody
            return now is not None and now.permissions == caller.permissions and people.stamp(now.name) == stamp

        return counts

    def _session_cookie(self, caller: Caller) -> tuple[bytes, bytes]:
        session_id = self._gate.sessions.id_for(caller)
        known = self._cookies.get(caller.name)
        if known is None or known[0] != session_id:
            cookie = b"sessionId=" + session_id.encode() + b"; Path=/; HttpOnly; SameSite=Strict"
            known = self._cookies[caller.name] = (session_id, (b"set-cookie", cookie))
        return known[1]


def _ask(operation: Operation, parameters: tuple[str, ...], head: Head, data: Attributes, caller: Caller) -> Ask:
    """What the operation gets to see."""
    if data and operation.name not in KEEPS_PASSWORD:
        data.pop(PASSWORD, None)
    return Ask(parameters, data, _passed(caller, head.hops) if head.hops else caller)


def _at_this_door(person: Caller) -> Caller:
    """Somebody who logged in, as they are here: what they do came through this door."""
    return msgspec.structs.replace(person, context=Context(DOOR, user=person.name))


def _password_in(data: Attributes) -> bytes:
    """The password among the data; one that is no text is a credential all the same, and lets nobody in."""
    password = data.get(PASSWORD) if data else None
    if isinstance(password, str):
        return password.encode("utf-8", "replace")
    return b"" if not password else encode(password)


def _passed(caller: Caller, hops: bytes) -> Caller:
    context = msgspec.structs.replace(caller.context, hops=hops_in(hops))
    return msgspec.structs.replace(caller, context=context)
