"""What the config of a device class may hold, as pimatic writes it: a JSON schema with its own extensions.

It follows from the options of the class. It must not know devices.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hallway.home.classes import COMMON, EXTENSIONS, DeviceClass, Option
from hallway.home.values import Attributes, Value

NORMALIZED: Final = "_normalized"
"""A mark that pimatic leaves on each schema that it has completed; its clients ignore it."""
WITHOUT_DESCRIPTION: Final = frozenset({("buttons", "id"), ("buttons", "text")})
"""Options of items that pimatic leaves to speak for themselves."""


def config_schema(known: DeviceClass) -> Attributes:
    """The schema of a class: its options, those of every device, and its extensions (names that begin with x)."""
    extensions = [option for option in EXTENSIONS if option.name in known.extensions]
    options = (*known.options, *COMMON, *extensions)
    required = [option.name for option in known.options if option.required]
    return {
        "title": known.title or f"{known.name} config",
        "type": "object",
        "extensions": list[Value](known.extensions),
        "properties": {option.name: option_schema(option) for option in options},
        "required": [*required, *(option.name for option in COMMON)],
        "additionalProperties": False,
        NORMALIZED: True,
    }


def option_schema(option: Option, inside: str = "") -> Attributes:
    """The schema of one option; inside: the list in whose items it stands."""
    schema: Attributes = {}
    if (inside, option.name) not in WITHOUT_DESCRIPTION:
        schema["description"] = option.description
    schema["type"] = option.type
    if not isinstance(option.default, msgspec.UnsetType):
        schema["default"] = option.default
    if option.enum:
        schema["enum"] = list[Value](option.enum)
    if option.items:
        if not isinstance(option.default, msgspec.UnsetType):
            schema["format"] = "table"
        schema["items"] = {
            "type": "object",
            "properties": {item.name: option_schema(item, option.name) for item in option.items},
            "required": [item.name for item in option.items if item.required],
            "additionalProperties": False,
            NORMALIZED: True,
        }
    return schema | {NORMALIZED: True}
