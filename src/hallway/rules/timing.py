"""The signals of the clock: points in time, windows of the calendar and the sun, and intervals.

Points and windows follow the wall clock in the time zone of the home; intervals are whole multiples of a duration since
1970, so elapsed time. It must not know rules; how late is too late is for them to say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hallway.clock import Cancel
from hallway.errors import HallwayError, InvalidInput
from hallway.language.coercion import to_text
from hallway.language.conditions import Every, Test, TimeIs
from hallway.language.times import SunTime, When, Written, read_moment
from hallway.rules.agenda import Agenda
from hallway.rules.calendar import Calendar, Point, Span, SunAt
from hallway.rules.causes import Cause
from hallway.rules.signals import Listener, Signal
from hallway.rules.sources import Ground, Maker
from hallway.rules.tasks import PUNCTUAL, SOON

ROUNDED: Final = 0.001
"""Seconds by which whole multiples may be off."""
LONGEST_OFFSET: Final = 86_400.0
WRONG_CLOCK: Final = 2 * 3600.0
"""Seconds by which a clock that is put back must have been wrong for what has happened already to happen again."""


class TimeSignal(Signal):
    """A point in time, or a window."""

    def __init__(self, ground: Ground, test: TimeIs, agenda: Agenda, calendar: Calendar) -> None:
        super().__init__()
        self._ground = ground
        self._test = test
        self._agenda = agenda
        self._calendar = calendar
        self._names = tuple(sorted(_variables(test)))
        self._cancel: Cancel = _nothing
        self._unjumped: Cancel = _nothing
        self._due: float | None = None
        self._told: float | None = None
        self._text = _text_of(test)

    # ------------------------------------------------------------------ asking

    def names(self) -> tuple[str, ...]:
        return self._names

    def now(self) -> bool:
        return not self._test.is_event and self._calendar.is_in(self._span(), self._ground.clock.now())

    def last_turn(self, now: float) -> float | None:
        try:
            span = self._span()
        except HallwayError:
            return None
        return self._calendar.last(span.first, now) if self._test.is_event else self._calendar.begun(span, now)

    def next_turn(self, after: float) -> float | None:
        """When it happens, or comes true, next."""
        span = self._span()
        if self._test.is_event:
            return self._calendar.next(span.first, after)
        turn = self._calendar.next_turn(span, after)
        if turn is not None and not self._calendar.is_in(span, turn):
            turn = self._calendar.next_turn(span, turn)
        return turn

    def announce(self, listener: Listener) -> None:
        try:
            self._span()
        except HallwayError as error:
            listener.failed(error.message)
        listener.planned(self._next_true())

    # ------------------------------------------------------------------ living

    def start(self) -> None:
        self.truth = self.now_quietly()
        for name in self._names:
            self._ground.source(name).hear(self._heard)
        self._unjumped = self._agenda.on_jump(self._jumped)
        self._plan(self._ground.clock.now())

    def stop(self) -> None:
        for name in self._names:
            self._ground.source(name).hear_no_more(self._heard)
        self._cancel()
        self._unjumped()

    def add(self, listener: Listener, *, knows: bool) -> None:
        super().add(listener, knows=True)  # time is not told by anybody: what it is, everybody knows

    def _heard(self, cause: Cause) -> None:
        """A variable in the sentence has another value: it is another time now."""
        self._replan()
        if not self._test.is_event:
            self.update(cause)
        elif self._due is None:
            self._complain()

    def _complain(self) -> None:
        try:
            self._span()
        except HallwayError as error:
            for listener in self._listeners:
                listener.failed(error.message)

    def _jumped(self, seconds: float) -> None:
        """The clock was put forward or back. If only a little back, what has happened does not happen again."""
        if seconds <= -WRONG_CLOCK:
            self._told = None
        elif seconds < 0 and self._test.is_event:
            return
        self._replan()
        if not self._test.is_event:
            self._turn(Cause(self._ground.clock.now(), "the clock was set"))

    def _replan(self) -> None:
        self._cancel()
        self._plan(self._ground.clock.now())
        for listener in self._listeners:
            listener.planned(self._next_true())

    def _plan(self, after: float) -> None:
        try:
            turn = self._turn_after(after)
        except HallwayError:
            turn = None
        self._due = turn
        self._cancel = self._agenda.at(turn, self._reached) if turn is not None else _nothing

    def _turn_after(self, moment: float) -> float | None:
        span = self._span()
        return (
            self._calendar.next(span.first, moment) if self._test.is_event else self._calendar.next_turn(span, moment)
        )

    def _next_true(self) -> float | None:
        try:
            return self.next_turn(self._ground.clock.now())
        except HallwayError:
            return None

    def _reached(self) -> None:
        """It is time; or it was, before the clock was put forward."""
        now = self._ground.clock.now()
        due = self._due if self._due is not None else now
        late = now - due
        if late > PUNCTUAL:
            due = max(due, self.last_turn(now) or due)
            late = now - due
        self._plan(max(now, due))
        for listener in self._listeners:
            listener.planned(self._next_true())
        cause = Cause(due, self._text, late=late if late > PUNCTUAL else 0.0)
        if self._test.is_event:
            self.happen(cause)
        else:
            self._turn(cause)

    def _turn(self, cause: Cause) -> None:
        """The window is open or shut now; one that has been told of already is not told of again."""
        begun = self.last_turn(self._ground.clock.now())
        if begun is not None and begun == self._told:
            self.truth = True
            return
        self._told = begun if begun is not None else self._told
        self.update(cause)

    # ------------------------------------------------------------------ the sentence

    def _span(self) -> Span:
        """What the sentence means now. InvalidInput, ExpressionError: what stands in a variable is no time."""
        period = self._test.period
        last = self._point(period.last) if period.last is not None else None
        return Span(period.modifier, self._point(period.first), last)

    def _point(self, when: When) -> Point:
        if isinstance(when, SunTime):
            return self._sun_at(when)
        if isinstance(when, Written):
            return self._read(when)
        return when

    def _sun_at(self, when: SunTime) -> SunAt:
        if self._calendar.sun is None:
            raise InvalidInput("nobody knows where the sun is: give the home its latitude and longitude")
        offset = when.offset.seconds(self._ground.scope) if when.offset is not None else 0.0
        if offset > LONGEST_OFFSET:
            raise InvalidInput(f"{when.offset.text if when.offset else ''} is too far from a moment of the day")
        return SunAt(when.event, when.direction * offset)

    def _read(self, when: Written) -> Point:
        written = to_text(when.text.evaluate(self._ground.scope))
        moment = read_moment(written)
        if moment is None:
            raise InvalidInput(f"“{written[:40]}” ({when.text.text}) is no time: write it as 8:00, 8pm or friday 22:00")
        return moment


class Ticks(Signal):
    """Again and again, at whole multiples of a duration. Ticks that nobody saw are not made up for."""

    def __init__(self, ground: Ground, test: Every, agenda: Agenda) -> None:
        super().__init__()
        self._ground = ground
        self._duration = test.duration
        self._agenda = agenda
        self._cancel: Cancel = _nothing
        self._unjumped: Cancel = _nothing
        self._names = tuple(sorted(test.duration.amount.variables))
        self._ticked = -math.inf

    def names(self) -> tuple[str, ...]:
        return self._names

    def next_turn(self, after: float) -> float | None:
        """The next tick."""
        every = max(SOON, self._duration.seconds(self._ground.scope))
        turn = (math.floor(after / every + 1e-9) + 1) * every
        return turn if turn > after else turn + every

    def start(self) -> None:
        for name in self._names:
            self._ground.source(name).hear(self._heard)
        self._unjumped = self._agenda.on_jump(self._jumped)
        self._plan()

    def stop(self) -> None:
        for name in self._names:
            self._ground.source(name).hear_no_more(self._heard)
        self._cancel()
        self._unjumped()

    def announce(self, listener: Listener) -> None:
        try:
            self.next_turn(self._ground.clock.now())
        except HallwayError as error:
            listener.failed(error.message)

    def _heard(self, cause: Cause) -> None:
        self._plan()

    def _jumped(self, seconds: float) -> None:
        self._ticked = -math.inf
        self._plan()

    def _plan(self) -> None:
        """Wait for the next tick; timers may come a little early, and a length that changes may bring it near."""
        self._cancel()
        after = max(self._ground.clock.now(), self._ticked + SOON - ROUNDED)
        try:
            due = self.next_turn(after)
        except HallwayError as error:
            for listener in self._listeners:
                listener.failed(error.message)
            return
        self._cancel = self._agenda.at(due, lambda: self._tick(due)) if due is not None else _nothing

    def _tick(self, due: float) -> None:
        self._ticked = due
        self._plan()
        if self._ground.clock.now() - due <= PUNCTUAL:
            self.happen(Cause(due, f"every {self._duration.text}"))


def time_makers(agenda: Agenda, calendar: Calendar) -> Mapping[type[Test], Maker]:
    """How the signals of the clock are made."""

    def time_is(ground: Ground, test: Test) -> Signal:
        return TimeSignal(ground, test, agenda, calendar) if isinstance(test, TimeIs) else Signal()

    def every(ground: Ground, test: Test) -> Signal:
        return Ticks(ground, test, agenda) if isinstance(test, Every) else Signal()

    return MappingProxyType({TimeIs: time_is, Every: every})


def _variables(test: TimeIs) -> set[str]:
    names: set[str] = set()
    for when in (test.period.first, test.period.last):
        if isinstance(when, Written):
            names |= when.text.variables
        elif isinstance(when, SunTime) and when.offset is not None:
            names |= when.offset.amount.variables
    return names


def _text_of(test: TimeIs) -> str:
    """For the trace."""
    return "it is time" if test.is_event else "the time has come"


def _nothing() -> None:
    """There is nothing to end."""
