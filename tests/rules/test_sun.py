"""The moments of the sun, beside published ones, and everywhere on their own day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hallway.language.times import SUN_EVENTS
from hallway.rules.sun import Place, Sun


@pytest.mark.parametrize(
    ("event", "expected"),
    [("sunrise", "05:18"), ("sunset", "22:06"), ("solarNoon", "13:42"), ("dawn", "04:28"), ("night", None)],
)
def test_midsummer_in_amsterdam(event: str, expected: str | None) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    found = Sun(Place(52.37, 4.9)).at(event, date(2026, 6, 21), zone)
    assert (None if found is None else f"{datetime.fromtimestamp(found, UTC).astimezone(zone):%H:%M}") == expected


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("Pacific/Auckland", Place(-36.85, 174.76)),
        ("Pacific/Honolulu", Place(21.3, -157.86)),
        ("Pacific/Apia", Place(-13.83, -171.77)),
        ("Asia/Kathmandu", Place(27.7, 85.3)),
    ],
)
def test_every_moment_is_on_its_day_and_in_its_order(zone: str, place: Place) -> None:
    sun, local = Sun(place), ZoneInfo(zone)
    for day in (date(2026, month, 15) for month in range(1, 13)):
        found = {event: sun.at(event, day, local) for event in SUN_EVENTS}
        for moment in found.values():
            assert moment is not None
            assert datetime.fromtimestamp(moment, UTC).astimezone(local).date() == day
        order = [
            "nightEnd", "nauticalDawn", "dawn", "sunrise", "sunriseEnd", "goldenHourEnd", "solarNoon", "goldenHour",
            "sunsetStart", "sunset", "dusk", "nauticalDusk", "night",
        ]  # fmt: skip
        moments = [found[event] or 0.0 for event in order]
        assert moments == sorted(moments)
