"""A home with a device of every class, what can happen to it, and how it looks: for tests that compare homes."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hallway.clock import Clock, VirtualClock
from hallway.definitions import load_kept
from hallway.errors import InvalidInput
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.saved import restore
from hallway.home.values import Attributes
from hallway.language.expressions import parse
from hallway.store.store import Store

HTTP = Context("homeassistant")
DEVICES: tuple[Attributes, ...] = (
    {"id": "switch", "class": "DummySwitch"},
    {"id": "dimmer", "class": "DummyDimmer", "name": "Küche"},
    {"id": "shutter", "class": "DummyShutter", "rollingTime": 20},
    {"id": "heating", "class": "DummyHeatingThermostat"},
    {"id": "door", "class": "DummyContactSensor"},
    {"id": "somebody", "class": "DummyPresenceSensor", "resetTime": 7000},
    {"id": "temperature", "class": "DummyTemperatureSensor"},
    {
        "id": "buttons",
        "class": "ButtonsDevice",
        "buttons": [{"id": "one", "text": "One"}, {"id": "two", "text": "Two"}],
    },
    {"id": "watch", "class": "Timer", "resolution": 2},
    {"id": "player", "class": "DummyAVPlayer"},
    {"id": "field", "class": "InputDevice"},
    {"id": "answer_field", "class": "VariableInputDevice", "variable": "answer"},
    {"id": "time_field", "class": "VariableTimeInputDevice", "variable": "wake"},
    {"id": "shown", "class": "VariablesDevice", "variables": [{"name": "twice", "expression": "$answer * 2"}]},
)
VARIABLES: tuple[Attributes, ...] = (
    {"name": "answer", "value": 42, "unit": "W"},
    {"name": "wake", "value": "07:00"},
    {"name": "text", "value": "hello"},
    {"name": "double", "expression": "$answer * 2"},
    {"name": "warm", "expression": "$temperature.temperature + 1"},
)
FOLLOWING = frozenset({"answer_field.input", "time_field.input", "shown.twice"})
"""Values that are worked out of something else, which is done again at start: their times may be those of the start."""
GROUP: Attributes = {"id": "all", "devices": ["switch", "dimmer", "door"]}


def build(clock: Clock, store: Store, devices: Mapping[str, Attributes] | None = None) -> Home:
    """The home as its definitions and the store say, attached to nothing."""
    chosen = {str(config["id"]): config for config in DEVICES} if devices is None else devices
    home = Home(clock, language=parse, seq=store.saved.seq, kept_ids=dict(store.saved.kept_ids))
    for config in chosen.values():
        home.add_device(config, "store")
    home.park_device({"id": "broken", "class": "Nonsense"}, "file", "there is no class Nonsense")
    known = home.value_names()
    home.add_variables(tuple(v for v in VARIABLES if "temperature.temperature" in known or v["name"] != "warm"))
    home.add_group(GROUP, source="file")
    restore(home, store.saved)
    return home


def knows_devices(text: str, home: Home) -> None:
    """A language of rules: the second word is a device."""
    if text.split(" ")[1] not in home.devices:
        raise InvalidInput("there is no such device")


def build_kept(clock: Clock, store: Store) -> Home:
    """A home of nothing but what the store kept, attached to nothing."""
    home = Home(clock, language=parse, seq=store.saved.seq, kept_ids=dict(store.saved.kept_ids))
    home.rules.language = knows_devices
    load_kept(home, store.definitions)
    restore(home, store.saved)
    return home


def look(home: Home) -> dict[str, dict[Any, Any]]:
    """All that a restart must bring back."""
    attributes = [(device.id, name) for device in home.devices.values() for name in device.attributes]
    return {
        "states": {state.entity_id: state for state in home.states()},
        "values": {f"{device_id}.{name}": held(home, device_id, name) for device_id, name in attributes},
        "variables": {variable.name: variable.value for variable in home.variables},
        "plans": {(due.device_id, due.name): due.at for due in home.pending.all()},
        "ids": dict(home.entities.kept),
    }


def held(home: Home, device_id: str, name: str) -> tuple[Any, ...]:
    known = home.device(device_id).held(name)
    times = () if f"{device_id}.{name}" in FOLLOWING else (known.updated, known.changed)
    return known.value, *times


def differences(before: dict[str, dict[Any, Any]], after: dict[str, dict[Any, Any]]) -> list[str]:
    """What looks other than before, one line each; true is not 1 here, and 1 is not 1.0."""
    return [
        f"{part} {key}: {before[part].get(key)!r} became {after[part].get(key)!r}"
        for part in before
        for key in before[part] | after[part]
        if repr(before[part].get(key, "nothing")) != repr(after[part].get(key, "nothing"))
    ]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread brings about."""
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end, "waited for 100 seconds in vain"
        await asyncio.sleep(0.001)


def leave_as_killed(directory: Path, there: Path) -> Path:
    """Copy what a hub that is killed now would leave behind, in an order in which a commit meanwhile does no harm."""
    there.mkdir(mode=0o700)
    for name in ("redo.0", "redo.1", "home.db-wal", "home.db"):
        if (directory / name).exists():
            shutil.copyfile(directory / name, there / name)
    return there


async def committed(store: Store, clock: VirtualClock) -> None:
    """Let everything get into home.db."""
    clock.advance(5)
    await until(lambda: store.statistics().queued == 0)
