"""What happens: `btn-a is pressed`, `pimatic is starting`, `every 5 minutes`, `event "doorbell" is fired`.

It must not know other kinds of predicates.
"""

from __future__ import annotations

from typing import Final

from hallway.language.conditions import ButtonPressed, EventFired, Every, Starting, Test
from hallway.language.durations import read_duration
from hallway.language.literals import read_pairs
from hallway.language.matching import THE, Reader
from hallway.language.registry import PredicateKind, Preset
from hallway.language.words import words

_BUTTON: Final = words(" button")
_IS: Final = words(" is")
_PRESSED: Final = words(" pressed")
_STARTING: Final = words("pimatic is starting", also=("hallway is starting",))
_EVERY: Final = words("every ")
_EVENT: Final = words("event ", quiet=True)
_FIRED: Final = words(" is fired")


class ButtonIsPressed(PredicateKind):
    """A button by its id or what stands on it; only `pressed` must follow."""

    provider = "ButtonPredicateProvider"
    presets = (Preset("a button is pressed", "{button} is pressed"),)

    def read(self, reader: Reader) -> Test | None:
        reader.take(THE)
        button = reader.button()
        if button is None:
            return None
        reader.take(_BUTTON)
        reader.take(_IS)
        return ButtonPressed(button.device_id, button.id) if reader.take(_PRESSED) else None


class HubStarts(PredicateKind):
    """`pimatic is starting`."""

    provider = "StartupPredicateProvider"
    begins = ("pimatic", "hallway")
    presets = (Preset("the hub is starting", "pimatic is starting"),)

    def read(self, reader: Reader) -> Test | None:
        return Starting() if reader.take(_STARTING) else None


class EveryInterval(PredicateKind):
    """`every 5 minutes`."""

    provider = "CronPredicateProvider"
    begins = ("every",)

    def read(self, reader: Reader) -> Test | None:
        duration = read_duration(reader) if reader.take(_EVERY) else None
        return Every(duration) if duration else None


class EventIsFired(PredicateKind):
    """`event "name" is fired with key = value, key = value`."""

    provider = "EventPredicateProvider"
    begins = ("event",)

    def read(self, reader: Reader) -> Test | None:
        if not reader.take(_EVENT):
            return None
        name = reader.quoted()
        if not name or not reader.take(_FIRED):
            return None
        data = read_pairs(reader)
        return None if data is None else EventFired(name, data)
