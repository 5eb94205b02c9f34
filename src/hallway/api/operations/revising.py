"""Back to what was: an act is undone, or things are made as they were at a moment, as one new act.

All of it is planned and checked before anything changes, and done through the functions with which people edit. It
must not know who asks, nor how an answer is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Final, cast

import msgspec

from hallway.api.operations.base import Hub
from hallway.api.operations.differences import essence, named
from hallway.api.operations.pimatic.plans import ORDERED, Difference, Plan, apply, check, present, sources
from hallway.errors import Conflict, Stale, Unavailable
from hallway.home.announcing import FILE, STORE
from hallway.home.changes import Context, Kind
from hallway.home.devices import Attribute
from hallway.home.home import Home
from hallway.home.orders import arranged
from hallway.home.revisions import EDITED, ORDER, Revision, Revisions, Then, Which
from hallway.home.values import Attributes, Value

LATEST: Final = 2**53
"""A number beyond all revisions, which JSON can still count."""
Tell = Callable[[Which, Attributes | None, Attributes | None], Attributes]
LIST_OF: Final[Mapping[str, str]] = {
    "device": "devices",
    "variable": "variables",
    "rule": "rules",
    "page": "pages",
    "group": "groups",
    "scene": "scenes",
    "user": "users",
    "role": "roles",
    "plugin": "plugins",
}
_HAVE_ORDER: Final = frozenset(kind for _name, kind in ORDERED)
_MEMBERS: Final[Mapping[str, str]] = {"devices": "device", "rules": "rule", "variables": "variable"}
"""Properties of pages and groups, and the kind of what they name."""


class Target(msgspec.Struct, frozen=True):
    """What something is to be: its body (None: it is to go), and how it was when it was last so."""

    which: Which
    body: Attributes | None
    now: Attributes | None
    as_of: int = LATEST


class Wanted(msgspec.Struct, frozen=True):
    """What is to be otherwise, and in which order what then. aside: what stays as it is, with the reason."""

    targets: tuple[Target, ...]
    orders: Mapping[str, tuple[str, ...]]
    aside: tuple[tuple[Which, str], ...] = ()


# ---------------------------------------------------------------------- what is wanted


def undone(hub: Hub, revisions: Sequence[Revision], tell: Tell, *, force: bool) -> Wanted:
    """How it was before these revisions, which belong to one act. Conflict: it was changed since, or nobody knows.

    force: also what was changed since; tell: what of a difference may be told to who wants it.
    """
    first: dict[Which, Revision] = {}
    last: dict[Which, Revision] = {}
    for revision in revisions:
        first.setdefault(revision.which, revision)
        last[revision.which] = revision
    targets, orders = list[Target](), dict[str, tuple[str, ...]]()
    before = min((revision.number for revision in revisions), default=1) - 1
    for which, revision in first.items():
        if revision.forgotten:
            raise Conflict(f"nobody knows how {named(which)} was before revision {revision.number}: that is forgotten")
        kind, key = which
        now = body_now(hub, which)
        if not force and _to_compare(hub, which, now) != _to_compare(hub, which, last[which].body):
            raise _changed_since(hub, last[which], now, tell)
        if kind == ORDER:
            orders[key] = order_then(hub, key, before)
        elif essence(kind, now) != essence(kind, revision.before):
            targets.append(Target(which, revision.before, now, before))
    return _with_places(hub, targets, orders)


def _to_compare(hub: Hub, which: Which, body: Attributes | None) -> Attributes | None:
    """What makes it the same. In an order only what is defined counts: the sun and what is reported come and go."""
    kind, key = which
    order = None if kind != ORDER or body is None else body.get("order")
    if body is None or not isinstance(order, list):
        return essence(kind, body)
    stands = {name for _kind, name in _in_file(hub, key, LIST_OF.get(key, ""))}
    return {**body, "order": [name for name in order if name in stands or kept_by(hub).present(key, str(name))]}


def _changed_since(hub: Hub, revision: Revision, now: Attributes | None, tell: Tell) -> Stale:
    which, present_number = revision.which, kept_by(hub).present(*revision.which)
    details = tell(which, revision.body, now) | {"yours": revision.number, "now": present_number}
    return Stale(
        f"{named(which)} was changed since revision {revision.number} (it is at revision {present_number} now): "
        "undo what came later first, or give force to overwrite it",
        details,
    )


def one_as_of(hub: Hub, which: Which, then: Attributes | None, number: int) -> Wanted:
    """One thing as it was after the edit of that number (then: its body)."""
    kind, key = which
    if kind == ORDER:
        return Wanted((), {key: order_then(hub, key, number)})
    now = body_now(hub, which)
    if essence(kind, now) == essence(kind, then):
        return Wanted((), {})
    return _with_places(hub, [Target(which, then, now, number)], {})


def all_as_of(hub: Hub, number: int, *, force: bool) -> Wanted:
    """The whole home as it was after the edit of that number. Conflict: what is not known any more, unless force."""
    targets, aside, orders = list[Target](), list[tuple[Which, str]](), dict[str, tuple[str, ...]]()
    lost: list[Which] = []
    stands = {which for kind, name in LIST_OF.items() for which in _in_file(hub, kind, name)}
    declared = {("user", username) for username in hub.people.declared}
    for kind in EDITED:
        if kind == ORDER:
            continue
        then, now = kept_by(hub).as_of(kind, number), kept_by(hub).as_of(kind, LATEST)
        for key in (*then, *(key for key in now if key not in then)):
            which = kind, key
            wanted, present_body = _body(then.get(key)), _body(now.get(key))
            if essence(kind, wanted) == essence(kind, present_body):
                continue
            if which in stands or (wanted is None and which in declared):
                aside.append((which, "it stands in configuration.yaml"))
            elif key in then and then[key].forgotten:
                lost.append(which)
                aside.append((which, "its version of then is not kept any more"))
            else:
                targets.append(Target(which, wanted, present_body, number))
    if lost and not force:
        raise Conflict(
            f"the version of then is not kept any more of {', '.join(named(which) for which in lost[:5])}: "
            "give force to leave these as they are"
        )
    going = {target.which for target in targets if target.body is None}
    for _name, kind in ORDERED:
        there = [key for key in _order_now(hub, kind) if (kind, key) not in going]
        coming = [key for k, key in (target.which for target in targets) if k == kind and key not in there]
        order = _as_then(hub, kind, [*there, *coming], number)
        if order != [*there, *coming]:
            orders[kind] = tuple(order)
    return Wanted(tuple(targets), orders, tuple(aside))


def body_now(hub: Hub, which: Which) -> Attributes | None:
    """How something is defined now, as it is kept."""
    newest = kept_by(hub).newest_first((which[0],), which[1], LATEST, 1)
    return newest[0].body if newest else None


def kept_by(hub: Hub) -> Revisions:
    """Who keeps the revisions. Unavailable: nobody does."""
    if hub.revisions is None:
        raise Unavailable("this hub keeps no revisions")
    return hub.revisions


def _body(then: Then | None) -> Attributes | None:
    return None if then is None else then.body


def _in_file(hub: Hub, kind: str, name: str) -> list[Which]:
    """What of a kind is not defined in the store."""
    return [(kind, key) for key, source in sources(hub.home).get(name, {}).items() if source == FILE]


# ---------------------------------------------------------------------- orders


def _order_now(hub: Hub, kind: str) -> tuple[str, ...]:
    return hub.home.order(cast("Kind", kind))


def order_then(hub: Hub, kind: str, number: int) -> tuple[str, ...]:
    """The order of a kind after the edit of that number; what the file has stands first where nobody ordered it."""
    kept = kept_by(hub)
    then, later = kept.as_of(kind, number), kept.as_of(kind, LATEST)
    others = [key for key in _order_now(hub, kind) if key not in then and key not in later]
    stands = {key for _kind, key in _in_file(hub, kind, LIST_OF[kind])}
    ids = [*(key for key in others if key in stands), *then, *(key for key in others if key not in stands)]
    order = kept.as_of(ORDER, number).get(kind)
    given = order.body.get("order") if order is not None else None
    if order is None or not isinstance(given, list):
        return tuple(ids)
    behind = {key for key, known in then.items() if known.since > order.number}
    return tuple(arranged(ids, [str(key) for key in given if key not in behind]))


def _as_then(hub: Hub, kind: str, ids: list[str], number: int) -> list[str]:
    """These ids as they stood then. Where nobody ever ordered them, those that are not of the store stay in place."""
    then = order_then(hub, kind, number)
    if any(kind in kept_by(hub).as_of(ORDER, known) for known in (number, LATEST)):
        return arranged(ids, then)
    stored = kept_by(hub).as_of(kind, number)
    movable = iter(arranged([key for key in ids if key in stored], then))
    return [next(movable) if key in stored else key for key in ids]


def _with_places(hub: Hub, targets: Sequence[Target], orders: Mapping[str, tuple[str, ...]]) -> Wanted:
    """What comes back stands where it stood: before what followed it then, else behind what it followed."""
    wanted = dict(orders)
    coming: dict[str, dict[str, int]] = {}
    for target in targets:
        kind, key = target.which
        if target.body is not None and target.now is None and kind in _HAVE_ORDER and kind not in wanted:
            coming.setdefault(kind, {})[key] = target.as_of
    going = {target.which for target in targets if target.body is None}
    for kind, keys in coming.items():
        there = [key for key in _order_now(hub, kind) if (kind, key) not in going]
        order, then_of = list(there), cache(partial(order_then, hub, kind))
        for key, as_of in reversed(keys.items()):
            _place(order, key, then_of(as_of))
        if order != [*there, *keys]:
            wanted[kind] = tuple(order)
    for kind, then in orders.items():
        whole = [key for key in _order_now(hub, kind) if (kind, key) not in going]
        whole += [key for k, key in (t.which for t in targets if t.body is not None) if k == kind and key not in whole]
        wanted[kind] = tuple(arranged(whole, then))
    return Wanted(tuple(targets), wanted)


def _place(order: list[str], key: str, then: Sequence[str]) -> None:
    """Put it into an order where it stood in that of then."""
    if key not in then:
        order.append(key)
        return
    at = list(then).index(key)
    places = {known: place for place, known in enumerate(order)}
    after = next((places[known] for known in then[at + 1 :] if known in places), None)
    before = next((places[known] for known in reversed(then[:at]) if known in places), None)
    if after is not None:
        order.insert(after, key)
    elif before is not None:
        order.insert(before + 1, key)
    else:
        order.append(key)


# ---------------------------------------------------------------------- doing


def bring_about(hub: Hub, wanted: Wanted, context: Context, *, dry_run: bool) -> None:
    """Make it so, as one act, or only look whether that can be. InvalidInput, Conflict: it cannot; nothing changed."""
    _check_sources(hub, wanted.targets)
    plan = _plan(hub, wanted)
    check(hub, plan, trial=dry_run or len(wanted.targets) > 1)
    if not dry_run:
        with hub.home.announcer.act():
            apply(hub, plan, plan.passwords, context)
            _put_values_back(hub.home, wanted.targets, context)


def _put_values_back(home: Home, targets: Iterable[Target], context: Context) -> None:
    """A device that comes back knows what it knew at last, as far as it still has such attributes."""
    for target in targets:
        kind, key = target.which
        device = home.devices.get(key) if kind == "device" and target.now is None else None
        if device is not None:
            last = home.announcer.lasts.values(key, device.class_name)
            fitting = {name: value for name, value in last.items() if _fits(device.attributes.get(name), value)}
            home.set_values(key, fitting, context)


def _fits(attribute: Attribute | None, value: Value) -> bool:
    if attribute is None or attribute.always or (attribute.enum and value not in attribute.enum):
        return False
    if attribute.type == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if attribute.type == "boolean" else str)


def _check_sources(hub: Hub, targets: Iterable[Target]) -> None:
    stands = sources(hub.home)
    for target in targets:
        kind, key = target.which
        source = stands.get(LIST_OF.get(kind, ""), {}).get(key, STORE)
        if source == FILE or (kind == "user" and target.body is None and key in hub.people.declared):
            raise Conflict(f"{named(target.which)} stands in configuration.yaml: edit it there and start the hub again")
        if source != STORE:
            raise Conflict(f"{named(target.which)} is something else now, which was not defined here ({source})")


def _plan(hub: Hub, wanted: Wanted) -> Plan:
    now = present(hub)
    lists: dict[str, dict[str, Attributes]] = {name: dict(entries) for name, entries in now.items()}
    differences = {name: (dict[str, Attributes](), dict[str, Attributes](), list[str]()) for name in lists}
    settings, passwords, further = dict[str, Attributes | None](), dict[str, str](), dict[str, Attributes]()
    for target in wanted.targets:
        kind, key = target.which
        if kind == "setting":
            settings[key] = target.body
            continue
        name = LIST_OF[kind]
        added, changed, missing = differences[name]
        if target.body is None:
            if lists[name].pop(key, None) is not None:
                missing.append(key)
            continue
        body = _as_it_can_be_taken(hub, target.which, target.body)
        (changed if key in now[name] else added)[key] = body
        lists[name][key] = body
        if kind == "user":
            passwords[key] = str(target.body.get("password_hash") or "")
            further[key] = {"from_file": True} if target.body.get("from_file") is True else {}
    _without_what_goes(hub, lists, wanted.targets)
    return Plan(
        lists,
        {name: Difference(added, changed, tuple(missing)) for name, (added, changed, missing) in differences.items()},
        settings,
        passwords,
        {cast("Kind", kind): order for kind, order in wanted.orders.items()},
        further,
        force=True,
    )


def _as_it_can_be_taken(hub: Hub, which: Which, body: Attributes) -> Attributes:
    """A kept body in the form in which the home takes it. A variable keeps the value that it has, or had at last."""
    kind, key = which
    if kind == "role":
        given = body.get("permissions", body)
        return {"name": key, "permissions": given if isinstance(given, dict) else {}}
    if kind == "user":
        return {"username": key, "role": body.get("role") or ""}
    if kind == "variable" and body.get("expression") is None:
        home = hub.home
        known, value = home.announcer.lasts.value(key)
        if key in home.variables:
            value = home.variables.get(key).value
        elif not known:
            gone = home.announcer.gone("variable", key)
            value = body.get("value") if gone is None else gone.value
        return {name: given for name, given in body.items() if name != "expression"} | {"value": value}
    return body


def _without_what_goes(hub: Hub, lists: dict[str, dict[str, Attributes]], targets: Sequence[Target]) -> None:
    """What goes leaves the pages and groups of which nobody said how they are to be; those of the file stay.

    It also stays where it was named already at the moment that is wanted, when it was not there.
    """
    stands, given = sources(hub.home), {target.which for target in targets}
    going = {target.which: target.as_of for target in targets if target.body is None}
    for name, kind in (("pages", "page"), ("groups", "group")):
        then = cache(partial(kept_by(hub).as_of, kind))
        for key, config in lists[name].items():
            if (kind, key) not in given and stands[name].get(key) == STORE:
                leave = [which for which in _named_in(config) if which in going]
                named = {as_of: _named_in(_body(then(as_of).get(key)) or {}) for as_of in {going[w] for w in leave}}
                leaves = {which for which in leave if which not in named[going[which]]}
                lists[name][key] = {field: _left(field, value, leaves) for field, value in config.items()}


def _named_in(config: Attributes) -> set[Which]:
    """The members of a page or group."""
    return {
        _member(kind, item)
        for field, kind in _MEMBERS.items()
        if isinstance(members := config.get(field), list)
        for item in members
    }


def _left(field: str, members: Value, going: set[Which]) -> Value:
    """The members of a page or group that stay."""
    kind = _MEMBERS.get(field)
    if kind is None or not isinstance(members, list):
        return members
    return [item for item in members if _member(kind, item) not in going]


def _member(kind: str, item: Value) -> Which:
    return kind, str(item.get("deviceId") if isinstance(item, dict) else item)
