"""A session: one client, however its messages travel just now, with what waits for it.

It starts with polling or on a websocket, may move from polling to a websocket once, and ends once. It must not know
HTTP, nor what the messages mean.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from hallway.api.engineio.handshake import Line
from hallway.api.engineio.waiting import Waiting
from hallway.api.sockets import Client, Packet
from hallway.clock import Cancel, Clock

if TYPE_CHECKING:
    from hallway.api.engineio.websocket import WebSocket

log = logging.getLogger(__name__)

PING_EVERY = 25.0
PING_TIMEOUT = 60.0
PROBE = "probe"
PROBE_TIMEOUT = 10.0
PROBE_PAUSE = 0.1
"""A poll that comes while a websocket is tried is kept that long, so that the client does not ask in a circle."""
CLOSE: Final = Packet(b"1")
PING: Final = Packet(b"2", "ping")
PONG: Final = Packet(b"3")
NOTHING: Final = Packet(b"6", "nothing")
Woken = Callable[[], None]


class Session:
    """One client. `client` is who speaks with it; on_end is called once."""

    def __init__(self, sid: str, revision: int, address: str, clock: Clock, on_end: Callable[[Session], None]) -> None:
        self.sid = sid
        self.revision = revision
        self.address = address
        self.known = False
        self.over = False
        self.client: Client | None = None
        self._clock = clock
        self._on_end = on_end
        self._heard = clock.monotonic()
        self._pinged = self._heard
        self._waiting = Waiting()
        self._poll: Woken | None = None
        self._socket: WebSocket | None = None
        self._probing: WebSocket | None = None
        self._probing_since = 0.0
        self._is_moving = False
        """Whether the websocket was heard of: nothing goes by polling until it is known how that ends."""
        self._poll_is_over = False
        self._cancel_pause: Cancel = lambda: None
        self._line: Line | None = None
        self._deaf = True
        """Whether the client knows nothing yet, or stayed too far behind: what is told to many is not for it."""
        self._to_be_greeted = False

    # ------------------------------------------------------------------ for who speaks with it

    def begin(self) -> None:
        self._deaf = self._to_be_greeted = True
        self._wake()

    def trust(self) -> None:
        self.known = True
        for socket in (self._socket, self._probing):
            if socket is not None:
                socket.take_larger_messages()

    def send(self, *packets: Packet, counted: bool = True) -> None:
        if self.over:
            return
        if self._line is not None and not self._waiting and not self._line.pushing_paused:
            self._line.push(_framed(packets))
        elif self._waiting.add_own(packets, counted=counted):
            self._wake()
        else:
            log.warning("a client that does not take its answers was let go")
            self.abort()

    def tell(self, packets: Sequence[Packet], frames: bytes) -> None:
        if self._deaf:
            return
        line = self._line
        if line is not None and not self._waiting and not line.pushing_paused:
            line.push(frames)
        elif self._waiting.add(packets):
            self._wake()
        else:
            self.begin()

    def end(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._end()

    # ------------------------------------------------------------------ for the transports

    @property
    def is_polling(self) -> bool:
        """Whether its messages travel by polling."""
        return self._socket is None

    def on_websocket(self, line: Line) -> WebSocket:
        """It speaks by websocket from the start."""
        self._socket = self._open(line)
        self._line = line
        return self._socket

    @property
    def may_be_probed(self) -> bool:
        """Whether it may try a websocket: it has none, and tries none."""
        return self._socket is None and self._probing is None

    def probed_by(self, line: Line) -> WebSocket:
        """It tries a websocket, and may move there."""
        self._probing = self._open(line)
        self._probing_since = self._clock.monotonic()
        return self._probing

    def _open(self, line: Line) -> WebSocket:
        from hallway.api.engineio.websocket import WebSocket  # noqa: PLC0415 - it takes two megabytes: with the first one

        socket = WebSocket(line, lambda text: self._heard_by(socket, text), self._wake, lambda: self._lost(socket))
        if self.known:
            socket.take_larger_messages()
        return socket

    def poll(self, woken: Woken) -> None:
        """Somebody waits for packets: called once there are some. Whoever waited before gets nothing."""
        previous, self._poll = self._poll, woken
        self._poll_is_over = False
        if previous is not None:
            previous()
        if self._is_moving:
            self._cancel_pause = self._clock.call_later(PROBE_PAUSE, self._end_poll)
        self._wake()

    def polls(self, woken: Woken) -> bool:
        """Whether that is who waits now."""
        return self._poll is woken

    def forget_poll(self, woken: Woken) -> None:
        """It does not wait any longer."""
        if self._poll is woken:
            self._poll = None

    def has_something(self) -> bool:
        """Whether a poll can be answered."""
        return self.over or self._poll_is_over or (bool(self._waiting) and not self._is_moving)

    def take(self) -> list[Packet]:
        """The packets for a poll."""
        if self._poll_is_over:
            return [NOTHING]
        packets = self._waiting.take()
        return [*packets, CLOSE] if self.over else packets

    def receive(self, packet: str) -> None:
        """A packet came in."""
        if self.over:
            return
        self._heard = self._clock.monotonic()
        kind = packet[:1]
        if kind == "4" and self.client is not None:
            self.client.received(packet[1:])
        elif kind == "2":
            self.send(PONG)
        elif kind == "1":
            self.end()
        elif kind not in ("3", "5", "6") or not kind:
            log.info("a client sent a packet of no known kind and was let go")
            self.end()

    def check(self, now: float) -> None:
        """To be called every second: lets a client go that is not heard of, and pings those that want it."""
        if now - self._heard > PING_EVERY + PING_TIMEOUT:
            self.abort()
        elif self.revision != 3 and now - self._pinged >= PING_EVERY:  # noqa: PLR2004 - clients of 3 ping themselves
            self._pinged = now
            self.send(PING)
        if self._probing is not None and now - self._probing_since > PROBE_TIMEOUT:
            self._probing.close()

    def abort(self) -> None:
        """End it without a word."""
        if self._socket is not None:
            self._socket.abort()
        self._end()

    # ------------------------------------------------------------------ inside

    def _heard_by(self, socket: WebSocket, text: str) -> None:
        if socket is self._socket:
            self.receive(text)
        elif text == f"2{PROBE}":
            self._heard = self._clock.monotonic()
            socket.send(b"3" + PROBE.encode())
            self._is_moving = True
            self._end_poll()
        elif text[:1] == "5":
            self._move_to(socket)
        else:
            socket.close()

    def _move_to(self, socket: WebSocket) -> None:
        """From now on everything goes by websocket."""
        self._heard = self._clock.monotonic()
        self._socket, self._probing, self._line = socket, None, socket.line
        self._is_moving = False
        self._end_poll()
        self._wake()

    def _lost(self, socket: WebSocket) -> None:
        if socket is self._probing:
            self._probing = None
            self._is_moving = False
            self._wake()
        elif socket is self._socket:
            self._end()

    def _wake(self) -> None:
        """Whoever waits for packets may get them."""
        if self._is_moving or self.over:
            return
        self._push()
        if self._to_be_greeted and self.client is not None and self._listens():
            self._to_be_greeted = False
            self.client.greet()
            self._deaf = False
        if self._line is None and self._waiting:
            self._wake_poll()

    def _listens(self) -> bool:
        """Whether what is said now reaches the client soon."""
        if self._line is not None:
            return not self._line.pushing_paused
        return self._poll is not None

    def _push(self) -> None:
        if self._line is not None and self._waiting and not self._line.pushing_paused:
            self._line.push(_framed(self._waiting.take()))

    def _wake_poll(self) -> None:
        if self._poll is not None:
            self._poll()

    def _end_poll(self) -> None:
        """Whoever waits gets nothing, for the messages go another way."""
        self._cancel_pause()
        if self._poll is not None:
            self._poll_is_over = True
            self._poll()

    def _end(self) -> None:
        if self.over:
            return
        self.over = True
        self._deaf = True
        if self._probing is not None:
            self._probing.close()
        self._cancel_pause()
        self._wake_poll()
        self._on_end(self)
        if self.client is not None:
            self.client.ended()


def _framed(packets: Sequence[Packet]) -> bytes:
    return packets[0].frame if len(packets) == 1 else b"".join([packet.frame for packet in packets])
