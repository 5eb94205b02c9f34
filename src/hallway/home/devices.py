"""Devices: what a home is made of. A device has a class, a config, typed attributes with values, and actions.

Here are the shapes and the values that a device holds now; what a class can do stands in `classes` and `abilities`.
It must not know entities of other devices, doors or stores.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from sys import intern
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from hallway.errors import InvalidInput, NotFound
from hallway.home.values import Attributes, Value, kind_of

if TYPE_CHECKING:
    from hallway.home.abilities.base import Ability

HISTORY_LENGTH = 30
ValueType = Literal["boolean", "number", "string"]
NOTHING: Mapping[str, Value] = MappingProxyType({})


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute of a device: its name, type and how people read it.

    labels: words for true and false, or one per enum value; discrete: changes in steps rather than flowing;
    always: every report counts as an event, even of the same value; initial: the value of a new device, unset = none.
    """

    name: str
    type: ValueType
    label: str
    description: str
    unit: str | None = None
    labels: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    discrete: bool = True
    acronym: str | None = None
    hidden: bool = False
    sparkline: bool = True
    display_format: str | None = None
    always: bool = False
    initial: Value | msgspec.UnsetType = msgspec.UNSET


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of an action; all are required."""

    name: str
    type: ValueType


class Later(msgspec.Struct, frozen=True):
    """Something the device wants to do after that many seconds; a later one of the same name takes its place."""

    name: str
    seconds: float


class Effects(msgspec.Struct, frozen=True):
    """What an action leads to: attribute values, variable values, things to do later or no longer, and a result."""

    values: Mapping[str, Value] = NOTHING
    variables: Mapping[str, Value] = NOTHING
    later: tuple[Later, ...] = ()
    cancel: tuple[str, ...] = ()
    result: Value = None


class Action(msgspec.Struct, frozen=True):
    """Something a device can be told to do. `run` is pure: the device as it is and the arguments → effects."""

    name: str
    run: Callable[[Device, Mapping[str, Value]], Effects]
    parameters: tuple[Parameter, ...] = ()
    description: str = ""
    returns: ValueType | None = None

    def arguments(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """The arguments in their right types; InvalidInput names the one that is missing or wrong."""
        return {parameter.name: _argument(self.name, parameter, given) for parameter in self.parameters}


def _argument(action: str, parameter: Parameter, given: Mapping[str, Value]) -> Value:
    value = given.get(parameter.name)
    if value is None:
        raise InvalidInput(f"{action} needs the parameter {parameter.name} (a {parameter.type})")
    if parameter.type == "number":
        return as_number(value, f"{action}: {parameter.name}")
    if parameter.type == "boolean":
        return as_boolean(value, f"{action}: {parameter.name}")
    if isinstance(value, bool | int | float | str):
        return value
    raise InvalidInput(f"{action}: {parameter.name} must be a text, not a JSON {kind_of(value)}")


def as_number(value: Value, where: str) -> int | float:
    """A number, or a text that is one; InvalidInput otherwise."""
    if isinstance(value, str):
        if "_" in value:
            raise InvalidInput(f"{where} must be a number, not {value!r:.40}")
        try:
            value = float(value) if not value.strip().lstrip("-").isdigit() else int(value)
        except ValueError:
            raise InvalidInput(f"{where} must be a number, not {value!r:.40}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise InvalidInput(f"{where} must be a number, not {str(value)[:40]!r}")
    return value


def as_boolean(value: Value, where: str) -> bool:
    """true or false, also written as text; InvalidInput otherwise."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise InvalidInput(f"{where} must be true or false, not {str(value)[:40]!r}")


class Entry(NamedTuple):
    """One value in the short history of an attribute: time in seconds since 1970, value."""

    at: float
    value: Value


class Held:
    """What a device knows of one attribute now."""

    __slots__ = ("_history", "changed", "updated", "value")

    def __init__(self, value: Value | msgspec.UnsetType = msgspec.UNSET) -> None:
        self.value = value
        self.updated: float | None = None
        self.changed: float | None = None
        self._history: deque[Entry] | None = None

    def take(self, value: Value, at: float) -> None:
        """The value was set or confirmed at that time."""
        if self.updated is None or value != self.value or type(value) is not type(self.value):
            self.changed = at
        self.value = value
        self.updated = at
        if self._history is None:  # an empty one takes half a kilobyte, for each attribute of a home
            self._history = deque(maxlen=HISTORY_LENGTH)
        self._history.append(Entry(at, value))

    @property
    def history(self) -> Sequence[Entry]:
        """The last values, oldest first."""
        return self._history or ()


def _known(abilities: tuple[Ability, ...]) -> tuple[Mapping[str, Attribute], Mapping[str, Action]]:
    """Attributes and actions by name; where there is one ability, its own, which equal devices share."""
    if len(abilities) == 1:
        return abilities[0].attributes_by_name, abilities[0].actions_by_name
    attributes = {name: known for ability in abilities for name, known in ability.attributes_by_name.items()}
    return attributes, {name: known for ability in abilities for name, known in ability.actions_by_name.items()}


class Device:
    """A device of the home. Only the home may change its values.

    source: where its definition stands (`file`, `store`, `reported`, `built-in`, `link:<name>`);
    error: why it is parked; a parked device keeps its id, name and config and can do nothing.
    """

    __slots__ = ("_held", "abilities", "actions", "attributes", "class_name", "config", "error", "id", "name", "source")

    def __init__(
        self,
        config: Attributes,
        abilities: tuple[Ability, ...],
        source: str,
        error: str | None = None,
    ) -> None:
        self.id = intern(str(config["id"]))  # so does the past: an id is one text, however many series it has
        self.name = str(config.get("name") or self.id)
        self.class_name = str(config.get("class", ""))
        self.config = config
        self.source = source
        self.error = error
        self.abilities = abilities
        self.attributes, self.actions = _known(abilities)
        self._held = {name: Held(attribute.initial) for name, attribute in self.attributes.items()}

    def value(self, attribute: str) -> Value:
        """The value now; None while there is none. NotFound for an attribute that it does not have."""
        value = self.held(attribute).value
        return None if value is msgspec.UNSET else value

    def held(self, attribute: str) -> Held:
        """Value, times and short history of one attribute."""
        try:
            return self._held[attribute]
        except KeyError:
            raise NotFound(f"device {self.id} has no attribute {attribute}") from None

    def action(self, name: str) -> Action:
        """The action of that name; NotFound says which there are."""
        try:
            return self.actions[name]
        except KeyError:
            known = ", ".join(self.actions) or "none"
            raise NotFound(f"device {self.id} has no action {name[:40]}; it has: {known}") from None
