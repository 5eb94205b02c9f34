"""When a time on the calendar is: the next and the last occurrence of a point, and the windows between two.

A local time that the clocks skip is the moment of the jump; one that they show twice is the first of the two. All
results are moments (seconds since 1970), so a window is as long as it lasts. It must not know clocks or rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, Protocol

import msgspec

from hallway.language.times import Day, Modifier, Moment, TimeOfDay

MIDNIGHT: Final = TimeOfDay(0)
MOMENT: Final = 0.001
"""Seconds for which a window lasts beyond its last moment, which belongs to it."""
FIRST_YEAR: Final = 1
LAST_YEAR: Final = 9990
"""At the ends of the calendar there is no day before or after, nor every hour in every zone: these years never come."""
LONGEST_GAP: Final = 9
"""Years that may pass until a date comes again: the 29th of February around a century without one."""
SUNLESS: Final = 400
"""Days for which a moment of the sun is looked for."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7


class SunAt(msgspec.Struct, frozen=True):
    """A moment of the sun's day and seconds after it (before it if less than 0)."""

    event: str
    offset: float = 0.0


Point = Moment | SunAt


class Span(msgspec.Struct, frozen=True):
    """At, before or after a point, or between two."""

    modifier: Modifier
    first: Point
    last: Point | None = None


class SunTimes(Protocol):
    """Knows the sun."""

    def at(self, event: str, day: date, zone: tzinfo) -> float | None:
        """When that happens on that day of the home; None when it does not."""
        ...


