"""Comparisons of one value with fixed ones, ordered so that a new value finds those it may turn and leaves the others.

A thousand rules on one temperature cost as much as those whose threshold lies between the old and the new value.
It must not know what a signal does when it is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, TypeVar

from hallway.home.values import Value
from hallway.language.conditions import Comparator
from hallway.language.evaluation import UNDEFINED, Result
from hallway.rules.comparing import is_number
from hallway.rules.signals import Signal

Key = tuple[type, Value]
S = TypeVar("S", bound=Signal)


class Comparisons(Generic[S]):
    """Signals by the value that they compare with."""

    def __init__(self) -> None:
        self._equals: dict[Key, list[S]] = {}
        self._bounds: list[float] = []
        self._bounded: list[S] = []
        self._unordered: list[S] = []
        self._sorted = True
        self._last: Result = UNDEFINED
        self._known = False
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, signal: S, comparator: Comparator, fixed: Value) -> None:
        """Find it when it may turn. All are found at the first value after somebody came."""
        self._count += 1
        self._known = False
        if comparator in {"==", "!="}:
            self._equals.setdefault(_key(fixed), []).append(signal)
        elif is_number(fixed) and isinstance(fixed, int | float):
            self._bounds.append(fixed)
            self._bounded.append(signal)
            self._sorted = False
        else:
            self._unordered.append(signal)

    def remove(self, signal: S) -> None:
        """Find it no more."""
        self._count -= 1
        self._unordered = [other for other in self._unordered if other is not signal]
        if signal in self._bounded:
            place = self._bounded.index(signal)
            del self._bounds[place], self._bounded[place]
        self._equals = {
            key: left
            for key, signals in self._equals.items()
            if (left := [other for other in signals if other is not signal])
        }

    def turned_by(self, value: Result) -> list[S]:
        """The signals that may turn now that the value is this one."""
        known, last, self._known, self._last = self._known, self._last, True, value
        if not known:
            return list(self._all())
        found = list(self._unordered)
        if last is UNDEFINED or value is UNDEFINED or not (_is_plain(last) and _is_plain(value)):
            found += (signal for signals in self._equals.values() for signal in signals)
        else:
            for key in {_key(last), _key(value)}:
                found += self._equals.get(key, ())
        return found + self._between(last, value)

    def _between(self, last: Result, value: Result) -> list[S]:
        if not self._bounds:
            return []
        if not (is_number(last) and is_number(value)):
            return self._bounded
        if not self._sorted:
            self._sort()
        low, high = min(_size(last), _size(value)), max(_size(last), _size(value))
        return self._bounded[bisect_left(self._bounds, low) : bisect_right(self._bounds, high)]

    def _sort(self) -> None:
        order = sorted(range(len(self._bounds)), key=self._bounds.__getitem__)
        self._bounds = [self._bounds[place] for place in order]
        self._bounded = [self._bounded[place] for place in order]
        self._sorted = True

    def _all(self) -> Iterator[S]:
        yield from self._unordered
        for signals in self._equals.values():
            yield from signals
        yield from self._bounded


def _size(value: Result) -> float:
    return value if isinstance(value, int | float) else 0.0


def _is_plain(value: Result) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _key(value: Result) -> Key:
    """Values that are equal have the same key; 5 and 5.0 are."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float, float(value) if abs(value) < 2**53 else str(value)
    return (type(value), value if _is_plain(value) else None)  # type: ignore[return-value]
