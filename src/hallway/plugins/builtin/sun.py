"""The sun as a device: above or below the horizon, and when it rises and sets next.

Computed from the place of the home, without any network. It must not know what anybody does with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from astral import Observer, refraction_at_zenith
from astral.sun import SUN_APPARENT_RADIUS, adjust_to_horizon, elevation, sunrise, sunset

from hallway.clock import Cancel
from hallway.home.changes import Context
from hallway.home.dates import date_text
from hallway.home.home import Home

DEVICE = "sun"
LOOKED_AT_EVERY = 3600.0
"""At least that often, in case the clock was set."""
NEAR_LOOKED_AT_EVERY = 600.0
JUST_AFTER = 0.001
"""Seconds after sunrise or sunset at which it is looked, so that rounding cannot make it a look before."""
NEAR_THE_HORIZON = 0.5
"""Degrees."""
CONTEXT = Context("sun")
A_DAY = timedelta(days=1)
A_YEAR = 367


class SunSource:
    """Keeps the device `sun` true."""

    def __init__(self, home: Home, latitude: float, longitude: float, elevation_in_metres: float) -> None:
        self._home = home
        self._observer = Observer(latitude, longitude, elevation_in_metres)
        self._horizon = _horizon(elevation_in_metres)
        self._sunrise = _Coming(sunrise, self._observer)
        self._sunset = _Coming(sunset, self._observer)
        self._cancel: Cancel = lambda: None

    def define(self) -> None:
        """Take the sun into the home."""
        self._home.add_device({"id": DEVICE, "name": "Sun", "class": "Sun"}, "built-in", CONTEXT)

    def start(self) -> None:
        """Show the sun from now on."""
        self._look()

    def stop(self) -> None:
        self._cancel()

    def _look(self) -> None:
        now = datetime.fromtimestamp(self._home.clock.now(), UTC)
        rising, setting = self._sunrise.after(now), self._sunset.after(now)
        height = elevation(self._observer, now, with_refraction=False) - self._horizon
        is_up = height > 0 if abs(height) > NEAR_THE_HORIZON else self._is_up(now, height)
        self._home.set_values(
            DEVICE,
            {
                "state": "above_horizon" if is_up else "below_horizon",
                "next_rising": None if rising is None else date_text(rising.timestamp()),
                "next_setting": None if setting is None else date_text(setting.timestamp()),
            },
            CONTEXT,
        )
        until = min(((moment - now).total_seconds() for moment in (rising, setting) if moment), default=LOOKED_AT_EVERY)
        every = LOOKED_AT_EVERY if abs(height) > NEAR_THE_HORIZON else NEAR_LOOKED_AT_EVERY
        self._cancel = self._home.clock.call_later(min(until + JUST_AFTER, every), self._look)

    def _is_up(self, now: datetime, height: float) -> bool:
        """Near the horizon the nearest sunrise or sunset decides, so that all that is shown agrees to the second.

        Elsewhere the height does: around a polar day, sunrises and sunsets do not take turns as astral computes them.
        """
        turns = (
            (self._sunrise.before(now), True),
            (self._sunrise.after(now), False),
            (self._sunset.before(now), False),
            (self._sunset.after(now), True),
        )
        near = [(abs(moment - now), is_up) for moment, is_up in turns if moment and abs(moment - now) < A_DAY]
        return min(near)[1] if near else height > 0


class _Coming:
    """The next sunrise or sunset. Looked for again when it is over or the clock was put back; in vain, every day."""

    def __init__(self, event: Callable[..., datetime], observer: Observer) -> None:
        self._event = event
        self._observer = observer
        self._moment: datetime | None = None
        self._since = self._until = datetime.min.replace(tzinfo=UTC)

    def after(self, now: datetime) -> datetime | None:
        """The first one after now; None where there is none for a year."""
        if not self._since <= now < self._until:
            self._moment = self._find(now)
            self._since, self._until = now, self._moment or now + A_DAY
        return self._moment

    def before(self, now: datetime) -> datetime | None:
        """The last one up to now; None where there was none for a day."""
        moments = (self._on(now.date() + day * A_DAY) for day in (1, 0, -1))
        return next((moment for moment in moments if moment is not None and moment <= now), None)

    def _find(self, now: datetime) -> datetime | None:
        today = now.date()
        for day in range(-1, A_YEAR):
            moment = self._on(today + day * A_DAY)
            if moment is not None and moment > now:
                return moment
        return None

    def _on(self, day: date) -> datetime | None:
        try:
            return self._event(self._observer, date=day, tzinfo=UTC)
        except ValueError:
            return None


def _horizon(metres: float) -> float:
    """The height of the sun's centre, in degrees, at sunrise and sunset seen from that height above the ground."""
    zenith = 90.0 + SUN_APPARENT_RADIUS + adjust_to_horizon(metres)
    return 90.0 - zenith - refraction_at_zenith(zenith)
