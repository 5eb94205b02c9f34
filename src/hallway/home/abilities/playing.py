"""Playing: an audio or video player. Shows as `media_player.<id>`.

Attribute and action names are pimatic's (AVPlayer); volume is 0 to 100 there and 0 to 1 at the other door.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hallway.errors import InvalidInput
from hallway.home.abilities.base import UNKNOWN, Ability, Field, Invocation, Service, number_of, runs
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter, as_number
from hallway.home.values import Attributes, Value, python_text

_STATE_OF: Mapping[Value, str] = MappingProxyType({"play": "playing", "pause": "paused", "stop": "idle"})
_PLAYER_OF = MappingProxyType({shown: state for state, shown in _STATE_OF.items()})

LOUDEST = 100


def _volume(_device: Device, data: Attributes) -> Invocation | None:
    if data.get("volume_level") is None:
        raise InvalidInput("volume_set needs the field volume_level: 0 to 1")
    level = as_number(data["volume_level"], "volume_level")
    if not 0 <= level <= 1:
        raise InvalidInput(f"volume_set: volume_level must be 0 to 1, not {level}")
    return Invocation("setVolume", {"volume": round(level * 100)})


def _set_volume(_device: Device, arguments: Mapping[str, Value]) -> Effects:
    volume = as_number(arguments["volume"], "setVolume: volume")
    if not 0 <= volume <= LOUDEST:
        raise InvalidInput(f"setVolume: volume must be 0 to 100, not {volume}")
    return Effects({"volume": volume})


def _play_pause(device: Device, _data: Attributes) -> Invocation | None:
    return Invocation("pause" if device.value("state") == "play" else "play")


class Playing(Ability):
    """Attributes currentArtist, currentTitle, state (play, pause, stop), volume."""

    domain = "media_player"
    services = MappingProxyType(
        {
            "turn_on": runs("play", "Start playing"),
            "turn_off": runs("stop", "Stop playing"),
            "media_play": runs("play", "Start playing"),
            "media_pause": runs("pause", "Pause"),
            "media_stop": runs("stop", "Stop playing"),
            "media_play_pause": Service("Play or pause", _play_pause),
            "media_next_track": runs("next", "Go to the next title"),
            "media_previous_track": runs("previous", "Go to the title before"),
            "volume_set": Service(
                "Set the volume", _volume, (Field("volume_level", "0 to 1", required=True, example=0.4),)
            ),
        }
    )

    def attributes(self) -> tuple[Attribute, ...]:
        def text(name: str, label: str, description: str) -> Attribute:
            return Attribute(name=name, type="string", label=label, description=description, initial="")

        return (
            text("currentArtist", "Artist", "Who is playing"),
            text("currentTitle", "Title", "What is playing"),
            Attribute(
                name="state",
                type="string",
                label="State",
                description="Whether it plays",
                enum=("play", "pause", "stop"),
                initial="stop",
            ),
            Attribute(
                name="volume",
                type="number",
                label="Volume",
                description="How loud it is",
                unit="%",
                discrete=False,
                initial=50,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        def goes(name: str, state: str, description: str) -> Action:
            return Action(name, lambda _device, _arguments: Effects({"state": state}), (), description)

        return (
            goes("play", "play", "Start playing"),
            goes("pause", "pause", "Pause"),
            goes("stop", "stop", "Stop playing"),
            goes("next", "play", "Go to the next title"),
            goes("previous", "play", "Go to the title before"),
            Action("setVolume", _set_volume, (Parameter("volume", "number"),), "Set the volume"),
        )

    def show(self, device: Device) -> tuple[str, Attributes]:
        volume = device.value("volume")
        shown: Attributes = {"volume_level": volume / 100} if isinstance(volume, int | float) else {}
        for name, key in (("currentArtist", "media_artist"), ("currentTitle", "media_title")):
            if device.value(name):
                shown[key] = python_text(device.value(name))
        return _STATE_OF.get(device.value("state"), UNKNOWN), shown

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        told: dict[str, Value] = {"state": _PLAYER_OF.get(state.lower())}
        volume = number_of(str(attributes.get("volume_level")))
        if volume is not None:
            told["volume"] = round(min(max(volume, 0), 1) * LOUDEST)
        for name, key in (("currentArtist", "media_artist"), ("currentTitle", "media_title")):
            if key in attributes:
                told[name] = python_text(attributes[key])
        return told
