"""Following another hub, as a slave of 2014 does: its states are mirrored here, its services can be called from here.

We ask it to forward its events to us under a token of our own, so that what it tells is known to come from it and never
goes back to it. Registration and states are renewed every few seconds, which also heals a restart of either side.
It must not know doors.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import re
import secrets
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hallway.errors import HallwayError, Unreachable
from hallway.home.bus import (
    CALL_SERVICE,
    HUB_START,
    HUB_STOP,
    SERVICE_EXECUTED,
    SERVICE_REGISTERED,
    STATE_CHANGED,
    TIME_CHANGED,
)
from hallway.home.calls import Call
from hallway.home.changes import AnyChange, Context, Fired
from hallway.home.home import Home
from hallway.home.services import CALL_ID
from hallway.home.values import Attributes, Value, encode, python_text
from hallway.links.line import Line
from hallway.links.loops import LoopGuard
from hallway.links.mirroring import MirroredStates
from hallway.links.status import LinkStatus
from hallway.links.telling import Echoes, Outbox, Post, call_form
from hallway.links.waiting import Rest

if TYPE_CHECKING:
    from hallway.links.peer import Peer

log = logging.getLogger(__name__)

RENEWED_EVERY = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
SETTLE = 0.1
"""Seconds that states may still come after a hub of 2014 has said that a service was executed."""
CALL_LIFE = 15.0
"""Seconds after which a call counts as not executed; whoever called by a door waits less."""
PARTING = 2.0
MOST_OPEN = 1000
OURS_ONLY = frozenset({STATE_CHANGED, CALL_SERVICE, TIME_CHANGED, HUB_START, HUB_STOP})
"""Events that are not passed on as such: states and calls have their own way, the others say something of one hub."""
_VERSION = re.compile(rb'"version": *"0\.(\d+)')
_NESTED_FROM = 13
"""From 0.13 on the arguments of a call stand in an object of their own."""


class Announced(NamedTuple):
    """How that hub reaches us: host (empty: the address by which it sees us), port, token."""

    host: str
    port: int
    token: str


class Told(NamedTuple):
    """What that hub said about itself."""

    states: list[Attributes]
    services: dict[str, frozenset[str]]
    nested: bool


class Forwards(Protocol):
    """Event forwarding, as far as a follower has to know of it. origin: that of what the hub tells us."""

    def follows(self, origin: str, address: tuple[str, int]) -> None:
        """The hub that we follow has that address too."""
        ...

    def reaches(self, origin: str) -> bool:
        """Whether the hub gets our events anyway, because it follows us."""
        ...


class Follower:
    """One hub that we follow. line_there: a new line to it."""

    def __init__(
        self, home: Home, name: str, line_there: Callable[[], Line], announced: Announced, forwards: Forwards
    ) -> None:
        self.name = name
        self._forwards = forwards
        self._home = home
        self._clock = home.clock
        self._listening, self._asking = line_there(), line_there()
        self._announced = announced
        self._own_address = announced.host
        self._context = Context(f"link:{name}")
        self._status = LinkStatus(home, self._listening.peer.host, self._listening.peer.port, "from")
        self._mirrored = MirroredStates(home, name)
        self._outbox = Outbox(self._clock, self._asking)
        self._echoes = Echoes(self._clock)
        self._guard = LoopGuard(self._clock)
        self._services: dict[str, frozenset[str]] = {}
        self._nested = False
        self._call_ids = (f"{home.hub_id}-{secrets.token_hex(4)}-{number}" for number in itertools.count(1))
        self._open: dict[str, Call] = {}
        self._rest = Rest(self._clock)
        self._tasks: list[asyncio.Task[None]] = []
        home.mirrors[name] = self
        self._unsubscribe = home.changes.subscribe(self._take, Fired)

    def start(self) -> None:
        """Connect, and stay connected."""
        self._status.show("connecting")
        work: tuple[Coroutine[None, None, None], ...] = (self._stay_connected(), self._outbox.work())
        self._tasks = [asyncio.ensure_future(each) for each in work]

    async def stop(self) -> None:
        """The hub stops: that hub need not tell us anything any more."""
        self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._status.state == "connected":
            with contextlib.suppress(TimeoutError, HallwayError):
                async with asyncio.timeout(PARTING):
                    await self._listening.run(self._unregister)
        self._listening.close()
        self._asking.close()

    # ------------------------------------------------------------------ connecting

    async def _stay_connected(self) -> None:
        wait = FIRST_PAUSE
        while True:
            self._mirrored.begin()
            try:
                self._found(await self._listening.run(self._renew))
            except HallwayError as error:
                self._lost(error.message)
            except Exception as error:
                log.exception("following %s failed", self.name)
                self._lost(f"{type(error).__name__}: {error}")
            else:
                wait = FIRST_PAUSE
                await self._rest.take(RENEWED_EVERY)
                continue
            await self._rest.take(wait)
            wait = min(wait * 2, LONGEST_PAUSE)

    def _lost(self, why: str) -> None:
        if self._status.state != "retrying":
            log.warning("%s is tried again and again: %s", self._status.entity_id, why)
        self._own_address = self._announced.host
        self._status.show("retrying", last_error=why)

    def _found(self, told: Told) -> None:
        peer = self._listening.peer
        self._forwards.follows(self._context.origin, (peer.reached, peer.port))
        if self._status.state != "connected":
            log.info("%s is connected", self._status.entity_id)
        self._services, self._nested = told.services, told.nested
        self._mirrored.all(told.states)
        if self._status.state != "connected":
            self._status.show("connected")

    def _renew(self, peer: Peer) -> Told:
        """In the line's thread: ask to be told (again), then fetch what there is, so that nothing falls between."""
        self._own_address = self._own_address or peer.own_address()
        there = f"{peer.host} port {peer.port}"
        told = {"host": self._own_address, "port": self._announced.port, "api_password": self._announced.token}
        status, body = peer.ask("POST", "/api/event_forwarding", encode(told))
        if status == HTTPStatus.UNAUTHORIZED:
            raise Unreachable(f"{there} does not take the password")
        if status != HTTPStatus.OK:
            raise Unreachable(
                f"{there} answered {status} to the wish for its events, told to send them to {self._own_address} "
                f"port {self._announced.port}: {body[:200].decode('utf-8', 'replace')}"
            )
        states, services = peer.ask_json("GET", "/api/states"), peer.ask_json("GET", "/api/services")
        if not isinstance(states, list) or not isinstance(services, list):
            raise Unreachable(f"{there} answered something else than lists of its states and services")
        return Told(_objects(states), _offered(_objects(services)), self._takes_nested(peer))

    def _takes_nested(self, peer: Peer) -> bool:
        if self._status.state == "connected":
            return self._nested
        status, body = peer.ask("GET", "/api/config")
        found = _VERSION.search(body) if status == HTTPStatus.OK else None
        return found is not None and int(found[1]) >= _NESTED_FROM

    def _unregister(self, peer: Peer) -> None:
        told = {"host": self._own_address, "port": self._announced.port}
        peer.ask("DELETE", "/api/event_forwarding", encode(told))

    # ------------------------------------------------------------------ what that hub tells

    def told(self, event_type: str, data: Attributes, hops: tuple[str, ...]) -> None:
        """An event that came from that hub, after it has passed these."""
        if event_type == STATE_CHANGED:
            self._moved(data)
        elif event_type in {HUB_START, HUB_STOP} or self._echoes.take(event_type, data):
            return
        elif event_type == SERVICE_EXECUTED and not self._listening.peer.is_kin:
            self._clock.call_later(SETTLE, lambda: self._executed(data, hops))
        elif event_type == SERVICE_EXECUTED:
            self._executed(data, hops)
        elif event_type != CALL_SERVICE or not self._is_known_there(data):
            self._fire(event_type, data, hops)

    def _moved(self, data: Attributes) -> None:
        entity_id, state = data.get("entity_id"), data.get("new_state")
        if isinstance(entity_id, str) and (state is None or isinstance(state, dict)):
            self._mirrored.told(entity_id, state)

    def _fire(self, event_type: str, data: Attributes, hops: tuple[str, ...]) -> None:
        self._home.fire(event_type, data, Context(self._context.origin, hops=hops), remote=True)

    def _executed(self, data: Attributes, hops: tuple[str, ...]) -> None:
        call = self._open.get(python_text(data.get(CALL_ID)))
        if call is not None:
            call.finish()
        self._fire(SERVICE_EXECUTED, data, hops)

    def _is_known_there(self, data: Attributes) -> bool:
        """Whether that hub carries the call out itself: then it is no business of ours."""
        return self.offers(python_text(data.get("domain")), python_text(data.get("service")))

    # ------------------------------------------------------------------ what that hub is asked

    def offers(self, domain: str, service: str) -> bool:
        """Whether that hub has a service."""
        return service in self._services.get(domain, ())

    def call(self, domain: str, service: str, data: Attributes) -> Call:
        """Let that hub run a service; done when it says that it has."""
        call = Call()
        if len(self._open) >= MOST_OPEN:
            call.fail(Unreachable(f"{MOST_OPEN} calls to {self.name} are waiting already"))
            return call
        if not self.offers(domain, service) and self.offers("homeassistant", service):
            domain = "homeassistant"  # it reaches what has no services of its own: groups
        call_id = next(self._call_ids)
        self._open[call_id] = call
        late = Unreachable(f"{self.name} did not say within {CALL_LIFE:g} s that {domain}.{service} was executed")
        cancel = self._clock.call_later(CALL_LIFE, lambda: call.fail(late))
        call.on_done(lambda _call: self._close(call_id, cancel))
        body = call_form({**data, "domain": domain, "service": service, CALL_ID: call_id}, nested=self._nested)
        hops = (self._home.hub_id,)
        self._post(Post(f"/api/events/{CALL_SERVICE}", encode(body), hops, call.fail))
        return call

    def _close(self, call_id: str, cancel: Callable[[], None]) -> None:
        self._open.pop(call_id, None)
        cancel()

    def write(self, entity_id: str, state: str, attributes: Attributes) -> Call:
        """Let that hub keep a state; done when it has."""
        call = Call()
        body: Attributes = {"state": state, "attributes": attributes}

        def kept() -> None:
            self._mirrored.told(entity_id, {"entity_id": entity_id, **body})
            call.finish()

        self._post(Post(f"/api/states/{entity_id}", encode(body), (), call.fail, kept))
        return call

    # ------------------------------------------------------------------ what that hub is told

    def _take(self, change: AnyChange) -> None:
        """Pass on what that hub shall know: events, calls to services that only it has, and the end of its calls."""
        if not isinstance(change, Fired) or not self._concerns(change):
            return
        why = self._guard.stops(change.event_type, change.data) if change.remote else None
        if why is None:
            self._tell(change)
        elif why:
            self._status.show(self._status.state, last_error=why)

    def _concerns(self, change: Fired) -> bool:
        if change.context.origin == self._context.origin:
            return False
        domain, service = python_text(change.data.get("domain")), python_text(change.data.get("service"))
        if change.event_type == CALL_SERVICE:
            return self.offers(domain, service) and not self._home.services.has(domain, service)
        if change.event_type in OURS_ONLY or self._status.state != "connected":
            return False
        return change.event_type != SERVICE_REGISTERED or not self.offers(domain, service)

    def _tell(self, change: Fired) -> None:
        data = change.data
        if change.event_type == CALL_SERVICE:
            data = call_form(data, nested=self._nested)
        if not self._listening.peer.is_kin:
            self._echoes.expect(change.event_type, data)
        if self._forwards.reaches(self._context.origin):
            return
        hops = (*(change.context.hops if change.remote else ()), self._home.hub_id)

        def failed(error: HallwayError) -> None:
            if change.event_type == CALL_SERVICE:
                self._home.services.fail(change.data.get(CALL_ID), error)

        self._post(Post(f"/api/events/{change.event_type}", encode(data), hops, failed))

    def _post(self, post: Post) -> None:
        """As the outbox does; what its fate says about the link is looked into at once."""

        def failed(error: HallwayError) -> None:
            if self._status.state == "connected":
                self._rest.end()
            post.failed(error)

        def answered() -> None:
            if self._status.state == "retrying":
                self._rest.end()
            post.answered()

        self._outbox.put(post._replace(failed=failed, answered=answered))


def _objects(value: list[Value]) -> list[Attributes]:
    return [item for item in value if isinstance(item, dict)]


def _offered(services: list[Attributes]) -> dict[str, frozenset[str]]:
    return {python_text(item.get("domain")): _names(item.get("services")) for item in services}


def _names(value: Value) -> frozenset[str]:
    return frozenset(map(python_text, value)) if isinstance(value, list | dict) else frozenset()
