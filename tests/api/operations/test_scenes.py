"""Scenes over the door for people: listing, defining, keeping what is now, bringing about, and who may."""

from __future__ import annotations

import pytest

from hallway.access.callers import Caller, granted
from hallway.errors import Forbidden, InvalidInput
from hallway.home.changes import Context
from hallway.home.values import Attributes
from tests.api.operations.pimatic.desk import Desk
from tests.home.homes import a_device

DINNER: Attributes = {"name": "Dinner", "entities": {"light.lamp": {"state": "on", "brightness": 51}}}


@pytest.fixture
def desk() -> Desk:
    return Desk(a_device("DummyDimmer", "lamp", name="Lamp"), variables=({"name": "mood", "value": "dull"},))


def somebody(**permissions: str | bool) -> Caller:
    return Caller("bob", granted(permissions), Context("pimatic", user="bob"))


async def test_a_scene_is_defined_told_changed_brought_about_and_removed(desk: Desk) -> None:
    told = {"id": "dinner", **DINNER}
    assert await desk.ask("addScene", sceneId="dinner", scene=DINNER) == told
    assert await desk.ask("getScenes") == [told]
    assert await desk.ask("getSceneById", sceneId="dinner") == told
    assert await desk.ask("getSceneById", sceneId="nope") is None
    assert await desk.ask("activateScene", sceneId="dinner") is True
    assert desk.home.device("lamp").value("dimlevel") == 20
    changed = await desk.ask("updateScene", sceneId="dinner", scene={"name": "Supper"})
    assert changed == {**told, "name": "Supper"}
    assert await desk.ask("removeScene", sceneId="dinner") == changed
    assert await desk.ask("getScenes") == []


async def test_a_list_of_entities_keeps_what_they_show(desk: Desk) -> None:
    added = await desk.ask("addScene", sceneId="now", scene={"entities": ["light.lamp", "variable.mood"]})
    assert added["entities"] == {"light.lamp": {"state": "off"}, "variable.mood": {"state": "dull"}}


@pytest.mark.parametrize("name", ["updateScene", "removeScene", "activateScene"])
async def test_a_scene_that_is_not_there_is_a_bad_request(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidInput, match="there is no scene nope"):
        await desk.ask(name, sceneId="nope", scene={"name": "x"})


async def test_an_unknown_key_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="scene has no 'entity': give name and entities"):
        await desk.ask("addScene", sceneId="x", scene={"entity": []})


async def test_who_defines_a_scene_needs_what_its_members_need(desk: Desk) -> None:
    writes = somebody(devices="write", controlDevices=True)
    mood: Attributes = {"entities": {"variable.mood": {"state": "bright"}}}
    with pytest.raises(Forbidden, match="variables:write"):
        await desk.ask("addScene", writes, sceneId="mood", scene=mood)
    await desk.ask("addScene", sceneId="mood", scene=mood)
    for name in ("updateScene", "removeScene"):
        with pytest.raises(Forbidden, match="variables:write"):
            await desk.ask(name, writes, sceneId="mood", scene={"name": "x"})
    assert (await desk.ask("getScenes", writes))[0]["entities"] == {}, "what somebody may not see is not told"


async def test_who_may_control_devices_brings_a_scene_about_and_nobody_else(desk: Desk) -> None:
    await desk.ask("addScene", sceneId="dinner", scene=DINNER)
    with pytest.raises(Forbidden):
        await desk.ask("activateScene", somebody(devices="read"), sceneId="dinner")
    assert await desk.ask("activateScene", somebody(devices="read", controlDevices=True), sceneId="dinner") is True
