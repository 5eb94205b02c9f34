"""What devices compute: attributes that are expressions, and fields that show a variable.

Bound when all that they name may be there: at the end of the start, and again for a device that comes later.
It must not know the language of expressions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from hallway.errors import HallwayError
from hallway.home.announcing import START
from hallway.home.changes import Context
from hallway.home.classes import COMPUTED
from hallway.home.derived import variables_shown
from hallway.home.devices import Device
from hallway.home.values import Attributes, Value
from hallway.home.variables import Formula, Variables

_ATTRIBUTE = re.compile(r"\$([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Computes(Protocol):
    """What the home does for its formulas."""

    devices: dict[str, Device]
    variables: Variables

    def value_names(self) -> set[str]: ...
    def set_values(self, device_id: str, values: Mapping[str, Value], context: Context) -> None: ...
    def put_computed(self, node: str, formula: Formula, context: Context) -> None: ...


class Formulas:
    """Binds the formulas of devices. complete: those of the start are bound."""

    def __init__(self, home: Computes) -> None:
        self._home = home
        self.complete = False

    def bind_all(self) -> list[tuple[str, str]]:
        """Bind those of all devices and compute everything. What cannot be: device id and reason."""
        self.complete = True
        names = self._home.value_names()
        loose = [end for device in list(self._home.devices.values()) for end in self._bind(device, names, START)]
        for node, formula in self._home.variables.affected(names, itself=True):
            self._home.put_computed(node, formula, START)
        return loose

    def bind(self, device: Device, context: Context) -> list[tuple[str, str]]:
        """As bind_all, for one device that came later."""
        computed, fields = computed_by(device), variables_shown(device)
        if not computed and not fields:
            return []
        loose = self._bind(device, self._home.value_names(), context)
        nodes = {f"{device.id}.{item['name']}" for item in computed}
        for node, formula in self._home.variables.affected(nodes, itself=True):
            self._home.put_computed(node, formula, context)
        return loose

    def unbind(self, device: Device) -> None:
        """The device is gone, or computes something else."""
        for name in device.attributes:
            self._home.variables.bind(f"{device.id}.{name}", None)

    def to_come(self, text: str, names: set[str]) -> set[str]:
        """The attributes in an expression whose device is not there: a reported state may become it any time.

        A variable with a dot after it is none: `"$price.00"`.
        """
        return {
            f"{device_id}.{attribute}"
            for device_id, attribute in _ATTRIBUTE.findall(text)
            if device_id not in self._home.devices and device_id not in names
        }

    def _bind(self, device: Device, names: set[str], context: Context) -> list[tuple[str, str]]:
        loose = list[tuple[str, str]]()
        for item in computed_by(device):
            why = self._bind_attribute(f"{device.id}.{item['name']}", str(item["expression"]), names)
            loose += [(device.id, f"{item['name']} is not computed: {why}")] if why else []
        for variable in variables_shown(device):
            if variable in self._home.variables:
                self._home.set_values(device.id, {"input": self._home.variables.get(variable).value}, context)
            else:
                loose.append((device.id, f"there is no variable ${variable}"))
        return loose

    def _bind_attribute(self, node: str, text: str, names: set[str]) -> str:
        """Why the node cannot be computed; empty when it is from now on."""
        variables = self._home.variables
        try:
            variables.bind(node, variables.parse(node, text, (names | self.to_come(text, names)) - {node}))
        except HallwayError as error:
            return error.message
        return ""


def computed_by(device: Device) -> list[Attributes]:
    """The attributes of a device that are expressions, as its config has them: none where the config is wrong."""
    given = device.config.get("variables") if device.class_name == COMPUTED else None
    items = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    return [item for item in items if str(item.get("name")) in device.attributes]
