"""Orders: in which sequence people want to see their devices, variables, rules, pages and groups.

Ids are not checked: an order may name what is not there. It must not know what is ordered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, TypeVar

from hallway.errors import InvalidInput
from hallway.home.announcing import Announcer, check_definition
from hallway.home.changes import Context, Kind

T = TypeVar("T")
MAX_ORDER = 100_000


def arranged(ids: Iterable[str], order: Iterable[str]) -> list[str]:
    """The ids, first those that the order names; the others follow as they were."""
    places: dict[str, int] = {}
    for key in order:
        places.setdefault(key, len(places))
    return sorted(ids, key=lambda key: places.get(key, len(places)))


def rearrange(things: dict[str, T], order: Iterable[str]) -> None:
    """Put a dict into that order, in place."""
    ordered = [(key, things[key]) for key in arranged(things, order)]
    things.clear()
    things.update(ordered)


class Ordered(Protocol):
    """A kind of things that can be put in order."""

    def ids(self) -> Collection[str]: ...
    def arrange(self, order: tuple[str, ...]) -> None: ...


class Orders:
    """The orders of all kinds."""

    def __init__(self, announcer: Announcer, kinds: Mapping[Kind, Ordered]) -> None:
        self._announcer = announcer
        self._kinds = kinds

    def has(self, kind: str) -> bool:
        """Whether such things have an order."""
        return kind in self._kinds

    def get(self, kind: Kind) -> tuple[str, ...]:
        """The ids of all that is there of a kind, in the order in which people want to see them."""
        return tuple(self._of(kind).ids())

    def set(self, kind: Kind, order: Iterable[str], context: Context) -> tuple[str, ...]:
        """Put a kind in order: the ids given come first, the others follow as they were. The order as given."""
        of_kind, given = self._of(kind), tuple(order)
        if len(given) > MAX_ORDER:
            raise InvalidInput(f"an order of {len(given)} ids is too long: at most {MAX_ORDER}")
        check_definition(given)
        whole = tuple(dict.fromkeys((*given, *self.get(kind))))
        of_kind.arrange(whole)
        self._announcer.tell_order(kind, given, whole, context)
        return given

    def put_back(self, kind: Kind, whole: tuple[str, ...], later: Collection[str] = ()) -> None:
        """At start: the order as it was kept. later: what came after it and therefore stands behind."""
        self._of(kind).arrange(tuple(key for key in whole if key not in later))

    def _of(self, kind: Kind) -> Ordered:
        try:
            return self._kinds[kind]
        except KeyError:
            raise InvalidInput(f"{kind}s have no order; {', '.join(self._kinds)} do") from None


class LaterOrder:
    """An order of things that are listed otherwise after the next start only, as clients of old expect of devices."""

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = ids
        self._wanted: tuple[str, ...] = ()

    def ids(self) -> Collection[str]:
        """All that is there, in the order that is wanted."""
        return arranged(self._ids, self._wanted)

    def arrange(self, order: tuple[str, ...]) -> None:
        """From now on that is wanted."""
        self._wanted = order

    def forget(self, key: str) -> None:
        """It went or comes just now: it stands behind."""
        if key in self._wanted:
            self._wanted = tuple(known for known in self._wanted if known != key)
