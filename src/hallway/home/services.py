"""Services: what can be asked of a home by name, `domain.service` with an object of data.

A call goes over the bus as event `call_service`, is carried out, and `service_executed` with its id follows; so it does
not matter whether a door, a rule or another hub fired the event. It must not know entities or devices.
"""

from __future__ import annotations

import itertools
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from hallway.clock import Clock
from hallway.errors import HallwayError, InvalidInput, NotFound, Unavailable, Unreachable
from hallway.home.abilities.base import Field
from hallway.home.bus import CALL_SERVICE, SERVICE_EXECUTED, SERVICE_REGISTERED
from hallway.home.calls import Call
from hallway.home.changes import AnyChange, Changes, Context, Fired
from hallway.home.values import Attributes, Value

log = logging.getLogger(__name__)

CALL_ID = "service_call_id"
_NOT_DATA = ("domain", "service", CALL_ID)
MAX_OPEN_CALLS = 1000
CALL_LIFE = 30.0
"""Seconds that a call may stay open: longer than anybody waits. Nobody gives up those that a service makes itself."""
MAX_ANNOUNCED = 1000
MAX_REMEMBERED = 1000
SAME_CALL_WITHIN = 5.0
"""Seconds within which an event with the id of an earlier call is that call, come back from another hub."""


class Fire(Protocol):
    """How an event gets onto the bus."""

    def __call__(self, event_type: str, data: Attributes, context: Context) -> None: ...


class Asked(msgspec.Struct, frozen=True):
    """A call as its handler sees it; data is without domain, service and call id."""

    domain: str
    service: str
    data: Attributes
    context: Context


class Offered(msgspec.Struct, frozen=True):
    """A service that exists: what it does, its fields, how its data is checked and how it is run."""

    description: str
    fields: tuple[Field, ...]
    check: Callable[[Attributes], None]
    run: Callable[[Asked], Call]


