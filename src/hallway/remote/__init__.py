"""The Python client of a hub that speaks Home Assistant's REST API of 2014: hallway, or Home Assistant 0.7 to 0.12.

Names and behaviour are those of `homeassistant.remote` of that time, so its scripts run with one import changed.
It needs only the standard library and must not know anything else of hallway: copy this folder where you need it.
"""

from .api import (
    API,
    METHOD_DELETE,
    METHOD_GET,
    METHOD_POST,
    SERVER_PORT,
    APIStatus,
    Response,
    call_service,
    connect_remote_events,
    disconnect_remote_events,
    fire_event,
    get_event_listeners,
    get_services,
    get_state,
    get_states,
    is_state,
    set_state,
    validate_api,
)
from .events import EventReceiver, EventStream, stream
from .mirrors import EventBus, StateMachine, mirror
from .values import (
    EVENT_STATE_CHANGED,
    EVENT_TIME_CHANGED,
    MATCH_ALL,
    Event,
    EventOrigin,
    HomeAssistantError,
    JSONEncoder,
    RefusedError,
    State,
)

__all__ = [
    "API",
    "EVENT_STATE_CHANGED",
    "EVENT_TIME_CHANGED",
    "MATCH_ALL",
    "METHOD_DELETE",
    "METHOD_GET",
    "METHOD_POST",
    "SERVER_PORT",
    "APIStatus",
    "Event",
    "EventBus",
    "EventOrigin",
    "EventReceiver",
    "EventStream",
    "HomeAssistantError",
    "JSONEncoder",
    "RefusedError",
    "Response",
    "State",
    "StateMachine",
    "call_service",
    "connect_remote_events",
    "disconnect_remote_events",
    "fire_event",
    "get_event_listeners",
    "get_services",
    "get_state",
    "get_states",
    "is_state",
    "mirror",
    "set_state",
    "stream",
    "validate_api",
]
