"""The operations of the Home Assistant API of 2014-12 and what its clients up to 0.85 use beside it.

Names, routes and meaning: the REST document and answers recorded from a real server.
It must not know how a request or answer is written.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import cast

import msgspec

from hallway.access.callers import Caller
from hallway.api.operations.awaiting import SERVICE_WAIT, finished
from hallway.api.operations.base import Ask, Hub, Operation, Parameter, never
from hallway.api.operations.entity_scopes import Hears, check_call, check_fired, check_set, hearing, may_see, seen
from hallway.errors import HallwayError, InvalidInput, NotFound, Unreachable
from hallway.home.calls import Call
from hallway.home.changes import AnyChange, Defined, State, Updated, VariableSet
from hallway.home.entity_services import LINK
from hallway.home.ids import ENTITY_ID
from hallway.home.values import Attributes, Value, encode, kind_of, python_text

DEFAULT_PORT = 8123
MAX_PORT = 65535
SPOKEN_VERSION = "0.7.0"
"""The version whose API this is; clients choose their way of speaking by it."""
MAX_HOPS = 16
"""An event that has passed so many hubs goes no further."""
HOST = re.compile(r"[A-Za-z0-9._:%\[\]-]{1,255}")


class Message(msgspec.Struct, frozen=True):
    """A sentence."""

    text: str


class StateSet(msgspec.Struct, frozen=True):
    """A state that was set: the entity as it was spelt, what it shows now, and whether it is new."""

    entity_id: str
    state: State
    created: bool


def api_status(_hub: Hub, _ask: Ask) -> Message:
    return Message("API running.")


def list_events(hub: Hub, _ask: Ask) -> list[Attributes]:
    return [{"event": name, "listener_count": count} for name, count in hub.home.bus.counts().items()]


def list_services(hub: Hub, _ask: Ask) -> list[Attributes]:
    offered = hub.home.services.listing()
    return [{"domain": domain, "services": list(services)} for domain, services in offered.items()]


def list_states(hub: Hub, ask: Ask) -> list[State]:
    return seen(ask.caller, hub.home.states())


def get_state(hub: Hub, ask: Ask) -> State:
    state = hub.home.state(ask.path[0])
    if state is None or not may_see(ask.caller, state.entity_id):
        raise NotFound("State does not exist.")
    return state


def set_state(hub: Hub, ask: Ask) -> StateSet | Awaitable[StateSet]:
    """What an entity shows. The attributes replace the old ones; other keys of the data are left aside."""
    data = ask.data
    if "state" not in data:
        raise InvalidInput(
            "state not specified: send a JSON object with the key state, and attributes if there are any"
        )
    entity_id = ask.path[0]
    check_set(ask.caller, entity_id)
    attributes = _attributes_in(data.get("attributes"))
    text = python_text(data["state"])
    if attributes or not text.isascii():
        encode((text, attributes))
    return _report(hub, entity_id, text, attributes, ask.caller)


def _attributes_in(given: Value) -> Attributes:
    if isinstance(given, dict):
        return given
    if not given:
        return {}
    raise InvalidInput(f"attributes must be a JSON object, not {kind_of(given)}")


def _report(
    hub: Hub, entity_id: str, text: str, attributes: Attributes, caller: Caller
) -> StateSet | Awaitable[StateSet]:
    home = hub.home
    owner = home.entities.owners.get(entity_id) or home.entities.owners.get(entity_id.lower())
    mirror = home.mirrors.get(owner.told_by.removeprefix(LINK)) if owner is not None and owner.told_by else None
    if mirror is not None:
        return _kept_elsewhere(hub, entity_id, mirror.write(entity_id.lower(), text, attributes))
    state, created = home.report(entity_id, text, attributes, caller.context)
    return StateSet(entity_id, state, created)


async def _kept_elsewhere(hub: Hub, entity_id: str, call: Call) -> StateSet:
    """The entity belongs to another hub: that one keeps the state, and we show it when it says so."""
    await finished(call, SERVICE_WAIT)
    state = hub.home.state(entity_id)
    if call.error is not None or state is None:
        raise call.error or NotFound("State does not exist.")
    return StateSet(entity_id, state, created=False)


def fire_event(hub: Hub, ask: Ask) -> Message:
    event_type = ask.path[0]
    encode(ask.data)
    if event_type == "state_changed":
        _check_states(ask.data)
    check_fired(ask.caller, event_type, ask.data)
    hops = ask.caller.context.hops
    if hub.home.hub_id not in hops and len(hops) < MAX_HOPS:
        hub.told(ask.caller.link, event_type, ask.data, ask.caller.context)
    return Message(f"Event {event_type} fired.")


def _check_states(data: Attributes) -> None:
    """States inside a state_changed event must be states: others would be taken for truth by who listens."""
    for key in ("old_state", "new_state"):
        state = data.get(key)
        if isinstance(state, dict):
            entity_id = state.get("entity_id")
            if "entity_id" in state and (not isinstance(entity_id, str) or not ENTITY_ID.fullmatch(entity_id)):
                raise InvalidInput(f"{key}.entity_id must have the form domain.object_id, not {str(entity_id)[:60]!r}")


async def call_service(hub: Hub, ask: Ask) -> list[State]:
    """Run a service: the states that the caller may see and that changed until it was done, or for ten seconds."""
    domain, service = ask.path
    encode(ask.data)
    check_call(ask.caller, domain, service, ask.data)
    moved: dict[str, None] = {}

    def note(change: AnyChange) -> None:
        if isinstance(change, Updated | VariableSet | Defined):
            moved.update((state.entity_id, None) for state in change.states if state.new is not None)

    unsubscribe = hub.home.changes.subscribe(note, Updated, VariableSet, Defined)
    try:
        call = hub.home.call_service(domain, service, ask.data, ask.caller.context)
        if not call.done:
            await finished(call, SERVICE_WAIT)
            hub.home.services.give_up(call)
    finally:
        unsubscribe()
    if call.error is not None:
        raise call.error
    states = hub.home.entities.states
    return seen(ask.caller, [states[entity_id] for entity_id in moved if entity_id in states])


def get_config(hub: Hub, _ask: Ask) -> Attributes:
    """Name, place and units. A place that was not configured is 0, 0: clients compute with the numbers unasked."""
    info = hub.info
    return {
        "components": list[Value](hub.components()),
        "latitude": info.latitude or 0.0,
        "longitude": info.longitude or 0.0,
        "location_name": info.name,
        "temperature_unit": "°C" if info.unit_system == "metric" else "°F",
        "time_zone": info.time_zone,
        "version": SPOKEN_VERSION,
    }


def list_components(hub: Hub, _ask: Ask) -> list[str]:
    return hub.components()


class Bootstrap(msgspec.Struct, frozen=True):
    """Everything that a client wants at its start."""

    config: Attributes
    events: list[Attributes]
    services: list[Attributes]
    states: list[State]


def bootstrap(hub: Hub, ask: Ask) -> Bootstrap:
    return Bootstrap(get_config(hub, ask), list_events(hub, ask), list_services(hub, ask), list_states(hub, ask))


async def forward_events(hub: Hub, ask: Ask) -> Message:
    host, password = ask.data.get("host"), ask.data.get("api_password")
    encode(ask.data)
    if "host" not in ask.data or "api_password" not in ask.data:
        raise InvalidInput("No host or api_password received: both are needed, for the hub to forward to")
    port = _port(ask.data)
    if not isinstance(host, str) or not HOST.fullmatch(host):
        raise Unreachable("Unable to validate API: host must be a name or an address")
    await hub.forwarding.register(host, port, "" if password is None else python_text(password), ask.caller)
    return Message("Event forwarding setup.")


async def cancel_forwarding(hub: Hub, ask: Ask) -> Message:
    if "host" not in ask.data:
        raise InvalidInput("No host received: it names the hub that events are forwarded to")
    await hub.forwarding.cancel(python_text(ask.data["host"]), _number(ask.data), ask.caller)
    return Message("Event forwarding cancelled.")


class InvalidPort(HallwayError):
    """Not a port."""

    code = "invalid_port"
    status = 422


def _port(data: Attributes) -> int:
    """The port to forward to: one that can be."""
    port = _number(data)
    if not 1 <= port <= MAX_PORT:
        raise InvalidPort("Invalid value received for port: a number from 1 to 65535 is needed")
    return port


def _number(data: Attributes) -> int:
    """The port among the data, whether or not there can be such a port."""
    given = data.get("port", DEFAULT_PORT)
    try:
        return int(cast("str", given))
    except (ValueError, OverflowError, TypeError):
        raise InvalidPort("Invalid value received for port: a number from 1 to 65535 is needed") from None


class Stream(msgspec.Struct, frozen=True):
    """All events from now on, or only those of the types named, and only those that may be heard."""

    only: frozenset[str]
    hears: Hears | None = None


def stream(_hub: Hub, ask: Ask) -> Stream:
    restrict = ask.data.get("restrict")
    names = restrict.split(",") if isinstance(restrict, str) else []
    return Stream(frozenset(name.strip() for name in names if name.strip()), hearing(ask.caller))


_ENTITY = Parameter("entity_id", "path", "domain.object_id, in any case", required=True, example="light.bed_light")
_TARGET = (
    Parameter("host", "data", "name or address of the hub", required=True, example="10.0.0.5"),
    Parameter("port", "data", "its port", "integer", example=8123),
)

OPERATIONS: tuple[Operation, ...] = (
    Operation("api_status", ("GET",), "/api/", "Tell that the API runs", "", "message", api_status),
    Operation("list_events", ("GET",), "/api/events", "List who listens to what", "events:read", "events", list_events),
    Operation(
        "fire_event",
        ("POST",),
        "/api/events/{event_type}",
        "Fire an event; `call_service` runs a service",
        "events:write",
        "message",
        fire_event,
        (Parameter("event_type", "path", "letters, digits, . and _", required=True, example="doorbell"),),
        free_data="the data of the event",
        open_ended=True,
    ),
    Operation(
        "list_services", ("GET",), "/api/services", "List all services", "devices:read", "services", list_services
    ),
    Operation(
        "call_service",
        ("POST",),
        "/api/services/{domain}/{service}",
        "Run a service; the answer is the states that changed meanwhile",
        "controlDevices",
        "states",
        call_service,
        (
            Parameter("domain", "path", "for example light", required=True, example="light"),
            Parameter("service", "path", "for example turn_on", required=True, example="turn_on"),
            Parameter("entity_id", "data", "one entity id or a list; without it all of the domain", ""),
        ),
        free_data="the fields of the service",
        open_ended=True,
        at_once=never,
    ),
    Operation(
        "list_states", ("GET",), "/api/states", "List what all entities show", "devices:read", "states", list_states
    ),
    Operation(
        "get_state",
        ("GET",),
        "/api/states/{entity_id}",
        "Tell what an entity shows",
        "devices:read",
        "state",
        get_state,
        (_ENTITY,),
        open_ended=True,
    ),
    Operation(
        "set_state",
        ("POST", "PUT"),
        "/api/states/{entity_id}",
        "Set what an entity shows; a new one is created",
        "controlDevices",
        "state_set",
        set_state,
        (
            _ENTITY,
            Parameter("state", "data", "any value, kept as text", "", required=True, example="on"),
            Parameter("attributes", "data", "replaces all attributes", "object", example={"brightness": 120}),
        ),
        open_ended=True,
        at_once=lambda hub: not hub.home.mirrors,
    ),
    Operation(
        "forward_events",
        ("POST",),
        "/api/event_forwarding",
        "Forward all events to another hub, also after a restart",
        "config:write",
        "message",
        forward_events,
        (*_TARGET, Parameter("api_password", "data", "the other hub's password", required=True, example="secret")),
        at_once=never,
    ),
    Operation(
        "cancel_forwarding",
        ("DELETE",),
        "/api/event_forwarding",
        "Forward nothing to that hub any more",
        "config:write",
        "message",
        cancel_forwarding,
        _TARGET,
        at_once=never,
    ),
    Operation(
        "stream",
        ("GET",),
        "/api/stream",
        "All events as they happen, as Server-Sent Events; a ping comes first and every 50 seconds",
        "events:read",
        "stream",
        stream,
        (Parameter("restrict", "data", "only these event types, with commas between", example="state_changed"),),
        at_once=never,
    ),
    Operation(
        "get_config", ("GET",), "/api/config", "Tell name, place and units of the home", "", "config", get_config
    ),
    Operation("list_components", ("GET",), "/api/components", "List what is loaded", "", "components", list_components),
    Operation(
        "bootstrap",
        ("GET",),
        "/api/bootstrap",
        "Config, events, services and states at once",
        "devices:read",
        "bootstrap",
        bootstrap,
    ),
)
