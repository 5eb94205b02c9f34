"""What is checked of a whole configuration beside what the home itself checks: settings, and the names of people.

It must not know what the home is like.
"""

from __future__ import annotations

import re
from typing import Final

from hallway.api.operations.pimatic.message_criteria import LEVELS
from hallway.errors import InvalidInput
from hallway.home.announcing import check_storable
from hallway.home.logging_times import MOST_ENTRIES, checked, milliseconds_in
from hallway.home.values import Attributes, Value, is_label, kind_of

OBJECTS: Final = ("authentication", "cors", "database", "gui", "httpServer", "httpsServer")
"""The settings that are objects."""
_NO_NAME: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_NAME: Final = 255


def check_settings(settings: Attributes, now: Attributes) -> None:
    """InvalidInput: a setting that is different from now cannot be."""
    check_storable(settings)
    for name in OBJECTS:
        given = settings.get(name, {})
        if not isinstance(given, dict):
            raise InvalidInput(f"settings: {name} must be an object, not {kind_of(given)}")
    locale = settings.get("locale", "en")
    if not isinstance(locale, str):
        raise InvalidInput(f"settings: locale must be a text such as en, not {kind_of(locale)}")
    _check_login(_inside(settings, "authentication"))
    database, known = _inside(settings, "database"), _inside(now, "database")
    for name, check in (("deviceAttributeLogging", checked), ("messageLogging", _check_messages)):
        if name in database and database[name] != known.get(name):
            try:
                check(database[name])
            except InvalidInput as error:
                raise InvalidInput(f"settings: database: {name}: {error.message}") from None


def _inside(settings: Attributes, name: str) -> Attributes:
    given = settings.get(name)
    return given if isinstance(given, dict) else {}


def _check_login(given: Attributes) -> None:
    enabled, time = given.get("enabled", True), given.get("loginTime", 1)
    if not isinstance(enabled, bool):
        raise InvalidInput(f"settings: authentication: enabled must be true or false, not {str(enabled)[:40]!r}")
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < float("inf"):
        raise InvalidInput(
            f"settings: authentication: loginTime must be a number of milliseconds, not {str(time)[:40]!r}"
        )


def _check_messages(entries: Value) -> None:
    """For how long messages are kept: objects with level, tags and expire."""
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
        raise InvalidInput(f"it must be a list of at most {MOST_ENTRIES} objects")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise InvalidInput(f"entry {number} must be an object with level, tags, expire")
        if entry.get("level", "*") not in ("*", *LEVELS):
            raise InvalidInput(f"entry {number}: level must be * or one of {', '.join(LEVELS)}")
        tags = entry.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise InvalidInput(f"entry {number}: tags must be a list of texts")
        milliseconds_in(entry.get("expire"), f"entry {number}: expire")


def check_username(name: str) -> None:
    """InvalidInput: nobody could log in by that name."""
    check_name(f"user {name[:60]!r}", name)
    if ":" in name:
        raise InvalidInput(f"user {name[:60]!r}: give a name without a colon: browsers cannot log in with one")


def check_name(what: str, name: str) -> None:
    """InvalidInput: it is too long, or cannot be shown on one line."""
    check_storable(name)
    if len(name) > _LONGEST_NAME:
        raise InvalidInput(f"{what}: the name is too long: at most {_LONGEST_NAME} characters")
    if _NO_NAME.search(name):
        raise InvalidInput(f"{what}: the name holds a line break or another control character: remove it")


def check_unit(name: str, unit: Value) -> None:
    """InvalidInput: it cannot stand behind a value."""
    if unit is not None and not is_label(unit):
        raise InvalidInput(f"variables: {name[:60]}: unit must be a text, not {kind_of(unit)}")
