"""Input: a field that people fill in: text, number or time of day. Shows as `input.<id>` with set_value.

Attribute and action names are pimatic's (InputDevice, VariableInputDevice, VariableTimeInputDevice).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from hallway.errors import InvalidInput
from hallway.home.abilities.base import Ability, Field, Invocation, Service
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter
from hallway.home.values import Attributes, Value, python_text

TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
InputType = Literal["string", "number", "time"]


def _set_value(_device: Device, data: Attributes) -> Invocation | None:
    if data.get("value") is None:
        raise InvalidInput("set_value needs the field value")
    return Invocation("changeInputTo", {"value": data["value"]})


class Input(Ability):
    """One attribute `input`; with a `variable` the field shows and sets that variable."""

    domain = "input"
    services = MappingProxyType(
        {"set_value": Service("Fill in a field", _set_value, (Field("value", "what to fill in", required=True),))}
    )

    def __init__(self, kind: InputType, variable: str = "") -> None:
        self._kind = kind
        self.variable = variable

    def attributes(self) -> tuple[Attribute, ...]:
        number = self._kind == "number"
        return (
            Attribute(
                name="input",
                type="number" if number else "string",
                label="Input",
                description="What the field holds",
                unit="" if number else None,
                discrete=not number,
                initial=0 if number else "",
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        return (Action("changeInputTo", self._change, (Parameter("value", "string"),), "Fill in the field"),)

    def _change(self, _device: Device, arguments: Mapping[str, Value]) -> Effects:
        value = self._checked(arguments["value"])
        if self.variable:
            return Effects({"input": value}, variables={self.variable: value})
        return Effects({"input": value})

    def _checked(self, value: Value) -> Value:
        if self._kind == "number":
            return _number(value)
        text = python_text(value)
        if self._kind == "time" and not TIME_OF_DAY.fullmatch(text):
            raise InvalidInput(f"changeInputTo: value must be a time of day (08:00 or 08:00:30), not {text[:40]!r}")
        return text

    def show(self, device: Device) -> tuple[str, Attributes]:
        value = device.value("input")
        return "" if value is None else python_text(value), {"type": self._kind}

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        try:
            return {"input": self._checked(state)}
        except InvalidInput:
            return {"input": None}


_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE)


def _number(value: Value) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise InvalidInput(f"changeInputTo: value must be a number, not {str(value)[:40]!r}")
    return int(value) if value == int(value) else value
