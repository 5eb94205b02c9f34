"""The whole configuration of a home in the form of pimatic's config.json, without anything secret.

Only what can be edited or stands in the file is part of it: reported states and what other hubs tell are not.
It must not know who asks for it.
"""

from __future__ import annotations

from typing import Final

from hallway.access.people import People
from hallway.access.roles import BUILT_IN as ROLES_OF_EVERY_HOME
from hallway.access.roles import Role
from hallway.api.operations.base import Hub
from hallway.api.operations.pimatic.blanking import BLANK, blanked
from hallway.api.operations.pimatic.kept import AUTHENTICATION, PIMATIC
from hallway.home.announcing import FILE, STORE
from hallway.home.devices import Device
from hallway.home.home import Home
from hallway.home.logging_times import DEFAULT, DEFAULT_MESSAGES
from hallway.home.values import Attributes, Value
from hallway.home.variables import Variable

FOR_TEN_YEARS: Final = 315_360_000_000
"""Milliseconds for which pimatic remembers a login."""
EDITABLE: Final = (FILE, STORE)


def configuration(hub: Hub) -> Attributes:
    """The configuration as it is now."""
    home = hub.home
    return {
        "settings": settings_of(hub),
        "plugins": [blanked(body) for body in hub.kept.all("plugin").values()],
        "devices": [blanked(device.config) for device in defined_devices(home).values()],
        "rules": [rule.config for rule in home.rules.all()],
        "variables": [variable_definition(variable) for variable in home.variables],
        "pages": [page.config for page in home.pages.all()],
        "groups": [group.config for group in home.groups.all()],
        "users": [
            {"username": person.username, "password": BLANK, "role": person.role} for person in hub.people.users()
        ],
        "roles": [{"name": role.name, "permissions": role.permissions} for role in defined_roles(hub.people)],
    }


def settings_of(hub: Hub) -> Attributes:
    """The settings, with what counts where nobody set anything."""
    kept = hub.kept.setting(PIMATIC)
    given = kept.get("database")
    database: Attributes = {
        "deviceAttributeLogging": list[Value](DEFAULT),
        "messageLogging": list[Value](DEFAULT_MESSAGES),
        **(given if isinstance(given, dict) else {}),
    }
    settings: Attributes = {"locale": "en", "httpsServer": {}, "cors": {}, "gui": {}, **kept, "database": database}
    login: Attributes = {"loginTime": FOR_TEN_YEARS, **hub.kept.setting(AUTHENTICATION)}
    return {
        **blanked(settings),
        "authentication": {**login, "enabled": hub.people.enabled, "secret": BLANK},
    }


def defined_devices(home: Home) -> dict[str, Device]:
    """The devices that somebody defined."""
    return {device.id: device for device in home.devices.values() if device.source in EDITABLE}


def variable_definition(variable: Variable) -> Attributes:
    """A variable as it would be defined now."""
    config: Attributes = {"name": variable.name}
    if variable.formula is None:
        config["value"] = variable.value
    else:
        config["expression"] = variable.formula.text
    return config | {"unit": variable.unit} if variable.unit else config


def defined_roles(people: People) -> list[Role]:
    """The roles that somebody defined, and those of every home that somebody has."""
    used = {person.role for person in people.users()}
    return [role for role in people.roles() if role.name in used or role is not ROLES_OF_EVERY_HOME.get(role.name)]
