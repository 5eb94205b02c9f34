"""How an edit is told: the numbered change of a definition, and what was taken away by it.

All parts of the home that can be edited share one Announcer. It must not know what a definition means.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hallway.clock import Clock
from hallway.errors import Conflict, TooLarge
from hallway.home.changes import Changes, Context, Defined, Kind, Ordered, Said, StateChange, Updated
from hallway.home.devices import NOTHING
from hallway.home.lasts import Lasts
from hallway.home.messages import Level, Message
from hallway.home.values import Attributes, encode

START = Context("start")
"""Of what the hub does by itself when it starts."""
BUILT_IN = "built-in"
"""Source of what the hub itself feeds."""
FILE = "file"
"""Source of what configuration.yaml declares."""
STORE = "store"
"""Source of what somebody edited."""
REMEMBERED = 100
MAX_DEFINITION = 2**20
"""Bytes of one definition as JSON, since several versions of each are kept."""


def check_editable(what: str, source: str) -> None:
    """Conflict: it does not stand in the store, so that nobody can edit it here."""
    if source == FILE:
        raise Conflict(f"{what} stands in configuration.yaml: edit it there and start the hub again")
    if source == BUILT_IN:
        raise Conflict(f"{what} is the hub's own and cannot be edited")


def check_storable(config: object) -> None:
    """CannotStore: somebody edited it and JSON cannot carry it, so that it would be lost."""
    encode(config)


def check_definition(config: object) -> None:
    """As `check_storable`, of a whole definition. TooLarge: versions of it would fill the disk."""
    size = len(encode(config))
    if size > MAX_DEFINITION:
        raise TooLarge(
            f"this definition is {size / MAX_DEFINITION:.1f} MB large and may have 1 MB at most: make it smaller; "
            "the value of a variable may be larger"
        )


class Announcer:
    """Numbers what is edited and hands it out."""

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._gone: OrderedDict[tuple[Kind, str], Any] = OrderedDict()
        self._in_act = False
        self._first = 0
        self.lasts = Lasts(clock, changes)

    @contextmanager
    def act(self) -> Iterator[None]:
        """What is told in this block was done in one go, and can be undone so. An act within another is part of it."""
        if self._in_act:
            yield
            return
        self._in_act = True
        try:
            yield
        finally:
            self._in_act, self._first = False, 0

    def _act_of(self, seq: int) -> int:
        """The first edit of the act to which this one belongs, 0 when it is alone or the first."""
        if self._in_act and not self._first:
            self._first = seq
        return self._first if self._first != seq else 0

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.now()

    def tell(
        self,
        what: tuple[Kind, str],
        bodies: tuple[Attributes | None, Attributes | None],
        context: Context,
        source: str,
        states: tuple[StateChange, ...] = (),
    ) -> None:
        """A definition (kind, key) was added, changed or removed: its old and its new body."""
        seq = self._changes.next()
        act = self._act_of(seq)
        self._changes.emit(Defined(seq, self._clock.now(), context, *what, *bodies, states, source, act))

    def tell_removed(
        self,
        what: tuple[Kind, str],
        thing: Any,
        old: Attributes,
        context: Context,
        source: str,
        states: tuple[StateChange, ...] = (),
    ) -> None:
        """As `tell`, of what is gone: listeners find it with `gone`."""
        self._gone.pop(what, None)
        self._gone[what] = thing
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        self.tell(what, (old, None), context, source, states)

    def gone(self, kind: Kind, key: str) -> Any:
        """The thing as it was when it was removed; None when that is long ago or never was."""
        return self._gone.get((kind, key))

    def tell_order(self, kind: Kind, order: tuple[str, ...], whole: tuple[str, ...], context: Context) -> None:
        """Somebody put things in order."""
        seq = self._changes.next()
        self._changes.emit(Ordered(seq, self._clock.now(), context, kind, order, whole, self._act_of(seq)))

    def tell_shown(self, key: str, states: tuple[StateChange, ...], context: Context) -> None:
        """Something that is no device shows something else, and its definition is as it was."""
        self._changes.emit(Updated(self._changes.next(), self._clock.now(), context, key, NOTHING, NOTHING, states))

    def message(self, level: Level, text: str, tags: tuple[str, ...]) -> Message:
        """A line for people, with the number and the time of the change that will tell it."""
        return Message(self._changes.next(), self._clock.now(), level, text, tags)

    def tell_message(self, message: Message, context: Context) -> None:
        """It was said."""
        self._changes.emit(Said(message.id, message.at, context, message))
