"""Edits that count only if nobody else was there before: who edits may say at which revision they saw the thing.

It must not know how a revision was given, nor how a refusal is written.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hallway.access.callers import Caller
from hallway.api.operations.base import About, Ask, Hub, Operation, Parameter
from hallway.api.operations.differences import named
from hallway.api.operations.revision_sight import Sight
from hallway.errors import HallwayError, InvalidInput, Stale
from hallway.home.revisions import EDITED, Revision, Revisions
from hallway.home.values import Attributes, Value

HOME: Final = "home"
GIVEN: Final = "revision"
"""The parameter in which it is given."""
_MOST_TOLD: Final = 20
_REVISION: Final = Parameter(
    GIVEN,
    "data",
    "the revision at which you saw it: refused with 409 when it is at another one now",
    beyond=True,
    type="",
)


def with_revision(operation: Operation) -> Operation:
    """An edit of a thing takes the revision at which it was seen."""
    if operation.about is None or operation.methods == ("GET",):
        return operation
    return msgspec.structs.replace(operation, parameters=(*operation.parameters, _REVISION))


def revision_of(hub: Hub, about: About, arguments: Attributes) -> int | None:
    """At which revision the thing is; 0 when it was never edited; None when nobody keeps any."""
    if hub.revisions is None:
        return None
    return hub.revisions.newest() if about.kind == HOME else hub.revisions.present(about.kind, about.key(arguments))


def check_given(hub: Hub, about: About, ask: Ask) -> None:
    """As `check_revision`, where one was given."""
    if GIVEN in ask.data:
        check_revision(hub, about, ask.data, ask.caller)


def check_revision(hub: Hub, about: About, arguments: Attributes, caller: Caller) -> None:
    """Stale: the thing is at another revision than the one in the arguments. InvalidInput: that is no revision."""
    given = _number(arguments[GIVEN])
    now = revision_of(hub, about, arguments)
    if hub.revisions is None or now is None or now == given:
        return
    if about.kind == HOME:
        raise _of_home(hub.revisions, Sight(hub, caller), given, now)
    raise _of_one(hub.revisions, Sight(hub, caller), (about.kind, about.key(arguments)), given, now)


def _number(given: Value) -> int:
    text = str(given).strip().strip('"') if not isinstance(given, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < len(str(2**53))):
        raise InvalidInput(f"revision is {str(given)[:40]!r}: give the number that X-Hallway-Revision told")
    return int(text)


def _of_one(revisions: Revisions, sight: Sight, which: tuple[str, str], given: int, now: int) -> Stale:
    newest = revisions.newest_first((which[0],), which[1], 2**53, 1)
    present = newest[0] if newest else None
    seen = _known(revisions, given)
    known = seen is not None and seen.which == which
    was = seen.body if seen is not None and known else None
    body = present.body if present is not None else None
    details: Attributes = {"kind": which[0], "id": which[1], "yours": given, "now": now, "text": "", "fields": []}
    if known or not given:
        details |= sight.difference(which, was, body)
    return Stale(
        f"{named(which)} was changed meanwhile: yours is based on revision {given}, it is at {now} now"
        f"{_by(present)}; look at it again. Nothing was changed",
        details | _who(present),
    )


def _of_home(revisions: Revisions, sight: Sight, given: int, now: int) -> Stale:
    since = [known for known in revisions.newest_first(EDITED, None, 2**53, _MOST_TOLD) if known.number > given]
    seen = [known for known in since if sight.sees_revision(known)]
    texts: list[Value] = [sight.told(known) for known in seen]
    return Stale(
        f"the home was changed meanwhile: yours is based on revision {given}, it is at {now} now"
        f"{_by(since[0] if since else None)}; look at it again. Nothing was changed",
        {"kind": HOME, "id": "", "yours": given, "now": now, "text": "", "changes": texts}
        | _who(since[0] if since else None),
    )


def _known(revisions: Revisions, number: int) -> Revision | None:
    if not number:
        return None
    try:
        return revisions.get(number)
    except HallwayError:
        return None


def _by(revision: Revision | None) -> str:
    return "" if revision is None or revision.author is None else f", edited by {revision.author}"


def _who(revision: Revision | None) -> Attributes:
    if revision is None:
        return {}
    return {"author": revision.author, "door": revision.door, "time": round(revision.at * 1000)}
