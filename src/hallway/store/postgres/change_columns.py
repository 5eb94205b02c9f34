"""Changes as rows of PostgreSQL and back, each exactly as the blocks of history.db give it.

It must not know blocks, nor when anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hallway.home.changes import Context, Defined, Fired, State, StateChange, Updated, VariableSet
from hallway.home.recorded import Recorded
from hallway.store.postgres.session import EARLIEST, LATEST
from hallway.store.postgres.texts import from_postgres, json_from_postgres, json_to_postgres, to_postgres

COLUMNS: Final = (
    "block", "place", "seq", "at", "kind", "thing", "owner", "old", "new", "states", "origin", "who", "cause", "depth",
    "hops", "remote", "source",
)  # fmt: skip
READ: Final = ", ".join(COLUMNS[2:])
UPDATED: Final = "updated"
VARIABLE: Final = "variable"
EVENT: Final = "event"
DEFINED: Final = "defined"
Row = tuple[Any, ...]


class Shown(msgspec.Struct, omit_defaults=True):
    """What an entity shows since a change. state: None where that follows from values, or it shows nothing any more."""

    entity: str
    told_by: str = ""
    state: str | None = None
    attributes: dict[str, Any] | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_shown = msgspec.json.Decoder(list[Shown]).decode


def to_row(block: int, place: int, change: Recorded) -> Row:
    """The row of a change."""
    match change:
        case Updated():
            about = _about(UPDATED, None, change.device_id, change.old, change.new, change.states)
        case VariableSet():
            about = _about(VARIABLE, None, change.name, change.old, change.new, change.states)
        case Fired():
            about = (EVENT, None, to_postgres(change.event_type), None, _json(change.data), None)
        case _:
            about = _about(DEFINED, change.kind, change.key, change.old, change.new, change.states)
    remote = change.remote if isinstance(change, Fired) else None
    source = change.source if isinstance(change, Defined) else None
    context = change.context
    return (
        block,
        place,
        change.seq,
        min(max(round(change.at * 1000), EARLIEST), LATEST),
        *about,
        to_postgres(context.origin),
        None if context.user is None else to_postgres(context.user),
        context.cause,
        context.depth,
        _json(context.hops) if context.hops else None,
        remote,
        source,
    )


def _about(
    kind: str, thing: str | None, owner: str, old: object, new: object, states: Sequence[StateChange]
) -> tuple[str | None, ...]:
    shown = _json([_shown(each) for each in states]) if states else None
    return kind, thing, to_postgres(owner), _json(old), _json(new), shown


def _json(value: object) -> str:
    return json_to_postgres(_encode(value).decode())


def _shown(moved: StateChange) -> Shown:
    new = moved.new
    if new is None:
        return Shown(moved.entity_id, moved.told_by)
    return Shown(moved.entity_id, moved.told_by, new.state, dict(new.attributes))


def from_row(row: Sequence[Any]) -> Recorded:
    """The change of the columns READ."""
    seq, milliseconds, kind, thing, owner, old, new, states, origin, who, cause, depth, hops, remote, source = row
    at, owner = milliseconds / 1000, from_postgres(owner)
    user = None if who is None else from_postgres(who)
    context = Context(
        from_postgres(origin), user, cause, depth, tuple(_decode(json_from_postgres(hops))) if hops else ()
    )
    after = _decode(json_from_postgres(new))
    if kind == EVENT:
        return Fired(seq, at, context, owner, after, remote)
    before = _decode(json_from_postgres(old))
    moved = tuple([_moved(each, at) for each in _decode_shown(json_from_postgres(states))]) if states else ()
    if kind == UPDATED:
        return Updated(seq, at, context, owner, before, after, moved)
    if kind == VARIABLE:
        return VariableSet(seq, at, context, owner, before, after, moved)
    return Defined(seq, at, context, thing, owner, before, after, moved, source)


def _moved(shown: Shown, at: float) -> StateChange:
    if shown.state is None:
        return StateChange(shown.entity, None, None, shown.told_by)
    state = State(shown.entity, shown.state, shown.attributes or {}, at, at)
    return StateChange(shown.entity, None, state, shown.told_by)
