"""Engine.IO over HTTP: opening a session, long polls, posts, and connections that become websockets.

Errors are what clients of this transport expect: 400 with a code. It must not know what the messages mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from hallway.api.engineio.engine import OLD, Engine
from hallway.api.engineio.handshake import LARGE_MESSAGE, SMALL_MESSAGE, accepted
from hallway.api.engineio.payloads import (
    counted,
    counted_in_binary,
    read_counted,
    read_counted_in_binary,
    read_separated,
    separated,
)
from hallway.api.engineio.session import NOTHING, Session
from hallway.api.protocol import Connection, Upgraded, connection_of, last_answer
from hallway.api.sockets import Handshake, Packet
from hallway.errors import HallwayError, InvalidInput, TooLarge

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PATHS: Final = frozenset((b"/socket.io/", b"/socket.io"))
MOST_PARAMETERS = 50
UNKNOWN_TRANSPORT, UNKNOWN_SESSION, BAD_METHOD, BAD_REQUEST = range(4)
PLAIN: Final = b"text/plain; charset=UTF-8"


class Refused(Exception):
    """A request that cannot be served."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class GoneAway(Exception):
    """Whoever asked is not there any more."""


class EngineDoor:
    """An ASGI app for the paths of PATHS, and what makes websockets of connections that ask for it there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def at_once(self, scope: Scope, body: bytes) -> None:
        """Nothing here is answered at once: polls wait."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = _query(scope)
        try:
            if scope["method"] == "OPTIONS":
                await _answer(send, scope, 204, PLAIN, b"", _PREFLIGHT)
                return
            media_type, body = await self._serve(scope, query, receive)
        except Refused as refused:
            said = orjson.dumps({"code": refused.code, "message": refused.message})
            await _answer(send, scope, refused.status, b"application/json", said)
        except GoneAway:
            return
        else:
            await _answer(send, scope, 200, media_type, body)

    async def _serve(self, scope: Scope, query: dict[str, str], receive: Receive) -> tuple[bytes, bytes]:
        method = scope["method"]
        _check_transport(query, "polling")
        if "sid" not in query:
            if method != "GET":
                raise Refused(BAD_METHOD, "a session is opened with GET")
            session = self._open(scope, query, lambda _session: None)
            return _payload(session, query, session.take())
        session = self._session(query)
        if not session.is_polling:
            raise Refused(BAD_REQUEST, "this session has moved to a websocket")
        if method == "GET":
            return _payload(session, query, await _poll(session, connection_of(scope)))
        if method == "POST":
            await _post(session, scope, receive)
            return b"text/html", b"ok"
        raise Refused(BAD_REQUEST, "this takes GET and POST")

    def _open(self, scope: Scope, query: dict[str, str], start: Callable[[Session], None]) -> Session:
        address = str(scope["client"][0]) if scope.get("client") else ""
        revision = 4 if query.get("EIO") == "4" else OLD
        try:
            return self._engine.open(Handshake(revision, query, scope["headers"], address), start)
        except HallwayError as error:
            raise Refused(BAD_REQUEST, error.message, error.status) from None

    def _session(self, query: dict[str, str]) -> Session:
        session = self._engine.find(query["sid"])
        if session is None:
            raise Refused(UNKNOWN_SESSION, "there is no session of this id: open a new one")
        return session

    def upgrade(self, scope: Scope, connection: Connection) -> Upgraded | None:
        """Make a websocket of a connection that asks for it here; None: it asks for something else."""
        if scope["raw_path"] not in PATHS or scope["method"] != "GET":
            return None
        query = _query(scope)
        try:
            _check_transport(query, "websocket")
            return self._websocket(scope, query, connection)
        except Refused as refused:
            connection.push(last_answer(refused.status, refused.message))
            connection.close()
            return _Deaf()

    def _websocket(self, scope: Scope, query: dict[str, str], connection: Connection) -> Upgraded:
        try:
            answer = accepted(scope["headers"])
        except InvalidInput as error:
            raise Refused(BAD_REQUEST, error.message) from None
        opened: list[Upgraded] = []

        def start(session: Session) -> None:
            connection.push(answer)
            opened.append(session.on_websocket(connection))

        if "sid" not in query:
            self._open(scope, query, start)
            return opened[0]
        session = self._session(query)
        if not session.may_be_probed:
            raise Refused(BAD_REQUEST, "this session has a websocket already")
        connection.push(answer)
        return session.probed_by(connection)


class _Deaf:
    """What a connection that was refused still says."""

    def received(self, data: bytes) -> None:
        """Nobody listens."""


def _query(scope: Scope) -> dict[str, str]:
    """The query; where a name stands twice, the first counts."""
    text = scope["query_string"].decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _check_transport(query: dict[str, str], wanted: str) -> None:
    transport = query.get("transport")
    if transport not in ("polling", "websocket"):
        raise Refused(UNKNOWN_TRANSPORT, "transport must be polling or websocket")
    if transport != wanted:
        raise Refused(BAD_REQUEST, f"this request is no {transport}")
    if "j" in query:
        raise Refused(BAD_REQUEST, "polling by scripts (JSONP) is not spoken here")


def _payload(session: Session, query: dict[str, str], packets: Sequence[Packet]) -> tuple[bytes, bytes]:
    """Packets as the client reads them: media type and body."""
    texts = [packet.text for packet in packets]
    if session.revision != OLD:
        return PLAIN, separated(texts)
    if query.get("b64"):
        return PLAIN, counted(texts)
    return b"application/octet-stream", counted_in_binary(texts)


async def _poll(session: Session, connection: Connection) -> Sequence[Packet]:
    """The packets of a long poll, once there are some. GoneAway: nobody waits any longer."""
    something = asyncio.Event()
    woken = something.set
    connection.on_writable(woken)
    session.poll(woken)
    try:
        while not connection.gone and session.polls(woken) and not session.has_something():
            something.clear()
            await something.wait()
        if connection.gone:
            raise GoneAway
        return session.take() if session.polls(woken) else [NOTHING]
    finally:
        session.forget_poll(woken)
        connection.on_writable(None)


async def _post(session: Session, scope: Scope, receive: Receive) -> None:
    """Packets come in. Whoever sends what cannot be read is let go: nobody knows what it missed."""
    try:
        body = await _body(receive, LARGE_MESSAGE if session.known else SMALL_MESSAGE)
        packets = _packets(session, scope, body)
    except HallwayError as error:
        session.end()
        raise Refused(BAD_REQUEST, error.message, error.status) from None
    for packet in packets:
        session.receive(packet)


def _packets(session: Session, scope: Scope, body: bytes) -> list[str]:
    media_type = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type == b"application/x-www-form-urlencoded":
        raise InvalidInput("forms are not taken: send the packets as text")
    if session.revision != OLD:
        return read_separated(body)
    if media_type == b"application/octet-stream" and body[:1] in (b"\x00", b"\x01"):
        return read_counted_in_binary(body)
    return read_counted(body)


async def _body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneAway
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(f"a body may have {limit} bytes")
        if not message.get("more_body"):
            return b"".join(parts)


_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"Content-Type, Authorization"),
)


async def _answer(
    send: Send, scope: Scope, status: int, media_type: bytes, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    headers: Headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), *_cors(scope), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _cors(scope: Scope) -> Headers:
    """Pages of other sites may talk to this; who they are is for who speaks with them to find out."""
    origin = dict(scope["headers"]).get(b"origin")
    if origin is None:
        return [(b"access-control-allow-origin", b"*")]
    return [(b"access-control-allow-credentials", b"true"), (b"access-control-allow-origin", origin)]
