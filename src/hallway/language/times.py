"""Points in time as people write them: `8:00`, `8pm`, `noon`, `friday 22:00`, `24.12.`, `december 24`, `sunset`.

A phrase says what is meant, not when it is next: whoever plans with it asks a calendar and the time zone of the home.
It must not know clocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from hallway.language.dates import DAYS, MONTHS
from hallway.language.durations import Duration
from hallway.language.expressions import Expression

Modifier = Literal["exact", "before", "after", "between"]

SUN_EVENTS: Final = (
    "sunrise", "sunriseEnd", "goldenHourEnd", "solarNoon", "goldenHour", "sunsetStart", "sunset", "dusk",
    "nauticalDusk", "night", "nightEnd", "nauticalDawn", "dawn", "nadir",
)  # fmt: skip
"""Moments of the sun's day, by the names of pimatic's sunrise plugin."""


class TimeOfDay(msgspec.Struct, frozen=True):
    """A time on the clock."""

    hour: int
    minute: int = 0
    second: int = 0


class Day(msgspec.Struct, frozen=True):
    """The days meant: all that fit. weekday: 0 is Monday."""

    weekday: int | None = None
    month: int | None = None
    day: int | None = None
    year: int | None = None


class Moment(msgspec.Struct, frozen=True):
    """A day, a time, or a time on such days. Without a time, the whole day is meant."""

    day: Day | None = None
    time: TimeOfDay | None = None


class Written(msgspec.Struct, frozen=True):
    """A point in time that stands in a text with variables, and is read (by `read_moment`) whenever it is needed."""

    text: Expression


class SunTime(msgspec.Struct, frozen=True):
    """A moment of the sun's day, or some time before (-1) or after (1) it."""

    event: str
    offset: Duration | None = None
    direction: Literal[-1, 1] = 1


When = Moment | Written | SunTime


class Period(msgspec.Struct, frozen=True):
    """At, before or after a point in time, or between two (both included)."""

    modifier: Modifier
    first: When
    last: When | None = None

    @property
    def is_instant(self) -> bool:
        """Whether it is over as soon as it is there."""
        return self.modifier == "exact" and not (isinstance(self.first, Moment) and self.first.time is None)


_GERMAN_DAYS: Final = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
_GERMAN_MONTHS: Final = (
    "januar", "februar", "märz", "april", "mai", "juni",
    "juli", "august", "september", "oktober", "november", "dezember",
)  # fmt: skip
_WEEKDAYS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **{name: number for number, name in enumerate(_GERMAN_DAYS)},
        **{name[:2]: number for number, name in enumerate(_GERMAN_DAYS) if name != "donnerstag"},
        **{name.lower(): number for number, name in enumerate(DAYS)},
        **{name[:3].lower(): number for number, name in enumerate(DAYS)},
        "tues": 1,
        "thur": 3,
        "thurs": 3,
        "sonnabend": 5,
    }
)
_MONTH_NUMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {
        spelling: number
        for names in (_GERMAN_MONTHS, MONTHS)
        for number, name in enumerate(names, 1)
        for spelling in (name.lower(), name[:3].lower())
    }
)
# Days can begin a sentence: the patterns are such that most sentences are soon known not to begin with one.
_WEEKDAY: Final = (
    r"(?=[dfmstw])(?:mo(?:n(?:day|tag)?)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fr(?:i(?:day)?|eitag)?"
    r"|sa(?:t(?:urday)?|mstag)?|sun(?:day)?|so(?:nntag|nnabend)?|di(?:enstag)?|mi(?:ttwoch)?|donnerstag)"
)
_MONTH: Final = r"(?=[adfjmnos])(?:" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in MONTHS) + ")"
_ANY_MONTH: Final = "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True))
_TIME: Final = (
    r"(?:(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?::(?P<second>\d{1,2}))?(?: *(?P<half>am|pm))?"
    r"|(?P<bare>\d{1,2}) ?(?P<barehalf>am|pm)|(?P<word>noon|midnight))"
)
_HOUR: Final = r"(?P<bare_hour>[01]?\d|2[0-3])"
_ORDINAL: Final = r"(?:st|nd|rd|th)?"
_DAY: Final = (
    rf"(?:(?:(?:this|next|last) )?(?P<weekday>{_WEEKDAY})\b"
    r"|(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4}|\d{2}(?!\d))?"
    r"|(?P<isoyear>\d{4})-(?P<isomonth>\d{1,2})-(?P<isoday>\d{1,2})"
    r"|(?P<american_month>\d{1,2})/(?P<american_day>\d{1,2})(?:/(?P<american_year>\d{4}|\d{2}(?!\d)))?"
    rf"|(?P<named>{_MONTH})\.? (?P<namedday>\d{{1,2}}){_ORDINAL}(?:,? (?P<namedyear>\d{{4}}))?"
    rf"|(?P<dayfirst>\d{{1,2}})(?:\.|{_ORDINAL}) (?:of )?(?P<second_named>{_ANY_MONTH})\b"
    r"(?: (?P<second_year>\d{4}))?)"
)
_END: Final = r"(?![\w:]|\.\d)"
_DAY_FIRST: Final = rf"{_DAY}(?:(?:,| at|, at)? (?:{_TIME}|{_HOUR}){_END})?"
_TIME_FIRST: Final = rf"(?:at )?{_TIME}{_END}(?:,?(?: on)? {_DAY})?|at {_HOUR}".replace("(?P<", "(?P<t_")
MOMENT: Final = re.compile(rf"(?=[\dadfjlmnostw])(?:{_DAY_FIRST}|{_TIME_FIRST}){_END}", re.IGNORECASE)
_TO: Final = re.compile(r"\s*(?:-|to\b)\s*", re.IGNORECASE)
HOUR: Final = re.compile(_HOUR + _END)
_NOON: Final = 12
_HOURS: Final = 24
_LONGEST: Final[Mapping[int, int]] = MappingProxyType(
    {month: 30 if month in {4, 6, 9, 11} else 29 if month == 2 else 31 for month in range(1, 13)}  # noqa: PLR2004
)


