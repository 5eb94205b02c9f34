"""A websocket on a connection of ours: messages in, frames out.

Incoming frames are read by the `websockets` library without I/O; outgoing ones come ready-made and go straight to the
connection. No compression. It must not know what the messages say.
"""

from __future__ import annotations

from collections.abc import Callable

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, Side
from websockets.protocol import Protocol as Frames

from hallway.api.engineio.handshake import LARGE_MESSAGE, SMALL_MESSAGE, Line
from hallway.api.sockets import text_frame


class WebSocket:
    """An open websocket. `heard` gets each message, `ready` is called when more can be sent, `lost` when it is over."""

    def __init__(
        self, line: Line, heard: Callable[[str], None], ready: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        self.line = line
        self._frames = Frames(Side.SERVER, state=OPEN, max_size=SMALL_MESSAGE)
        self._heard = heard
        self._ready = ready
        self._lost = lost
        self._parts: list[bytes] = []
        self._over = False
        line.on_writable(self._writable)

    def take_larger_messages(self) -> None:
        """It is known who sends."""
        self._frames.max_message_size = LARGE_MESSAGE

    def received(self, data: bytes) -> None:
        """Bytes came in."""
        if self._over:
            return
        self._frames.receive_data(data)
        for frame in self._frames.events_received():
            if isinstance(frame, Frame):
                self._take(frame)
        out = b"".join(self._frames.data_to_send())
        if out and not self.line.pushing_paused:  # who does not read gets no pongs either
            self.line.push(out)
        if self._frames.close_expected():
            self._end()

    def _take(self, frame: Frame) -> None:
        if self._over:
            return
        if frame.opcode is Opcode.BINARY:
            self.close(CloseCode.UNSUPPORTED_DATA)
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                self._message()

    def _message(self) -> None:
        data, self._parts = b"".join(self._parts), []
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            self.close(CloseCode.INVALID_DATA)
            return
        self._heard(text)

    def send(self, text: bytes) -> None:
        """One message, whatever waits."""
        if not self._over:
            self.line.push(text_frame(text))

    def close(self, code: int = CloseCode.NORMAL_CLOSURE) -> None:
        """Say good-bye; at once when the other side does not read."""
        if self._over:
            return
        if self.line.pushing_paused:
            self.abort()
            return
        self._frames.send_close(code)
        self.line.push(b"".join(self._frames.data_to_send()))
        self._end()

    def abort(self) -> None:
        """End it now: nobody reads what would be said."""
        if not self._over:
            self.line.abort()
            self._end()

    def _end(self) -> None:
        """Nothing more comes or goes."""
        if self._over:
            return
        self._over = True
        self.line.on_writable(None)
        self.line.close()
        self._lost()

    def _writable(self) -> None:
        if self.line.gone:
            self._end()
        else:
            self._ready()
