"""One HTTP connection: uvicorn's protocol with limits, and with errors that say what is wrong in JSON.

Too many connections, too long a head, too slow a request and what is not HTTP are answered and closed here, before any
operation hears of them. A connection that is to speak something else from now on (a websocket) is handed over. It must
not know routes or operations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hallway.api.answer import Answer, Pending, error_answer
from hallway.api.waiting import Waiting

MAX_HEAD = 64 * 1024
MAX_AT_ONCE = 64 * 1024
"""A request with a larger body is read and answered in a task of its own."""
CONNECTION = "connection"
"""Where the `state` of a request's scope has its connection, for those who push to it."""


AtOnce = Callable[[dict[str, Any], bytes], Answer | Pending | None]
"""The scope and body of a request → its answer, one that has to wait until it may be told, or None: ask the app."""


class Upgraded(Protocol):
    """What a connection speaks after HTTP."""

    def received(self, data: bytes) -> None:
        """Bytes came in."""
        ...


Upgrade = Callable[[dict[str, Any], "Connection"], Upgraded | None]
"""The scope of a request for an upgrade → what is spoken from now on (it has answered), or None: nothing else."""


class Limits:
    """What connections share: how many there may be, how long a request may take to arrive, who answers at once."""

    def __init__(
        self, max_connections: int, request_timeout: float, at_once: AtOnce, upgrade: Upgrade | None = None
    ) -> None:
        self.max_connections = max_connections
        self.sweeps_allowed = max(1, round(request_timeout))
        self.at_once = at_once
        self.upgrade = upgrade
        self.head = b""


def _is_small(length: bytes) -> bool:
    """Whether a Content-Length says that the body can be waited for."""
    return len(length) <= len(str(MAX_AT_ONCE)) and length.isdigit() and int(length) <= MAX_AT_ONCE


def last_answer(status: int, sentence: str, more: bytes = b"") -> bytes:
    """The bytes of an answer after which the connection is closed."""
    return error_answer(status, sentence).wire("GET", b"connection: close\r\n" + more)