def moment_of(found: re.Match[str]) -> Moment | None:
    """What a match of MOMENT means; None when there is no such day or time, as 25:00 or 31.2."""
    parts = {name.removeprefix("t_"): part for name, part in found.groupdict().items() if part is not None}
    time, day = _time_of(parts), _day_of(parts)
    return None if time is False or day is False else Moment(day or None, time or None)


class Span(NamedTuple):
    """A point in time or a range at the beginning of a text, and what stands behind it there."""

    first: Moment
    last: Moment | None
    rest: str


def written_span(text: str) -> Span | None:
    """The point in time or the range with which a text begins."""
    found = MOMENT.match(text)
    first = moment_of(found) if found else None
    if found is None or first is None:
        return None
    to = _TO.match(text, found.end())
    end = (MOMENT.match(text, to.end()) or HOUR.match(text, to.end())) if to else None
    last = moment_of(end) if end else None
    return Span(first, last, text[(end if end and last else found).end() :])


def read_moment(text: str) -> Moment | None:
    """The point in time with which a text begins, None when it begins with none; other words behind it mean nothing."""
    span = written_span(text.strip())
    return span.first if span else None


def _time_of(parts: Mapping[str, str]) -> TimeOfDay | Literal[False] | None:
    """None when no time is given, False when it does not exist."""
    if "word" in parts:
        return TimeOfDay(_NOON if parts["word"].lower() == "noon" else 0)
    written = parts.get("hour") or parts.get("bare") or parts.get("bare_hour")
    if written is None:
        return None
    hour, minute, second = int(written), int(parts.get("minute", "0")), int(parts.get("second", "0"))
    half = (parts.get("half") or parts.get("barehalf") or "").lower()
    if half:
        if hour > _NOON:
            return False
        hour = hour % _NOON + (_NOON if half == "pm" else 0)
    fits = hour < _HOURS and minute < 60 and second < 60  # noqa: PLR2004 - an hour, a minute
    return TimeOfDay(hour, minute, second) if fits else False


def _day_of(parts: Mapping[str, str]) -> Day | Literal[False] | None:
    """None when no day is given, False when it does not exist."""
    if "weekday" in parts:
        return Day(weekday=_WEEKDAYS[parts["weekday"].lower()])
    name = parts.get("named") or parts.get("second_named")
    day = _first_of(parts, "day", "isoday", "american_day", "namedday", "dayfirst")
    if day is None:
        return None
    year = _first_of(parts, "year", "isoyear", "american_year", "namedyear", "second_year")
    written = _first_of(parts, "month", "isomonth", "american_month")
    number = _MONTH_NUMBERS[name.lower()] if name else int(written or 0)
    if not 1 <= int(day) <= _LONGEST.get(number, 0):
        return False
    return Day(month=number, day=int(day), year=_whole_year(year) if year else None)


def _whole_year(written: str) -> int:
    return int(written) + (2000 if len(written) == len("26") else 0)


def _first_of(parts: Mapping[str, str], *keys: str) -> str | None:
    return next((parts[key] for key in keys if key in parts), None)
