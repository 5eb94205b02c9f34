"""What the clock, the calendar and the sun say: `its friday 22:00`, `its before 17:00`, `its 30 minutes after sunset`.

It must not know other kinds of predicates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from hallway.language.conditions import Test, TimeIs
from hallway.language.durations import read_duration
from hallway.language.embedded import read_part
from hallway.language.matching import Reader
from hallway.language.registry import PredicateKind, Preset
from hallway.language.times import (
    HOUR,
    MOMENT,
    SUN_EVENTS,
    Modifier,
    Moment,
    Period,
    SunTime,
    TimeOfDay,
    When,
    Written,
    moment_of,
    written_span,
)
from hallway.language.words import words

_ITS: Final = words("its ", "it is ", also=("it's ", "time is "))
_BEFORE_AFTER: Final = words("after ", "before ", element="select", param="modifier")
_MODIFIERS: Final[Mapping[str, Modifier]] = MappingProxyType({"after ": "after", "before ": "before"})
_BETWEEN: Final = words("between ", quiet=True)
_AND: Final = words(" and ")
_TO: Final = words(also=(" - ", " to ", " until ", "-"))
# Words behind a time end as in pimatic when they are read strictly; a joint in other capitals is then one of them.
_END: Final = re.compile(r"\Z| for | and | or |[)\]]")
_PHRASE: Final = re.compile(rf".+?(?={_END.pattern})")
# White space is looked at once, from its beginning: a long run of it would take the square of its length.
_END_LENIENTLY: Final = re.compile(r"\Z|(?<!\s)\s++(?:for|and|or)\s|[)\]]", re.IGNORECASE)
_PHRASE_LENIENTLY: Final = re.compile(rf".+?(?={_END_LENIENTLY.pattern})", re.IGNORECASE | re.DOTALL)
_JOINT_OTHERWISE: Final = re.compile(r"\s(?:(?i:for|and|or)|(?!then)(?i:then))\s")
_MOMENT_INSIDE: Final = re.compile(rf"(?<!\w)(?:{MOMENT.pattern})", re.IGNORECASE)
_SUN: Final = words(*SUN_EVENTS, quiet=True, element="select")
_FROM_SUN: Final = words(" before ", " after ", element="select")
_INTRODUCED: Final = "it|time is|after|before"
_OFFSET_AHEAD: Final = re.compile(r"[$\d(][^\"\]]*? (?:before|after) ")


class ClockSays(PredicateKind):
    """A time, a day, both, or a range of them; with `after` or `before`; also out of a variable or text."""

    provider = "CronPredicateProvider"
    opens = re.compile(rf"{_INTRODUCED}|{MOMENT.pattern}", re.IGNORECASE)
    presets = (
        Preset("at a time", "its 8:00"),
        Preset("before or after a time", "its after 8:00"),
    )

    def read(self, reader: Reader) -> Test | None:
        introduced = reader.take(_ITS) is not None
        if introduced and reader.take(_BETWEEN):
            return _read_range(reader, introduced=True, joint_is_and=True)
        modifier = reader.take(_BEFORE_AFTER)
        if modifier is None:
            return _read_range(reader, introduced=introduced, joint_is_and=False)
        when = _read_when(reader, introduced=True)
        return TimeIs(Period(_MODIFIERS[modifier], when)) if when else None


def _read_range(reader: Reader, *, introduced: bool, joint_is_and: bool) -> Test | None:
    start = reader.mark()
    first = _read_when(reader, introduced=introduced)
    if first is None:
        return None
    end = reader.mark()
    last = _read_end(reader, first) if reader.take(_AND if joint_is_and else _TO) else None
    if last is None:
        reader.back(end)
        return None if joint_is_and else TimeIs(Period("exact", first))
    if isinstance(first, Moment) and isinstance(last, Moment) and not joint_is_and:
        reader.show_as_one(start, kind="time", param="time")
    return TimeIs(Period("between", first, last))


def _read_end(reader: Reader, first: When) -> When | None:
    """What a range ends with: behind a point in time as it is written an hour alone will do."""
    found = HOUR.match(reader.text, reader.at) if isinstance(first, Moment) else None
    if found is None:
        return _read_when(reader, introduced=True)
    reader.match(HOUR)
    return Moment(time=TimeOfDay(int(found[0])))


def _read_when(reader: Reader, *, introduced: bool) -> When | None:
    """A point in time; without an introduction no variable and no text, which begin other predicates."""
    start = reader.at
    found = reader.match(MOMENT, kind="time", param="time")
    if found is not None:
        moment = moment_of(found)
        if moment is None:
            reader.note(start, f"there is no such time as “{found[0]}”")
        return moment
    return _read_written(reader) if introduced else None


def _read_written(reader: Reader) -> When | None:
    name = reader.variable()
    if name is not None:
        return Written(read_part(f"${name}", "number", reader.vocabulary))
    text = reader.expression("text")
    return Written(text) if text is not None else None


class ClockSaysInMoreWords(PredicateKind):
    """The same with other words behind it that mean nothing: `its 8:00 o'clock`. They hold no second time."""

    provider = "CronPredicateProvider"
    opens = re.compile(
        rf"{_INTRODUCED}|(?=[\dadfjlmnostw])(?:\d|mo|tue|wed|thu|fr|sa|su|so|di|mi|do|ja|fe|ap|ma|ju|au|se|oc|no|de"
        r"|this|next|last|at \d)",
        re.IGNORECASE,
    )

    def read(self, reader: Reader) -> Test | None:
        reader.take(_ITS)
        modifier = reader.take(_BEFORE_AFTER)
        phrase = _phrase(reader)
        span = written_span(phrase[0].strip()) if phrase else None
        if phrase is None or span is None or (modifier and span.last):
            return None
        if _MOMENT_INSIDE.search(span.rest):
            reader.note(reader.at, f"there are several times in “{phrase[0].strip()}”")
            return None
        reader.match(phrase.re, kind="time", param="time")
        left_out = span.rest.strip()
        if span.last:
            return TimeIs(Period("between", span.first, span.last), left_out)
        return TimeIs(Period(_MODIFIERS[modifier] if modifier else "exact", span.first), left_out)


def _phrase(reader: Reader) -> re.Match[str] | None:
    """A time with more words behind it; None where a strict reading would take a joint for one of them."""
    text = reader.text
    end, pattern = (_END_LENIENTLY, _PHRASE_LENIENTLY) if reader.lenient else (_END, _PHRASE)
    found = MOMENT.match(text, reader.at)
    if found is not None and end.match(text, found.end()):
        return None
    phrase = pattern.match(text, reader.at)
    if phrase is None or reader.lenient:
        return phrase
    return None if _JOINT_OTHERWISE.search(text, phrase.start(), phrase.end() + 1) else phrase


class SunSays(PredicateKind):
    """A moment of the sun's day, before or after it, or some time before or after it."""

    provider = "SunrisePredicateProvider"
    opens = re.compile(rf"{_INTRODUCED}|{'|'.join(SUN_EVENTS)}|{_OFFSET_AHEAD.pattern}")

    def read(self, reader: Reader) -> Test | None:
        reader.take(_ITS)
        modifier = reader.take(_BEFORE_AFTER)
        offset, direction = None, _later(" after ")
        if _OFFSET_AHEAD.match(reader.text, reader.at):
            offset = read_duration(reader)
            side = reader.take(_FROM_SUN) if offset else None
            if side is None:
                return None
            direction = _later(side)
        event = reader.take(_SUN)
        if event is None:
            return None
        return TimeIs(Period(_MODIFIERS[modifier] if modifier else "exact", SunTime(event, offset, direction)))


def _later(side: str) -> Literal[-1, 1]:
    return 1 if side == " after " else -1
