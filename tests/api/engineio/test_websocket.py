"""A websocket on a line: the handshake, messages in whatever pieces they come, and every way to end."""

from __future__ import annotations

import pytest

from hallway.api.engineio.handshake import LARGE_MESSAGE, SMALL_MESSAGE, accepted
from hallway.api.engineio.websocket import WebSocket
from hallway.api.sockets import text_frame
from hallway.errors import InvalidInput
from tests.api.engineio.lines import FakeLine, frames, masked

KEY = (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")
VERSION = (b"sec-websocket-version", b"13")
CLOSE, PING, PONG, BINARY, CONTINUED = 8, 9, 10, 2, 0


class Open:
    def __init__(self) -> None:
        self.line = FakeLine()
        self.heard: list[str] = []
        self.ready = 0
        self.lost = 0
        self.socket = WebSocket(self.line, self.heard.append, self._ready, self._lost)

    def _ready(self) -> None:
        self.ready += 1

    def _lost(self) -> None:
        self.lost += 1

    def sent(self) -> list[tuple[int, bytes]]:
        return frames(b"".join(self.line.written))

    def said_good_bye(self, code: int) -> bool:
        return self.sent()[-1] == (CLOSE, code.to_bytes(2, "big")) or self.sent()[-1][1][:2] == code.to_bytes(2, "big")


@pytest.fixture
def open_socket() -> Open:
    return Open()


def test_the_handshake_is_answered_as_the_standard_says() -> None:
    answer = accepted([VERSION, KEY])
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [VERSION],
        [KEY],
        [KEY, (b"sec-websocket-version", b"8")],
        [VERSION, (b"sec-websocket-key", b"short")],
        [VERSION, (b"sec-websocket-key", b"\xff\xfe")],
    ],
)
def test_a_wrong_handshake_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(InvalidInput):
        accepted(headers)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_frames_of_all_lengths_are_as_the_standard_says(length: int) -> None:
    text = b"x" * length
    assert frames(text_frame(text)) == [(1, text)]


def test_messages_come_in_whatever_pieces(open_socket: Open) -> None:
    data = masked("2probe") + masked("ü☃") + masked("a", fin=False) + masked("b", CONTINUED)
    for byte in data:
        open_socket.socket.received(bytes((byte,)))
    open_socket.socket.received(data)
    assert open_socket.heard == ["2probe", "ü☃", "ab"] * 2


def test_a_ping_gets_its_pong_unless_nobody_reads(open_socket: Open) -> None:
    open_socket.socket.received(masked("x", PING))
    assert open_socket.sent() == [(PONG, b"x")]
    open_socket.line.paused = True
    for _ in range(100):
        open_socket.socket.received(masked("x", PING))
    assert len(open_socket.sent()) == 1


def test_the_other_side_says_good_bye(open_socket: Open) -> None:
    open_socket.socket.received(masked(b"\x03\xe8", CLOSE) + masked("late"))
    assert open_socket.said_good_bye(1000)
    assert (open_socket.heard, open_socket.line.gone, open_socket.lost) == ([], True, 1)
    open_socket.socket.received(masked("later"))
    open_socket.socket.close()
    assert (open_socket.heard, open_socket.lost) == ([], 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (masked(b"\xff\xfe"), 1007),
        (masked(b"binary", BINARY), 1003),
        (text_frame(b"not masked"), 1002),
        (masked("x", 3), 1002),
        (masked("x", CONTINUED), 1002),
        (masked("a", fin=False) + masked("b"), 1002),
        (masked("x" * (SMALL_MESSAGE + 1)), 1009),
        (masked("x" * 40_000, fin=False) + masked("x" * 40_000, CONTINUED), 1009),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
    ids=[
        "no UTF-8",
        "binary",
        "not masked",
        "a kind that there is not",
        "the middle of nothing",
        "a beginning in the middle",
        "too long",
        "too long together",
        "longer than anything",
        "no frame",
    ],
)
def test_what_cannot_be_understood_ends_it(open_socket: Open, data: bytes, code: int) -> None:
    open_socket.socket.received(data)
    open_socket.socket.received(masked("later"))
    assert open_socket.said_good_bye(code)
    assert (open_socket.heard, open_socket.line.gone, open_socket.lost) == ([], True, 1)


def test_who_is_known_may_send_more(open_socket: Open) -> None:
    open_socket.socket.take_larger_messages()
    open_socket.socket.received(masked("x" * LARGE_MESSAGE))
    assert [len(text) for text in open_socket.heard] == [LARGE_MESSAGE]
    open_socket.socket.received(masked("x" * (LARGE_MESSAGE + 1)))
    assert open_socket.said_good_bye(1009)


def test_a_line_that_is_lost_is_told_once(open_socket: Open) -> None:
    open_socket.line.lose()
    assert (open_socket.lost, open_socket.ready, open_socket.line.callback) == (1, 0, None)


def test_who_catches_up_is_told(open_socket: Open) -> None:
    open_socket.line.resume()
    assert (open_socket.lost, open_socket.ready) == (0, 1)


def test_good_bye_is_not_said_to_who_does_not_read(open_socket: Open) -> None:
    open_socket.line.paused = True
    open_socket.socket.close()
    assert (open_socket.line.written, open_socket.line.aborted, open_socket.lost) == ([], True, 1)


def test_what_is_heard_may_end_it_at_once(open_socket: Open) -> None:
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)
        socket.close()

    socket = WebSocket(open_socket.line, hear, lambda: None, lambda: None)
    socket.received(masked("one") + masked("two"))
    assert heard == ["one"]
    socket.send(b"nothing")
    assert open_socket.sent() == [(CLOSE, b"\x03\xe8")]
