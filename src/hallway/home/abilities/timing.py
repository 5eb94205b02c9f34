"""Timing: a stopwatch that can be started, stopped and reset. Shows as `timer.<id>`.

Attribute and action names are pimatic's (Timer).
"""

from __future__ import annotations

from types import MappingProxyType

from hallway.home.abilities.base import Ability, number_of, runs
from hallway.home.devices import Action, Attribute, Device, Effects, Later
from hallway.home.values import Attributes, Value

_TICK = "tick"


class Timing(Ability):
    """Attributes `time` (elapsed seconds, in steps of `resolution`) and `running`."""

    domain = "timer"
    services = MappingProxyType(
        {
            "start": runs("startTimer", "Start a stopwatch"),
            "stop": runs("stopTimer", "Stop a stopwatch"),
            "reset": runs("resetTimer", "Set a stopwatch back to zero"),
        }
    )

    def __init__(self, resolution: float = 1) -> None:
        self._resolution = resolution

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="time",
                type="number",
                label="Time",
                description="Seconds since it was started",
                unit="s",
                discrete=False,
                sparkline=False,
                initial=0,
            ),
            Attribute(
                name="running",
                type="boolean",
                label="Running",
                description="Whether it runs",
                labels=("true", "false"),
                initial=False,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        return (
            Action("startTimer", lambda device, _arguments: self._start(device), (), "Start it"),
            Action(
                "stopTimer", lambda _device, _arguments: Effects({"running": False}, cancel=(_TICK,)), (), "Stop it"
            ),
            Action("resetTimer", lambda _device, _arguments: Effects({"time": 0}), (), "Set it back to zero"),
        )

    def _start(self, device: Device) -> Effects:
        if device.value("running"):
            return Effects()
        return Effects({"running": True}, later=(Later(_TICK, self._resolution),))

    def owns(self, later: str) -> bool:
        return later == _TICK

    def due(self, device: Device, name: str) -> Effects:
        if not device.value("running"):
            return Effects()
        elapsed = device.value("time")
        past = elapsed if isinstance(elapsed, int | float) else 0
        return Effects({"time": past + self._resolution}, later=(Later(_TICK, self._resolution),))

    def show(self, device: Device) -> tuple[str, Attributes]:
        return "running" if device.value("running") else "idle", {"time": device.value("time")}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        told: dict[str, Value] = {"running": state.lower() == "running"}
        elapsed = number_of(str(attributes.get("time")))
        return told if elapsed is None else told | {"time": elapsed}
