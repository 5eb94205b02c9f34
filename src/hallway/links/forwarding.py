"""Event forwarding as in 2014: every event but the time goes to the hubs that asked for it (they are our slaves).

The echo of a slave's own events goes back to it; among hubs of our kind a header names those that an event has
passed, so nothing loops. The start and the end of this hub are its own: a slave of 2014 that is told of an end stops
listening. It must not know doors.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from hallway.access.callers import Caller
from hallway.api.operations.forms import data_form
from hallway.errors import HallwayError, InvalidInput, Unreachable
from hallway.home.bus import CALL_SERVICE, HUB_START, HUB_STOP, MATCH_ALL, TIME_CHANGED, Event
from hallway.home.changes import StateChange, Unsubscribe
from hallway.home.home import Home
from hallway.home.values import Attributes, Value, encode
from hallway.links.line import Line
from hallway.links.loops import LoopGuard
from hallway.links.status import DOMAIN, LinkStatus
from hallway.links.targets import Outgoing, Target, validate

MOST_TARGETS = 32
MOST_VALIDATED = 4
"""Registrations that are checked at the same time; others wait."""
PARTING = 1.0
"""Seconds for which events still go out when the hub stops."""
OURS_ONLY = frozenset({TIME_CHANGED, HUB_START, HUB_STOP})
PASSWORD = "api_password"  # noqa: S105 - the name of a field

Address = tuple[str, int]
LineTo = Callable[[str, int, str], Line]
"""Host, port and password → a line there."""


class Registrations(Protocol):
    """Where registrations are kept so that they survive a restart."""

    def define(self, kind: str, key: str, body: Attributes | None, author: str, door: str, /) -> Awaitable[object]: ...


class EventForwarding:
    """All targets; registering and cancelling them. followed: the origins of hubs that we follow, by their address."""

    def __init__(
        self,
        home: Home,
        registrations: Registrations,
        line_to: LineTo,
        followed: Mapping[Address, str] = MappingProxyType({}),
    ) -> None:
        self._home = home
        self._registrations = registrations
        self._line_to = line_to
        self._followed = dict(followed)
        self._targets: dict[Address, Target] = {}
        self._guard = LoopGuard(home.clock)
        self._validating = asyncio.Semaphore(MOST_VALIDATED)
        self._registering = asyncio.Lock()
        self._unsubscribe: Unsubscribe = lambda: None

    def __len__(self) -> int:
        return len(self._targets)

    def follows(self, origin: str, address: Address) -> None:
        """The hub whose events have that origin here has that address too."""
        self._followed[address] = origin

    def reaches(self, origin: str) -> bool:
        """Whether that hub is a target."""
        return any(self._followed.get(address) == origin for address in self._targets)

    def restore(self, host: str, port: int, password: str) -> None:
        """A registration from before the restart."""
        self._start(self._line_to(host, port, password), proven=False)

    async def register(self, host: str, port: int, password: str, caller: Caller) -> None:
        """Forward all events there from now on; one who is registered is so once more, and loses nothing that waits.

        Unreachable: `GET /api/` with that password is not answered with 200.
        """
        self._check_room(host, port)
        line = self._line_to(host, port, password)
        try:
            await self._validate(line)
            async with self._registering:
                taken = await self._take_in(line, caller)
        except BaseException:
            line.close()
            raise
        if not taken:
            line.close()

    def _check_room(self, host: str, port: int) -> None:
        if len(self._targets) >= MOST_TARGETS and (host, port) not in self._targets:
            raise InvalidInput(f"events are forwarded to {MOST_TARGETS} hubs already; cancel one first")

    async def _validate(self, line: Line) -> None:
        async with self._validating:
            try:
                await line.run(validate)
            except HallwayError as error:
                raise Unreachable(f"Unable to validate API: {error.message}") from None

    async def _take_in(self, line: Line, caller: Caller) -> bool:
        """Keep the registration and begin with it; whether the line is used."""
        host, port, password = line.peer.host, line.peer.port, line.peer.password
        target = self._targets.get((host, port))
        if target is not None and target.password == password:
            target.try_now()
            return False
        self._check_room(host, port)
        body: Attributes = {"host": host, "port": port, "api_password": password}
        await self._define(host, port, body, caller)
        if target is not None:
            target.renew(line)
        else:
            self._start(line, proven=True)
        return True

    async def cancel(self, host: str, port: int, caller: Caller) -> None:
        """Forward nothing there any more; also right when nothing was."""
        async with self._registering:
            if (host, port) not in self._targets:
                return
            await self._define(host, port, None, caller)
            target = self._targets.pop((host, port))
            if not self._targets:
                self._unsubscribe()
            await target.cancel()

    async def _define(self, host: str, port: int, body: Attributes | None, caller: Caller) -> None:
        await self._registrations.define("forwarding", f"{host}:{port}", body, caller.name, caller.context.origin)

    def _start(self, line: Line, *, proven: bool) -> None:
        address = (line.peer.host, line.peer.port)
        status = LinkStatus(self._home, *address, "to", beside=address in self._followed)
        target = Target(self._home.clock, line, status)
        if not self._targets:
            self._unsubscribe = self._home.bus.listen(MATCH_ALL, self._take)
        self._targets[address] = target
        target.start(proven=proven)

    def _take(self, event: Event) -> None:
        if _is_ours_only(event):
            return
        if event.remote and self._goes_round(event):
            return
        hops = event.context.hops if event.remote else ()
        data = _without_password(data_form(event.data))
        outgoing = Outgoing(event.event_type, encode(data), (*hops, self._home.hub_id), self._home.clock.monotonic())
        for address, target in self._targets.items():
            if not _was_told_by(self._followed.get(address), event):
                target.put(outgoing)

    def _goes_round(self, event: Event) -> bool:
        why = self._guard.stops(event.event_type, data_form(event.data))
        if why:
            for target in self._targets.values():
                target.warn(why)
        return why is not None

    async def stop(self) -> None:
        """The hub stops: what has happened still goes out, for a second at most; registrations stay."""
        self._unsubscribe()
        targets, self._targets = list(self._targets.values()), {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                await asyncio.gather(*(target.drained() for target in targets))
        await asyncio.gather(*(target.stop() for target in targets))


def _is_ours_only(event: Event) -> bool:
    """What other hubs could not use, or must not take for theirs; what links do would make more of it when told."""
    if isinstance(event.data, StateChange):
        return event.data.entity_id.startswith(f"{DOMAIN}.")
    return event.event_type in OURS_ONLY or (event.event_type == CALL_SERVICE and _ends_this_hub(event.data))


def _ends_this_hub(data: Mapping[str, Value]) -> bool:
    return (data.get("domain"), data.get("service")) == ("homeassistant", "stop")


def _without_password(data: Mapping[str, Value]) -> Mapping[str, Value]:
    return {name: value for name, value in data.items() if name != PASSWORD} if PASSWORD in data else data


def _was_told_by(origin: str | None, event: Event) -> bool:
    """Whether the hub with that origin told us this itself: an event of its own, or one of its states."""
    if event.context.origin != origin:
        return False
    return event.remote or (isinstance(event.data, StateChange) and event.data.told_by == origin)
