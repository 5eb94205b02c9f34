"""A hub's event bus and state machine as objects of this program: what happens there is seen and heard here.

The mirror finds a lost hub again by itself and then tells what it missed. It must not know how requests are made.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from .api import API, disconnect_remote_events, fetch_states, fire_event, forward_events, set_state
from .events import EventReceiver, EventStream
from .values import (
    EVENT_STATE_CHANGED,
    EVENT_TIME_CHANGED,
    MATCH_ALL,
    Data,
    Event,
    EventOrigin,
    HomeAssistantError,
    RefusedError,
    State,
)

Listener: TypeAlias = Callable[[Event], object]

_LOGGER = logging.getLogger(__name__)
_FIRST_PAUSE = 0.25  # seconds between two attempts to find a lost hub again; it doubles up to the longest
_LONGEST_PAUSE = 10.0
_NO_SUCH_ROUTE = (404, 405)


class EventBus:
    """The events of a hub: what is fired here goes to the hub, what the hub sends goes to the listeners here."""

    def __init__(self, api: API, pool: object = None) -> None:
        """`pool` is taken because scripts give one; listeners are called in the thread that receives the event."""
        self._api = api
        self._pool = pool
        self._listeners: dict[str, list[Listener]] = {}
        self._lock = threading.Lock()

    @property
    def listeners(self) -> dict[str, int]:
        """Event type → number of listeners."""
        with self._lock:
            return {event_type: len(listeners) for event_type, listeners in self._listeners.items()}

    def listen(self, event_type: str, listener: Listener) -> None:
        """Call `listener(event)` for each event of that type, or for every event with "*"."""
        with self._lock:
            self._listeners.setdefault(event_type, []).append(listener)

    def listen_once(self, event_type: str, listener: Listener) -> Listener:
        """The same for the next event only; returns what `remove_listener` takes."""

        def once(event: Event) -> None:
            if self.remove_listener(event_type, once):
                listener(event)

        self.listen(event_type, once)
        return once

    def remove_listener(self, event_type: str, listener: Listener) -> bool:
        """End a listener; whether it was one."""
        with self._lock:
            listeners = self._listeners.get(event_type, [])
            if listener not in listeners:
                return False
            listeners.remove(listener)
            if not listeners:
                del self._listeners[event_type]
            return True

    def fire(self, event_type: str, event_data: Data = None, origin: EventOrigin = EventOrigin.local) -> None:
        """Fire an event at the hub, from where it comes back; one of remote origin goes to the listeners here."""
        if origin == EventOrigin.local and event_type != EVENT_TIME_CHANGED:
            fire_event(self._api, event_type, event_data)
        else:
            self.dispatch(Event(event_type, dict(event_data or {}), origin))

    def dispatch(self, event: Event) -> None:
        """Hand an event to the listeners here, one after the other; one that fails is logged and stops no other."""
        with self._lock:
            listeners = [*self._listeners.get(event.event_type, []), *self._listeners.get(MATCH_ALL, [])]
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                _LOGGER.exception("A listener of %s failed", event.event_type)


class _Source(Protocol):
    """Where a mirror's events come from."""

    def open(self) -> Iterator[Event]:
        """Subscribe at the hub. Events end when it is time to subscribe again; HomeAssistantError: the hub is lost."""

    def close(self) -> None:
        """Unsubscribe, and end the events that another thread waits for."""


class _NoStreamError(HomeAssistantError):
    """The hub has no stream at all."""


class _StreamSource:
    def __init__(self, api: API) -> None:
        self._api = api
        self._stream: EventStream | None = None
        self._closed = False

    def open(self) -> Iterator[Event]:
        if self._stream is not None:
            self._stream.close()
        try:
            self._stream = EventStream(self._api)
        except RefusedError as error:
            if error.status_code in _NO_SUCH_ROUTE:
                raise _NoStreamError(str(error)) from error
            raise
        if self._closed:
            self._stream.close()
        return self._events(self._stream)

    def _events(self, stream: EventStream) -> Iterator[Event]:
        yield from stream
        raise HomeAssistantError("the hub has closed its stream")

    def close(self) -> None:
        self._closed = True
        if self._stream is not None:
            self._stream.close()


class _ForwardingSource:
    def __init__(self, api: API, receiver: EventReceiver, check_every: float, *, own: bool) -> None:
        self._api = api
        self._receiver = receiver
        self._check_every = check_every
        self._own = own
        self._registered = False

    def open(self) -> Iterator[Event]:
        # a hub that was restarted may have forgotten us; one that was not replaces the registration by the same
        forward_events(self._api, self._receiver.api)
        self._registered = True
        return self._receiver.events(self._check_every)

    def close(self) -> None:
        if self._registered:
            disconnect_remote_events(self._api, self._receiver.api)
        if self._own:
            self._receiver.stop()
        else:
            self._receiver.wake()


