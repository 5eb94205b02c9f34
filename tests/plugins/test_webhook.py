"""Notifications that are sent to a web address, over a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hallway.clock import VirtualClock
from hallway.home.calls import Call
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.notifiers import Notification
from hallway.plugins.builtin.webhook import MOST_WAITING, Hook, Webhook, Webhooks

ANN = Context("test", "ann")


class Mailbox:
    """A web server that notes what comes; status: what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        mailbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mailbox.got.append((self.path, dict(self.headers), body))
                self.send_response(mailbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/box"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


async def ended(*calls: Call) -> None:
    for call in calls:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        call.on_done(lambda _call, done=done: done.set_result(None))  # type: ignore[misc]
        await done


async def test_a_notification_is_posted_as_json(mailbox: Mailbox) -> None:
    phone = Webhook(Hook("phone", mailbox.url))
    calls = [phone(Notification("Zoë rang", "Door"), ANN), phone(Notification("again"), ANN)]
    await ended(*calls)
    assert [call.error for call in calls] == [None, None]
    assert [(path, json.loads(body)) for path, _headers, body in mailbox.got] == [
        ("/box", {"message": "Zoë rang", "title": "Door"}),
        ("/box", {"message": "again"}),
    ]
    assert mailbox.got[0][1]["Content-Type"] == "application/json"


async def test_or_as_text_with_the_title_in_a_header(mailbox: Mailbox) -> None:
    phone = Webhook(Hook("phone", mailbox.url, "text"))
    await ended(phone(Notification("Zoë rang", "Front\r\nX-Evil: 1"), ANN))
    ((_path, headers, body),) = mailbox.got
    assert (body.decode(), headers["Title"], "X-Evil" in headers) == ("Zoë rang", "Front X-Evil: 1", False)


async def test_who_does_not_take_it_is_named_and_the_next_is_sent(mailbox: Mailbox) -> None:
    phone = Webhook(Hook("phone", mailbox.url))
    mailbox.status = 503
    refused = phone(Notification("one"), ANN)
    await ended(refused)
    assert refused.error is not None
    assert refused.error.message == "the notifier phone could not send: 503"
    mailbox.status = 200
    taken = phone(Notification("two"), ANN)
    await ended(taken)
    assert taken.error is None


async def test_an_address_where_nobody_is() -> None:
    phone = Webhook(Hook("phone", "http://127.0.0.1:1/"))
    call = phone(Notification("one"), ANN)
    await ended(call)
    assert call.error is not None
    assert "could not send" in call.error.message


@contextmanager
def chatter(answer: bytes) -> Iterator[str]:
    """A server that says this to whatever comes; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = server.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/box"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


async def test_a_server_that_speaks_no_http_is_told_at_once_and_all_are_sent() -> None:
    with chatter(b"POST /box is secret\r\n\r\n") as url:
        phone = Webhook(Hook("phone", url))
        calls = [phone(Notification(str(number)), ANN) for number in range(3)]
        await ended(*calls)
    said = "the notifier phone could not send: what answers there speaks no HTTP (BadStatusLine)"
    assert [call.error.message if call.error else "" for call in calls] == [said] * 3


async def test_any_fault_is_told_and_the_next_is_sent() -> None:
    faults = [RuntimeError("x"), ValueError("x"), OSError(), OSError("no way"), KeyError("x"), None]
    given = iter(faults)

    def send(_url: str, _body: bytes, _headers: dict[str, str]) -> None:
        if (fault := next(given)) is not None:
            raise fault

    phone = Webhook(Hook("phone", "http://unused"), send)
    calls = [phone(Notification(str(number)), ANN) for number in range(len(faults))]

    def spoil(_call: Call) -> None:
        raise RuntimeError("whoever listens has a fault")

    calls[0].on_done(spoil)
    await ended(*calls[1:])
    assert [call.error.message.partition("send: ")[2] if call.error else None for call in calls] == [
        "a fault, RuntimeError",
        "ValueError, is the address right?",
        "OSError",
        "no way",
        "a fault, KeyError",
        None,
    ]


async def test_what_is_being_sent_when_the_hub_ends_is_not_left_open() -> None:
    free = threading.Event()

    def send(_url: str, _body: bytes, _headers: dict[str, str]) -> None:
        free.wait(10)

    phone = Webhook(Hook("phone", "http://unused"), send)
    call = phone(Notification("first"), ANN)
    await asyncio.sleep(0)
    phone.stop()
    free.set()
    await ended(call)
    assert call.error is not None
    assert call.error.message == "the hub is going down"


async def test_what_waits_is_bounded_and_ends_with_the_hub() -> None:
    free = threading.Event()

    def send(_url: str, _body: bytes, _headers: dict[str, str]) -> None:
        free.wait(10)

    phone = Webhook(Hook("phone", "http://unused"), send)
    phone(Notification("first"), ANN)
    await asyncio.sleep(0)
    calls = [phone(Notification(str(number)), ANN) for number in range(MOST_WAITING + 1)]
    assert calls[-1].error is not None
    assert "wait for phone already" in calls[-1].error.message
    phone.stop()
    free.set()
    assert all(call.error is not None for call in calls)


async def test_each_address_of_the_settings_is_a_service(mailbox: Mailbox) -> None:
    home = Home(VirtualClock())
    hooks = Webhooks(home, (Hook("phone", mailbox.url), Hook("screen", mailbox.url)))
    hooks.start()
    call = home.call_service("notify", "notify", {"message": "Supper"}, ANN)
    await ended(call)
    assert len(mailbox.got) == 2
    hooks.stop()
