"""Actions with a value: `dim lamp to 30%`, `set temp of heating to $wanted`, `set mode of heating to "eco"`.

It must not know other kinds of actions.
"""

from __future__ import annotations

from typing import Final

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.language.coercion import number_text
from hallway.language.deeds import Deed, Outcome, number_now, text_now, undo_of
from hallway.language.expressions import Expression
from hallway.language.matching import Reader
from hallway.language.registry import ActionKind
from hallway.language.vocabulary import Able
from hallway.language.words import Words, words

_TO: Final = words(" to ")
_PERCENT: Final = words("%")
_DEGREES: Final = words("°C")
_MODE: Final = words(" mode")
_FULL: Final = 100
_HOTTEST: Final = 32


class SetLevel(Deed, frozen=True):
    """Set a number of a device; kept from `low` to `high` when these are given."""

    device_id: str
    action: str
    parameter: str
    attribute: str
    level: Expression
    unit: str
    low: float | None = None
    high: float | None = None

    @property
    def lasts(self) -> bool:
        return True

    def announce(self, home: Home) -> str:
        return f"would set {self._what(home)} to {self._shown(self._now(home))}"

    def run(self, home: Home, context: Context) -> Outcome:
        level = self._now(home)
        undo = undo_of(home, self.device_id, self.action, {self.parameter: level}, self.attribute)
        home.act(self.device_id, self.action, {self.parameter: level}, context)
        return Outcome(f"{self._what(home)} set to {self._shown(level)}", undo)

    def _now(self, home: Home) -> int | float:
        level = number_now(self.level, home)
        if self.low is not None:
            level = max(level, self.low)
        return level if self.high is None else min(level, self.high)

    def _what(self, home: Home) -> str:
        return f"{self.attribute} of {home.device(self.device_id).name}"

    def _shown(self, level: float) -> str:
        return f"{number_text(level)}{self.unit}"


class SetMode(Deed, frozen=True):
    """Set the mode of a thermostat to a text."""

    device_id: str
    mode: Expression

    @property
    def lasts(self) -> bool:
        return True

    def announce(self, home: Home) -> str:
        return f"would set {self._what(home)} to {text_now(self.mode, home)}"

    def run(self, home: Home, context: Context) -> Outcome:
        mode = text_now(self.mode, home)
        undo = undo_of(home, self.device_id, "changeModeTo", {"mode": mode}, "mode")
        home.act(self.device_id, "changeModeTo", {"mode": mode}, context)
        return Outcome(f"{self._what(home)} set to {mode}", undo)

    def _what(self, home: Home) -> str:
        return f"mode of {home.device(self.device_id).name}"


def _written(expression: Expression) -> float | None:
    """The number, if the expression is nothing but one."""
    token = expression.tokens[0]
    return float(token) if len(expression.tokens) == 1 and not isinstance(token, str) else None


def _read_level(reader: Reader, high: float, unit: Words) -> Expression | None:
    """A number that is reckoned, with or without its unit; one that is written down must be from 0 to the highest."""
    start = reader.at
    level = reader.expression("number")
    if level is None:
        return None
    fixed = _written(level)
    if fixed is None or 0 <= fixed <= high:
        reader.take(unit)
        return level
    if reader.hints is not None:
        reader.hints.offer_words(unit, reader.rest)
    bound = f"at least 0{unit.shown[0]}" if fixed < 0 else f"at most {high:g}{unit.shown[0]}"
    reader.note(start, f"{number_text(fixed)} is out of range: it must be {bound}")
    return None


class DimLight(ActionKind):
    """`dim lamp to 30%`; what is reckoned is kept between 0 and 100."""

    provider = "DimmerActionProvider"
    begins = ("dim",)
    _verb: Final = words("dim ")
    _able: Final = Able("a dimmer", ("dimlevel",), ("changeDimlevelTo",))

    def read(self, reader: Reader) -> Deed | None:
        device = reader.device(self._able) if reader.take(self._verb) else None
        if device is None or not reader.take(_TO):
            return None
        level = _read_level(reader, _FULL, _PERCENT)
        if level is None:
            return None
        return SetLevel(device.id, "changeDimlevelTo", "dimlevel", "dimlevel", level, "%", 0, _FULL)


class SetTemperature(ActionKind):
    """`set temp of heating to 20`; a thermometer whose temperature can be set takes it too."""

    provider = "HeatingThermostatSetpointActionProvider"
    begins = ("set",)
    _verb: Final = words("set temp of ")
    _able: Final = Able("a thermostat", (), ("changeTemperatureTo",))

    def read(self, reader: Reader) -> Deed | None:
        device = reader.device(self._able) if reader.take(self._verb) else None
        if device is None or not reader.take(_TO):
            return None
        level = _read_level(reader, _HOTTEST, _DEGREES)
        if level is None:
            return None
        what = "temperatureSetpoint" if "temperatureSetpoint" in device.attributes else "temperature"
        return SetLevel(device.id, "changeTemperatureTo", what, what, level, "°C")


class SetThermostatMode(ActionKind):
    """`set mode of heating to "eco"`; the word `mode` may follow."""

    provider = "HeatingThermostatModeActionProvider"
    begins = ("set",)
    _verb: Final = words("set mode of ")
    _able: Final = Able("a thermostat with modes", ("mode",), ("changeModeTo",))

    def read(self, reader: Reader) -> Deed | None:
        device = reader.device(self._able) if reader.take(self._verb) else None
        if device is None or not reader.take(_TO):
            return None
        mode = reader.expression("text")
        if mode is None:
            return None
        reader.take(_MODE)
        return SetMode(device.id, mode)
