"""The demo home: a device of every class, and some life in it, to try the hub without any hardware.

Its temperatures drift, somebody comes and goes, a door opens now and then. It must not know doors or stores.
"""

from __future__ import annotations

import random
import secrets
from pathlib import Path

from hallway import durable
from hallway.clock import Cancel
from hallway.home.changes import Context
from hallway.home.home import Home

CONFIGURATION = """\
# The demo home: change anything here and start again.
home: {{name: Demo, latitude: 52.37, longitude: 4.9, time_zone: Europe/Amsterdam}}
http: {{host: 127.0.0.1, port: {port}, api_password: {password}}}
users: [{{username: admin, password: {password}, role: admin}}]
devices:
  - {{id: bed_light, class: DummyDimmer, name: Bed Light}}
  - {{id: ceiling_lights, class: DummyDimmer, name: Ceiling Lights}}
  - {{id: kitchen_lights, class: DummyDimmer, name: Kitchen Lights}}
  - {{id: ac, class: DummySwitch, name: AC}}
  - {{id: coffee, class: DummySwitch, name: Coffee Machine}}
  - {{id: blinds, class: DummyShutter, name: Bedroom Blinds, rollingTime: 8}}
  - {{id: heating, class: DummyHeatingThermostat, name: Living Room Heating}}
  - {{id: front_door, class: DummyContactSensor, name: Front Door}}
  - {{id: hall, class: DummyPresenceSensor, name: Hall, resetTime: 15000}}
  - {{id: outside, class: DummyTemperatureSensor, name: Outside}}
  - {{id: living_room, class: DummyTemperatureSensor, name: Living Room}}
  - id: remote
    class: ButtonsDevice
    name: Remote Control
    buttons: [{{id: movie, text: Movie}}, {{id: bedtime, text: Bedtime}}]
  - {{id: note, class: InputDevice, name: Note on the Fridge}}
  - {{id: wake_up, class: VariableTimeInputDevice, name: Wake Up At, variable: wake-up}}
  - {{id: comfort, class: VariableInputDevice, name: Comfort Temperature, variable: comfort, type: number}}
  - {{id: egg, class: Timer, name: Egg Timer}}
  - {{id: radio, class: DummyAVPlayer, name: Kitchen Radio}}
  - id: computed
    class: VariablesDevice
    name: Computed
    variables:
      - name: difference
        expression: round($living_room.temperature - $outside.temperature, 1)
        type: number
        unit: °C
variables:
  - {{name: the-answer, value: 42}}
  - {{name: wake-up, value: "07:00"}}
  - {{name: comfort, value: 21, unit: °C}}
  - {{name: too-cold, expression: "round($comfort - $living_room.temperature, 1)", unit: °C}}
groups:
  - {{id: lights, name: Lights, devices: [bed_light, ceiling_lights, kitchen_lights], rules: [welcome]}}
rules:
  - {{id: welcome, name: Welcome, rule: when hall is present then turn ceiling_lights on for 20 seconds}}
  - {{id: door, name: Front Door, rule: 'when front_door is opened then log "The front door stands open"'}}
  - {{id: cold, name: Too Cold, rule: when $too-cold > 0 then set temp of heating to $comfort}}
pages:
  - {{id: start, name: Start, devices: [{{deviceId: bed_light}}, {{deviceId: living_room}}, {{deviceId: heating}}]}}
"""
CONTEXT = Context("demo")
STEP = 5.0
COMES, OPENS = 0.2, 0.1
"""How likely somebody comes, or the door moves, at a step."""


def write_home(directory: Path, port: int) -> None:
    """Make the demo's configuration where there is none yet, with a password of its own."""
    file = directory / "configuration.yaml"
    if not file.exists():
        directory.mkdir(parents=True, exist_ok=True)
        password = f"demo-{secrets.token_hex(6)}"
        durable.write(file, CONFIGURATION.format(port=port, password=password).encode())


class Life:
    """What goes on in the demo home."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self._home = home
        self._chance = chance
        self._outside, self._inside, self._humidity = 8.0, 20.5, 55.0
        self._cancel: Cancel = lambda: None

    def start(self) -> None:
        """Let things happen from now on."""
        self._step()

    def stop(self) -> None:
        self._cancel()

    def _step(self) -> None:
        self._outside += self._chance.uniform(-0.2, 0.2)
        self._inside += self._chance.uniform(-0.1, 0.1) + (20.5 - self._inside) * 0.02
        self._humidity = min(max(self._humidity + self._chance.uniform(-1, 1), 30), 80)
        self._measure("outside", self._outside, self._humidity + 10)
        self._measure("living_room", self._inside, self._humidity)
        if self._chance.random() < COMES:
            self._act("hall", "changePresenceTo", presence=True)
        if self._chance.random() < OPENS:
            closed = self._home.devices["front_door"].value("contact") if "front_door" in self._home.devices else True
            self._act("front_door", "changeContactTo", contact=not closed)
        self._cancel = self._home.clock.call_later(STEP, self._step)

    def _measure(self, device_id: str, temperature: float, humidity: float) -> None:
        if device_id in self._home.devices:
            values = {"temperature": round(temperature, 1), "humidity": round(humidity)}
            self._home.set_values(device_id, dict(values), CONTEXT)

    def _act(self, device_id: str, action: str, **arguments: bool) -> None:
        if device_id in self._home.devices:
            self._home.act(device_id, action, dict(arguments), CONTEXT)
