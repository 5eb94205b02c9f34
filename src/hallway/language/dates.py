"""Dates as expressions write them (masks such as `YYYY-MM-DD hh:mm`) and read them (ISO 8601 and forms people type).

Names of days and months are English, whatever the language of the machine.
It must not know what time it is: callers pass the moment and the time zone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import MappingProxyType
from typing import Final

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
USUAL_MASK: Final = "YYYY-MM-DD hh:mm:ss"
_SPELLED_OUT_MASK: Final = "DDD MMM DD YYYY hh:mm:ss"
_ISO_MASK: Final = "UTC:YYYY-MM-DDThh:mm:ssZ"

_PART: Final = re.compile(r""""[^"]*"|'[^']*'|Y{3,4}|YY?|M{1,4}|D{1,4}|hh?|HH?|mm?|ss?|SS?|Z{1,4}|[AQWUouw]""")


def _offset_minutes(at: datetime) -> int:
    offset = at.utcoffset()
    return round(offset.total_seconds() / 60) if offset else 0


def _zone(at: datetime, colon: str, *, always_minutes: bool) -> str:
    minutes = _offset_minutes(at)
    if minutes == 0:
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    shown = f"{colon}{rest:02}" if rest or always_minutes else ""
    return f"{'-' if minutes < 0 else '+'}{hours:02}{shown}"


def _milliseconds(at: datetime) -> int:
    return at.microsecond // 1000


def _hour_of_12(at: datetime) -> int:
    return at.hour % 12 or 12


_WRITTEN: Final[Mapping[str, Callable[[datetime], object]]] = MappingProxyType(
    {
        "Y": lambda at: at.year % 100,
        "YY": lambda at: f"{at.year % 100:02}",
        "YYY": lambda at: at.year,
        "YYYY": lambda at: at.year,
        "M": lambda at: at.month,
        "MM": lambda at: f"{at.month:02}",
        "MMM": lambda at: MONTHS[at.month - 1][:3],
        "MMMM": lambda at: MONTHS[at.month - 1],
        "D": lambda at: at.day,
        "DD": lambda at: f"{at.day:02}",
        "DDD": lambda at: DAYS[at.weekday()][:3],
        "DDDD": lambda at: DAYS[at.weekday()],
        "h": lambda at: at.hour,
        "hh": lambda at: f"{at.hour:02}",
        "H": _hour_of_12,
        "HH": lambda at: f"{_hour_of_12(at):02}",
        "m": lambda at: at.minute,
        "mm": lambda at: f"{at.minute:02}",
        "s": lambda at: at.second,
        "ss": lambda at: f"{at.second:02}",
        "S": _milliseconds,
        "SS": lambda at: f"{_milliseconds(at):03}",
        "A": lambda at: "AM" if at.hour < 12 else "PM",  # noqa: PLR2004 - noon
        "Q": lambda at: (at.month + 2) // 3,
        "W": lambda at: at.isocalendar().week,
        "o": lambda at: at.isocalendar().year,
        "w": lambda at: at.isoweekday(),
        "u": lambda at: math.floor(at.timestamp()),
        "U": lambda at: math.floor(at.timestamp()) * 1000 + _milliseconds(at),
        "Z": lambda at: _zone(at, ":", always_minutes=False),
        "ZZ": lambda at: _zone(at, "", always_minutes=False),
        "ZZZ": lambda at: _zone(at, ":", always_minutes=True),
        "ZZZZ": lambda at: _zone(at, "", always_minutes=True),
    }
)


def write_date(seconds: float, zone: tzinfo, mask: str = USUAL_MASK) -> str:
    """A moment (seconds since 1970) by a mask; text in quotes stands for itself, `UTC:` in front changes the zone.

    The masks "iso" and "default" (or "") are ready-made. ValueError or OverflowError outside the years 1 to 9999.
    """
    if mask == "iso":
        mask = _ISO_MASK
    elif mask in {"", "default"}:
        mask = _SPELLED_OUT_MASK
    if mask.startswith("UTC:"):
        mask, zone = mask[4:], UTC
    at = datetime.fromtimestamp(seconds, UTC).astimezone(zone)

    def written(found: re.Match[str]) -> str:
        part = found[0]
        return part[1:-1] if part[0] in "\"'" else str(_WRITTEN[part](at))

    return _PART.sub(written, mask)