class Calendar:
    """The calendar of a home in its time zone. sun: None where nobody knows the place of the home."""

    def __init__(self, zone: tzinfo, sun: SunTimes | None = None) -> None:
        self.zone = zone
        self.sun = sun

    # ------------------------------------------------------------------ moments

    def day_of(self, moment: float) -> date:
        """The local date."""
        return datetime.fromtimestamp(moment, UTC).astimezone(self.zone).date()

    def moment(self, day: date, at: TimeOfDay = MIDNIGHT) -> float:
        """A local time as a moment: the jump when it is skipped, the first one when it comes twice."""
        local = datetime.combine(day, time(at.hour, at.minute, at.second), self.zone)
        early = local.timestamp()
        if self._shows(early, local):
            return early
        return self._jump(local.replace(fold=1).timestamp(), early)

    def _shows(self, moment: float, local: datetime) -> bool:
        shown = datetime.fromtimestamp(moment, UTC).astimezone(self.zone)
        return shown.replace(tzinfo=None) == local.replace(tzinfo=None)

    def _jump(self, before: float, after: float) -> float:
        """The first moment with the new offset, between two moments with different ones."""
        low, high = int(min(before, after)), int(max(before, after))
        new = self._offset(high)
        while low + 1 < high:
            middle = (low + high) // 2
            if self._offset(middle) == new:
                high = middle
            else:
                low = middle
        return float(high)

    def _offset(self, moment: float) -> timedelta | None:
        return datetime.fromtimestamp(moment, UTC).astimezone(self.zone).utcoffset()

    # ------------------------------------------------------------------ points

    def next(self, point: Point, after: float, *, itself: bool = False) -> float | None:
        """The first occurrence after a moment (itself: or at it); None when there is none."""
        for day in self._days(point, self.day_of(after) - 2 * _DAY, 1):
            found = self._on(point, day)
            if found is not None and (found > after or (itself and found == after)):
                return found
        return None

    def last(self, point: Point, until: float) -> float | None:
        """The last occurrence up to a moment; None when there was none."""
        for day in self._days(point, self.day_of(until) + 2 * _DAY, -1):
            found = self._on(point, day)
            if found is not None and found <= until:
                return found
        return None

    def _on(self, point: Point, day: date) -> float | None:
        """When a point is on a day that fits."""
        if isinstance(point, Moment):
            return self.moment(day, point.time or MIDNIGHT)
        at = self.sun.at(point.event, day, self.zone) if self.sun is not None else None
        return None if at is None else at + point.offset

    def _days(self, point: Point, start: date, step: Literal[-1, 1]) -> Iterator[date]:
        """The days that fit, from one on, forward or back."""
        day = point.day if isinstance(point, Moment) else None
        if day is None or day.weekday is not None:
            each = 1 if day is None or day.weekday is None else _WEEK
            first = start if day is None or day.weekday is None else _to_weekday(start, day.weekday, step)
            for number in range(SUNLESS):
                reached = first.toordinal() + step * each * number
                if reached >= 1 and date.fromordinal(min(reached, date.max.toordinal())).year < LAST_YEAR:
                    yield date.fromordinal(reached)
            return
        years = range(LONGEST_GAP) if day.year is None else range(1)
        for number in years:
            found = _date_in(day, start.year + step * number if day.year is None else day.year)
            known = found is not None and FIRST_YEAR < found.year < LAST_YEAR
            if known and found is not None and (found >= start if step > 0 else found <= start):
                yield found

    # ------------------------------------------------------------------ windows

    def is_in(self, span: Span, now: float) -> bool:
        """Whether it is so at a moment."""
        window = self._window(span, now)
        return window is not None and window[0] <= now < window[1]

    def next_turn(self, span: Span, now: float) -> float | None:
        """When that is otherwise next; None when it never is."""
        window = self._window(span, now)
        if window is None:
            return self._next_begin(span, now)
        if now < window[0]:
            return window[0]
        return window[1] if now < window[1] else self._next_begin(span, now)

    def begun(self, span: Span, now: float) -> float | None:
        """When the window began in which a moment is; None when it is in none."""
        window = self._window(span, now)
        return window[0] if window is not None and window[0] <= now < window[1] else None

    def _window(self, span: Span, now: float) -> tuple[float, float] | None:
        """The window of this day, week or year, or that which began last; from its begin until its end."""
        if span.modifier == "between" and span.last is not None:
            begin = self.last(span.first, now)
            return None if begin is None else (begin, self._end(span, begin))
        start, end = self._cycle(span.first, now)
        if span.modifier == "exact":
            begin = self.last(span.first, now)
            return None if begin is None else (begin, self.moment(self.day_of(begin) + _DAY))
        point = self.next(span.first, start, itself=True)
        if point is None or point >= end:
            return None
        if span.modifier == "before":
            return start, point
        whole_day = isinstance(span.first, Moment) and span.first.time is None
        return (self.moment(self.day_of(point) + _DAY) if whole_day else point), end

    def _end(self, span: Span, begin: float) -> float:
        last = span.last if span.last is not None else span.first
        whole_day = isinstance(last, Moment) and last.time is None
        # a day that has begun already is still the one that is meant
        found = self.next(last, self.moment(self.day_of(begin)) if whole_day else begin, itself=True)
        if found is None:
            return begin
        return self.moment(self.day_of(found) + _DAY) if whole_day else found + MOMENT

    def _next_begin(self, span: Span, now: float) -> float | None:
        if span.modifier in {"between", "exact"}:
            return self.next(span.first, now)
        _start, end = self._cycle(span.first, now)
        for _ in range(SUNLESS):
            window = self._window(span, end)
            if window is not None and window[1] > window[0]:
                return window[0]
            before, (_start, end) = end, self._cycle(span.first, end)
            if end <= before:
                return None
        return None

    def _cycle(self, point: Point, now: float) -> tuple[float, float]:
        """The day, the week (from Monday) or the year in which "before" and "after" a point are meant; or all time."""
        today, day = self.day_of(now), point.day if isinstance(point, Moment) else None
        if day is None:
            return self.moment(today), self.moment(today + _DAY)
        if day.weekday is not None:
            monday = today - timedelta(days=today.weekday())
            return self.moment(monday), self.moment(monday + timedelta(days=_WEEK))
        if day.year is None:
            return self.moment(date(today.year, 1, 1)), self.moment(date(today.year + 1, 1, 1))
        return self.moment(date(2, 1, 1)), self.moment(date(LAST_YEAR, 1, 1))


def _to_weekday(start: date, weekday: int, step: int) -> date:
    """The first day from one on, forward or back, that is such a weekday."""
    return start + step * timedelta(days=(step * (weekday - start.weekday())) % _WEEK)


def _date_in(day: Day, year: int) -> date | None:
    try:
        return date(year, day.month or 1, day.day or 1)
    except ValueError:
        return None
