"""What every ability has: attributes, actions, and how it shows as an entity and reads a report about it.

It must not know the home: an ability turns a device and arguments into values, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, NamedTuple

import msgspec

from hallway.home.devices import Action, Attribute, Device, Effects
from hallway.home.values import Attributes, Value

UNKNOWN = "unknown"
"""The state of an entity whose device has not said anything yet."""


class Field(msgspec.Struct, frozen=True):
    """A field that a service reads from its data."""

    name: str
    description: str
    required: bool = False
    example: Value = None


class Invocation(NamedTuple):
    """An action of a device with its arguments."""

    action: str
    arguments: Mapping[str, Value] = MappingProxyType({})


class Service(msgspec.Struct, frozen=True):
    """A service of an entity's domain. `plan`: service data → the action to run, None for nothing; or InvalidInput."""

    description: str
    plan: Callable[[Device, Attributes], Invocation | None]
    fields: tuple[Field, ...] = ()


def runs(action: str, description: str) -> Service:
    """A service that takes nothing and runs one action."""
    return Service(description, lambda _device, _data: Invocation(action))


class Ability:
    """Base of all abilities. With a `domain` it shows as one entity `<domain>.<device id><suffix>`.

    object_id: takes the place of the device id there, when it is not empty.
    """

    domain: str = ""
    services: ClassVar[Mapping[str, Service]] = MappingProxyType({})
    suffix: str = ""
    object_id: str = ""

    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that this ability gives to its device."""
        return ()

    def actions(self) -> tuple[Action, ...]:
        """The actions that this ability gives to its device."""
        return ()

    @cached_property
    def attributes_by_name(self) -> Mapping[str, Attribute]:
        """Made once for all devices that share this ability, as a home may have a thousand equal ones."""
        return MappingProxyType({attribute.name: attribute for attribute in self.attributes()})

    @cached_property
    def actions_by_name(self) -> Mapping[str, Action]:
        """Likewise the actions."""
        return MappingProxyType({action.name: action for action in self.actions()})

    def due(self, device: Device, name: str) -> Effects:
        """What happens when a `Later` of that name is due."""
        raise NotImplementedError(f"{type(self).__name__} never asked for {name} on {device.id}")

    def owns(self, later: str) -> bool:
        """Whether a `Later` of that name is one of this ability's."""
        del later
        return False

    def show(self, device: Device) -> tuple[str, Attributes]:
        """The entity's state and attributes (without friendly_name)."""
        raise NotImplementedError

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        """What a report of that state says about the device's attributes; what it does not say is left out."""
        del device, state, attributes
        return {}


def on_off(value: Value) -> str:
    """true → on, false → off, no value → unknown."""
    return UNKNOWN if value is None else "on" if value else "off"


def boolean_of(state: str) -> bool | None:
    """on → true, off → false, everything else → no value."""
    return {"on": True, "off": False}.get(state.lower())


def number_of(state: str) -> int | float | None:
    """A state text as number, None when it is none."""
    try:
        number = float(state)
    except ValueError:
        return None
    if not math.isfinite(number) or "_" in state:
        return None
    return int(number) if number.is_integer() and "." not in state and "e" not in state.lower() else number
