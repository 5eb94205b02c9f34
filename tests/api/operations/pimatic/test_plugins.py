"""Operations on plugins: this hub installs none, and keeps what a configuration of pimatic says of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.operations.pimatic.desk import Desk


def desk_with_plugins() -> Desk:
    desk = Desk()
    desk.kept.load("plugin", {"cron": {"plugin": "cron"}, "mqtt": {"plugin": "mqtt", "password": "hush"}})
    return desk


async def test_plugins_of_the_configuration_are_listed_and_the_built_in_ones_told_apart() -> None:
    desk = desk_with_plugins()
    listed = await desk.ask("getInstalledPluginsWithInfo")
    assert [(plugin["name"], plugin["loaded"], plugin["activated"]) for plugin in listed] == [
        ("cron", True, True),
        ("mqtt", False, True),
    ]
    offered = await desk.ask("searchForPluginsWithInfo")
    assert "pimatic-cron" in [plugin["name"] for plugin in offered]
    assert all(plugin["builtIn"] for plugin in offered)


async def test_there_is_nothing_to_update() -> None:
    desk = desk_with_plugins()
    assert await desk.ask("getOutdatedPlugins") == []
    assert await desk.ask("isPimaticOutdated") is False
    assert await desk.ask("getUpdateProcessStatus") == {"status": "idle", "messages": []}
    assert await desk.ask("installUpdatesAsync", modules=[]) == []
    assert await desk.ask("getUpdateProcessStatus") == {"status": "done", "messages": []}
    assert await desk.ask("doesRequireRestart") is False
    assert await desk.ask("uninstallPlugin", name="pimatic-nope") is None


async def test_a_plugin_is_configured_switched_off_and_removed() -> None:
    desk = desk_with_plugins()
    assert await desk.kept_after("updatePluginConfig", pluginName="cron", config={"debug": True}) is None
    assert await desk.ask("getPluginConfig", pluginName="cron") == {"debug": True, "plugin": "cron"}
    assert await desk.kept_after("setPluginActivated", pluginName="cron", active="false") is True
    assert (await desk.ask("getInstalledPluginsWithInfo"))[0]["activated"] is False
    assert await desk.kept_after("removePluginFromConfig", pluginName="cron") is True
    assert await desk.ask("removePluginFromConfig", pluginName="cron") is False
    assert await desk.ask("setPluginActivated", pluginName="cron", active=True) is False
    assert await desk.ask("getPluginConfig", pluginName="cron") is None


async def test_secrets_of_a_plugin_are_blank_and_stay_when_they_come_back_blank() -> None:
    desk = desk_with_plugins()
    shown = await desk.ask("getPluginConfig", pluginName="mqtt")
    assert shown["password"] == "xxxxxxxxxx"
    await desk.kept_after("updatePluginConfig", pluginName="mqtt", config={**shown, "host": "broker"})
    assert desk.kept.get("plugin", "mqtt") == {"plugin": "mqtt", "password": "hush", "host": "broker"}


async def test_the_schema_of_a_plugin() -> None:
    schema = await Desk().ask("getPluginConfigSchema", pluginName="pimatic-cron")
    assert schema["title"] == "cron config"


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("getPluginConfigSchema", {"pluginName": "cron"}),
        ("getPluginConfigSchema", {"pluginName": "pimatic-nope"}),
        ("updatePluginConfig", {"pluginName": "nope", "config": {"a": 1}}),
        ("updatePluginConfig", {"pluginName": "cron", "config": "abc"}),
        ("updatePluginConfig", {"pluginName": "cron"}),
        ("setPluginActivated", {"pluginName": "cron", "active": "x"}),
        ("setPluginActivated", {"pluginName": "cron"}),
        ("removePluginFromConfig", {}),
        ("uninstallPlugin", {"name": "nope"}),
        ("installUpdatesAsync", {"modules": ["pimatic-hue"]}),
        ("installUpdatesAsync", {"modules": "pimatic-hue"}),
    ],
)
async def test_what_cannot_be_is_a_bad_request(operation: str, given: dict[str, Any]) -> None:
    desk = desk_with_plugins()
    with desk.refuses():
        await desk.ask(operation, **given)
