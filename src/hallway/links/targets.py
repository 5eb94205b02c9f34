"""A target: one hub that events are forwarded to, with a bounded queue of its own and a task that delivers from it.

A dead target neither blocks nor leaks: the oldest events make room, delivery is tried again with back-off, and an
entity shows it. It must not know which events there are, nor other targets.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from hallway.clock import Cancel, Clock
from hallway.errors import HallwayError, Unreachable
from hallway.home.bus import CALL_SERVICE
from hallway.links.line import Line
from hallway.links.status import LinkState, LinkStatus
from hallway.links.waiting import Rest

if TYPE_CHECKING:
    from hallway.links.peer import Peer

log = logging.getLogger(__name__)

MOST_QUEUED = 1000
MOST_BYTES = 8_000_000
BATCH = 50
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
SHOWN_EVERY = 2.0
CALL_LIFE = 10.0
"""Seconds after which a call is not delivered any more: whoever made it waits no longer."""
TRIED_AGAIN = frozenset({401, 403, 408, 429})
"""Statuses beside 5xx that say something about the target; all others say something about the event."""


class Outgoing(NamedTuple):
    """An event as it goes out: type, JSON of its data, hubs it has passed with us at the end, elapsed time it is of."""

    event_type: str
    data: bytes
    hops: tuple[str, ...]
    at: float


class Delivery(NamedTuple):
    """What became of a batch: how many events are done with, how many of them the target did not take, and why not.

    failed: why the next event could not be delivered, though it may be later; None when all are done with.
    """

    done: int = 0
    refused: int = 0
    why: str | None = None
    failed: str | None = None


class Backlog:
    """Events that wait, the oldest first; size: the bytes of their data."""

    def __init__(self) -> None:
        self._events: deque[Outgoing] = deque()
        self.size = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Outgoing) -> None:
        self._events.append(event)
        self.size += len(event.data)

    def popleft(self) -> Outgoing:
        event = self._events.popleft()
        self.size -= len(event.data)
        return event

    def put_back(self, events: list[Outgoing]) -> None:
        """They could not be delivered: they come first again."""
        self._events.extendleft(reversed(events))
        self.size += sum(len(event.data) for event in events)


class Target:
    """A hub that events go to."""

    def __init__(self, clock: Clock, line: Line, status: LinkStatus) -> None:
        self._clock = clock
        self._line = line
        self._status = status
        self._queue = Backlog()
        self._under_way = 0
        self._dropped = 0
        self._shown_waiting = 0
        self._last_error: str | None = None
        self._proven = False
        self._filled, self._settled = asyncio.Event(), asyncio.Event()
        self._rest = Rest(clock)
        self._cancel_showing: Cancel | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def password(self) -> str:
        """What we tell the target to be let in."""
        return self._line.peer.password

    def start(self, *, proven: bool) -> None:
        """Deliver from now on. proven: the target has just answered as it should."""
        self._proven = proven
        self._show("connected" if proven else "connecting")
        self._task = asyncio.create_task(self._work())

    def put(self, event: Outgoing) -> None:
        """Queue an event; the oldest makes room when it is full."""
        while self._queue and (self._waiting >= MOST_QUEUED or self._queue.size + len(event.data) > MOST_BYTES):
            self._queue.popleft()
            self._drop()
        self._queue.append(event)
        self._filled.set()
        if self._status.state != "retrying":
            self._settled.clear()
            if self._waiting > BATCH:
                self._show_soon()

    def try_now(self) -> None:
        """The target has shown that it is there: do not wait for the next try."""
        self._rest.end()

    def renew(self, line: Line) -> None:
        """Go on over another line, with what waits."""
        self._line.close()
        self._line = line
        self.try_now()

    def warn(self, why: str) -> None:
        """Show something that is wrong, though events get through."""
        self._last_error = why
        self._show_soon()

    async def drained(self) -> None:
        """Wait until nothing waits any more, or the target cannot be reached."""
        await self._settled.wait()

    async def stop(self) -> None:
        """Send nothing more."""
        self._line.close()
        if self._cancel_showing is not None:
            self._cancel_showing()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def cancel(self) -> None:
        """Send nothing more, for good."""
        await self.stop()
        self._status.remove()

    # ------------------------------------------------------------------ delivering

    async def _work(self) -> None:
        wait = FIRST_PAUSE
        while True:
            delivery = await self._deliver()
            if delivery.failed is None:
                wait = FIRST_PAUSE
                self._works(delivery.why)
                continue
            wait = FIRST_PAUSE if delivery.done else wait
            self._fails(delivery.failed)
            await self._rest.take(wait)
            wait = min(wait * 2, LONGEST_PAUSE)

    async def _deliver(self) -> Delivery:
        """Deliver the next events, or, as long as the target has never answered, see whether it does."""
        if not self._proven:
            delivery = await self._run([])
            self._proven = delivery.failed is None
            return delivery
        if not self._queue:
            self._filled.clear()
            self._settled.set()
            await self._filled.wait()
        batch = self._next_batch()
        self._under_way = len(batch)
        delivery = await self._run(batch) if batch else Delivery()
        self._under_way = 0
        self._queue.put_back(batch[delivery.done :])
        self._dropped += delivery.refused
        return delivery

    async def _run(self, batch: list[Outgoing]) -> Delivery:
        line = self._line
        try:
            delivery = await line.run(lambda peer: deliver(peer, batch) if batch else prove(peer))
        except HallwayError as error:
            delivery = Delivery(failed=error.message)
        except Exception as error:
            log.exception("delivering to %s failed", line.peer.host)
            delivery = Delivery(failed=f"{type(error).__name__}: {error}")
        renewed = line is not self._line
        return delivery._replace(failed=None) if renewed else delivery

    def _next_batch(self) -> list[Outgoing]:
        """The oldest events, without calls that came too late."""
        batch: list[Outgoing] = []
        while self._queue and len(batch) < BATCH:
            event = self._queue.popleft()
            if event.event_type == CALL_SERVICE and self._clock.monotonic() - event.at > CALL_LIFE:
                self._drop()
            else:
                batch.append(event)
        return batch

    # ------------------------------------------------------------------ showing

    @property
    def _waiting(self) -> int:
        return len(self._queue) + self._under_way

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped == 1:
            self._show_soon()

    def _works(self, why: str | None) -> None:
        if self._status.state in {"retrying", "connecting"}:
            log.info("%s is connected", self._status.entity_id)
            self._last_error = why
            self._show(self._pace())
        elif why is not None:
            self.warn(why)
        if self._waiting:
            self._settled.clear()
        if self._waiting != self._shown_waiting:
            self._show_soon()

    def _fails(self, error: str) -> None:
        if self._status.state != "retrying":
            log.warning("%s is tried again and again: %s", self._status.entity_id, error)
        self._settled.set()
        self._last_error = error
        self._show("retrying")

    def _pace(self) -> LinkState:
        return "lagging" if self._waiting > BATCH else "connected"

    def _show_soon(self) -> None:
        if self._cancel_showing is None:
            self._cancel_showing = self._clock.call_later(SHOWN_EVERY, self._show_again)

    def _show_again(self) -> None:
        self._cancel_showing = None
        state = self._status.state
        self._show(self._pace() if state in {"connected", "lagging"} else state)

    def _show(self, state: LinkState) -> None:
        self._shown_waiting = self._waiting
        self._status.show(state, queued=self._waiting, dropped=self._dropped, last_error=self._last_error)


def deliver(peer: Peer, events: list[Outgoing]) -> Delivery:
    """Post events in order, up to the first that cannot be delivered now."""
    refused, why = 0, None
    for number, event in enumerate(events):
        try:
            status, _answer = peer.ask("POST", f"/api/events/{event.event_type}", event.data, ",".join(event.hops))
        except Unreachable as error:
            return Delivery(number, refused, why, error.message)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in TRIED_AGAIN:
            return Delivery(number, refused, why, f"{peer.host} port {peer.port} answered {status}")
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            refused += 1
            why = f"{peer.host} port {peer.port} answered {status} to event {event.event_type}, which is dropped"
    return Delivery(len(events), refused, why)


def validate(peer: Peer) -> None:
    """Unreachable unless the API there answers 200 to the password."""
    status, _body = peer.ask("GET", "/api/")
    if status != HTTPStatus.OK:
        raise Unreachable(f"{peer.host} port {peer.port} answered {status}")


def prove(peer: Peer) -> Delivery:
    """The same as something delivered."""
    validate(peer)
    return Delivery()
