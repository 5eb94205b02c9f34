"""Actions of players: `pause radio`, `play next song on radio`, `change volume of radio to 30%`.

It must not know other kinds of actions.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from hallway.language.actions.levels import SetLevel
from hallway.language.deeds import Deed, DeviceDeed
from hallway.language.matching import Reader
from hallway.language.registry import ActionKind
from hallway.language.vocabulary import Able
from hallway.language.words import words

_PLAYER: Final = Able("a player", ("state",), ("play", "pause", "stop"))
_LOUD: Final = Able("a player with a volume", ("volume",), ("setVolume",))
_FULL: Final = 100


class ControlPlayer(ActionKind):
    """`play radio`, `pause radio`, `stop radio`, `next song on radio`, `play previous song on radio`."""

    provider = "AVPlayerActionProvider"
    begins = ("play", "pause", "stop", "next", "previous")
    _verbs: Final = words(
        also=(
            "play ", "pause ", "stop ", "next ", "previous ",
            "play next ", "play previous ",
            "play next song ", "play previous song ", "next song ", "previous song ",
            "play next on ", "play previous on ", "next on ", "previous on ",
            "play next song on ", "play previous song on ", "next song on ", "previous song on ",
        )
    )  # fmt: skip
    _shown: Final = ("play ", "pause ", "stop ", "play next song on ", "play previous song on ")
    _texts: Final = MappingProxyType(
        {
            "play": ("{name} plays", "would let {name} play"),
            "pause": ("{name} paused", "would pause {name}"),
            "stop": ("{name} stopped", "would stop {name}"),
            "next": ("{name} plays what is next", "would let {name} play what is next"),
            "previous": ("{name} plays what was before", "would let {name} play what was before"),
        }
    )

    def read(self, reader: Reader) -> Deed | None:
        if reader.hints is not None:
            if not reader.vocabulary.able(_PLAYER):
                return None
            reader.hints.offer(self._shown, reader.rest)
        spelling = reader.take(self._verbs)
        device = reader.device(_PLAYER) if spelling else None
        if spelling is None or device is None:
            return None
        action = next((word for word in ("next", "previous") if word in spelling), spelling.strip())
        return DeviceDeed(device.id, action, {}, *self._texts[action])


class ChangeVolume(ActionKind):
    """`change volume of radio to 30%`; what is reckoned is kept between 0 and 100."""

    provider = "AVPlayerVolumeActionProvider"
    begins = ("change", "set")
    _verbs: Final = words("change volume of ", also=("set volume of ",), quiet=True)
    _to: Final = words(" to ")
    _percent: Final = words("%")

    def read(self, reader: Reader) -> Deed | None:
        if reader.hints is not None and not reader.vocabulary.able(_LOUD):
            return None
        device = reader.device(_LOUD) if reader.take(self._verbs) else None
        level = reader.expression("number") if device and reader.take(self._to) else None
        if device is None or level is None:
            return None
        reader.take(self._percent)
        return SetLevel(device.id, "setVolume", "volume", "volume", level, "%", 0, _FULL)
