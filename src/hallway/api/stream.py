"""Live events as Server-Sent Events: each is encoded and framed once, and the same bytes go to every client.

What happens within one turn of the loop is one write per client. A client that does not keep up costs a bounded queue
in which the last state of an entity takes the place of those before it; one that stays behind with other events is let
go, so that it starts over with the truth. It must not know doors, nor who may hear what.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from hallway.clock import Cancel, Clock
from hallway.home.bus import MATCH_ALL, TIME_CHANGED, Bus, Event
from hallway.home.changes import StateChange, Unsubscribe

log = logging.getLogger(__name__)

PING_EVERY = 50.0
MOST_WAITING = 1000
MOST_WAITING_BYTES = 8_000_000
PING = b"data: ping\n\n"
NOT_STREAMED = frozenset({TIME_CHANGED, "homeassistant_stop"})


class Line(Protocol):
    """The connection to a client."""

    @property
    def pushing_paused(self) -> bool: ...
    @property
    def gone(self) -> bool: ...
    def push(self, data: bytes) -> None: ...
    def on_writable(self, callback: Callable[[], None] | None) -> None: ...
    def abort(self) -> None: ...


def chunk(data: bytes) -> bytes:
    """Bytes as one chunk of a chunked HTTP answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def as_it_is(data: bytes) -> bytes:
    """The bytes themselves, for clients that know no chunks."""
    return data


class StreamClient:
    """One client: what it wants, how its bytes are framed, and what waits for it while it does not keep up.

    hears: whether it may hear of an event, None: of all; it is asked of every event, in order.
    """

    def __init__(
        self,
        line: Line,
        only: frozenset[str],
        frame: Callable[[bytes], bytes],
        on_end: Callable[[StreamClient], None],
        hears: Callable[[Event], bool] | None = None,
    ) -> None:
        self._line = line
        self._only = only
        self._hears = hears
        self.gets_all = not only and hears is None
        self.frame = frame
        self._on_end = on_end
        self._waiting: dict[str | int, bytes] = {}
        self._waiting_bytes = 0
        self._number = 0
        line.on_writable(self._writable)

    def wants(self, event: Event) -> bool:
        return (self._hears is None or self._hears(event)) and (not self._only or event.event_type in self._only)

    def send(self, framed: bytes, events: list[tuple[Event, bytes]]) -> None:
        """Push what happened; keep it, event by event, while the client is behind."""
        if self._line.gone:
            self.end()
        elif not self._waiting and not self._line.pushing_paused:
            self._line.push(framed)
        else:
            for event, message in events:
                self._keep(event, message)

    def _keep(self, event: Event, message: bytes) -> None:
        if isinstance(event.data, StateChange):
            key: str | int = event.data.entity_id
            self._waiting_bytes -= len(self._waiting.pop(key, b""))
        else:
            self._number += 1
            key = self._number
        self._waiting[key] = message
        self._waiting_bytes += len(message)
        if len(self._waiting) > MOST_WAITING or self._waiting_bytes > MOST_WAITING_BYTES:
            log.warning("a stream client stayed %d events behind and was let go", len(self._waiting))
            self._waiting.clear()
            self._line.abort()
            self.end()

    def _writable(self) -> None:
        if self._line.gone:
            self.end()
        elif self._waiting and not self._line.pushing_paused:
            messages, self._waiting, self._waiting_bytes = b"".join(self._waiting.values()), {}, 0
            self._line.push(self.frame(messages))

    def ping(self) -> None:
        if self._line.gone:
            self.end()
        elif not self._waiting and not self._line.pushing_paused:
            self._line.push(self.frame(PING))

    def end(self) -> None:
        """Nothing more will be pushed."""
        self._line.on_writable(None)
        self._on_end(self)


class Streams:
    """All stream clients. Listens to the bus only while there are any."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        encode: Callable[[Event], bytes],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._loop = loop
        self._encode = encode
        self._clients: dict[StreamClient, asyncio.Event] = {}
        self._counts: dict[StreamClient, Callable[[], bool]] = {}
        self._turn: list[tuple[Event, bytes]] = []
        self._unsubscribe: Unsubscribe = lambda: None
        self._cancel_ping: Cancel = lambda: None

    def __len__(self) -> int:
        return len(self._clients)

    async def serve(
        self,
        line: Line,
        only: frozenset[str],
        frame: Callable[[bytes], bytes] = chunk,
        hears: Callable[[Event], bool] | None = None,
        counts: Callable[[], bool] | None = None,
    ) -> None:
        """Push events to a client whose answer has begun, until one of both sides ends it.

        hears: which it may hear; counts: whether it still is who it was, asked by `look_again`.
        """
        ended = asyncio.Event()
        client = StreamClient(line, only, frame, self._forget, hears)
        if counts is not None:
            self._counts[client] = counts
        if not self._clients:
            self._unsubscribe = self._bus.listen(MATCH_ALL, self._take, self.__len__)
            self._cancel_ping = self._clock.call_later(PING_EVERY, self._ping)
        self._clients[client] = ended
        line.push(frame(PING))
        await ended.wait()

    def end_all(self) -> None:
        """The hub stops: each stream ends after what has happened so far."""
        self._flush()
        for client in list(self._clients):
            client.end()

    def look_again(self) -> None:
        """People or roles changed: streams of those who are not who they were end, with what has happened so far."""
        gone = [client for client, counts in self._counts.items() if not counts()]
        if gone:
            self._flush()
        for client in gone:
            client.end()

    def _forget(self, client: StreamClient) -> None:
        self._counts.pop(client, None)
        ended = self._clients.pop(client, None)
        if ended is None:
            return
        ended.set()
        if not self._clients:
            self._unsubscribe()
            self._cancel_ping()

    def _take(self, event: Event) -> None:
        if event.event_type in NOT_STREAMED:
            return
        if not self._turn:
            self._loop.call_soon(self._flush)
        self._turn.append((event, b"data: %b\n\n" % self._encode(event)))

    def _flush(self) -> None:
        events, self._turn = self._turn, []
        if not events:
            return
        whole = b"".join([message for _event, message in events])
        chunked = chunk(whole)
        for client in list(self._clients):
            if client.gets_all:
                client.send(chunked if client.frame is chunk else whole, events)
            else:
                self._send_wanted(client, events)

    def _send_wanted(self, client: StreamClient, events: list[tuple[Event, bytes]]) -> None:
        wanted = [(event, message) for event, message in events if client.wants(event)]
        if wanted:
            client.send(client.frame(b"".join([message for _event, message in wanted])), wanted)

    def _ping(self) -> None:
        for client in list(self._clients):
            client.ping()
        self._cancel_ping = self._clock.call_later(PING_EVERY, self._ping)
