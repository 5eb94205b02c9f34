"""The bus: changes as Home Assistant's events, for those who think in events.

An event is a view of a change: of each state that moved (`state_changed`), and of what was fired. Listeners are by
type or for all (`*`). It must not know who listens, nor how an event is written on the wire.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import msgspec

from hallway.home.changes import (
    AnyChange,
    Changes,
    Context,
    Defined,
    Fired,
    StateChange,
    Unsubscribe,
    Updated,
    VariableSet,
)
from hallway.home.values import Value

log = logging.getLogger(__name__)

MATCH_ALL = "*"
STATE_CHANGED = "state_changed"
CALL_SERVICE = "call_service"
SERVICE_EXECUTED = "service_executed"
SERVICE_REGISTERED = "service_registered"
HUB_START = "homeassistant_start"
HUB_STOP = "homeassistant_stop"
TIME_CHANGED = "time_changed"


class Event(msgspec.Struct, frozen=True):
    """An event: type, data (for state_changed the states themselves), time in seconds since 1970 and cause.

    remote: it was fired over the network, not by the hub itself.
    """

    event_type: str
    data: Mapping[str, Value] | StateChange
    at: float
    context: Context
    seq: int
    remote: bool = False


EventListener = Callable[[Event], None]


class Bus:
    """Hands out events. Costs nothing while nobody listens."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._listeners: dict[str, tuple[EventListener, ...]] = {}
        self._audiences: dict[EventListener, Callable[[], int]] = {}
        self._unsubscribe: Unsubscribe | None = None

    def listen(self, event_type: str, listener: EventListener, audience: Callable[[], int] = lambda: 1) -> Unsubscribe:
        """Be called with every event of that type, or with all for `*`. audience: how many hear it by that."""
        self._audiences[listener] = audience
        self._listeners[event_type] = (*self._listeners.get(event_type, ()), listener)
        if self._unsubscribe is None:
            self._unsubscribe = self._changes.subscribe(self._take, Updated, VariableSet, Fired, Defined)

        def unsubscribe() -> None:
            self._audiences.pop(listener, None)
            left = tuple(other for other in self._listeners.get(event_type, ()) if other is not listener)
            if left:
                self._listeners[event_type] = left
            else:
                self._listeners.pop(event_type, None)
            if not self._listeners and self._unsubscribe is not None:
                self._unsubscribe()
                self._unsubscribe = None

        return unsubscribe

    def counts(self) -> dict[str, int]:
        """How many listen to which type: the hub's own parts first, then who came over the bus, in order."""
        counts = self._changes.event_counts()
        for event_type, listeners in self._listeners.items():
            heard = sum(self._audiences[listener]() for listener in listeners)
            counts[event_type] = counts.get(event_type, 0) + heard
        return counts

    def _take(self, change: AnyChange) -> None:
        match change:
            case Updated() | VariableSet() | Defined():
                for moved in change.states:
                    if moved.new is not None:
                        self._hand_out(Event(STATE_CHANGED, moved, change.at, change.context, change.seq))
            case Fired():
                told = Event(change.event_type, change.data, change.at, change.context, change.seq, change.remote)
                self._hand_out(told)

    def _hand_out(self, event: Event) -> None:
        for listener in (*self._listeners.get(event.event_type, ()), *self._listeners.get(MATCH_ALL, ())):
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on event %s", event.event_type)
