"""Comparisons of one value with fixed ones, ordered so that a new value finds those it may turn and leaves the others.

A thousand rules on one temperature cost as much as those whose threshold lies between the old and the new value.
It must not know what a signal does when it is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from hallway.home.values import Value
from hallway.language.conditions import Comparator
from hallway.language.evaluation import UNDEFINED, Result
from hallway.rules.comparing import is_number
from hallway.rules.signals import Signal

Key = tuple[type, Value]


class Comparisons:
    """Signals by the value that they compare with."""

    def __init__(self) -> None:
        self._equals: dict[Key, list[Signal]] = {}
        self._bounds: list[tuple[float, int, Signal]] = []
        self._unordered: list[Signal] = []
        self._sorted = True
        self._last: Result = UNDEFINED
        self._known = False
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, signal: Signal, comparator: Comparator, fixed: Value) -> None:
        """Find it when it may turn. All are found at the first value after somebody came."""
        self._count += 1
        self._known = False
        if comparator in {"==", "!="}:
            self._equals.setdefault(_key(fixed), []).append(signal)
        elif is_number(fixed) and isinstance(fixed, int | float):
            self._bounds.append((fixed, self._count, signal))
            self._sorted = False
        else:
            self._unordered.append(signal)

    def remove(self, signal: Signal) -> None:
        """Find it no more."""
        self._count -= 1
        self._unordered = [other for other in self._unordered if other is not signal]
        self._bounds = [bound for bound in self._bounds if bound[2] is not signal]
        self._equals = {
            key: left
            for key, signals in self._equals.items()
            if (left := [other for other in signals if other is not signal])
        }

    def turned_by(self, value: Result) -> list[Signal]:
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

    def _between(self, last: Result, value: Result) -> list[Signal]:
        if not self._bounds:
            return []
        if not (is_number(last) and is_number(value)):
            return [signal for _bound, _number, signal in self._bounds]
        if not self._sorted:
            self._bounds.sort(key=_bound_of)
            self._sorted = True
        low, high = min(_size(last), _size(value)), max(_size(last), _size(value))
        start = bisect_left(self._bounds, low, key=_bound_of)
        end = bisect_right(self._bounds, high, key=_bound_of)
        return [signal for _bound, _number, signal in self._bounds[start:end]]

    def _all(self) -> Iterator[Signal]:
        yield from self._unordered
        for signals in self._equals.values():
            yield from signals
        for _bound, _number, signal in self._bounds:
            yield signal


def _bound_of(bound: tuple[float, int, Signal]) -> float:
    return bound[0]


def _size(value: Result) -> float:
    return value if isinstance(value, int | float) else 0.0


def _is_plain(value: Result) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _key(value: Result) -> Key:
    """Values that are equal have the same key; 5 and 5.0 are."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float, float(value) if abs(value) < 2**53 else str(value)
    return (type(value), value if _is_plain(value) else None)  # type: ignore[return-value]
