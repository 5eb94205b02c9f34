"""Changes: everything that happens to a home, numbered in order and stamped with its cause.

A change is a frozen value that can be serialised, stored, sent and replayed. Listeners are indexed, so that
the cost of a change follows what depends on it. It must not know who listens.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

import msgspec

from hallway.home.messages import Message
from hallway.home.values import Attributes, Value

log = logging.getLogger(__name__)

MAX_CAUSES = 32
"""A chain of causes longer than this is a loop and is cut."""


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


class State(msgspec.Struct, frozen=True):
    """What an entity shows: a text and an object of attributes; times in seconds since 1970."""

    entity_id: str
    state: str
    attributes: Attributes
    last_changed: float
    last_updated: float


class StateChange(msgspec.Struct, frozen=True):
    """An entity shows something else: old is None for a new entity, new for a removed one.

    told_by: empty when the state was worked out from a device, variable or group; `reported` when somebody told it,
    `link:<name>` when another hub did.
    """

    entity_id: str
    old: State | None
    new: State | None
    told_by: str = ""


class Change(msgspec.Struct, frozen=True, tag_field="what"):
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
    names a device which is gone).
    """

    kind: Kind
    key: str
    old: Attributes | None
    new: Attributes | None
    states: tuple[StateChange, ...] = ()
    source: str = "store"


class Ordered(Change, frozen=True, tag="ordered"):
    """Somebody put a kind of definitions in order: the ids as they were given, and all of them as they stand now."""

    kind: Kind
    order: tuple[str, ...]
    whole: tuple[str, ...] = ()


class Said(Change, frozen=True, tag="message"):
    """A line for the message list of the home."""

    message: Message


class Noted(Change, frozen=True, tag="noted"):
    """A part of the hub keeps something in mind over a restart, under an owner and a name; None: no longer."""

    owner: str
    name: str
    note: Attributes | None


AnyChange = Updated | VariableSet | Fired | Planned | Defined | Ordered | Said | Noted
Listener = Callable[[AnyChange], None]
Unsubscribe = Callable[[], None]


class Changes:
    """Numbers the changes and hands each to the listeners, in the order in which they subscribed.

    A listener that wants to cause a change itself asks for it with `after`, so that everybody sees the present one
    on the home as it was left by it.
    """

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq
        self._listeners: tuple[Listener, ...] = ()
        self._watchers: dict[str, dict[str, tuple[Listener, ...]]] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._unseen: deque[AnyChange] = deque()
        self._handing_out = False
        self._running = False

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Be called with every change from now on."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe

    def watch(self, key: str, listener: Listener) -> Unsubscribe:
        """Be called with the changes of one thing only.

        Keys: `device:<id>`, `attribute:<id>.<name>`, `entity:<entity id>`, `variable:<name>`, `event:<type>`, any other
        kind of definition with its id (`rule:<id>`), `order:<kind>`, `message:<level>`.
        """
        watched = self._watchers.setdefault(key.partition(":")[0], {})
        watched[key] = (*watched.get(key, ()), listener)

        def unsubscribe() -> None:
            left = tuple(other for other in watched.get(key, ()) if other is not listener)
            if left:
                watched[key] = left
            else:
                watched.pop(key, None)

        return unsubscribe

    def watching(self, key: str) -> int:
        """How many listen to that key."""
        return len(self._watchers.get(key.partition(":")[0], {}).get(key, ()))

    def event_counts(self) -> dict[str, int]:
        """How many watch events of which type; who sees all changes counts for those of states."""
        counts = {"state_changed": len(self._listeners)}
        for key, listeners in self._watchers.get("event", {}).items():
            counts[key.removeprefix("event:")] = len(listeners)
        return counts

    def next(self) -> int:
        """The number of the change that is being made."""
        self.seq += 1
        return self.seq

    def emit(self, change: AnyChange) -> None:
        """Hand a change to everybody, then run what they asked for."""
        self._unseen.append(change)
        if self._handing_out:
            return
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
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:
                log.exception("a listener failed on change %d", change.seq)
        for kind in _KINDS[type(change)]:
            if self._watchers.get(kind):
                self._hand_to_watchers(change, kind)
        self._handing_out = False

    def _hand_to_watchers(self, change: AnyChange, kind: str) -> None:
        watched = self._watchers[kind]
        for key in _keys(change, kind):
            for listener in watched.get(key, ()):
                try:
                    listener(change)
                except Exception:
                    log.exception("a listener of %s failed on change %d", key, change.seq)


_KINDS: Final[Mapping[type[AnyChange], tuple[str, ...]]] = MappingProxyType(
    {
        Updated: ("device", "attribute", "entity"),
        VariableSet: ("variable", "entity"),
        Fired: ("event",),
        Planned: ("device",),
        Defined: ("entity", *get_args(Kind)),
        Ordered: ("order",),
        Said: ("message",),
        Noted: (),
    }
)
"""What may be watched of which change."""


def _keys(change: AnyChange, kind: str) -> list[str]:
    """The keys of one kind under which a change can be watched."""
    return [f"{kind}:{name}" for name in _names(change, kind)]


def _names(change: AnyChange, kind: str) -> list[str]:
    names: list[str] = []
    match change:
        case Updated() | VariableSet() | Defined() if kind == "entity":
            names = [moved.entity_id for moved in change.states]
        case Updated() if kind == "attribute":
            names = [f"{change.device_id}.{name}" for name in change.new]
        case Updated() | Planned():
            names = [change.device_id]
        case VariableSet():
            names = [change.name]
        case Fired():
            names = [change.event_type]
        case Defined():
            names = [change.key] if kind == change.kind else names
        case Ordered():
            names = [change.kind]
        case Said():
            names = [change.message.level]
    return names