class StateMachine:
    """A mirror of the states of a hub: reads come from memory, writes go to the hub and come back as events."""

    def __init__(self, bus: EventBus, api: API) -> None:
        """Fetches the states; from then on they follow the state_changed events of the bus."""
        self.bus = bus
        self._api = api
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self._states: dict[str, State] = {}
        self._source: _Source | None = None
        self._follower: threading.Thread | None = None
        self._stopping = threading.Event()
        self._connected = False
        bus.listen(EVENT_STATE_CHANGED, self._apply)
        self.mirror()

    def all(self) -> list[State]:
        """All states, as copies."""
        with self._lock:
            return [state.copy() for state in self._states.values()]

    def get(self, entity_id: str) -> State | None:
        """A copy of the state of an entity; None when there is none."""
        with self._lock:
            state = self._states.get(entity_id.lower())
            return None if state is None else state.copy()

    def entity_ids(self, domain_filter: str | None = None) -> list[str]:
        """The ids of all entities, or of those in one domain."""
        domain = None if domain_filter is None else domain_filter.lower()
        with self._lock:
            return [entity_id for entity_id in self._states if domain in (None, entity_id.partition(".")[0])]

    def is_state(self, entity_id: str, state: str) -> bool:
        """Whether the entity exists and has that state."""
        current = self.get(entity_id)
        return current is not None and current.state == state

    def set(self, entity_id: str, new_state: object, attributes: Data = None) -> bool:
        """Write to the hub; the mirror follows when the hub's event comes. Whether the hub took it."""
        return set_state(self._api, entity_id, new_state, attributes)

    def mirror(self) -> None:
        """Fetch all states anew. On failure, which is logged, the mirror stays as it was."""
        try:
            self._fetch()
        except HomeAssistantError as error:
            _LOGGER.error("%s", error)  # noqa: TRY400 - a trace tells no more than the text

    @property
    def connected(self) -> bool:
        """Whether the events of the hub arrive now."""
        return self._connected

    def connect(self, receiver: EventReceiver | None = None, check_every: float = 10.0) -> None:
        """Keep the mirror up to date and the listeners of the bus informed, from now on until `disconnect`.

        Events come over the hub's stream. A hub without one, or one that you give a `receiver` for, forwards them
        instead; then the registration is renewed and the states are compared every `check_every` seconds.
        A lost hub is looked for until it is back; what changed meanwhile is dispatched as state_changed.
        HomeAssistantError when the hub cannot be reached now, or refuses.
        """
        if self._source is not None:
            raise HomeAssistantError("this mirror is connected already; disconnect it first")
        source: _Source
        if receiver is None:
            source, events = self._choose_source(check_every)
        else:
            source = _ForwardingSource(self._api, receiver, check_every, own=False)
            events = self._first_events(source)
        self._source, self._connected, self._stopping = source, True, threading.Event()
        self._follower = threading.Thread(target=self._follow, args=(source, events, self._stopping), daemon=True)
        self._follower.start()

    def disconnect(self) -> None:
        """End what `connect` began; the states stay as they are."""
        source, follower = self._source, self._follower
        if source is None or follower is None:
            return
        self._source, self._connected = None, False
        self._stopping.set()
        source.close()
        if follower is not threading.current_thread():
            follower.join(self._api.timeout)

    def _choose_source(self, check_every: float) -> tuple[_Source, Iterator[Event]]:
        with contextlib.suppress(_NoStreamError):
            stream = _StreamSource(self._api)
            return stream, self._first_events(stream)
        forwarding = _ForwardingSource(self._api, EventReceiver(self._api), check_every, own=True)
        return forwarding, self._first_events(forwarding)

    def _first_events(self, source: _Source) -> Iterator[Event]:
        try:
            return self._subscribe(source)
        except HomeAssistantError:
            source.close()
            raise

    def _subscribe(self, source: _Source) -> Iterator[Event]:
        """Events from now on; what changed until now is dispatched."""
        events = source.open()
        before, after = self._fetch()
        for entity_id in sorted(before.keys() | after.keys()):
            states = {"old_state": before.get(entity_id), "new_state": after.get(entity_id)}
            if states["old_state"] != states["new_state"]:
                told = {key: state.copy() for key, state in states.items() if state is not None}
                self.bus.dispatch(Event(EVENT_STATE_CHANGED, {"entity_id": entity_id, **told}, EventOrigin.remote))
        return events

    def _follow(self, source: _Source, events: Iterator[Event], stopping: threading.Event) -> None:
        """Dispatch what comes, subscribe again when that ends, look for the hub while it is lost."""
        pause = _FIRST_PAUSE
        while not stopping.is_set():
            try:
                for event in events:
                    self.bus.dispatch(event)
                    if stopping.is_set():
                        return
                events = self._subscribe(source)
            except HomeAssistantError as error:
                if self._connected and not stopping.is_set():
                    _LOGGER.warning("Lost the events of %s: %s", self._api.base_url, error)
                    self._connected = False
                events = iter(())
                stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                if not self._connected and not stopping.is_set():
                    _LOGGER.info("The events of %s come again", self._api.base_url)
                    self._connected = True
                pause = _FIRST_PAUSE

    def _fetch(self) -> tuple[dict[str, State], dict[str, State]]:
        """Take the hub's states for ours; what we had, and what we have now."""
        with self._fetching:
            with self._lock:
                before = dict(self._states)
            states = {state.entity_id: state for state in fetch_states(self._api)}
            with self._lock:
                for entity_id in before.keys() | self._states.keys():
                    current = self._states.get(entity_id)
                    if current is not before.get(entity_id):  # an event came meanwhile: the answer may be older
                        states.pop(entity_id, None)
                        states.update({} if current is None else {entity_id: current})
                self._states = states
                return before, dict(states)

    def _apply(self, event: Event) -> None:
        entity_id, new_state = event.data.get("entity_id"), event.data.get("new_state")
        with self._lock:
            if isinstance(new_state, State):
                self._states[new_state.entity_id] = new_state.copy()
            elif new_state is None and isinstance(entity_id, str):
                self._states.pop(entity_id.lower(), None)


@contextlib.contextmanager
def mirror(api: API, receiver: EventReceiver | None = None) -> Iterator[StateMachine]:
    """A connected StateMachine, with its EventBus as `bus`, for as long as the with block lasts."""
    states = StateMachine(EventBus(api), api)
    states.connect(receiver)
    try:
        yield states
    finally:
        states.disconnect()
