"""Actions of switches, sensors, shutters, timers and buttons: `turn lamp on`, `raise blind`, `press doorbell`.

It must not know other kinds of actions.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.language.deeds import Deed, DeviceDeed, Outcome, Undo
from hallway.language.matching import THE, Reader
from hallway.language.registry import ActionKind
from hallway.language.vocabulary import Able
from hallway.language.words import words

_SWITCH: Final = Able("a switch", ("state",), ("changeStateTo",))
_TOGGLING: Final = Able("a switch that toggles", ("state",), ("toggle",))
_CONTACT: Final = Able("a contact that can be set", ("contact",), ("changeContactTo",))
_PRESENCE: Final = Able("a presence sensor that can be set", ("presence",), ("changePresenceTo",))
_SHUTTER: Final = Able("a shutter", (), ("moveUp", "moveDown"))
_STOPPABLE: Final = Able("a shutter that stops", ("position",), ("stop",))
_TIMER: Final = Able("a timer", (), ("startTimer", "stopTimer", "resetTimer"))


def _either_way(device_id: str, action: str, parameter: str, value: bool, words_for: tuple[str, str]) -> Deed:
    """Set something that is true or false; for some time means: the other way afterwards."""
    false, true = words_for
    word, other = (true, false) if value else (false, true)
    back = Undo(device_id, action, {parameter: not value}, f"{{name}} {other} again")
    done, to_do = f"{{name}} {word}", f"would let {{name}} be {word}"
    return DeviceDeed(device_id, action, {parameter: value}, done, to_do, counter=back)


class TurnSwitch(ActionKind):
    """`turn lamp on`, `turn on lamp`, `switch lamp off`."""

    provider = "SwitchActionProvider"
    begins = ("turn", "switch")
    _verbs: Final = words("turn ", "switch ")
    _before: Final = words("on ", "off ")
    _behind: Final = words(" on", " off")
    _states: Final = ("turned off", "turned on")

    def read(self, reader: Reader) -> Deed | None:
        if not reader.take(self._verbs):
            return None
        return reader.longest((self._state_behind, self._state_before))

    def _state_behind(self, reader: Reader) -> Deed | None:
        device = reader.device(_SWITCH)
        state = reader.take(self._behind) if device else None
        return self._deed(device.id, state) if device and state else None

    def _state_before(self, reader: Reader) -> Deed | None:
        state = reader.take(self._before)
        device = reader.device(_SWITCH) if state else None
        return self._deed(device.id, state) if device and state else None

    def _deed(self, device_id: str, state: str) -> Deed:
        return _either_way(device_id, "changeStateTo", "state", state.strip() == "on", self._states)


class ToggleSwitch(ActionKind):
    """`toggle lamp`, `toggle the state of lamp`."""

    provider = "ToggleActionProvider"
    begins = ("toggle",)
    _verb: Final = words("toggle ")
    _of: Final = words("the state of ")
    _state: Final = words(" state")

    def read(self, reader: Reader) -> Deed | None:
        if not reader.take(self._verb):
            return None
        of = reader.take(self._of)
        device = reader.device(_TOGGLING)
        if device is None:
            return None
        if of is None:
            reader.take(self._state)
        return DeviceDeed(device.id, "toggle", {}, "{name} toggled", "would toggle {name}")


class OpenContact(ActionKind):
    """`open door`, `close door`: what a contact is to report."""

    provider = "ContactActionProvider"
    begins = ("open", "close")
    _verbs: Final = words("open ", "close ")
    _states: Final = ("opened", "closed")

    def read(self, reader: Reader) -> Deed | None:
        verb = reader.take(self._verbs)
        device = reader.device(_CONTACT) if verb else None
        if device is None:
            return None
        return _either_way(device.id, "changeContactTo", "contact", verb == "close ", self._states)


class SetPresence(ActionKind):
    """`set presence of sensor present`."""

    provider = "PresenceActionProvider"
    begins = ("set",)
    _verb: Final = words("set presence of ")
    _where: Final = words(" present", " absent")
    _states: Final = ("absent", "present")

    def read(self, reader: Reader) -> Deed | None:
        device = reader.device(_PRESENCE) if reader.take(self._verb) else None
        state = reader.take(self._where) if device else None
        if device is None or state is None:
            return None
        return _either_way(device.id, "changePresenceTo", "presence", state.endswith("present"), self._states)


class MoveShutter(ActionKind):
    """`raise blind`, `lower blind`, `move blind down`; for some time means: stop it afterwards."""

    provider = "ShutterActionProvider"
    begins = ("raise", "lower", "move")
    _verbs: Final = words("raise ", "lower ", "move ")
    _up: Final = words(" up")
    _down: Final = words(" down")
    _either: Final = words(" up", " down")

    def read(self, reader: Reader) -> Deed | None:
        verb = reader.take(self._verbs)
        device = reader.device(_SHUTTER) if verb else None
        if device is None:
            return None
        if verb == "move ":
            where = reader.take(self._either)
            return self._deed(device.id, up=where == " up") if where else None
        reader.take(self._up if verb == "raise " else self._down)
        return self._deed(device.id, up=verb == "raise ")

    def _deed(self, device_id: str, *, up: bool) -> Deed:
        action, done, to_do = (
            ("moveUp", "{name} raised", "would raise {name}")
            if up
            else ("moveDown", "{name} lowered", "would lower {name}")
        )
        return DeviceDeed(device_id, action, {}, done, to_do, counter=Undo(device_id, "stop", text="{name} stopped"))


class StopShutter(ActionKind):
    """`stop blind`."""

    provider = "StopShutterActionProvider"
    begins = ("stop",)
    _verb: Final = words("stop ")

    def read(self, reader: Reader) -> Deed | None:
        device = reader.device(_STOPPABLE) if reader.take(self._verb) else None
        return DeviceDeed(device.id, "stop", {}, "{name} stopped", "would stop {name}") if device else None


class ControlTimer(ActionKind):
    """`start timer`, `stop timer`, `reset timer`."""

    provider = "TimerActionProvider"
    begins = ("start", "stop", "reset")
    _verbs: Final = words("start ", "stop ", "reset ")
    _timer: Final = words(" timer")
    _done: Final = MappingProxyType({"start ": "started", "stop ": "stopped", "reset ": "set back to zero"})

    def read(self, reader: Reader) -> Deed | None:
        verb = reader.take(self._verbs)
        device = reader.device(_TIMER) if verb else None
        if verb is None or device is None:
            return None
        reader.take(self._timer)
        word = verb.strip()
        return DeviceDeed(device.id, f"{word}Timer", {}, f"{{name}} {self._done[verb]}", f"would {word} {{name}}")


class Press(Deed, frozen=True):
    """Press a button of a device."""

    device_id: str
    button_id: str

    def announce(self, home: Home) -> str:
        return f"would press {self.button_id} of {home.device(self.device_id).name}"

    def run(self, home: Home, context: Context) -> Outcome:
        home.act(self.device_id, "buttonPressed", {"buttonId": self.button_id}, context)
        return Outcome(f"{self.button_id} of {home.device(self.device_id).name} pressed")


class PressButton(ActionKind):
    """`press doorbell`, `press the button btn-a`."""

    provider = "ButtonActionProvider"
    begins = ("press",)
    _verb: Final = words("press ")
    _button: Final = words("button ")

    def read(self, reader: Reader) -> Deed | None:
        if not reader.take(self._verb):
            return None
        reader.take(THE)
        reader.take(self._button)
        button = reader.button()
        return Press(button.device_id, button.id) if button else None