class Connection(HttpToolsProtocol):
    """A connection that is being served, or refused."""

    def __init__(self, limits: Limits, config: Config, state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(config, state, {CONNECTION: self}, loop)
        self._limits = limits
        self._refused = False
        self._receiving = True
        self._in_head = True
        self._head_size = 0
        self._large_read = False
        self._sweeps = 0
        self._small_body: bytes | None = None
        self._open_cycles: list[RequestResponseCycle | Waiting] = []
        self._on_writable: Callable[[], None] | None = None
        self._upgraded: Upgraded | None = None

    # ------------------------------------------------------------------ of asyncio

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self._limits.max_connections:
            self._refused = True
            self.transport = transport
            sentence = f"the hub serves {self._limits.max_connections} connections already; try again later"
            transport.write(last_answer(503, sentence, b"retry-after: 5\r\n"))
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._refused:
            super().connection_lost(exc)
            self._forget_answers()
            self.resume_pushing()

    def data_received(self, data: bytes) -> None:
        if self._refused or self.transport.is_closing():
            return
        if self._upgraded is not None:
            self._upgraded.received(data)
            return
        self._unset_keepalive_if_required()
        self._large_read = len(data) > MAX_HEAD
        if self._in_head:
            self._head_size += len(data)
        if not self._feed(data):
            return
        if self._in_head and self._head_size > MAX_HEAD:
            self._refuse_head()
        elif not self._receiving and self.timeout_keep_alive_task is None and self._may_answer:
            # what came between two requests (line breaks) begins the next one, which has to arrive in time
            self._receiving, self._sweeps = True, 0

    def _feed(self, data: bytes) -> bool:
        """Let the parser read; whether this goes on being HTTP.

        Where the parser stops because the other side would like to upgrade, and nobody takes it up, it reads on
        without that.
        """
        pieces: list[bytes | memoryview] = [data]
        while pieces:
            piece = pieces.pop(0)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as stopped:
                if self.parser.get_method() == b"CONNECT":
                    self.send_400_response("This is no proxy.")
                    return True
                rest = memoryview(piece)[stopped.args[0] :]
                if self._hand_over(bytes(rest)):
                    return False
                pieces = [self._head_without_upgrade(), rest]
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
                return True
        return True

    def _hand_over(self, more: bytes) -> bool:
        """Speak something else from now on, if somebody wants to and no answer is due; more: what came already."""
        if self._limits.upgrade is None or not self._may_answer or self._exact_head_size() > MAX_HEAD:
            return False
        try:
            self._upgraded = self._limits.upgrade(self._scope_of_request(), self)
        except httptools.HttpParserError:
            return False
        if self._upgraded is None:
            return False
        self._receiving = self._in_head = False
        if more:
            self.data_received(more)
        return True

    def _head_without_upgrade(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _refuse_head(self) -> None:
        self._end(last_answer(431, f"address and headers may have {MAX_HEAD} bytes together"))

    def eof_received(self) -> bool:  # type: ignore[override]
        """The other side has said all it wants to. Whether the connection stays: until the answer under way is out.

        An answer that has begun and is not complete is a stream, and nobody may be there to read it.
        """
        pushing = self._on_writable is not None
        if self._refused or self._receiving or self._may_answer or self.cycle.response_started or pushing:
            return False
        self.cycle.keep_alive = False
        return True

    def resume_writing(self) -> None:
        super().resume_writing()
        self.resume_pushing()

    # ------------------------------------------------------------------ of the parser

    def on_message_begin(self) -> None:
        self._receiving = self._in_head = True
        self._sweeps = self._head_size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_head = False
        if (self._head_size or self._large_read) and self._exact_head_size() > MAX_HEAD:
            self._refuse_head()
            raise ValueError("the head is too long")
        if self._can_wait_for_body():
            self._small_body = b""
        else:
            self._open_cycle()

    def _open_cycle(self) -> None:
        """Let the app answer. With pipelining there are several of these, and uvicorn itself knows the newest only."""
        self._unset_keepalive_if_required()
        super().on_headers_complete()
        self._open_cycles = [cycle for cycle in self._open_cycles if not cycle.response_complete] + [self.cycle]

    def _can_wait_for_body(self) -> bool:
        """Whether the request can be looked at once it is here as a whole: small, and nothing before it is open.

        Not while answers pile up because the other side does not read them: the next one has to wait for that.
        """
        if self.expect_100_continue or self.flow.write_paused or not self._may_answer:
            return False
        for name, value in self.headers:
            if name == b"transfer-encoding" or (name == b"content-length" and not _is_small(value)):
                return False
        return True

    def on_body(self, body: bytes) -> None:
        if self._small_body is None:
            super().on_body(body)
        else:
            self._small_body += body

    @property
    def is_answering(self) -> bool:
        """Whether somebody waits for an answer."""
        return not self._may_answer

    @property
    def _may_answer(self) -> bool:
        """Whether no request is waiting for its answer."""
        cycle = self._present_cycle
        return cycle is None or cycle.response_complete

    def _exact_head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._receiving = False
        body, self._small_body = self._small_body, None
        if body is None:
            super().on_message_complete()
        elif not self._answer_at_once(body):
            self._open_cycle()
            super().on_body(body)
            super().on_message_complete()

    def _answer_at_once(self, body: bytes) -> bool:
        scope = self._scope_of_request()
        answer = self._limits.at_once(scope, body)
        if answer is None:
            return False
        if isinstance(answer, Pending):
            self._wait(answer, scope["method"])
        else:
            self._tell(answer, scope["method"], self.parser.should_keep_alive())
        return True

    def _wait(self, pending: Pending, method: str) -> None:
        """Let the answer be told once it may be; what comes meanwhile has to queue up behind it."""
        self._unset_keepalive_if_required()
        waiting = Waiting(pending, method, self.parser.should_keep_alive(), self._tell)
        self.cycle = cast("RequestResponseCycle", waiting)
        self._open_cycles = [waiting]
        pending.wait(waiting)

    def _tell(self, answer: Answer, method: str, keep: bool) -> None:
        head = self._limits.head if keep else self._limits.head + b"connection: close\r\n"
        self.transport.write(answer.wire(method, head))
        if keep:
            self.on_response_complete()
        else:
            self.transport.close()

    def _scope_of_request(self) -> dict[str, Any]:
        scope = cast("dict[str, Any]", self.scope)
        scope["method"] = self.parser.get_method().decode("ascii")
        target = httptools.parse_url(self.url)
        scope["raw_path"] = target.path or b"/"
        scope["query_string"] = target.query or b""
        return scope

    def send_400_response(self, msg: str) -> None:
        self._end(last_answer(400, f"This is not an HTTP request that can be read. {msg}"))

    # ------------------------------------------------------------------ for the server

    def sweep(self) -> None:
        """To be called every second: ends a connection whose request does not arrive."""
        if not self._receiving or self.flow.read_paused:
            return
        self._sweeps += 1
        if self._sweeps <= self._limits.sweeps_allowed or self.transport.is_closing():
            return
        cycle = self._present_cycle
        answered = cycle is not None and cycle.response_started
        sentence = f"the request did not arrive within {self._limits.sweeps_allowed} seconds"
        self._end(b"" if answered else last_answer(408, sentence))

    @property
    def _present_cycle(self) -> RequestResponseCycle | None:
        """The request being answered; none before the first."""
        return self.cycle

    def _end(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
        self._forget_answers()

    def _forget_answers(self) -> None:
        """Nobody is there for the answers under way: what is sent of them from now on goes nowhere."""
        for cycle in self._open_cycles:
            cycle.disconnected = True
            cycle.message_event.set()
        self._open_cycles = []

    # ------------------------------------------------------------------ for those who push

    def push(self, data: bytes) -> None:
        """Write bytes of an answer that has begun; the caller frames them."""
        if not self.transport.is_closing():
            self.transport.write(data)

    @property
    def pushing_paused(self) -> bool:
        """Whether the other side does not keep up."""
        return bool(self.flow.write_paused)

    @property
    def gone(self) -> bool:
        """Whether nobody is there any more."""
        return self.transport.is_closing()

    def on_writable(self, callback: Callable[[], None] | None) -> None:
        """Be called when the other side has caught up, or is gone."""
        self._on_writable = callback

    def resume_pushing(self) -> None:
        if self._on_writable is not None:
            self._on_writable()

    def close(self) -> None:
        """End the connection once everything written is on its way; a request that was being answered is answered."""
        self._forget_answers()
        if not self.transport.is_closing():
            self.transport.close()

    def abort(self) -> None:
        """End the connection now; what waits to be sent is dropped, and so is the rest of an answer that has begun."""
        self._forget_answers()
        self.transport.abort()


def connection_of(scope: dict[str, Any]) -> Connection:
    """The connection that a request came over."""
    connection: Connection = scope["state"][CONNECTION]
    return connection
