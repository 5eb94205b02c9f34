"""A small house whose variables, clock and chance the tests of the language set as they like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings

from hallway.language.expressions import UNDEFINED, ExpressionError, Result, parse

T = TypeVar("T")

LEISURELY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: the machine may be busy with other things."""

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2024, 3, 5, 8, 7, 9, 42_000, tzinfo=AMSTERDAM)

VARIABLES: dict[str, Result] = {
    "n": 10,
    "half": 2.5,
    "a": 3,
    "ab": 30,
    "minus": -4,
    "big": 10**30,
    "word": "hello",
    "apples": "12 apples",
    "spaced": "  7",
    "exponent": "1e3x",
    "endless": "Infinity",
    "nothing": "",
    "quote": 'say "hi"',
    "yes": True,
    "no": False,
    "null": None,
    "never": UNDEFINED,
    "list": [1, 2],
    "odd-list": ["3x", None, True, [1], {"a": 1}],
    "empty-list": [],
    "object": {"a": 1},
    "nan": float("nan"),
    "watt": 100,
    "hour": 2,
    "light.level": 40,
    "light-1.level": 41,
    "two words": 5,
    "grün": 6,
}
UNITS = {"watt": "W", "hour": "h"}


@dataclass(frozen=True)
class House:
    """A scope made of plain values."""

    values: Mapping[str, Result] = field(default_factory=lambda: VARIABLES)
    units: Mapping[str, str] = field(default_factory=lambda: UNITS)
    at: datetime = NOW
    zone: tzinfo = AMSTERDAM
    drawn: float = 0.5

    def value(self, name: str) -> Result:
        return self.values[name]

    def unit(self, name: str) -> str:
        return self.units.get(name, "")

    def now(self) -> float:
        return self.at.timestamp()

    def time_zone(self) -> tzinfo:
        return self.zone

    def random(self) -> float:
        return self.drawn


def result_of(text: str, house: House | None = None) -> Result:
    house = house or House()
    return parse(text, house.values).result(house)


def attempt(action: Callable[[], T]) -> T | ExpressionError:
    """What an action gives, or the error it fails with; any other error comes through."""
    try:
        return action()
    except ExpressionError as error:
        return error


def utc(*moment: int) -> House:
    year, month, day, *time = moment
    hour, minute, second = (*time, 0, 0, 0)[:3]
    return House(at=datetime(year, month, day, hour, minute, second, tzinfo=UTC), zone=UTC)
