"""Other hubs that the tests make answer as they like, without a network and without threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from hallway.access.callers import EVERYTHING, Caller
from hallway.clock import VirtualClock
from hallway.errors import Unreachable
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes, Value, decode
from hallway.links.peer import Peer

T = TypeVar("T")
HOST, PORT = "192.0.2.7", 8123
CALLER = Caller("somebody", EVERYTHING, Context("homeassistant", user="somebody"))
HERE = Context("test")
REMOTE = Context("homeassistant", user="homeassistant")


class Asked(NamedTuple):
    """One request to a stub."""

    method: str
    path: str
    data: Any
    hops: str


Answers = Callable[[Asked], tuple[int, Any]]


class StubPeer(Peer):
    """A hub that notes what it is asked. `answer` decides; None there: it cannot be reached."""

    def __init__(self, host: str = HOST, port: int = PORT, password: str = "theirs") -> None:
        super().__init__(host, port, password)
        self.requests: list[Asked] = []
        self.answer: Answers | None = lambda _asked: (200, {})

    def ask(self, method: str, path: str, body: bytes | None = None, hops: str = "") -> tuple[int, bytes]:
        asked = Asked(method, path, None if body is None else decode(body), hops)
        self.requests.append(asked)
        if self.answer is None or self.ended:
            raise Unreachable(f"{self.host} port {self.port} does not answer: it is a stub")
        status, said = self.answer(asked)
        return status, said.encode() if isinstance(said, str) else _json(said)

    def own_address(self) -> str:
        return "192.0.2.1"

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The events that arrived or were tried: type and data."""
        prefix = "/api/events/"
        return [(a.path.removeprefix(prefix), a.data) for a in self.requests if a.path.startswith(prefix)]

    def only(self, path: str) -> Asked:
        """The one request to that path."""
        (found,) = (asked for asked in self.requests if asked.path == path)
        return found


class StubLine:
    """A line on which work is done in the next turn of the loop, unless it is held."""

    def __init__(self, peer: StubPeer) -> None:
        self.peer: Peer = peer
        self.stub = peer
        self.works = 0
        self.open = asyncio.Event()
        self.open.set()
        self.closed = False

    async def run(self, work: Callable[[Peer], T]) -> T:
        if self.closed:
            raise Unreachable("the link has ended")
        self.works += 1
        await asyncio.sleep(0)
        await self.open.wait()
        return work(self.peer)

    def close(self) -> None:
        self.closed = True
        self.peer.end()


class Kept:
    """Where registrations are kept: notes each, newest last."""

    def __init__(self) -> None:
        self.defined: list[tuple[str, Attributes | None]] = []

    async def define(self, kind: str, key: str, body: Attributes | None, author: str, door: str, /) -> None:
        assert kind == "forwarding"
        await asyncio.sleep(0)
        self.defined.append((key, body))


class World:
    """A home in virtual time, and what its links show."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.home = Home(self.clock, hub_id="here")

    def fire(self, event_type: str, data: Mapping[str, Value] | None = None) -> None:
        """The hub itself fires that."""
        self.home.fire(event_type, dict(data or {}), HERE)

    def hear(self, event_type: str, data: Mapping[str, Value] | None = None, *hops: str) -> None:
        """That comes in from the network."""
        context = Context("homeassistant", user="homeassistant", hops=hops)
        self.home.fire(event_type, dict(data or {}), context, remote=True)

    def states_of(self, entity_id: str) -> list[str]:
        """Grows with each change of what the entity shows from now on."""
        shown: list[str] = []
        self.home.changes.watch(f"entity:{entity_id}", lambda _change: shown.append(self.shown(entity_id)[0]))
        return shown

    def shown(self, entity_id: str) -> tuple[str, Attributes]:
        state = self.home.state(entity_id)
        assert state is not None, entity_id
        return state.state, state.attributes

    async def pass_time(self, seconds: float, step: float = 0.5) -> None:
        """Let time pass, and what is due happen."""
        await settled()
        passed = 0.0
        while passed < seconds:
            self.clock.advance(min(step, seconds - passed))
            passed += step
            await settled()


async def settled() -> None:
    """All that can be done now is done."""
    for _ in range(30):
        await asyncio.sleep(0)


def _json(value: Value) -> bytes:

    return json.dumps(value).encode()
