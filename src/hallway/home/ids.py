"""The rules for names: device ids, entity ids, variable names, and how one becomes the other.

It must not know what carries the name.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hallway.errors import InvalidInput

DEVICE_ID = re.compile(r"[A-Za-z0-9_-]+")
ENTITY_ID = re.compile(r"\w+\.\w+")
_NOT_OBJECT_ID = re.compile(r"[^a-z0-9_]+")
_SPELLED_OUT: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"}
MAX_ID = 255


def check_device_id(device_id: object) -> str:
    """The id itself when it is one; InvalidInput otherwise."""
    if not isinstance(device_id, str) or not DEVICE_ID.fullmatch(device_id):
        raise InvalidInput(f"device id {device_id!r} is not allowed: use letters a-z, digits, - and _ only")
    if len(device_id) > MAX_ID:
        raise InvalidInput(f"device id {device_id[:20]!r}… is too long: at most {MAX_ID} characters")
    return device_id


def check_id(what: str, given: object) -> str:
    """The id of a group or page: any text for people; InvalidInput says what is wrong with it."""
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise InvalidInput(f"{what} id {str(given)[:40]!r} is not allowed: use a text without line breaks")
    if len(given) > MAX_ID:
        raise InvalidInput(f"{what} id {given[:20]!r}… is too long: at most {MAX_ID} characters")
    return given


def check_rule_id(given: object) -> str:
    """The id of a rule; InvalidInput when it is none."""
    if not isinstance(given, str) or not DEVICE_ID.fullmatch(given) or len(given) > MAX_ID:
        raise InvalidInput(
            f"rule id {str(given)[:40]!r} is not allowed: use at most {MAX_ID} letters a-z, digits, - and _"
        )
    return given


def check_entity_id(entity_id: str) -> str:
    """The id in lower case when it has the form domain.object_id; InvalidInput otherwise."""
    lowered = entity_id.lower()
    if not ENTITY_ID.fullmatch(lowered):
        raise InvalidInput(
            f"entity id {entity_id[:60]!r} is not allowed: write domain.object_id with letters, digits and _ only"
        )
    return lowered


def object_id(text: str) -> str:
    """Any text as the part of an entity id after the dot: `Küche-Licht` → `kueche_licht`; never empty."""
    lowered = unicodedata.normalize("NFC", text).lower()
    spelled = "".join(_SPELLED_OUT.get(letter, letter) for letter in lowered)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode("ascii").lower()
    return _NOT_OBJECT_ID.sub("_", plain).strip("_") or "unnamed"


def device_object_id(device_id: str) -> str:
    """A device id as object id: lower case, `-` → `_`, every other sign kept."""
    return device_id.lower().replace("-", "_")


def group_object_id(group_id: str) -> str:
    """A group id, which may be any text, as object id."""
    return device_object_id(group_id) if DEVICE_ID.fullmatch(group_id) else object_id(group_id)


def reported_device_id(entity_id: str) -> str:
    """The id of the device that a reported state becomes: `weather.sun` → `weather-sun`."""
    return entity_id.replace(".", "-", 1)


def split_entity_id(entity_id: str) -> tuple[str, str]:
    """`light.bed` → (`light`, `bed`)."""
    domain, _, name = entity_id.partition(".")
    return domain, name