_ISO_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
    r"(?:[Tt](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_TIME_OF_DAY: Final = re.compile(
    r"(?<![0-9:.])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?=[\sZz+-]|$)(?:\s*(?P<half>am|pm)\b)?"
    r"(?:\s*(?P<zone>(?:(?:utc?|gmt|z)\b)?\s*[+-][0-9]{1,4}(?::[0-9]{2})?|(?:utc?|gmt|z|[ecmp][sd]t)\b))?",
    re.IGNORECASE,
)
_BRACKETS: Final = re.compile(r"\([^()]*\)")
_WORDS_AND_NUMBERS: Final = re.compile(r"[^\W\d_]+|[0-9]+")
_OFFSET: Final = re.compile(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?$")
_AMERICAN_HOURS: Final = MappingProxyType({"e": -5, "c": -6, "m": -7, "p": -8})
_LAST_DAY: Final = 31
_LONGEST_DATE: Final = 100
_SHORT_YEARS: Final = 100
_THIS_CENTURY: Final = 50


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a text says about a moment; a day past the end of its month runs on into the next."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0
    milliseconds: int = 0
    zone: tzinfo | None = None

    def seconds(self, zone: tzinfo) -> float:
        """Seconds since 1970; ValueError or OverflowError where the calendar ends."""
        time_fits = self.minute < 60 and self.second < 60  # noqa: PLR2004 - an hour, a minute
        hour_fits = self.hour < 24 or (self.hour, self.minute, self.second) == (24, 0, 0)  # noqa: PLR2004 - a day
        if not (1 <= self.month <= len(MONTHS) and 1 <= self.day <= _LAST_DAY and time_fits and hour_fits):
            return math.nan
        local = datetime(self.year, self.month, 1, tzinfo=self.zone or zone) + timedelta(
            days=self.day - 1,
            hours=self.hour,
            minutes=self.minute,
            seconds=self.second,
            milliseconds=self.milliseconds,
        )
        return local.timestamp()


def read_date(text: str, zone: tzinfo) -> float:
    """Seconds since 1970 of a date in a text, NaN when it is none.

    ISO 8601 (a date alone is midnight UTC, a date with time but without zone is local), otherwise month/day/year or
    year-month-day in numbers or words ("Jan 2, 2020 10:15 PM", "2-Jan-2020", "Thu, 02 Jan 2020 00:00:00 GMT"), local
    unless it names a zone. Years 1 to 9999.
    """
    if len(text) > _LONGEST_DATE:
        return math.nan
    iso = _ISO_DATE.fullmatch(text)
    try:
        moment = _iso_moment(iso) if iso else _typed_moment(text)
        return moment.seconds(zone) if moment else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _iso_moment(found: re.Match[str]) -> _Moment:
    date = _Moment(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1), zone=UTC)
    if found["hour"] is None:
        return date
    zone = found["zone"]
    return replace(_with_time(date, found), zone=_named_zone(zone) if zone else None)


def _with_time(date: _Moment, found: re.Match[str]) -> _Moment:
    return replace(
        date,
        hour=int(found["hour"]),
        minute=int(found["minute"]),
        second=int(found["second"] or 0),
        milliseconds=int((found["fraction"] or "0")[:3].ljust(3, "0")),
    )


def _typed_moment(text: str) -> _Moment | None:
    text = _BRACKETS.sub(" ", text)
    time = _TIME_OF_DAY.search(text)
    if time is None:
        return _typed_date(text)
    date = _typed_date(f"{text[: time.start()]} {text[time.end() :]}")
    if date is None:
        return None
    moment = _with_time(date, time)
    if time["half"]:
        if moment.hour > 12:  # noqa: PLR2004 - 13 PM is no time
            return None
        afternoon = 12 if time["half"].lower() == "pm" else 0
        moment = replace(moment, hour=moment.hour % 12 + afternoon)
    return replace(moment, zone=_named_zone(time["zone"])) if time["zone"] else moment


def _typed_date(text: str) -> _Moment | None:
    numbers: list[int] = []
    month = 0
    for found in _WORDS_AND_NUMBERS.finditer(text):
        word, named = found[0], _month_number(found[0])
        if word.isdecimal():
            numbers.append(int(word[:7]))
        elif named:
            month = named
        elif numbers or text[found.end() : found.end() + 1].isdecimal():
            return None
    if not 0 < len(numbers) <= 3:  # noqa: PLR2004 - year, month and day
        return None
    first, second, third = (*numbers, 1, 1)[:3]
    if month:
        year, day = (second, first) if 1 <= first <= _LAST_DAY else (first, second)
    elif 1 <= first <= _LAST_DAY:
        month, day, year = first, second, third
    else:
        year, month, day = first, second, third
    return _Moment(_whole_year(year), month, day)


def _month_number(word: str) -> int:
    starts = [name[:3].lower() for name in MONTHS]
    start = word[:3].lower()
    return starts.index(start) + 1 if start in starts else 0


def _whole_year(year: int) -> int:
    if year >= _SHORT_YEARS:
        return year
    return year + (2000 if year < _THIS_CENTURY else 1900)


def _named_zone(name: str) -> tzinfo:
    offset = _OFFSET.search(name)
    if offset is None:
        letter = name.strip().lower()
        summer = letter[1:2] == "d"
        hours = _AMERICAN_HOURS.get(letter[0], 0) if letter.endswith(("st", "dt")) else 0
        return timezone(timedelta(hours=hours + summer))
    sign, hours_text, minutes_text = offset.groups()
    size = timedelta(hours=int(hours_text), minutes=int(minutes_text or 0))
    return timezone(-size if sign == "-" else size)
