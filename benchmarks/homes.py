"""The homes that are measured: so many devices, written as our configuration.yaml and as pimatic's config.json.

Both open the pimatic door to one user. It must not know how a server is started nor what is asked of it.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from hallway.access.callers import SCOPES

PASSWORD: Final = "bench-password"
USER: Final = "bench"
CLASSES: Final = ("DummySwitch", "DummyDimmer", "DummyTemperatureSensor")
ROOM: Final = 4000
"""Connections that a hub takes: half of them may come from one address, and that is more than the largest audience."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as both know it."""

    id: str
    device_class: str
    name: str


SIX_DEVICES: Final = (
    Device("bed_light", "DummyDimmer", "Bed Light"),
    Device("ceiling_lights", "DummyDimmer", "Ceiling Lights"),
    Device("kitchen_lights", "DummyDimmer", "Kitchen Lights"),
    Device("ac", "DummySwitch", "AC"),
    Device("decorative_lights", "DummySwitch", "Decorative Lights"),
    Device("outside_temperature", "DummyTemperatureSensor", "Outside Temperature"),
)


def mixed(count: int) -> tuple[Device, ...]:
    """So many devices of three classes."""
    classes = [CLASSES[number % len(CLASSES)] for number in range(count)]
    return tuple(Device(f"device_{number:04}", name, f"Device {number:04}") for number, name in enumerate(classes))


def dimmers(count: int) -> tuple[Device, ...]:
    """So many dimmers."""
    return tuple(Device(f"bench_{number}", "DummyDimmer", f"Bench {number}") for number in range(count))


def basic() -> str:
    """The value of an Authorization header that opens the pimatic door."""
    return f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


def query() -> str:
    """The same credentials as pimatic's socket clients send them, in the query."""
    return urlencode({"username": USER, "password": PASSWORD})


def write_hub(home: Path, port: int, devices: tuple[Device, ...], *, pimatic_door: bool = False) -> None:
    """Write the configuration.yaml of a hub with this password, port and devices, on request with our user."""
    lines = ["http:", f"  api_password: {PASSWORD}", f"  port: {port}"]
    if pimatic_door:
        # Only on request: hashing the password would stand in the time of a start.
        lines += [f"  max_connections: {ROOM}", "users:"]
        lines += [f"  - {{username: {USER}, password: {PASSWORD}, role: admin}}"]
    if devices:
        lines += ["devices:"]
        lines += [f"  - {{id: {device.id}, class: {device.device_class}, name: {device.name}}}" for device in devices]
    home.joinpath("configuration.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")


def write_pimatic(home: Path, port: int, devices: tuple[Device, ...]) -> Path:
    """Write pimatic's config.json with the same devices and user, and its database beside it."""
    permissions: dict[str, str | bool] = {**dict.fromkeys(SCOPES, "write"), "controlDevices": True, "restart": True}
    config = {
        "settings": {
            "locale": "en",
            "debug": False,
            "logLevel": "info",
            "authentication": {"enabled": True, "secret": "0" * 48, "loginTime": 315_360_000_000},
            "httpServer": {"enabled": True, "port": port, "hostname": "127.0.0.1"},
            "database": {"client": "sqlite3", "connection": {"filename": str(home / "pimatic-database.sqlite")}},
        },
        "plugins": [],
        "devices": [{"id": each.id, "name": each.name, "class": each.device_class} for each in devices],
        "rules": [],
        "variables": [],
        "pages": [],
        "groups": [],
        "users": [{"username": USER, "password": PASSWORD, "role": "admin"}],
        "roles": [{"name": "admin", "permissions": permissions}],
    }
    path = home / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
