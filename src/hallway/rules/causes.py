"""Why something starts in a rule: a change of the home, a time, or somebody who asked.

It must not know rules.
"""

from __future__ import annotations

import msgspec

from hallway.home.changes import AnyChange, Context, Defined, Fired, Updated, VariableSet
from hallway.language.coercion import to_text

_SHOWN = 60
MAX_TEXT = 500


class Told(msgspec.Struct, frozen=True, gc=False):
    """What a trace tells of a cause: text in words, origin and user of who was behind it."""

    at: float
    text: str
    seq: int | None
    late: float
    user: str | None
    origin: str


class Cause:
    """What started something. at: seconds since 1970 when it was due; late: seconds that it came too late.

    change: the one that did it, if any; at_once: no time has passed since what has that context, so that the chain of
    causes goes on.
    """

    __slots__ = ("_at_once", "_context", "_text", "_told", "at", "change", "late")

    def __init__(
        self,
        at: float,
        text: str = "",
        *,
        change: AnyChange | None = None,
        context: Context | None = None,
        late: float = 0.0,
        at_once: bool = False,
    ) -> None:
        self.at = at
        self.change = change
        self.late = late
        self._text = text
        self._context = context
        self._at_once = at_once
        self._told: Told | None = None

    @property
    def told(self) -> Told:
        """For traces; made once, since a thousand rules may write one."""
        if self._told is None:
            text = self._text or (text_of(self.change) if self.change is not None else "")
            user, origin = (None, "") if self.context is None else (self.context.user, self.context.origin)
            self._told = Told(self.at, text[:MAX_TEXT], self.seq, self.late, user, origin)
        return self._told

    @property
    def context(self) -> Context | None:
        """Of the change, or of who asked."""
        return self.change.context if self.change is not None else self._context

    @property
    def seq(self) -> int | None:
        """Number of the change that is to be named as the cause of what follows."""
        if self.change is not None:
            return self.change.seq
        return self._context.cause if self._context is not None else None

    def following(self, origin: str) -> Context:
        """The context of what this leads to. After a time has passed, the chain begins anew: that is no loop."""
        if self.change is not None:
            return self.change.context.following(origin, self.change.seq)
        before = self._context
        if before is None:
            return Context(origin)
        return Context(origin, before.user, before.cause, before.depth + 1 if self._at_once else 0, before.hops)


def text_of(change: AnyChange) -> str:
    """A change in words."""
    match change:
        case Updated() if change.new:
            moved = (f"{change.device_id}.{name} is {_shown(value)}" for name, value in change.new.items())
            return ", ".join(moved)
        case VariableSet():
            return f"${change.name} is {_shown(change.new)}"
        case Updated() | Defined() if change.states:
            moved = (f"{moved.entity_id} is {_shown(moved.new.state)}" for moved in change.states if moved.new)
            return ", ".join(moved)
        case Fired():
            return f"event {change.event_type}"
        case Defined():
            return f"{change.kind} {change.key} was edited"
        case _:
            return type(change).__name__


def _shown(value: object) -> str:
    text = to_text(value) if value is None or isinstance(value, bool | int | float | str | list) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
