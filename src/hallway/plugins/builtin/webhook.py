"""A way to people that is a web address: each notification is sent there, as JSON or as plain text.

One request at a time and address, in a thread; what waits is bounded. It must not know who asked for a notification.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from hallway.errors import Unavailable, Unreachable
from hallway.home.calls import Call
from hallway.home.changes import Context
from hallway.home.home import START, Home
from hallway.home.notifiers import Notification

log = logging.getLogger(__name__)

PATIENCE: Final = 10.0
MOST_WAITING: Final = 100
Send = Callable[[str, bytes, dict[str, str]], None]


class Hook(msgspec.Struct, frozen=True):
    """Where to send. body: `json` sends `{"message": …, "title": …}`, `text` the message with the header Title."""

    name: str
    url: str
    body: str = "json"


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """Send it, in whatever thread; OSError: it did not arrive."""
    from urllib.request import Request, urlopen  # noqa: PLC0415 - it takes a megabyte, and few homes have an address

    request = Request(url, body, headers, method="POST")  # noqa: S310 - settings allow http(s) alone
    with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        answer.read(1)


class Webhook:
    """Sends notifications to one address, in order."""

    def __init__(self, hook: Hook, send: Send = post) -> None:
        self._hook = hook
        self._send = send
        self._waiting: deque[tuple[Notification, Call]] = deque()
        self._sending: asyncio.Task[None] | None = None

    def __call__(self, notification: Notification, _context: Context) -> Call:
        """Send it as soon as those before it are sent."""
        call = Call()
        if len(self._waiting) >= MOST_WAITING:
            call.fail(Unavailable(f"{MOST_WAITING} notifications wait for {self._hook.name} already"))
            return call
        self._waiting.append((notification, call))
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send_all())
        return call

    def stop(self) -> None:
        """Send nothing more."""
        if self._sending is not None:
            self._sending.cancel()
        while self._waiting:
            self._waiting.popleft()[1].fail(Unavailable("the hub is going down"))

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                notification, call = self._waiting.popleft()
                try:
                    await self._send_one(notification, call)
                except Exception:  # of who listens to the call: the next notification is sent all the same
                    log.exception("what waited for the notifier %s has a fault", self._hook.name)
        finally:
            self._sending = None

    async def _send_one(self, notification: Notification, call: Call) -> None:
        try:
            body, headers = _written(self._hook, notification)
            await asyncio.to_thread(self._send, self._hook.url, body, headers)
        except asyncio.CancelledError:
            call.fail(Unavailable("the hub is going down"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked is told at once and the others are sent
            why = _reason(error)
            log.warning("the notifier %s could not send: %s", self._hook.name, why)
            call.fail(Unreachable(f"the notifier {self._hook.name} could not send: {why}"))
        else:
            call.finish()


def _reason(error: Exception) -> str:
    """Why it did not arrive. What a server said is left out: it may hold what is secret in the address."""
    from http.client import HTTPException, InvalidURL  # noqa: PLC0415 - as in `post`

    if isinstance(error, OSError):
        return str(getattr(error, "code", None) or getattr(error, "reason", None) or error) or type(error).__name__
    if isinstance(error, HTTPException) and not isinstance(error, InvalidURL):
        return f"what answers there speaks no HTTP ({type(error).__name__})"
    return (
        f"{type(error).__name__}, is the address right?"
        if isinstance(error, ValueError | InvalidURL)
        else (f"a fault, {type(error).__name__}")
    )


class Webhooks:
    """Registers each address as a way to people, while the hub runs."""

    def __init__(self, home: Home, hooks: tuple[Hook, ...]) -> None:
        self._home = home
        self._webhooks = {hook.name: Webhook(hook) for hook in hooks}

    def start(self) -> None:
        for name, webhook in self._webhooks.items():
            self._home.notifiers.register(name, webhook, START)

    def stop(self) -> None:
        for webhook in self._webhooks.values():
            webhook.stop()


def _written(hook: Hook, notification: Notification) -> tuple[bytes, dict[str, str]]:
    if hook.body == "json":
        given = {"message": notification.message, "title": notification.title}
        body = json.dumps({key: text for key, text in given.items() if text}).encode()
        return body, {"Content-Type": "application/json"}
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if notification.title:
        headers["Title"] = " ".join(notification.title.encode("ascii", "replace").decode().split())
    return notification.message.encode(), headers
