"""The operations on revisions: what was edited and by whom, what was different then, undo, and back to a moment.

Whoever may read a kind of things reads its revisions, whoever may write it undoes them. It must not know how a request
or answer is written.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hallway.access.callers import Caller
from hallway.api.operations.base import Ask, Hub, Operation
from hallway.api.operations.differences import named, shown_body
from hallway.api.operations.entity_scopes import check_call
from hallway.api.operations.pimatic.coercion import boolean_of, number_of
from hallway.api.operations.pimatic.declaring import kept, maybe, path, text_in
from hallway.api.operations.revising import (
    LATEST,
    Wanted,
    all_as_of,
    body_now,
    bring_about,
    kept_by,
    one_as_of,
    undone,
)
from hallway.api.operations.revision_sight import SCOPES, Sight
from hallway.errors import Conflict, Forbidden, HallwayError, InvalidInput, NotFound, Unavailable
from hallway.home.revisions import EDITED, ORDER, Revision, Which
from hallway.home.values import Attributes, Value

AREA: Final = "revisions"
MOST: Final = 100


# ---------------------------------------------------------------------- looking


def get_revisions(hub: Hub, ask: Ask) -> list[Attributes]:
    sight = Sight(hub, ask.caller)
    kind, key = ask.data.get("kind"), ask.data.get("id")
    if kind is None and key is not None:
        raise InvalidInput("give kind along with id: device, rule, variable …")
    wanted = _readable(sight, ask.caller, None if kind is None else _kind_in(ask.data))
    limit = _whole("limit", ask.data, 1, MOST, 50)
    before = _whole("before", ask.data, 1, LATEST, LATEST)
    if ask.data.get("act") is not None:
        of_act = kept_by(hub).of_act(_whole("act", ask.data, 1, LATEST, 1))
        found = [revision for revision in reversed(of_act) if revision.kind in wanted and revision.number < before]
        found = list(filter(sight.sees_revision, found))
    elif kind == ORDER and key is not None and not sight.may("read", (ORDER, str(key))):
        found = []
    else:
        found = _page(hub, sight, (wanted, None if key is None else text_in(ask.data, "id")), before, limit)
    return [_line(sight, revision) for revision in found[:limit]]


def _page(hub: Hub, sight: Sight, which: tuple[list[str], str | None], before: int, limit: int) -> list[Revision]:
    """The next ones that they may see. None at all means that there are no more, however many are not for them."""
    while found := kept_by(hub).newest_first(*which, before, limit):
        if seen := list(filter(sight.sees_revision, found)):
            return seen
        before, limit = found[-1].number, MOST
    return []


def get_revision(hub: Hub, ask: Ask) -> Attributes:
    sight, revision = Sight(hub, ask.caller), _revision(hub, ask)
    bodies = sight.of_bodies(revision.which, revision.before, revision.body)
    was, now = (shown_body(revision.kind, body) for body in bodies)
    told = sight.fields(revision.which, revision.before, revision.body)
    current = kept_by(hub).present(*revision.which) == revision.number
    return {**_line(sight, revision), "current": current, "was": was, "is": now, "fields": told}


def get_difference(hub: Hub, ask: Ask) -> Attributes:
    """Between a revision and the one before it, or another one of the same thing, `to`."""
    sight, revision = Sight(hub, ask.caller), _revision(hub, ask)
    if ask.data.get("to") is not None:
        other = _seen(sight, ask.caller, kept_by(hub).get(_whole("to", ask.data, 1, LATEST, 1)))
        if other.which != revision.which:
            raise InvalidInput(
                f"revision {other.number} is one of {named(other.which)}, not of {named(revision.which)}: "
                "give two of the same thing"
            )
        revision = msgspec.structs.replace(other, before=revision.body, forgotten=False)
    which, was, now = revision.which, revision.before, revision.body
    text, told = sight.sentence(which, was, now), sight.fields(which, was, now)
    return {"text": text, "forgotten": revision.forgotten, "fields": told}


def _line(sight: Sight, revision: Revision) -> Attributes:
    return {
        "revision": revision.number,
        "kind": revision.kind,
        "id": revision.id,
        "version": revision.version,
        "act": revision.act,
        "time": round(revision.at * 1000),
        "author": revision.author,
        "door": revision.door,
        "change": _change_of(revision),
        "text": sight.told(revision),
        "forgotten": revision.forgotten,
    }


def _change_of(revision: Revision) -> str:
    """What was there before something that was forgotten is not known, but something was."""
    known = revision.body is None or not revision.forgotten
    return _change(revision.before, revision.body) if known else "changed"


def _change(was: Attributes | None, now: Attributes | None) -> str:
    return "removed" if now is None else "added" if was is None else "changed"


# ---------------------------------------------------------------------- who may


def _readable(sight: Sight, caller: Caller, kind: str | None) -> list[str]:
    """The kinds that are looked for. Forbidden: the caller may not read the one that they want."""
    if kind is None:
        return [known for known in EDITED if known == ORDER or sight.may("read", (known, ""))]
    if kind != ORDER and not sight.may("read", (kind, "")):
        raise Forbidden(f"revisions of {kind}s need the permission {SCOPES[kind]}:read, which {caller.name} lacks")
    return [kind]


def _seen(sight: Sight, caller: Caller, revision: Revision) -> Revision:
    if not sight.sees_revision(revision):
        raise Forbidden(f"revision {revision.number} is one of what {caller.name} may not see")
    return revision


def _check_sees(hub: Hub, caller: Caller, which: Which, *bodies: Attributes | None) -> None:
    """Forbidden: the caller may not see it, as it is now or as it was then."""
    if not Sight(hub, caller).sees(which, body_now(hub, which), *bodies):
        raise Forbidden(f"{named(which)} is, or was then, one of what {caller.name} may not see")


def _check_may_write(hub: Hub, caller: Caller, wanted: Wanted) -> None:
    """Forbidden: the caller may not see or edit something of it."""
    sight = Sight(hub, caller)
    whiches = [target.which for target in wanted.targets] + [(ORDER, kind) for kind in wanted.orders]
    for which in whiches:
        if not sight.may("write", which):
            scope = SCOPES.get(which[1] if which[0] == ORDER else which[0], "config")
            raise Forbidden(f"{named(which)}: this needs the permission {scope}:write, which {caller.name} lacks")
    for target in wanted.targets:
        _check_sees(hub, caller, target.which, target.body, target.now)
        if target.which[0] == "scene":
            for body in (target.body, target.now):
                entities = None if body is None else body.get("entities")
                for entity_id in entities if isinstance(entities, dict) else {}:
                    check_call(caller, "homeassistant", "turn_on", {"entity_id": entity_id})


# ---------------------------------------------------------------------- undoing


def undo(hub: Hub, ask: Ask) -> object:
    """All of the act to which the revision belongs, or with `alone` nothing beside it."""
    revision = _revision(hub, ask)
    alone, force = _flag("alone", ask.data), _flag("force", ask.data)
    revisions = [revision] if alone else kept_by(hub).of_act(revision.act)
    sight = Sight(hub, ask.caller)
    for other in revisions:
        if not sight.sees(other.which, other.before, other.body, body_now(hub, other.which)):
            raise Forbidden(
                f"revision {revision.number} is part of an act that changed what {ask.caller.name} may not see"
            )
    return _done(hub, ask, undone(hub, revisions, sight.difference, force=force))


def restore(hub: Hub, ask: Ask) -> object:
    """One thing or the whole home, as it was after a revision, at a time, or in a version."""
    given = [name for name in ("at", "revision", "version") if ask.data.get(name) is not None]
    if len(given) != 1:
        raise InvalidInput(
            "give one of at (a time), revision (the number of one) and version (of the thing with kind, id)"
        )
    if ask.data.get("kind") is None:
        if ask.data.get("id") is not None or given == ["version"]:
            raise InvalidInput("give kind along with id and version: device, rule, variable …")
        if not ask.caller.may("config:write"):
            raise Forbidden(
                f"restoring the whole home needs the permission config:write, which {ask.caller.name} lacks"
            )
        return _done(hub, ask, all_as_of(hub, _moment(hub, ask), force=_flag("force", ask.data)))
    if ask.data.get("id") is None:
        raise InvalidInput(f"give the id of the {_kind_in(ask.data)} too: one thing is restored, or the whole home")
    which = _kind_in(ask.data), text_in(ask.data, "id")
    if not Sight(hub, ask.caller).may("read", which):
        raise Forbidden(f"{named(which)}: this needs a permission to read it, which {ask.caller.name} lacks")
    _check_sees(hub, ask.caller, which)
    return _done(hub, ask, _one(hub, ask, which))


def _one(hub: Hub, ask: Ask, which: Which) -> Wanted:
    kind, key = which
    revisions = kept_by(hub)
    if not revisions.present(kind, key):
        raise NotFound(f"{named(which)} has no revisions: it was never edited here")
    if ask.data.get("version") is not None:
        found = revisions.version(kind, key, _whole("version", ask.data, 1, LATEST, 1))
        return one_as_of(hub, which, found.body, found.number)
    number = _moment(hub, ask)
    then = revisions.as_of(kind, number).get(key)
    if then is not None and then.forgotten:
        raise NotFound(f"the version of {named(which)} of that moment is not kept any more: the newest 100 are")
    return one_as_of(hub, which, None if then is None else then.body, number)


def _moment(hub: Hub, ask: Ask) -> int:
    """The number of the last edit that counts. NotFound: nothing is known of that time."""
    if ask.data.get("revision") is not None:
        return kept_by(hub).get(_whole("revision", ask.data, 1, LATEST, 1)).number
    return kept_by(hub).at(_time_in(hub, ask.data["at"]))


def _time_in(hub: Hub, given: Value) -> float:
    """Seconds since 1970 out of milliseconds since then, or of a date as text."""
    if isinstance(given, str) and not given.strip().isdigit():
        try:
            found = datetime.fromisoformat(given.strip())
            return (found if found.tzinfo else found.replace(tzinfo=hub.home.time_zone())).timestamp()
        except (ValueError, OverflowError):
            raise InvalidInput(
                f"at is {given[:40]!r}: give a date such as 2026-11-22T18:30, or milliseconds since 1970"
            ) from None
    return number_of("at", given) / 1000


def _done(hub: Hub, ask: Ask, wanted: Wanted) -> object:
    """Check, do it unless it is a dry run, and tell what is otherwise."""
    _check_may_write(hub, ask.caller, wanted)
    sight = Sight(hub, ask.caller)
    dry_run = _flag("dryRun", ask.data)
    before = hub.home.changes.seq
    changes = [_told(sight, target.which, target.now, target.body) for target in wanted.targets]
    try:
        bring_about(hub, wanted, ask.caller.context, dry_run=dry_run)
    except (Conflict, Unavailable):
        raise
    except HallwayError as error:
        which = f"{named(wanted.targets[0].which)}: " if len(wanted.targets) == 1 else ""
        raise InvalidInput(f"{which}{error.message} (nothing was changed)") from None
    told: Attributes = {
        "dryRun": dry_run,
        "act": None if dry_run else _act_since(hub, before),
        "changes": list[Value](changes),
        "orders": {kind: list[Value](sight.of_order(kind, order)) for kind, order in wanted.orders.items()},
        "left": [{"kind": which[0], "id": which[1], "text": f"{named(which)}: {why}"} for which, why in wanted.aside],
    }
    return told if dry_run else kept(hub, told)


def _told(sight: Sight, which: Which, was: Attributes | None, now: Attributes | None) -> Attributes:
    return {
        "kind": which[0],
        "id": which[1],
        "change": _change(was, now),
        "text": sight.sentence(which, was, now),
        "fields": sight.fields(which, was, now),
    }


def _act_since(hub: Hub, before: int) -> int | None:
    """What was done has been done: this is known without reading anything."""
    return kept_by(hub).newest_act() if kept_by(hub).newest() > before else None


# ---------------------------------------------------------------------- parameters


def _revision(hub: Hub, ask: Ask) -> Revision:
    number = str(ask.data["revision"])
    if not (number.isascii() and number.isdigit() and len(number) < len(str(LATEST))):
        raise InvalidInput(f"revision is {number[:40]!r}: give the number of a revision")
    return _seen(Sight(hub, ask.caller), ask.caller, kept_by(hub).get(int(number)))


def _kind_in(given: Attributes) -> str:
    kind = text_in(given, "kind")
    if kind not in EDITED:
        raise InvalidInput(f"kind is {kind[:40]!r}: give one of {', '.join(EDITED)}")
    return kind


def _whole(name: str, given: Attributes, low: int, high: int, default: int) -> int:
    if given.get(name) is None:
        return default
    number = number_of(name, given[name])
    if number != int(number) or not low <= number <= high:
        raise InvalidInput(f"{name} is {number:g}: give a whole number from {low} to {high}")
    return int(number)


def _flag(name: str, given: Attributes) -> bool:
    return given.get(name) is not None and boolean_of(name, given[name])


_REVISION: Final = path("revision", "number of the revision", "12")
_DRY: Final = maybe("dryRun", "boolean", "only tell what would be otherwise, or why it cannot be")
_KIND: Final = maybe("kind", "string", "only this kind of things", schema={"enum": list(EDITED)}, example="device")
_OTHERWISE: Final = {"description": "what is otherwise, field by field"}

OPERATIONS: Final = (
    Operation(
        "getRevisions",
        ("GET",),
        "/api/revisions",
        "List what was edited, when, by whom and how, newest first; of what you may read",
        "",
        "revisions",
        get_revisions,
        (
            _KIND,
            maybe("id", "string", "only this one of that kind", example="bed_light"),
            maybe("act", "number", "only those of what was done in one go"),
            maybe("before", "number", "only those older than this revision"),
            maybe("limit", "number", f"how many at most, up to {MOST}", example=20),
        ),
        area=AREA,
        result_type="array",
    ),
    Operation(
        "getRevision",
        ("GET",),
        "/api/revisions/{revision}",
        "Tell everything about one edit: what was, what is since",
        "",
        "revision",
        get_revision,
        (_REVISION,),
        area=AREA,
        result_type="object",
    ),
    Operation(
        "getRevisionDifference",
        ("GET",),
        "/api/revisions/{revision}/diff",
        "Tell what an edit changed, field by field, or what is different in another revision of the same thing",
        "",
        "difference",
        get_difference,
        (_REVISION, maybe("to", "number", "the other revision; left out: from the one before to this one")),
        area=AREA,
        result_type="object",
        result_schema=_OTHERWISE,
    ),
    Operation(
        "undoRevision",
        ("POST",),
        "/api/revisions/{revision}/undo",
        "Undo an edit with all that was done in one go with it; needs write of what was edited",
        "",
        "undone",
        undo,
        (
            _REVISION,
            maybe("alone", "boolean", "undo this edit only, and leave the others of its act"),
            maybe("force", "boolean", "also what was changed since"),
            _DRY,
        ),
        area=AREA,
        result_type="object",
        result_schema=_OTHERWISE,
    ),
    Operation(
        "restore",
        ("POST",),
        "/api/revisions/restore",
        "Make one thing, or without kind and id the whole home, as it was; needs write of it, or config:write",
        "",
        "restored",
        restore,
        (
            _KIND,
            maybe("id", "string", "the one that is meant", example="bed_light"),
            maybe("at", "", "a date such as 2026-11-22T18:30, or milliseconds since 1970"),
            maybe("revision", "number", "or as it was after this revision"),
            maybe("version", "number", "or this version of the thing"),
            maybe("force", "boolean", "leave alone what nobody knows any more, instead of refusing"),
            _DRY,
        ),
        area=AREA,
        result_type="object",
        result_schema=_OTHERWISE,
    ),
)
