"""Roll-ups: what a number was in each 5 minutes, hour and day, from its samples, some at a time.

What is not complete yet is a small state that goes on with the next samples, so the pieces make no difference. It must
not know where samples come from, nor where roll-ups are kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from math import floor, isfinite, log10
from operator import mul, sub
from typing import Any, Final

import msgspec

from hallway.home.past import SECONDS_OF, Bucket, Span

SPANS: Final[tuple[Span, ...]] = ("5min", "hour", "day")
_MS: Final = tuple(SECONDS_OF[span] * 1000 for span in SPANS)
_GROUP_MS: Final = _MS[0]

Row = tuple[int, float, float, float, float, int, float]
"""A bucket whose time is in milliseconds."""

_INFINITE: Final = float("inf")
_MEAN_DIGITS: Final = 8
_RISE_DIGITS: Final = 12
"""Of the largest value in a bucket: what is beyond is noise of reckoning and would only take room."""


class Open(msgspec.Struct, array_like=True):
    """The bucket of a span that is under way: time × value in `sum`, over `covered` milliseconds."""

    begin: int
    least: float
    most: float
    sum: float = 0.0
    covered: int = 0
    count: int = 0
    rise: float = 0.0


class Running(msgspec.Struct, array_like=True):
    """Where a series stands. held: the number that counts from `since` on, None: there is none; last: the newest."""

    since: int
    last: float
    held: float | None
    opens: list[Open]

    def copy(self) -> Running:
        """Another one that goes on by itself."""
        return _from_bytes(_to_bytes(self))


_to_bytes = msgspec.msgpack.Encoder().encode
_from_bytes = msgspec.msgpack.Decoder(Running).decode


def running_bytes(running: Running) -> bytes:
    """As it is kept."""
    return _to_bytes(running)


def running_of(data: bytes | None) -> Running | None:
    """None also when it cannot be read: then roll-ups begin anew with the next sample."""
    try:
        return None if data is None else _from_bytes(data)
    except msgspec.MsgspecError:
        return None


def number_of(value: Any) -> float | None:
    """What counts as a number: also true and false, but nothing that is infinite or none."""
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def roll(
    running: Running | None, ats: Sequence[int], values: Sequence[Any], lengths: Sequence[int] = _MS
) -> tuple[Running | None, list[list[Row]]]:
    """Go on with samples in the order of time: where the series stands then, and what became complete of each span.

    ats: milliseconds since 1970. The first sample may be older than what was before: then a clock was set back.
    lengths: of the spans, the same ones each time.
    """
    done: list[list[Row]] = [[] for _ in lengths]
    begin = 0
    while begin < len(ats):
        end = bisect_left(ats, (ats[begin] // _GROUP_MS + 1) * _GROUP_MS, begin)
        for numbers, at_times in _runs(values[begin:end], ats[begin:end]):
            if running is None:
                if numbers:
                    running = Running(
                        at_times[0], numbers[0], None, [_begun(at_times[0], ms, numbers[0]) for ms in lengths]
                    )
                    _absorb(running, at_times, numbers)
                continue
            _advance(running, at_times[0], done, lengths)
            if numbers:
                _absorb(running, at_times, numbers)
            else:
                running.held = None
        begin = end
    return running, done


def until(running: Running, moment: int, span: Span) -> Row | None:
    """The bucket under way, if it is complete at a moment and has samples."""
    number = SPANS.index(span)
    if running.opens[number].begin + _MS[number] > moment:
        return None
    done: list[list[Row]] = [[] for _ in SPANS]
    _advance(running.copy(), moment, done, _MS)
    return next(iter(done[number]), None)


class RollingUp:
    """The buckets of samples that come piece by piece, in the order of time."""

    def __init__(self, span: Span) -> None:
        self._lengths = (SECONDS_OF[span] * 1000,)
        self._running: Running | None = None
        self._rows: list[Row] = []

    def add(self, ats: Sequence[int], values: Sequence[Any]) -> None:
        """Some more, with their times in milliseconds."""
        self._running, (rows,) = roll(self._running, ats, values, self._lengths)
        self._rows += rows

    def ended(self, moment: int) -> list[Bucket]:
        """All of them, the last one as if it ended at a moment; nothing more is to come."""
        running, rows = self._running, self._rows
        if running is not None:
            done: list[list[Row]] = [[]]
            _advance(running, max(moment, running.since), done, self._lengths)
            (under_way,) = running.opens
            rows += done[0] or ([_finished(under_way, running.last)] if under_way.count else [])
        return combined(rows)


def rolled_up(ats: Sequence[int], values: Sequence[Any], span: Span, moment: int) -> list[Bucket]:
    """All buckets of samples in the order of time, the last one as if it ended at a moment."""
    rolling = RollingUp(span)
    rolling.add(ats, values)
    return rolling.ended(moment)


def combined(rows: Iterable[Row]) -> list[Bucket]:
    """Buckets of rows in the order of time; those of one time, which a clock that was set back leaves, become one."""
    buckets: list[Bucket] = []
    at: int | None = None
    for row in rows:
        if row[0] != at:
            at = row[0]
            buckets.append(Bucket(at / 1000, *row[1:]))
            continue
        one, (_, least, most, mean, last, count, rise) = buckets[-1], row
        both = one.count + count
        mean = (one.mean * one.count + mean * count) / both
        buckets[-1] = Bucket(one.at, min(one.least, least), max(one.most, most), mean, last, both, one.rise + rise)
    return buckets


def _runs(values: Sequence[Any], ats: Sequence[int]) -> Iterator[tuple[list[float], Sequence[int]]]:
    """Numbers that follow each other with their times; what is no number comes alone, as an empty list."""
    if set(map(type, values)) == {float} and all(map(isfinite, values)):
        yield list(values), ats
        return
    numbers = list(map(number_of, values))
    begin = 0
    for position, number in enumerate(numbers):
        if number is None:
            if begin < position:
                yield [one for one in numbers[begin:position] if one is not None], ats[begin:position]
            yield [], ats[position : position + 1]
            begin = position + 1
    if begin < len(numbers):
        yield [one for one in numbers[begin:] if one is not None], ats[begin:]


def _begun(at: int, ms: int, value: float) -> Open:
    return Open(at // ms * ms, value, value)


def _advance(running: Running, to: int, done: list[list[Row]], lengths: Sequence[int]) -> None:
    """What is held is held until then; buckets that end before are done."""
    held, since = running.held, running.since
    holds = held is not None and to > since
    for number, one in enumerate(running.opens):
        ms = lengths[number]
        if 0 <= to - one.begin < ms:
            if holds:
                _hold(one, held, to - since)
            continue
        if holds:
            _hold(one, held, one.begin + ms - since)
        if one.count:
            done[number].append(_finished(one, running.last))
        begin = to // ms * ms
        running.opens[number] = fresh = Open(begin, _INFINITE, -_INFINITE)
        if holds and to > begin:
            _hold(fresh, held, to - max(begin, since))
    running.since = to


def _hold(one: Open, held: float | None, ms: int) -> None:
    if held is None:
        return
    one.sum += held * ms
    one.covered += ms
    if held < one.least:  # noqa: PLR1730 - this comes three times for each sample, and a call takes longer
        one.least = held
    if held > one.most:  # noqa: PLR1730 - likewise
        one.most = held


def _absorb(running: Running, ats: Sequence[int], numbers: list[float]) -> None:
    """Numbers of one 5 minutes; what was before them has been counted."""
    least, most, count = min(numbers), max(numbers), len(numbers)
    covered = ats[-1] - ats[0]
    held = sum(map(mul, numbers, map(sub, ats[1:], ats))) if covered else 0.0
    rise = 0.0
    before = running.last
    for number in numbers:
        if number > before:
            rise += number - before
        elif number < before / 2:
            rise += max(number, 0.0)
        before = number
    for one in running.opens:
        one.sum += held
        one.covered += covered
        one.count += count
        one.rise += rise
        one.least = min(one.least, least)
        one.most = max(one.most, most)
    running.since = ats[-1]
    running.last = running.held = numbers[-1]


def _finished(one: Open, last: float) -> Row:
    magnitude = max(abs(one.least), abs(one.most))
    if magnitude == 0.0:
        return one.begin, one.least, one.most, 0.0, last, one.count, 0.0
    place = -1 - floor(log10(magnitude))
    mean = round(one.sum / one.covered, max(place + _MEAN_DIGITS, 0)) if one.covered else last
    mean = min(max(mean, one.least), one.most) if isfinite(mean) else last
    rise = round(one.rise, max(place + _RISE_DIGITS, 0)) if isfinite(one.rise) else one.most
    return one.begin, one.least, one.most, mean, last, one.count, rise
