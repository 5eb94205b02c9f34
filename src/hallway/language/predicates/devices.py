"""What switches, presence sensors and contacts are said to be: `lamp is on`, `motion is present`, `door is opened`.

It must not know other kinds of predicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from hallway.language.conditions import AttributeIs
from hallway.language.matching import Reader
from hallway.language.registry import PredicateKind, Preset
from hallway.language.vocabulary import Able, having
from hallway.language.words import Words, words


class _DeviceIs(PredicateKind):
    """A device, a verb and a word for what one of its attributes is."""

    able: ClassVar[Able]
    attribute: ClassVar[str]
    verbs: ClassVar[Words]
    states: ClassVar[Words]
    meaning: ClassVar[Mapping[str, bool]]

    def read(self, reader: Reader) -> AttributeIs | None:
        device = reader.device(self.able)
        if device is None or not reader.take(self.verbs):
            return None
        state = reader.take(self.states)
        return AttributeIs(device.id, self.attribute, "==", self.meaning[state]) if state else None


class SwitchIs(_DeviceIs):
    """`lamp is on`, `lamp is turned off`."""

    provider = "SwitchPredicateProvider"
    presets = (Preset("a switch is turned on or off", "{device} is turned on"),)
    able = Able("a switch", ("state",), ("changeStateTo",))
    attribute = "state"
    verbs = words(" is", " is turned", also=(" is switched",))
    states = words(" on", " off", element="select", param="state")
    meaning = MappingProxyType({" on": True, " off": False})


class PresenceIs(_DeviceIs):
    """`motion is present`, `phone is not present`."""

    provider = "PresencePredicateProvider"
    presets = (Preset("somebody is present or absent", "{device} is present"),)
    able = having("presence")
    attribute = "presence"
    verbs = words(" is", " reports", " signals")
    states = words(" present", " absent", also=(" not present",), element="select", param="state")
    meaning = MappingProxyType({" present": True, " absent": False, " not present": False})


class ContactIs(_DeviceIs):
    """`door is opened`, `window is close`."""

    provider = "ContactPredicateProvider"
    presets = (Preset("something is opened or closed", "{device} is opened"),)
    able = having("contact")
    attribute = "contact"
    verbs = words(" is")
    states = words(" opened", " closed", also=(" open", " close"), element="select")
    meaning = MappingProxyType({" opened": False, " open": False, " closed": True, " close": True})
