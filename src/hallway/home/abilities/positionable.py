"""Positionable: a shutter or blind that moves up, down and stops. Shows as `cover.<id>`.

Attribute and action names are pimatic's (ShutterController); up = open, down = closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hallway.errors import InvalidInput
from hallway.home.abilities.base import UNKNOWN, Ability, runs
from hallway.home.devices import Action, Attribute, Device, Effects, Later, Parameter, as_number
from hallway.home.values import Attributes, Value

POSITIONS = ("up", "down", "stopped")
_STATE_OF: Mapping[Value, str] = MappingProxyType({"up": "open", "down": "closed", "stopped": "stopped"})
_POSITION_OF = MappingProxyType({state: position for position, state in _STATE_OF.items()})
_STOP = "stop"
WHOLE_WAY = 100


def _move(position: str) -> Effects:
    return Effects({"position": position}, cancel=(_STOP,))


def _move_to(_device: Device, arguments: Mapping[str, Value]) -> Effects:
    position = arguments["state"]
    if position not in POSITIONS:
        raise InvalidInput(f"moveToPosition: state must be up, down or stopped, not {str(position)[:40]!r}")
    return _move(str(position))


class Positionable(Ability):
    """One attribute `position`; `rolling_time` is how many seconds the whole way takes."""

    domain = "cover"
    services = MappingProxyType(
        {
            "open_cover": runs("moveUp", "Raise a shutter"),
            "close_cover": runs("moveDown", "Lower a shutter"),
            "stop_cover": runs("stop", "Stop a shutter where it is"),
        }
    )

    def __init__(self, rolling_time: float = 10, labels: tuple[str, str, str] = POSITIONS) -> None:
        self._rolling_time = rolling_time
        self._labels = labels

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="position",
                type="string",
                label="Position",
                description="Where it stands or goes",
                enum=POSITIONS,
                labels=self._labels,
                initial="stopped",
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        return (
            Action("moveUp", lambda _device, _arguments: _move("up"), (), "Raise it"),
            Action("moveDown", lambda _device, _arguments: _move("down"), (), "Lower it"),
            Action("stop", lambda _device, _arguments: _move("stopped"), (), "Stop it"),
            Action("moveToPosition", _move_to, (Parameter("state", "string"),), "Send it up or down, or stop it"),
            Action(
                "moveByPercentage",
                self._move_by,
                (Parameter("percentage", "number"),),
                "Move it by a part of its way: up when positive, down when negative",
            ),
        )

    def _move_by(self, _device: Device, arguments: Mapping[str, Value]) -> Effects:
        percentage = as_number(arguments["percentage"], "moveByPercentage: percentage")
        if not -WHOLE_WAY <= percentage <= WHOLE_WAY:
            raise InvalidInput(f"moveByPercentage: percentage must be -100 to 100, not {percentage}")
        if percentage == 0:
            return _move("stopped")
        seconds = self._rolling_time * abs(percentage) / 100
        return Effects({"position": "up" if percentage > 0 else "down"}, later=(Later(_STOP, seconds),))

    def owns(self, later: str) -> bool:
        return later == _STOP

    def due(self, device: Device, name: str) -> Effects:
        return Effects({"position": "stopped"})

    def show(self, device: Device) -> tuple[str, Attributes]:
        return _STATE_OF.get(device.value("position"), UNKNOWN), {}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        return {"position": _POSITION_OF.get(state.lower())}
