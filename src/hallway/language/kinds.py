"""The kinds of predicates and actions that every hub has, in the order in which forms offer them.

It must not know what they mean.
"""

from __future__ import annotations

from hallway.language.actions.devices import (
    ControlTimer,
    MoveShutter,
    OpenContact,
    PressButton,
    SetPresence,
    StopShutter,
    ToggleSwitch,
    TurnSwitch,
)
from hallway.language.actions.levels import DimLight, SetTemperature, SetThermostatMode
from hallway.language.actions.players import ChangeVolume, ControlPlayer
from hallway.language.actions.services import ActivateScene, CallAnyService, FireEvent
from hallway.language.actions.telling import LogText, NotifyPeople
from hallway.language.actions.variables import SetVariable
from hallway.language.predicates.attributes import AttributeCompares, AttributeNotUpdated
from hallway.language.predicates.clock import ClockSays, ClockSaysInMoreWords, SunSays
from hallway.language.predicates.devices import ContactIs, PresenceIs, SwitchIs
from hallway.language.predicates.entities import StateOfEntity
from hallway.language.predicates.happenings import ButtonIsPressed, EventIsFired, EveryInterval, HubStarts
from hallway.language.predicates.variables import ExpressionsCompare, VariableChanges
from hallway.language.registry import Registry


def built_in() -> Registry:
    """Everything that pimatic 0.9 has with its cron and sunrise plugins, and what goes beyond it."""
    return Registry(
        (
            ClockSays(),
            PresenceIs(),
            SwitchIs(),
            AttributeCompares(),
            ExpressionsCompare(),
            VariableChanges(),
            ContactIs(),
            ButtonIsPressed(),
            AttributeNotUpdated(),
            HubStarts(),
            EveryInterval(),
            SunSays(),
            ClockSaysInMoreWords(),
            EventIsFired(),
            StateOfEntity(),
        ),
        (
            SetPresence(),
            OpenContact(),
            TurnSwitch(),
            DimLight(),
            LogText(),
            SetVariable(),
            MoveShutter(),
            StopShutter(),
            ToggleSwitch(),
            SetThermostatMode(),
            SetTemperature(),
            ControlTimer(),
            PressButton(),
            ControlPlayer(),
            ChangeVolume(),
            CallAnyService(),
            FireEvent(),
            ActivateScene(),
            NotifyPeople(),
        ),
    )