class Services:
    """The registry, and the calls that are still open."""

    def __init__(self, clock: Clock, changes: Changes, fire: Fire, hub_id: str) -> None:
        self._clock = clock
        self._changes = changes
        self._fire = fire
        self._ids = (f"{hub_id}-{secrets.token_hex(4)}-{number}" for number in itertools.count(1))
        self._offered: dict[str, dict[str, Offered]] = {}
        self._announced: dict[tuple[str, str], None] = {}
        self._open: dict[str, Call] = {}
        self._run_before: OrderedDict[str, float] = OrderedDict()
        self.elsewhere: Callable[[str, str], bool] = lambda _domain, _service: False
        changes.watch(f"event:{CALL_SERVICE}", self._called)
        changes.watch(f"event:{SERVICE_EXECUTED}", self._executed)
        changes.watch(f"event:{SERVICE_REGISTERED}", self._registered)

    def register(self, domain: str, service: str, offered: Offered, context: Context) -> None:
        """Offer a service from now on; `service_registered` tells everybody."""
        self._offered.setdefault(domain, {})[service] = offered
        self._fire(SERVICE_REGISTERED, {"domain": domain, "service": service}, context)

    def withdraw(self, domain: str, service: str) -> None:
        """Offer it no longer."""
        self._offered.get(domain, {}).pop(service, None)

    def listing(self) -> Mapping[str, Mapping[str, Offered]]:
        """All services of this hub by domain, in the order in which they came."""
        return self._offered

    def has(self, domain: str, service: str) -> bool:
        """Whether this hub itself offers it."""
        return service in self._offered.get(domain, ())

    def call(self, domain: str, service: str, data: Attributes, context: Context) -> Call:
        """Ask for a service. NotFound and InvalidInput come at once and nothing has happened then.

        The call is done when `service_executed` with its id has been seen, from here or from another hub; it fails when
        nobody has said so within CALL_LIFE.
        """
        data = {key: value for key, value in data.items() if key not in _NOT_DATA}
        self.check(domain, service, data)
        if len(self._open) >= MAX_OPEN_CALLS:
            raise InvalidInput(f"{MAX_OPEN_CALLS} service calls are waiting already; try again later")
        call_id = next(self._ids)
        call = Call()
        self._open[call_id] = call
        call.on_done(lambda _done: self._close(call_id))
        self._fire(CALL_SERVICE, {**data, "domain": domain, "service": service, CALL_ID: call_id}, context)
        if not call.done:
            late = Unreachable(f"nobody said within {CALL_LIFE:g} s that {domain}.{service} was executed")
            cancel = self._clock.call_later(CALL_LIFE, lambda: self.fail(call_id, late))
            call.on_done(lambda _done: cancel())
        return call

    def _close(self, call_id: str) -> None:
        self._open.pop(call_id, None)

    def give_up(self, call: Call) -> None:
        """Whoever asked waits no longer."""
        for call_id, open_call in list(self._open.items()):
            if open_call is call:
                del self._open[call_id]

    def check(self, domain: str, service: str, data: Attributes) -> None:
        """What `call` would refuse at once; NotFound and InvalidInput. Nothing happens."""
        offered = self._offered.get(domain, {}).get(service)
        if offered is not None:
            offered.check(data)
        elif (domain, service) not in self._announced and not self.elsewhere(domain, service):
            known = self._offered.get(domain)
            hint = f"{domain} has: {', '.join(known)}" if known else f"there are: {', '.join(self._offered)}"
            raise NotFound(f"there is no service {domain}.{service}; {hint}")

    def _called(self, change: AnyChange) -> None:
        if isinstance(change, Fired) and not self._was_run(change):
            self._changes.after(lambda: self._run(change))

    def _was_run(self, called: Fired) -> bool:
        """Whether it is a call that went round by way of another hub and was carried out already."""
        call_id = called.data.get(CALL_ID)
        domain, service = str(called.data.get("domain")), str(called.data.get("service"))
        if not isinstance(call_id, str) or not (called.context.hops or self.elsewhere(domain, service)):
            return False
        before = self._run_before.pop(call_id, None)
        self._run_before[call_id] = called.at
        if len(self._run_before) > MAX_REMEMBERED:
            self._run_before.popitem(last=False)
        return before is not None and abs(called.at - before) < SAME_CALL_WITHIN

    def _run(self, fired: Fired) -> None:
        domain, service, call_id = (fired.data.get(key) for key in _NOT_DATA)
        offered = self._offered.get(str(domain), {}).get(str(service))
        if offered is None:
            return
        context = fired.context.following("service", fired.seq)
        nested = fired.data.get("service_data")
        data = dict(nested) if isinstance(nested, dict) else {}
        data |= {key: value for key, value in fired.data.items() if key not in (*_NOT_DATA, "service_data")}
        try:
            running = offered.run(Asked(str(domain), str(service), data, context))
        except HallwayError as error:
            log.warning("service %s.%s was called in vain: %s", domain, service, error)
            self.fail(call_id, error)
            return
        except Exception:
            log.exception("service %s.%s has a fault", domain, service)
            self.fail(call_id, Unavailable(f"service {domain}.{service} has a fault; the log says more"))
            return
        if isinstance(call_id, str):
            running.on_done(lambda done: self._finished(call_id, done, context))

    def fail(self, call_id: Value, error: HallwayError) -> None:
        """The call with that id could not be carried out; nothing happens when it is none of ours."""
        call = self._open.get(call_id) if isinstance(call_id, str) else None
        if call is not None:
            call.fail(error)

    def _finished(self, call_id: str, done: Call, context: Context) -> None:
        if done.error is not None:
            self.fail(call_id, done.error)
        else:
            self._changes.after(lambda: self._tell_executed(call_id, context))

    def _tell_executed(self, call_id: str, context: Context) -> None:
        try:
            self._fire(SERVICE_EXECUTED, {CALL_ID: call_id}, context)
        except HallwayError as error:
            self.fail(call_id, error)

    def _executed(self, change: AnyChange) -> None:
        if not isinstance(change, Fired):
            return
        call_id = change.data.get(CALL_ID)
        call = self._open.get(call_id) if isinstance(call_id, str) else None
        if call is not None:
            self._changes.after(call.finish)

    def _registered(self, change: AnyChange) -> None:
        """A hub that forwards to us told of a service: calls to it may be answered from there."""
        if isinstance(change, Fired) and change.remote and len(self._announced) < MAX_ANNOUNCED:
            domain, service = change.data.get("domain"), change.data.get("service")
            if isinstance(domain, str) and isinstance(service, str):
                self._announced[domain, service] = None
