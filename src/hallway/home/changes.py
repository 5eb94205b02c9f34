"""Changes: everything that happens to a home, numbered in order and stamped with its cause.

A change is a frozen value that can be serialised, stored, sent and replayed. Listeners are indexed, so that
the cost of a change follows what depends on it. It must not know who listens.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import msgspec

from hallway.home.messages import Message
from hallway.home.values import Attributes, Value

log = logging.getLogger(__name__)

MAX_CAUSES = 32
"""A chain of causes longer than this is a loop and is cut."""


# gc=False: plain values never form a circle, so the collector need not go through them.


class Context(msgspec.Struct, frozen=True, gc=False):
    """Why a change happened.

    origin: the door, rule, driver, link or timer it came from (`homeassistant`, `timer:hall`, `link:cellar`);
    user: who asked, if anybody; cause: seq of the change that led to it; depth: links in that chain;
    hops: hubs that it passed.
    """

    origin: str
    user: str | None = None
    cause: int | None = None
    depth: int = 0
    hops: tuple[str, ...] = ()

    def following(self, origin: str, cause: int) -> Context:
        """The context of what this change leads to: same person and way, one link longer."""
        return Context(origin, self.user, cause, self.depth + 1, self.hops)


class State(msgspec.Struct, frozen=True, gc=False):
    """What an entity shows: a text and an object of attributes; times in seconds since 1970."""

    entity_id: str
    state: str
    attributes: Attributes
    last_changed: float
    last_updated: float


class StateChange(msgspec.Struct, frozen=True, gc=False):
    """An entity shows something else: old is None for a new entity, new for a removed one.

    told_by: empty when the state was worked out from a device, variable or group; `reported` when somebody told it,
    `link:<name>` when another hub did.
    """

    entity_id: str
    old: State | None
    new: State | None
    told_by: str = ""


class Change(msgspec.Struct, frozen=True, gc=False, tag_field="what"):
    """Base of all changes: number, wall-clock time in seconds, cause."""

    seq: int
    at: float
    context: Context


class Updated(Change, frozen=True, tag="updated"):
    """A device's attributes were set or reported: old and new values by attribute name, and the states this led to.

    An attribute stands in `new` also when it was only confirmed (old == new). For a device of class *reported*, old and
    new stay empty: its one state is the truth and its attributes are read from it.
    """

    device_id: str
    old: Mapping[str, Value]
    new: Mapping[str, Value]
    states: tuple[StateChange, ...]


class VariableSet(Change, frozen=True, tag="variable"):
    """A variable has a value; old may equal new. `states` holds the state of its entity, if that moved."""

    name: str
    old: Value
    new: Value
    states: tuple[StateChange, ...] = ()


class Fired(Change, frozen=True, tag="event"):
    """An event went over the bus. remote: it was fired over the network, not by the hub itself."""

    event_type: str
    data: Attributes
    remote: bool = False


class Planned(Change, frozen=True, tag="planned"):
    """A device will do something at `due` (wall-clock seconds), or no longer (None)."""

    device_id: str
    name: str
    due: float | None


Kind = Literal["device", "variable", "rule", "page", "group", "user", "role", "plugin", "setting", "scene"]


class Defined(Change, frozen=True, tag="defined"):
    """A definition was added (old None), changed or removed (new None), and the states this led to.

    source: where it stands. `store`: somebody edited it and the store keeps it; `file`, `built-in`, `reported` and
    `link:<name>` are not kept. old equals new when only what follows from the definition is different (a rule that
    names a device which is gone). act: the number of the first edit of what somebody did in one go, 0 when it was this
    one.
    """

    kind: Kind
    key: str
    old: Attributes | None
    new: Attributes | None
    states: tuple[StateChange, ...] = ()
    source: str = "store"
    act: int = 0


class Ordered(Change, frozen=True, tag="ordered"):
    """Somebody put a kind of definitions in order: the ids as they were given, and all of them as they stand now.

    act: as in Defined.
    """

    kind: Kind
    order: tuple[str, ...]
    whole: tuple[str, ...] = ()
    act: int = 0


class Said(Change, frozen=True, tag="message"):
    """A line for the message list of the home."""

    message: Message


class Noted(Change, frozen=True, tag="noted"):
    """A part of the hub keeps something in mind over a restart, under an owner and a name; None: no longer."""

    owner: str
    name: str
    note: Attributes | None


AnyChange = Updated | VariableSet | Fired | Planned | Defined | Ordered | Said | Noted
_TYPES: Final[tuple[type[AnyChange], ...]] = get_args(AnyChange)
Listener = Callable[[AnyChange], None]
Unsubscribe = Callable[[], None]


class Changes:
    """Numbers the changes and hands each to the listeners, in the order in which they subscribed.

    A listener that wants to cause a change itself asks for it with `after`, so that everybody sees the present one
    on the home as it was left by it.
    """

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq
        self._listeners: dict[type[AnyChange], tuple[Listener, ...]] = dict.fromkeys(_TYPES, ())
        self._watchers: dict[str, dict[str, tuple[Listener, ...]]] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._unseen: deque[AnyChange] = deque()
        self._handing_out = False
        self._running = False

    def subscribe(self, listener: Callable[[Any], None], *types: type[AnyChange]) -> Unsubscribe:
        """Be called with every change from now on, or with those of these types."""
        for kind in types or _TYPES:
            self._listeners[kind] = (*self._listeners[kind], listener)

        def unsubscribe() -> None:
            for kind, listeners in self._listeners.items():
                self._listeners[kind] = tuple(other for other in listeners if other is not listener)

        return unsubscribe

    def watch(self, key: str, listener: Listener) -> Unsubscribe:
        """Be called with the changes of one thing only.

        Keys: `device:<id>`, `attribute:<id>.<name>`, `entity:<entity id>`, `variable:<name>`, `event:<type>`, any other
        kind of definition with its id (`rule:<id>`), `order:<kind>`, `message:<level>`.
        """
        kind, _, name = key.partition(":")
        watched = self._watchers.setdefault(kind, {})
        watched[name] = (*watched.get(name, ()), listener)

        def unsubscribe() -> None:
            left = tuple(other for other in watched.get(name, ()) if other is not listener)
            if left:
                watched[name] = left
            else:
                watched.pop(name, None)

        return unsubscribe

    def watching(self, key: str) -> int:
        """How many listen to that key."""
        kind, _, name = key.partition(":")
        return len(self._watchers.get(kind, {}).get(name, ()))

    def event_counts(self) -> dict[str, int]:
        """How many watch events of which type; who sees all changes of devices counts for those of states."""
        counts = {"state_changed": len(self._listeners[Updated])}
        for event_type, listeners in self._watchers.get("event", {}).items():
            counts[event_type] = len(listeners)
        return counts

    def next(self) -> int:
        """The number of the change that is being made."""
        self.seq += 1
        return self.seq

    def emit(self, change: AnyChange) -> None:
        """Hand a change to everybody, then run what they asked for."""
        if self._handing_out:
            self._unseen.append(change)
            return
        self._hand_out(change)
        while self._unseen:
            self._hand_out(self._unseen.popleft())
        if not self._running:
            self._run_waiting()

    def after(self, command: Callable[[], None]) -> None:
        """Run a command once the present change has been seen by all; at once when there is none."""
        self._waiting.append(command)
        if not self._handing_out and not self._running:
            self._run_waiting()

    def _run_waiting(self) -> None:
        self._running = True
        try:
            while self._waiting:
                command = self._waiting.popleft()
                try:
                    command()
                except Exception:
                    log.exception("what a listener asked for failed at change %d", self.seq)
        finally:
            self._running = False

    def _hand_out(self, change: AnyChange) -> None:
        self._handing_out = True
        for listener in self._listeners[type(change)]:
            try:
                listener(change)
            except Exception:
                log.exception("a listener failed on change %d", change.seq)
        for kind, names_of in _WATCHED[type(change)]:
            watched = self._watchers.get(kind)
            if watched:
                for name in names_of(change):
                    for listener in watched.get(name, ()):
                        try:
                            listener(change)
                        except Exception:
                            log.exception("a listener of %s:%s failed on change %d", kind, name, change.seq)
        self._handing_out = False


Names = Callable[[Any], Iterable[str]]


def _device(change: Updated | Planned) -> tuple[str, ...]:
    return (change.device_id,)


def _entities(change: Updated | VariableSet | Defined) -> list[str]:
    return [moved.entity_id for moved in change.states]


def _defined(kind: Kind) -> tuple[str, Names]:
    return kind, lambda change: (change.key,) if change.kind == kind else ()


_WATCHED: Final[Mapping[type[AnyChange], tuple[tuple[str, Names], ...]]] = MappingProxyType(
    {
        Updated: (
            ("device", _device),
            ("attribute", lambda change: [f"{change.device_id}.{name}" for name in change.new]),
            ("entity", _entities),
        ),
        VariableSet: (("variable", lambda change: (change.name,)), ("entity", _entities)),
        Fired: (("event", lambda change: (change.event_type,)),),
        Planned: (("device", _device),),
        Defined: (("entity", _entities), *map(_defined, get_args(Kind))),
        Ordered: (("order", lambda change: (change.kind,)),),
        Said: (("message", lambda change: (change.message.level,)),),
        Noted: (),
    }
)
"""What may be watched of which change: the kinds, and the names of that kind which it has."""
