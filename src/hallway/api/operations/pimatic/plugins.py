"""The operations on plugins and updates. This hub has what pimatic needs plugins for built in, and installs none.

What a configuration of pimatic names is kept, so that it can be shown, edited and taken home again.
It must not know how a request or answer is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hallway.api.operations.base import About, Ask, Hub, Operation
from hallway.api.operations.pimatic.blanking import blanked, unblanked
from hallway.api.operations.pimatic.coercion import boolean_of
from hallway.api.operations.pimatic.declaring import ANY, data, kept, object_in, path
from hallway.errors import InvalidInput
from hallway.home.values import Attributes, Value

AREA: Final = "plugins"
PREFIX: Final = "pimatic-"
BUILT_IN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cron": "Times and dates in rules; built into this hub",
        "mobile-frontend": "Pages for browsers; this hub has its own",
    }
)
"""What pimatic needs a plugin for and this hub does itself."""


def get_installed(hub: Hub, _ask: Ask) -> list[Attributes]:
    return [_plugin_form(hub, name, body) for name, body in hub.kept.all("plugin").items()]


def _plugin_form(hub: Hub, name: str, body: Attributes) -> Attributes:
    return {
        "name": name,
        "loaded": name in BUILT_IN,
        "activated": body.get("active") is not False,
        "description": BUILT_IN.get(name, "Kept from a configuration of pimatic; this hub does not run it"),
        "version": hub.info.version,
        "homepage": "",
        "isCompatible": name in BUILT_IN,
        "builtIn": name in BUILT_IN,
    }


def search(hub: Hub, _ask: Ask) -> list[Attributes]:
    """All there is: what is built in."""
    return [
        {
            "name": PREFIX + name,
            "description": description,
            "version": hub.info.version,
            "installed": True,
            "loaded": True,
            "activated": (hub.kept.get("plugin", name) or {}).get("active") is not False,
            "isNewer": False,
            "isCompatible": True,
            "builtIn": True,
        }
        for name, description in BUILT_IN.items()
    ]


def get_outdated(_hub: Hub, _ask: Ask) -> list[Attributes]:
    return []


def is_outdated(_hub: Hub, _ask: Ask) -> bool:
    return False


def install_updates(hub: Hub, ask: Ask) -> list[Value]:
    modules = ask.data["modules"]
    if not isinstance(modules, list):
        raise InvalidInput("modules must be a list of names")
    if modules:
        raise InvalidInput("this hub installs no plugins: what it can do is built in")
    for status in ("running", "done"):
        hub.kept.installation = status
        hub.announcements.announce("updateProcessStatus", {"status": status, "modules": []}, "updates:read")
    return []


def uninstall(_hub: Hub, ask: Ask) -> None:
    """Nothing is installed, so nothing is left to do; the configuration of a plugin has an operation of its own."""
    _without_prefix(str(ask.data["name"]))


def remove_from_config(hub: Hub, ask: Ask) -> object:
    removed = hub.kept.remove("plugin", str(ask.data["pluginName"]), ask.caller.context)
    return kept(hub, removed)


def set_activated(hub: Hub, ask: Ask) -> object:
    name, active = str(ask.data["pluginName"]), boolean_of("active", ask.data["active"])
    body = hub.kept.get("plugin", name)
    if body is None:
        return False
    hub.kept.put("plugin", name, {**body, "active": active}, ask.caller.context)
    return kept(hub, result=True)


def get_update_status(hub: Hub, _ask: Ask) -> Attributes:
    return {"status": hub.kept.installation, "messages": []}


def get_config_schema(_hub: Hub, ask: Ask) -> Attributes:
    name = _without_prefix(str(ask.data["pluginName"]))
    if name not in BUILT_IN:
        raise InvalidInput(f"there is no plugin {PREFIX}{name[:60]} in this hub; it has: {', '.join(BUILT_IN)}")
    return {
        "title": f"{name} config",
        "type": "object",
        "properties": {
            "plugin": {"type": "string", "_normalized": True},
            "active": {"type": "boolean", "_normalized": True},
        },
        "required": ["plugin"],
        "additionalProperties": False,
        "_normalized": True,
    }


def _without_prefix(name: str) -> str:
    if not name.startswith("pimatic"):
        raise InvalidInput(f"the name of a plugin's package begins with {PREFIX}, unlike {name[:60]!r}")
    return name.removeprefix(PREFIX)


def get_config(hub: Hub, ask: Ask) -> Value:
    config = hub.kept.get("plugin", str(ask.data["pluginName"]))
    return None if config is None else blanked(config)


def update_config(hub: Hub, ask: Ask) -> object:
    name, config = str(ask.data["pluginName"]), object_in(ask.data, "config")
    old = hub.kept.get("plugin", name)
    if old is None:
        raise InvalidInput(f"there is no plugin {name[:60]} in the configuration")
    hub.kept.put("plugin", name, {**unblanked(config, old), "plugin": name}, ask.caller.context)
    return kept(hub, None)


def requires_restart(_hub: Hub, _ask: Ask) -> bool:
    """Everything that can be edited counts at once."""
    return False


_NAME = path("pluginName", "name of the plugin, without pimatic-", "cron")
_NAMED = data("pluginName", "string", "name of the plugin, without pimatic-", example="cron")

OPERATIONS: Final = (
    Operation(
        "getInstalledPluginsWithInfo",
        ("GET",),
        "/api/plugins",
        "List the plugins that the configuration names",
        "plugins:read",
        "plugins",
        get_installed,
        area=AREA,
        result_type="array",
    ),
    Operation(
        "searchForPluginsWithInfo",
        ("GET",),
        "/api/available-plugins",
        "List the plugins that there are",
        "plugins:read",
        "plugins",
        search,
        area=AREA,
        result_type="array",
    ),
    Operation(
        "getOutdatedPlugins",
        ("GET",),
        "/api/outdated-plugins",
        "List the plugins of which there is a newer version",
        "updates:read",
        "outdatedPlugins",
        get_outdated,
        area=AREA,
        result_type="array",
    ),
    Operation(
        "isPimaticOutdated",
        ("GET",),
        "/api/outdated-pimatic",
        "Tell whether there is a newer version of the hub",
        "updates:read",
        "outdated",
        is_outdated,
        area=AREA,
        result_schema={"tye": "any"},  # pimatic's own spelling
    ),
    Operation(
        "installUpdatesAsync",
        ("POST",),
        "/api/update-async",
        "Install newer versions",
        "updates:write",
        "status",
        install_updates,
        (data("modules", "array", "names of packages"),),
        area=AREA,
        result_schema=ANY,
    ),
    Operation(
        "uninstallPlugin",
        ("DELETE",),
        "/api/plugins/{name}",
        "Remove the files of a plugin",
        "updates:write",
        "",
        uninstall,
        (path("name", "name of its package", "pimatic-cron"),),
        area=AREA,
    ),
    Operation(
        "removePluginFromConfig",
        ("DELETE",),
        "/api/config/plugins",
        "Take a plugin out of the configuration; the answer says whether it was there",
        "plugins:write",
        "removed",
        remove_from_config,
        (_NAMED,),
        area=AREA,
        about=About("plugin", ("pluginName",)),
        result_type="boolean",
    ),
    Operation(
        "setPluginActivated",
        ("POST",),
        "/api/config/plugins-active",
        "Switch a plugin on or off; the answer says whether it was there",
        "plugins:write",
        "pluginUpdated",
        set_activated,
        (_NAMED, data("active", "boolean", "whether it is to be used")),
        area=AREA,
        about=About("plugin", ("pluginName",)),
        result_type="boolean",
    ),
    Operation(
        "getUpdateProcessStatus",
        ("GET",),
        "/api/update-process",
        "Tell how far an installation is",
        "",
        "info",
        get_update_status,
        area=AREA,
        result_type="object",
    ),
    Operation(
        "getPluginConfigSchema",
        ("GET",),
        "/api/plugin-config-schema/{pluginName}",
        "Tell which options a plugin has, as JSON schema",
        "plugins:read",
        "configSchema",
        get_config_schema,
        (path("pluginName", "name of its package", "pimatic-cron"),),
        area=AREA,
        result_type="object",
    ),
    Operation(
        "getPluginConfig",
        ("GET",),
        "/api/plugin-config/{pluginName}",
        "Tell how a plugin is configured",
        "plugins:read",
        "config",
        get_config,
        (_NAME,),
        area=AREA,
        about=About("plugin", ("pluginName",)),
        result_type="object",
    ),
    Operation(
        "updatePluginConfig",
        ("POST",),
        "/api/plugin-config/{pluginName}",
        "Configure a plugin anew",
        "plugins:write",
        "",
        update_config,
        (_NAME, data("config", "object", "its options")),
        area=AREA,
        about=About("plugin", ("pluginName",)),
    ),
    Operation(
        "doesRequireRestart",
        ("GET",),
        "/api/restart-required",
        "Tell whether something counts only after a restart",
        "plugins:read",
        "restartRequired",
        requires_restart,
        area=AREA,
        result_type="boolean",
    ),
)
