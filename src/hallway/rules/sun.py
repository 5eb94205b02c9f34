"""The moments of the sun's day at the place of the home, by the names of pimatic's sunrise plugin.

Computed, without any network. It must not know rules.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final

import msgspec

_KEPT: Final = 500
_RISING, _SETTING = "RISING", "SETTING"
_HEIGHTS: Final[Mapping[str, tuple[float, str]]] = MappingProxyType(
    {
        "nightEnd": (-18.0, _RISING),
        "nauticalDawn": (-12.0, _RISING),
        "dawn": (-6.0, _RISING),
        "sunriseEnd": (-0.3, _RISING),
        "goldenHourEnd": (6.0, _RISING),
        "goldenHour": (6.0, _SETTING),
        "sunsetStart": (-0.3, _SETTING),
        "dusk": (-6.0, _SETTING),
        "nauticalDusk": (-12.0, _SETTING),
        "night": (-18.0, _SETTING),
    }
)
"""Degrees above the horizon, and whether the sun comes or goes; sunrise, sunset: its upper edge at the horizon."""


class Place(msgspec.Struct, frozen=True):
    """Where the home is, in degrees, and how many metres above its surroundings."""

    latitude: float
    longitude: float
    elevation: float = 0.0


class Sun:
    """The sun as it is seen from a place. What reckons it is loaded with it, since a home without a place has none."""

    def __init__(self, place: Place) -> None:
        from astral import Observer  # noqa: PLC0415

        self._observer = Observer(place.latitude, place.longitude, place.elevation)
        self._known: OrderedDict[tuple[str, date], float | None] = OrderedDict()

    def at(self, event: str, day: date, zone: tzinfo) -> float | None:
        """When that happens on that day of the home, in seconds since 1970; None when it does not."""
        key = (event, day)
        if key not in self._known:
            while len(self._known) >= _KEPT:
                self._known.popitem(last=False)
            self._known[key] = self._find(event, day, zone)
        return self._known[key]

    def _find(self, event: str, day: date, zone: tzinfo) -> float | None:
        """The day of the sun is another one far from Greenwich: look at the neighbours too."""
        for shift in (0, -1, 1):
            found = self._on(event, day + timedelta(days=shift))
            if found is not None and found.astimezone(zone).date() == day:
                return found.timestamp()
        return None

    def _on(self, event: str, day: date) -> datetime | None:
        from astral import SunDirection  # noqa: PLC0415
        from astral.sun import midnight, noon, sunrise, sunset, time_at_elevation  # noqa: PLC0415

        try:
            if event in _HEIGHTS:
                height, direction = _HEIGHTS[event]
                comes = SunDirection[direction]
                return time_at_elevation(self._observer, height, day, comes, UTC, with_refraction=False)
            named = {"sunrise": sunrise, "sunset": sunset, "solarNoon": noon, "nadir": midnight}[event]
            return named(self._observer, date=day, tzinfo=UTC)
        except ValueError:
            return None  # it does not happen on that day, so far north or south
