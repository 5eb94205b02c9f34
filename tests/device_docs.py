"""The tables of docs/devices.md, written from the device classes: `python -m tests.device_docs` writes the page anew.

It must not know anything of a class that the class does not say itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from hallway.clock import VirtualClock
from hallway.home.classes import CLASSES, DeviceClass, Option
from hallway.home.devices import Attribute, Device
from hallway.home.home import Home
from hallway.home.values import Attributes

PAGE: Final = Path(__file__).parent.parent / "docs" / "devices.md"
BEGIN: Final = "<!-- from here on written by `python -m tests.device_docs` -->\n"
EXAMPLES: Final[dict[str, Attributes]] = {
    "ButtonsDevice": {"buttons": [{"id": "up", "text": "Up"}]},
    "VariablesDevice": {"variables": [{"name": "sum", "expression": "1 + 1", "type": "number"}]},
    "VariableInputDevice": {"variable": "comfort"},
    "VariableTimeInputDevice": {"variable": "wake-up"},
}


def page() -> str:
    """The part of the page that is written."""
    return "\n".join(_section(known) for known in CLASSES.values() if not known.built_in)


def _section(known: DeviceClass) -> str:
    home = Home(VirtualClock())
    device = home.add_device({"id": "my_device", "class": known.name, **EXAMPLES.get(known.name, {})}, "file")
    parts = [f"## {known.name}", _attributes(device), _actions(device), _entities(home, device)]
    if known.options:
        parts.append(_options(known.options))
    return "\n\n".join(part for part in parts if part) + "\n"


def _attributes(device: Device) -> str:
    rows = [f"| `{a.name}` | {_type(a)} | {a.unit or ''} | {a.description} |" for a in device.attributes.values()]
    return "\n".join(["| attribute | type | unit | |", "|---|---|---|---|", *rows])


def _type(attribute: Attribute) -> str:
    return f"{attribute.type} ({', '.join(attribute.enum)})" if attribute.enum else attribute.type


def _actions(device: Device) -> str:
    written = [f"`{a.name}({', '.join(p.name for p in a.parameters)})`" for a in device.actions.values()]
    return f"Actions: {', '.join(written)}." if written else ""


def _entities(home: Home, device: Device) -> str:
    sentences = []
    for ability, entity_id in zip(device.abilities, home.entities_of(device.id), strict=True):
        services = ", ".join(f"`{name}`" for name in ability.services)
        sentences.append(f"`{entity_id}`{f' with the services {services}' if services else ''}")
    return f"Shows as {', '.join(sentences)}."


def _options(options: tuple[Option, ...]) -> str:
    rows = [f"| `{o.name}` | {o.type} | {_default(o)} | {o.description} |" for o in options]
    return "\n".join(["| option | type | default | |", "|---|---|---|---|", *rows])


def _default(option: Option) -> str:
    if option.required:
        return "needed"
    if option.default is msgspec.UNSET:
        return "none"
    return f"`{msgspec.json.encode(option.default).decode()}`"


if __name__ == "__main__":
    head = PAGE.read_text("utf-8").partition(BEGIN)[0]
    PAGE.write_text(head + BEGIN + "\n" + page(), "utf-8")
