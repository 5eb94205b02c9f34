"""What is different between two definitions of a thing, field by field: as data and in a sentence, without secrets.

It must not know what a field means, nor who wants to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from hallway.api.operations.pimatic.blanking import blanked
from hallway.home.revisions import ORDER, Which
from hallway.home.values import Attributes, Value, encode, same

MOST_FIELDS: Final = 200
"""So many fields of one difference are told."""
FIELDS_IN_SENTENCE: Final = 4
_LONGEST: Final = 60
_NAMED_BY: Final = ("id", "name", "deviceId", "username", "plugin")
"""Properties by which an object of a list is found again."""


class Field(msgspec.Struct, frozen=True):
    """A field that is different. was, now: UNSET where it is not there; came, went: of a list of texts."""

    path: str
    was: Value | msgspec.UnsetType
    now: Value | msgspec.UnsetType
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()

    def form(self) -> Attributes:
        """As data: `was` or `is` is left out where there was or is nothing."""
        form: Attributes = {"field": self.path}
        if self.was is not msgspec.UNSET:
            form["was"] = self.was
        if self.now is not msgspec.UNSET:
            form["is"] = self.now
        if self.came or self.went:
            form |= {"came": list[Value](self.came), "went": list[Value](self.went)}
        return form

    def sentence(self) -> str:
        """In words."""
        if self.came or self.went:
            parts = [f"{_names(self.came)} came"] if self.came else []
            parts += [f"{_names(self.went)} went"] if self.went else []
            return f"{self.path}: {' and '.join(parts)}"
        if isinstance(self.was, list) and isinstance(self.now, list) and _is_reordered(self.was, self.now):
            return f"{self.path} are in another order"
        if self.was is msgspec.UNSET:
            return f"{self.path} is {_shown(self.now)} now and was not there"
        if self.now is msgspec.UNSET:
            return f"{self.path} was {_shown(self.was)} and is not there any more"
        if same(self.was, self.now):  # what is shown of it, for what is different is secret
            return f"{self.path} is another one"
        return f"{self.path} was {_shown(self.was)}, is {_shown(self.now)}"


def shown_body(kind: str, body: Attributes | None) -> Attributes | None:
    """A definition as people may see it: secrets are blank, and what only the hub itself needs is left out."""
    if body is None:
        return None
    if kind == "user":
        body = {("password" if name == "password_hash" else name): given for name, given in body.items()}
        body.pop("stamp", None)
    return blanked(body)


def essence(kind: str, body: Attributes | None) -> Attributes | None:
    """What makes it the same definition: values of variables, and the stamps of persons, are no part of it."""
    if body is None or kind not in ("variable", "user"):
        return body
    left_out = "stamp" if kind == "user" else "value"
    if kind == "variable" and body.get("expression") is None:
        return {name: given for name, given in body.items() if name not in ("value", "expression")}
    return {name: given for name, given in body.items() if name != left_out}


def fields(kind: str, was: Attributes | None, now: Attributes | None) -> list[Field]:
    """What is different; at most so many fields."""
    if was is None or now is None:
        return []
    found = []
    for field in _inside("", (was, now), (shown_body(kind, was), shown_body(kind, now)), _renamed(kind)):
        found.append(field)
        if len(found) == MOST_FIELDS:
            break
    return found


def sentence(which: Which, was: Attributes | None, now: Attributes | None) -> str:
    """What was done to something, in words."""
    kind, key = which
    name = named(which)
    if kind == ORDER:
        order = None if now is None else now.get("order")
        if not isinstance(order, list) or not order:
            return f"the order of {key}s was changed"
        return f"{key}s were put in order: {_names(tuple(str(item) for item in order))}"
    if was is None or now is None:
        return f"{name} was {'removed' if was is not None else 'added'}" if was != now else f"{name} is as it was"
    different = fields(kind, was, now)
    told = [field.sentence() for field in different[:FIELDS_IN_SENTENCE]]
    more = len(different) - len(told)
    if more:
        told.append(f"and {more} more")
    return f"{name}: {'; '.join(told)}" if told else f"{name} is as it was"


def difference_form(which: Which, was: Attributes | None, now: Attributes | None) -> Attributes:
    """What is different, as data."""
    kind, key = which
    told = [field.form() for field in fields(kind, was, now)]
    return {"kind": kind, "id": key, "text": sentence(which, was, now), "fields": list[Value](told)}


def named(which: Which) -> str:
    """Something in words."""
    kind, key = which
    if kind == ORDER:
        return f"the order of {key}s"
    return f"variable ${key}" if kind == "variable" else f"{kind} {key}"


# ---------------------------------------------------------------------- inside


def _renamed(kind: str) -> dict[str, str]:
    return {"password_hash": "password"} if kind == "user" else {}


def _inside(
    path: str, raw: tuple[Value, Value], shown: tuple[Value, Value], renamed: dict[str, str]
) -> Iterator[Field]:
    """The fields in which two values differ. raw: as they are; shown: the same without secrets."""
    (was, now), (was_shown, now_shown) = raw, shown
    if same(was, now) and was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict) and isinstance(was_shown, dict) and isinstance(now_shown, dict):
        for name in dict.fromkeys((*was, *now)):
            shown_as = renamed.get(name, name)
            if shown_as not in was_shown and shown_as not in now_shown:
                continue
            inner = f"{path}.{shown_as}" if path else shown_as
            if name not in was or name not in now:
                yield Field(inner, was_shown.get(shown_as, msgspec.UNSET), now_shown.get(shown_as, msgspec.UNSET))
            else:
                pair = (was_shown[shown_as], now_shown[shown_as])
                yield from _inside(inner, (was[name], now[name]), pair, {})
    elif (
        isinstance(was, list) and isinstance(now, list) and isinstance(was_shown, list) and isinstance(now_shown, list)
    ):
        yield from _in_lists(path, (was, now), (was_shown, now_shown))
    else:
        yield Field(path, was_shown, now_shown)


def _in_lists(
    path: str, raw: tuple[list[Value], list[Value]], shown: tuple[list[Value], list[Value]]
) -> Iterator[Field]:
    was, now = raw
    nothing_hidden = shown == raw
    if nothing_hidden and all(isinstance(item, str) for item in (*was, *now)):
        before, after = [str(item) for item in was], [str(item) for item in now]
        came = tuple(item for item in dict.fromkeys(after) if item not in set(before))
        went = tuple(item for item in dict.fromkeys(before) if item not in set(after))
        yield Field(path, list[Value](before), list[Value](after), came, went)
        return
    by_name = [_by_name(items) for items in shown]  # a name may be secret as well
    if by_name[0] is None or by_name[1] is None:
        yield Field(path, shown[0], shown[1])
        return
    old, new = ({name: shown[side][place] for name, place in by_name[side].items()} for side in (0, 1))  # type: ignore[union-attr]
    for name in dict.fromkeys((*old, *new)):
        inner = f"{path}.{name}"
        if name not in old or name not in new:
            yield Field(inner, old.get(name, msgspec.UNSET), new.get(name, msgspec.UNSET))
        else:
            yield from _inside(inner, (was[by_name[0][name]], now[by_name[1][name]]), (old[name], new[name]), {})
    if [name for name in old if name in new] != [name for name in new if name in old]:
        yield Field(path, list[Value](old), list[Value](new))


def _by_name(items: list[Value]) -> dict[str, int] | None:
    """The places of the objects in a list by what names them; None: something in it has no name of its own."""
    found: dict[str, int] = {}
    for place, item in enumerate(items):
        names = (
            [str(item[name]) for name in _NAMED_BY if isinstance(item.get(name), str)] if isinstance(item, dict) else []
        )
        if not names or names[0] in found:
            return None
        found[names[0]] = place
    return found


def _is_reordered(was: list[Value], now: list[Value]) -> bool:
    """Whether these are the same items, otherwise put in order."""
    return was != now and sorted(map(encode, was)) == sorted(map(encode, now))


def _names(names: tuple[str, ...]) -> str:
    told = ", ".join(names[:FIELDS_IN_SENTENCE])
    return told if len(names) <= FIELDS_IN_SENTENCE else f"{told} and {len(names) - FIELDS_IN_SENTENCE} more"


def _shown(value: object) -> str:
    text = encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
