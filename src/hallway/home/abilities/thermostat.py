"""Thermostat: a heating valve with set point and mode. Shows as `thermostat.<id>`, its state is the set point.

Attribute and action names are pimatic's (HeatingThermostat).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hallway.errors import InvalidInput
from hallway.home.abilities.base import UNKNOWN, Ability, Field, Invocation, Service, number_of
from hallway.home.devices import Action, Attribute, Device, Effects, Parameter, as_number
from hallway.home.values import Attributes, Value, python_text

MODES = ("auto", "manu", "boost")
CELSIUS = "°C"


def _set_temperature(_device: Device, data: Attributes) -> Invocation | None:
    if data.get("temperature") is None:
        raise InvalidInput("set_temperature needs the field temperature: the set point in degrees")
    return Invocation("changeTemperatureTo", {"temperatureSetpoint": as_number(data["temperature"], "temperature")})


def _set_mode(_device: Device, data: Attributes) -> Invocation | None:
    mode = data.get("mode")
    if mode not in MODES:
        raise InvalidInput(f"set_mode needs the field mode: one of {', '.join(MODES)}")
    return Invocation("changeModeTo", {"mode": mode})


def _to(attribute: str) -> Action:
    kind, action, parameter, text = {
        "mode": ("string", "changeModeTo", "mode", "Set the mode"),
        "temperatureSetpoint": ("number", "changeTemperatureTo", "temperatureSetpoint", "Set the wanted temperature"),
        "valve": ("number", "changeValveTo", "valve", "Set the position of the valve"),
    }[attribute]

    def run(_device: Device, arguments: Mapping[str, Value]) -> Effects:
        return Effects({attribute: arguments[parameter]})

    return Action(action, run, (Parameter(parameter, "string" if kind == "string" else "number"),), text)


class Thermostat(Ability):
    """Attributes temperatureSetpoint, valve, mode, battery, synced."""

    domain = "thermostat"
    services = MappingProxyType(
        {
            "set_temperature": Service(
                "Set the wanted temperature",
                _set_temperature,
                (Field("temperature", "degrees Celsius", required=True, example=21.5),),
            ),
            "set_mode": Service(
                "Set the mode", _set_mode, (Field("mode", "auto, manu or boost", required=True, example="auto"),)
            ),
        }
    )

    def attributes(self) -> tuple[Attribute, ...]:
        return (
            Attribute(
                name="temperatureSetpoint",
                type="number",
                label="Temperature Setpoint",
                description="The wanted temperature",
                unit=CELSIUS,
                initial=20,
            ),
            Attribute(
                name="valve",
                type="number",
                label="Valve",
                description="How far the valve is open",
                unit="%",
                initial=None,
            ),
            Attribute(
                name="mode",
                type="string",
                label="Mode",
                description="Who sets the temperature",
                enum=MODES,
                initial="auto",
            ),
            Attribute(
                name="battery",
                type="string",
                label="Battery",
                description="Whether the battery is well",
                enum=("ok", "low"),
                initial="ok",
            ),
            Attribute(
                name="synced",
                type="boolean",
                label="Synced",
                description="Whether the valve has what was set",
                labels=("true", "false"),
                initial=True,
            ),
        )

    def actions(self) -> tuple[Action, ...]:
        return (_to("mode"), _to("temperatureSetpoint"), _to("valve"))

    def show(self, device: Device) -> tuple[str, Attributes]:
        wanted = device.value("temperatureSetpoint")
        shown: Attributes = {"unit_of_measurement": CELSIUS, "mode": device.value("mode")}
        shown |= {name: device.value(name) for name in ("valve", "battery") if device.value(name) is not None}
        return UNKNOWN if wanted is None else python_text(wanted), shown

    def read(self, device: Device, state: str, attributes: Attributes) -> dict[str, Value]:
        told: dict[str, Value] = {"temperatureSetpoint": number_of(state)}
        mode, battery = attributes.get("mode"), attributes.get("battery")
        valve = attributes.get("valve")
        if mode in MODES:
            told["mode"] = mode
        if battery in ("ok", "low"):
            told["battery"] = battery
        if isinstance(valve, int | float) and not isinstance(valve, bool):
            told["valve"] = valve
        return told
