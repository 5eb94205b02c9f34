"""The server alone, serving an app of the test's own on the loop that the hub runs on."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import pytest
import uvloop

from hallway.api.server import Receive, Scope, Send, Server, ServerLimits
from hallway.clock import VirtualClock


def nothing_at_once(_scope: dict[str, Any], _body: bytes) -> None:
    """Every request goes to the app."""


LARGE = b"x" * 20_000_000
"""More than a system takes for somebody who does not read."""


async def ask_and_hang_up_unread() -> list[Exception]:
    """What an app meets that answers pipelined requests of a client who leaves without having read."""
    met: list[Exception] = []
    answering: asyncio.Queue[None] = asyncio.Queue()
    ended: asyncio.Queue[None] = asyncio.Queue()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        answering.put_nowait(None)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": LARGE})
        except RuntimeError as error:
            met.append(error)
        ended.put_nowait(None)

    server = Server(app, nothing_at_once, VirtualClock(), ServerLimits())
    port = await server.start("127.0.0.1", 0)
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n" * 3)
    await answering.get()
    await answering.get()  # which waits until the first answer is on its way
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    await ended.get()
    await ended.get()
    await server.stop()
    return met


def test_an_answer_to_somebody_who_has_hung_up_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ask_and_hang_up_unread()) == []
    assert caplog.text == ""
