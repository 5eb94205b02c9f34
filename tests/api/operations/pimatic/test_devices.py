"""Operations on devices: list, define, order, and let them do something."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.api.operations.pimatic.blanking import BLANK
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.pimatic.live import Event, Live
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import a_device

LAMP = {"id": "lamp", "name": "Lamp", "class": "DummySwitch"}


async def test_devices_are_listed_and_found() -> None:
    desk = Desk(a_device("DummySwitch", "one"), a_device("DummyDimmer", "two"))
    listed = await desk.ask("getDevices")
    assert [device["id"] for device in listed] == ["one", "two"]
    assert await desk.ask("getDeviceById", deviceId="two") == listed[1]
    assert await desk.ask("getDeviceById", deviceId="ONE") is None


async def test_a_device_comes_changes_and_goes() -> None:
    desk = Desk()
    added = await desk.kept_after("addDeviceByConfig", deviceConfig=LAMP)
    assert (added["id"], added["attributes"][0]["value"], added["attributes"][0]["history"]) == ("lamp", None, [])
    assert (await desk.ask("getDeviceById", deviceId="lamp"))["attributes"][0]["value"] is False
    changed = await desk.kept_after("updateDeviceByConfig", deviceConfig={**LAMP, "name": "Other"})
    assert (changed["name"], changed["config"]) == ("Other", {**LAMP, "name": "Other"})
    removed = await desk.kept_after("removeDevice", deviceId="lamp")
    assert (removed["id"], removed["attributes"][0]["value"]) == ("lamp", False)
    assert await desk.ask("removeDevice", deviceId="lamp") is None


@pytest.mark.parametrize(
    "config",
    [
        "text",
        {"name": "X", "class": "DummySwitch"},
        {"id": "x", "class": "DummySwitch"},
        {"id": "x", "name": "", "class": "DummySwitch"},
        {"id": "x", "name": "X"},
        {"id": 5, "name": "X", "class": "DummySwitch"},
        {"id": "x", "name": "X", "class": "Nonsense"},
        {"id": "x", "name": "X", "class": "DummyShutter", "rollingTime": "abc"},
        {"id": "x", "name": "X", "class": "Sun"},
        {"id": "there", "name": "X", "class": "DummySwitch"},
    ],
)
async def test_a_device_that_cannot_be_is_refused(config: Any) -> None:
    desk = Desk(a_device("DummySwitch", "there"))
    with desk.refuses():
        await desk.ask("addDeviceByConfig", deviceConfig=config)


async def test_a_device_that_is_not_there_or_stands_in_the_file_is_not_changed() -> None:
    desk = Desk()
    desk.home.add_device(a_device("DummySwitch", "lamp"), "file")
    with desk.refuses("nope"):
        await desk.ask("updateDeviceByConfig", deviceConfig={**LAMP, "id": "nope"})
    with desk.refuses("configuration.yaml"):
        await desk.ask("updateDeviceByConfig", deviceConfig=LAMP)
    with desk.refuses("configuration.yaml"):
        await desk.ask("removeDevice", deviceId="lamp")


async def test_the_order_is_kept_and_shown_as_it_was_given() -> None:
    desk = Desk(a_device("DummySwitch", "one"), a_device("DummySwitch", "two"))
    assert await desk.kept_after("updateDeviceOrder", deviceOrder=["two", "nobody"]) == ["two", "nobody"]
    assert [name for name in desk.home.order("device") if name in desk.home.devices] == ["two", "one"]
    with desk.refuses("deviceOrder"):
        await desk.ask("updateDeviceOrder", deviceOrder="two")


async def test_classes_and_what_their_configs_may_hold() -> None:
    desk = Desk()
    names = await desk.ask("getDeviceClasses")
    assert {"DummySwitch", "VariablesDevice", "Timer"} <= set(names)
    assert {"Sun", "Process", "reported"}.isdisjoint(names)
    schema = await desk.ask("getDeviceConfigSchema", className="DummyShutter")
    assert schema["title"] == "DummyShutter config"
    assert schema["extensions"] == ["xLink", "xConfirm", "xUpLabel", "xDownLabel", "xStoppedLabel"]
    assert schema["required"] == ["id", "name", "class"]
    assert schema["properties"]["rollingTime"]["default"] == 10
    assert await desk.ask("getDeviceConfigSchema", className="Nonsense") is None


async def test_looking_for_devices_is_always_right() -> None:
    desk = Desk()
    assert await desk.ask("discoverDevices") is True
    assert await desk.ask("discoverDevices", time="500") is True
    with desk.refuses("time"):
        await desk.ask("discoverDevices", time="abc")


@pytest.mark.parametrize(
    ("device", "action", "given", "attribute", "value"),
    [
        ("DummySwitch", "changeStateTo", {"state": "true"}, "state", True),
        ("DummySwitch", "changeStateTo", {"state": True}, "state", True),
        ("DummySwitch", "turnOn", {"foo": "bar"}, "state", True),
        ("DummyDimmer", "changeDimlevelTo", {"dimlevel": "12abc"}, "dimlevel", 12),
        ("DummyDimmer", "changeDimlevelTo", {"dimlevel": 33.3}, "dimlevel", 33.3),
        ("DummyTemperatureSensor", "changeTemperatureTo", {"temperature": "-3"}, "temperature", -3),
        ("InputDevice", "changeInputTo", {"value": "wörld"}, "input", "wörld"),
    ],
)
async def test_a_device_does_what_it_is_told(
    device: str, action: str, given: dict[str, Any], attribute: str, value: Any
) -> None:
    desk = Desk(a_device(device))
    assert await desk.ask("callDeviceAction", deviceId="it", actionName=action, **given) is None
    assert desk.house.value(attribute) == value


async def test_an_action_may_have_a_result() -> None:
    desk = Desk(a_device("DummySwitch"))
    assert await desk.ask("callDeviceAction", deviceId="it", actionName="getState") is False


@pytest.mark.parametrize(
    ("device_id", "action", "given", "word"),
    [
        ("nope", "turnOn", {}, "nope"),
        ("it", "turnon", {}, "turnOff"),
        ("it", "__proto__", {}, "__proto__"),
        ("it", "changeDimlevelTo", {}, "dimlevel"),
        ("it", "changeDimlevelTo", {"dimlevel": "abc"}, "dimlevel"),
        ("it", "changeDimlevelTo", {"dimlevel": True}, "dimlevel"),
        ("it", "changeDimlevelTo", {"dimlevel": "101"}, "100"),
        ("it", "changeStateTo", {"state": "on"}, "state"),
        ("it", "changeStateTo", {"state": 2}, "state"),
    ],
)
async def test_what_cannot_be_done_is_a_bad_request(
    device_id: str, action: str, given: dict[str, Any], word: str
) -> None:
    desk = Desk(a_device("DummyDimmer"))
    with desk.refuses(word):
        await desk.ask("callDeviceAction", deviceId=device_id, actionName=action, **given)


async def test_who_may_not_does_not() -> None:
    desk = Desk(a_device("DummySwitch"))
    reader = type(ADMIN)("reader", frozenset({"devices:read"}), ADMIN.context)
    with desk.refuses("controlDevices", status=403):
        await desk.ask("callDeviceAction", caller=reader, deviceId="it", actionName="turnOn")


SECRETS: dict[str, Any] = {"apiKey": "hush", "pin": 1234, "url": "http://me:hush@here/"}
SHOWN = {"apiKey": BLANK, "pin": BLANK, "url": f"http://{BLANK}@here/"}


async def test_secrets_of_a_device_are_blank_wherever_it_is_shown() -> None:
    desk = Desk()
    told: list[bytes] = []

    def hear(events: list[Event]) -> None:
        told.extend(event.packet.text for event in events)

    Live(desk.home, desk.hub.forms, Recent(desk.home), hear).start()
    config = {"id": "lamp", "name": "Lamp", "class": "DummySwitch"}
    added = await desk.kept_after("addDeviceByConfig", deviceConfig={**config, **SECRETS})
    shown = await desk.ask("getDeviceById", deviceId="lamp")
    desk.house.act("lamp", "turnOn")
    whole = await desk.ask("getConfig")
    assert added["config"] == shown["config"] == whole["devices"][0] == {**config, **SHOWN}
    assert (await desk.ask("getDevices"))[0]["config"] == {**config, **SHOWN}
    changed = await desk.kept_after("updateDeviceByConfig", deviceConfig={**config, **SHOWN, "name": "Light"})
    assert changed["config"] == {**config, **SHOWN, "name": "Light"}
    assert desk.home.device("lamp").config == {**config, **SECRETS, "name": "Light"}
    whole["devices"][0]["name"] = "Lantern"
    await desk.kept_after("updateConfig", config=whole)
    assert desk.home.device("lamp").config == {**config, **SECRETS, "name": "Lantern"}
    removed = await desk.kept_after("removeDevice", deviceId="lamp")
    assert removed["config"] == {**config, **SHOWN, "name": "Lantern"}
    assert told
    assert "hush" not in repr(told)
