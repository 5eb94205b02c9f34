"""What the sun promises: up and down at the very moments that astral computes, also where it stays up for weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from astral import Observer
from astral.sun import elevation, sunrise, sunset

from hallway.clock import VirtualClock
from hallway.home.changes import AnyChange, Updated
from hallway.home.dates import date_text
from hallway.home.home import Home
from hallway.plugins.builtin.sun import SunSource

UP, DOWN = "above_horizon", "below_horizon"
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400.0
AMSTERDAM = (52.37, 4.9)


class Sky:
    """A home at a place, with the sun over it, from a moment on."""

    def __init__(
        self, place: tuple[float, float], start: datetime = YEAR, height: float = 0.0, zone: str = "UTC"
    ) -> None:
        self.clock = VirtualClock(start.timestamp())
        self.home = Home(self.clock, time_zone=ZoneInfo(zone))
        self.source = SunSource(self.home, *place, height)
        self.flips: list[tuple[float, str]] = []
        self.source.define()
        self.home.changes.watch("attribute:sun.state", self._note)
        self.source.start()

    def _note(self, change: AnyChange) -> None:
        assert isinstance(change, Updated)
        self.flips.append((change.at, str(change.new["state"])))

    def state(self) -> str:
        shown = self.home.state("sun.sun")
        assert shown is not None
        return shown.state

    def attribute(self, name: str) -> object:
        shown = self.home.state("sun.sun")
        assert shown is not None
        return shown.attributes.get(name)


def events(observer: Observer, start: datetime, days: int) -> list[tuple[float, str]]:
    """Every rising and setting that astral knows after start, in order."""

    def all_of_them() -> Iterator[tuple[float, str]]:
        for day in range(-2, days + 2):
            date = (start + timedelta(days=day)).date()
            for event, state in ((sunrise, UP), (sunset, DOWN)):
                try:
                    yield event(observer, date=date, tzinfo=UTC).timestamp(), state
                except ValueError:
                    continue

    end = (start + timedelta(days=days)).timestamp()
    return sorted((at, state) for at, state in all_of_them() if start.timestamp() < at <= end)


def test_the_sun_is_an_entity_with_its_next_events() -> None:
    sky = Sky(AMSTERDAM, datetime(2026, 11, 21, 19, 22, 29, tzinfo=UTC))
    assert sky.state() == DOWN
    assert sky.attribute("friendly_name") == "Sun"
    assert sky.attribute("next_rising") == "07:13:54 22-11-2026"
    assert sky.attribute("next_setting") == "15:38:35 22-11-2026"
    assert sky.home.device("sun").source == "built-in"


@pytest.mark.parametrize(
    "place", [AMSTERDAM, (0.0, -179.9), (0.0, 179.9), (-45.0, 170.5), (60.17, 24.94), (-33.45, -70.67)], ids=str
)
def test_over_a_year_it_rises_and_sets_at_the_very_moment(place: tuple[float, float]) -> None:
    sky = Sky(place)
    expected = events(Observer(*place), YEAR, 365)
    sky.flips.clear()
    sky.clock.advance(365 * DAY)
    assert len(expected) == pytest.approx(730, abs=2)
    assert [state for _at, state in sky.flips] == [state for _at, state in expected]
    late = [at - due for (at, _), (due, _) in zip(sky.flips, expected, strict=True)]
    assert min(late) >= 0
    assert max(late) < 0.01


@pytest.mark.parametrize("start", [YEAR + timedelta(days=40 * n, hours=3 * n) for n in range(9)], ids=str)
@pytest.mark.parametrize("place", [AMSTERDAM, (-77.85, 166.67), (69.65, 18.96)], ids=str)
def test_its_next_events_are_the_next_ones(place: tuple[float, float], start: datetime) -> None:
    sky = Sky(place, start)
    coming = events(Observer(*place), start, 367)
    assert sky.attribute("next_rising") == date_text(next(at for at, state in coming if state == UP))
    assert sky.attribute("next_setting") == date_text(next(at for at, state in coming if state == DOWN))


@pytest.mark.parametrize(
    "place",
    [
        (65.85, 24.15),
        (66.5, 25.7),
        (69.65, 18.96),
        (78.2, 15.6),
        (-77.85, 166.67),
        (85.0, 0.0),
        (90.0, 0.0),
        (-90.0, 0.0),
    ],
    ids=str,
)
def test_where_it_stays_up_or_down_for_long_it_is_shown_so(place: tuple[float, float]) -> None:
    sky = Sky(place)
    observer = Observer(*place)
    wrong, seen = [], set()
    for step in range(365 * 8):
        now = YEAR + timedelta(hours=3 * step, minutes=7)
        sky.clock.advance(now.timestamp() - sky.clock.now())
        height = elevation(observer, now, with_refraction=False) + 0.79
        seen.add(sky.state())
        if abs(height) > 1 and sky.state() != (UP if height > 0 else DOWN):
            wrong.append((str(now), round(height, 1)))
    assert wrong == []
    assert seen == {UP, DOWN}


def test_in_the_polar_night_it_says_when_the_sun_comes_back() -> None:
    sky = Sky((69.65, 18.96), datetime(2026, 12, 20, 11, tzinfo=UTC))
    assert sky.state() == DOWN
    assert str(sky.attribute("next_rising")).endswith("-01-2027")
    sky.clock.advance(20 * DAY)
    assert sky.state() == DOWN
    sky.clock.advance(20 * DAY)
    assert len(sky.flips) > 2


def test_on_the_polar_day_it_says_when_the_sun_sets_again() -> None:
    sky = Sky((69.65, 18.96), datetime(2026, 6, 21, 23, tzinfo=UTC))
    assert sky.state() == UP
    assert str(sky.attribute("next_setting")).endswith("-07-2026")
    flips = len(sky.flips)
    sky.clock.advance(20 * DAY)
    assert sky.state() == UP
    assert len(sky.flips) == flips


def test_on_a_mountain_the_sun_rises_earlier() -> None:
    start = datetime(2026, 3, 20, tzinfo=UTC)
    below, above = (Sky(AMSTERDAM, start, height) for height in (0.0, 3000.0))
    below.clock.advance(DAY)
    above.clock.advance(DAY)
    (rises_below, up), (sets_below, down) = below.flips[1:]
    (rises_above, _), (sets_above, _) = above.flips[1:]
    assert (up, down) == (UP, DOWN)
    assert 300 < rises_below - rises_above < 1800
    assert 300 < sets_above - sets_below < 1800


def test_the_time_zone_of_the_home_makes_no_difference() -> None:
    start = datetime(2026, 3, 27, tzinfo=UTC)
    skies = [Sky(AMSTERDAM, start, zone=zone) for zone in ("UTC", "Europe/Amsterdam", "Pacific/Auckland")]
    for sky in skies:
        sky.clock.advance(5 * DAY)
    assert skies[0].flips == skies[1].flips == skies[2].flips
    assert len({sky.attribute("next_rising") for sky in skies}) == 1


@pytest.mark.parametrize("hours", [12, -12, 24 * 180])
def test_a_clock_that_is_set_is_noticed_within_the_hour(hours: int) -> None:
    sky = Sky(AMSTERDAM, datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert sky.state() == UP
    sky.clock.set_wall(sky.clock.now() + hours * 3600)
    sky.clock.advance(3600)
    now = datetime.fromtimestamp(sky.clock.now(), UTC)
    assert sky.state() == (UP if elevation(Observer(*AMSTERDAM), now) > 0 else DOWN)
    assert str(sky.attribute("next_rising"))[9:] in {f"{(now + timedelta(days=d)):%d-%m-%Y}" for d in (0, 1)}


def test_stopped_it_looks_no_more() -> None:
    sky = Sky(AMSTERDAM)
    sky.source.stop()
    flips = len(sky.flips)
    sky.clock.advance(3 * DAY)
    assert len(sky.flips) == flips


def test_what_it_does_is_told_to_come_from_the_sun() -> None:
    sky = Sky(AMSTERDAM)
    seen: list[AnyChange] = []
    sky.home.changes.subscribe(seen.append)
    sky.clock.advance(DAY)
    assert {change.context.origin for change in seen} == {"sun"}
    assert len(seen) == 2
