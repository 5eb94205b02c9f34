"""What a hub that we follow is asked and told: posts in order, one after the other, each tried once.

What could not be posted in time is not posted late: a lamp must not go on an hour after somebody wanted it.
It must not know what the posts are about.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from hallway.clock import Clock
from hallway.errors import HallwayError, Unreachable
from hallway.home.services import CALL_ID
from hallway.home.values import Attributes, Value, encode_sorted
from hallway.links.line import Line

if TYPE_CHECKING:
    from hallway.links.peer import Peer

log = logging.getLogger(__name__)

MOST_WAITING = 1000
TOO_LATE = 10.0
ECHO_LIFE = 20.0
"""Seconds after which no echo comes any more, the time in which a post waits for its turn included."""
_ADDRESS = ("domain", "service", CALL_ID)


def nothing() -> None:
    """Nobody waits for that."""


class Post(NamedTuple):
    """One POST; `answered` is called when it was taken, `failed` when it was not."""

    path: str
    body: bytes
    hops: tuple[str, ...]
    failed: Callable[[HallwayError], None]
    answered: Callable[[], None] = nothing


class Outbox:
    """Posts that wait for their turn."""

    def __init__(self, clock: Clock, line: Line) -> None:
        self._clock = clock
        self._line = line
        self._waiting: deque[tuple[float, Post]] = deque()
        self._filled = asyncio.Event()

    def put(self, post: Post) -> None:
        """Post that when its turn comes."""
        if len(self._waiting) >= MOST_WAITING:
            post.failed(Unreachable(f"{MOST_WAITING} posts to {self._line.peer.host} are waiting already"))
            return
        self._waiting.append((self._clock.monotonic(), post))
        self._filled.set()

    async def work(self) -> None:
        """Post for ever."""
        while True:
            if not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            since, post = self._waiting.popleft()
            if self._clock.monotonic() - since > TOO_LATE:
                post.failed(Unreachable(f"{self._line.peer.host} did not take in time what was before it"))
                continue
            try:
                await self._line.run(lambda peer, post=post: _deliver(peer, post))  # type: ignore[misc]
            except HallwayError as error:
                post.failed(error)
            except Exception as error:
                log.exception("a post to %s failed", self._line.peer.host)
                post.failed(Unreachable(f"{type(error).__name__}: {error}"))
            else:
                post.answered()


def _deliver(peer: Peer, post: Post) -> None:
    status, answer = peer.ask("POST", post.path, post.body, ",".join(post.hops))
    if status == HTTPStatus.UNAUTHORIZED:
        raise Unreachable(f"{peer.host} port {peer.port} does not take the password")
    if status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        said = answer[:200].decode("utf-8", "replace")
        raise Unreachable(f"{peer.host} port {peer.port} answered {status} to POST {post.path}: {said}")


class Echoes:
    """Events that a hub of 2014 was told: it tells everybody of them, us too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected: OrderedDict[bytes, list[float]] = OrderedDict()

    def expect(self, event_type: str, data: Mapping[str, Value]) -> None:
        """That event is on its way there."""
        key = encode_sorted([event_type, data])
        self._expected[key] = [*self._still_expected(key), self._clock.monotonic()]
        if len(self._expected) > MOST_WAITING:
            self._expected.popitem(last=False)

    def take(self, event_type: str, data: Mapping[str, Value]) -> bool:
        """Whether an event is the echo of one that was expected within the last seconds; each counts once."""
        key = encode_sorted([event_type, data])
        expected = self._still_expected(key)
        if len(expected) > 1:
            self._expected[key] = expected[1:]
        return bool(expected)

    def _still_expected(self, key: bytes) -> list[float]:
        """When it was told, as often as it may still come back; forgotten with that."""
        now = self._clock.monotonic()
        return [since for since in self._expected.pop(key, ()) if now - since <= ECHO_LIFE][-MOST_WAITING:]


def call_form(data: Attributes, *, nested: bool) -> Attributes:
    """The data of a call_service event: the arguments beside the rest, or (from 0.13 on) in an object of their own."""
    if not nested or "service_data" in data:
        return data
    arguments = {name: value for name, value in data.items() if name not in _ADDRESS}
    return {**{name: data[name] for name in _ADDRESS if name in data}, "service_data": arguments}
