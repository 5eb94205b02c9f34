"""The operations on the hub as a whole: settings of screens, the configuration, and a new start.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from hallway.api.operations.base import About, Ask, Hub, Operation, never
from hallway.api.operations.locking import HOME, check_given
from hallway.api.operations.pimatic.applying import make_like
from hallway.api.operations.pimatic.configuration import configuration
from hallway.api.operations.pimatic.declaring import data, kept, maybe, object_in, refusing
from hallway.api.operations.pimatic.kept import PIMATIC
from hallway.errors import InvalidInput
from hallway.home.values import Attributes

AREA: Final = "framework"
SCREENS: Final = {"hideRuleName": False, "hideRuleText": False, "demo": False}
"""What counts where the settings of screens say nothing."""
ABOUT: Final = About(HOME)
HERE: Final = "config"
"""Stands for the address when a password is asked for once more: who asks has been let in already."""


def get_gui_settings(hub: Hub, _ask: Ask) -> Attributes:
    given = hub.kept.setting(PIMATIC).get("gui")
    return {"config": given if isinstance(given, dict) else {}, "defaults": dict(SCREENS)}


def restart(hub: Hub, _ask: Ask) -> bool:
    """The answer goes out first."""
    if hub.restart is None:
        raise InvalidInput("this hub cannot start itself again: end it and start it by hand")
    hub.restart()
    return True


async def get_config(hub: Hub, ask: Ask) -> object:
    """Secrets are blank, also for who knows a password: a right one only proves that it is."""
    if "password" in ask.data:
        await _check_password(hub, ask)
    return configuration(hub)


async def _check_password(hub: Hub, ask: Ask) -> None:
    password = ask.data["password"]
    if not isinstance(password, str):
        raise InvalidInput("password must be a text")
    caller = await hub.people.check(ask.caller.name, password, HERE)
    if caller is None:
        raise InvalidInput("that is not your password")


async def update_config(hub: Hub, ask: Ask) -> object:
    """All of it counts at once, or nothing of it."""
    with refusing():
        await make_like(hub, object_in(ask.data, "config"), ask.caller.context, partial(check_given, hub, ABOUT, ask))
    return kept(hub, None)


OPERATIONS: Final = (
    Operation(
        "getGuiSettings",
        ("GET",),
        "/api/config/settings/gui",
        "Tell how screens are to look",
        "",
        "guiSettings",
        get_gui_settings,
        area=AREA,
        about=About("setting", fixed=PIMATIC),
        result_type="object",
        result_schema={"properties": {"config": {"type": "object"}, "defaults": {"type": "object"}}},
    ),
    Operation(
        "restart",
        ("POST",),
        "/api/restart",
        "End the hub and start it again",
        "restart",
        "void",
        restart,
        area=AREA,
    ),
    Operation(
        "getConfig",
        ("GET",),
        "/api/config",
        "Tell the whole configuration, without anything secret",
        "config:read",
        "config",
        get_config,
        (maybe("password", "string", "your password, to have it checked"),),
        area=AREA,
        about=ABOUT,
        result_type="object",
        result_schema={"description": "The configuration"},
        at_once=never,
    ),
    Operation(
        "updateConfig",
        ("POST",),
        "/api/config",
        "Make the home like a whole configuration",
        "config:write",
        "",
        update_config,
        (data("config", "object", "settings, plugins, devices, rules, variables, pages, groups, users, roles"),),
        area=AREA,
        about=ABOUT,
        at_once=never,
    ),
)
