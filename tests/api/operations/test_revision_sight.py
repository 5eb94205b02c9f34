"""What a role may not see stays unseen in revisions too: in words, in fields, in refusals and in dry runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from hallway.errors import Forbidden, Stale
from tests.api.operations.revised import Revised, somebody


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Revised]:
    hub = Revised(tmp_path)
    yield hub
    await hub.store.close()


async def test_members_of_a_scene_are_for_who_may_read_them(hub: Revised) -> None:
    await hub.ask("addVariable", name="mood", type="value", valueOrExpression="calm")
    scene = {"name": "S", "entities": {"variable.mood": "SECRET1"}}
    await hub.ask("addScene", sceneId="s", scene=scene)
    first = (await hub.newest())["revision"]
    await hub.ask("updateScene", sceneId="s", scene={"entities": {"variable.mood": "SECRET2"}})
    number = (await hub.newest())["revision"]
    for caller, told in ((somebody(devices="write", variables="read"), True), (somebody(devices="write"), False)):
        answers = [
            await hub.ask("getRevisions", caller=caller),
            await hub.ask("getRevision", caller=caller, revision=number),
            await hub.ask("getRevisionDifference", caller=caller, revision=number),
            await hub.ask("getRevisionDifference", caller=caller, revision=number, to=first),
        ]
        for name, given in (
            ("updateScene", {"sceneId": "s", "scene": {"name": "T"}, "revision": first}),
            ("undoRevision", {"revision": first}),
        ):
            with pytest.raises(Stale) as refused:
                await hub.ask(name, caller=caller, **given)
            answers.append([refused.value.message, refused.value.details])
        assert ["SECRET" in orjson.dumps(answer).decode() for answer in answers] == [told] * len(answers)


async def test_the_list_goes_on_behind_what_somebody_may_not_see(hub: Revised) -> None:
    await hub.ask("addPage", pageId="open", page={"name": "Open"})
    await hub.ask("addPage", pageId="hidden", page={"name": "Hidden", "allowedRoles": ["admin"]})
    for number in range(7):
        await hub.ask("updatePage", pageId="hidden", page={"name": f"Hidden {number}"})
        if number == 3:
            await hub.ask("updatePage", pageId="open", page={"name": "Open again"})
            await hub.commit()
    bob = somebody(pages="read")
    for given in ({}, {"kind": "page"}):
        found, before = [], None
        while page := await hub.ask("getRevisions", caller=bob, limit=2, before=before, **given):
            found += [line["text"] for line in page]
            before = page[-1]["revision"]
        assert found == ['page open: name was "Open", is "Open again"', "page open was added"]
    assert await hub.ask("getRevisions", caller=bob, kind="page", id="hidden") == []


async def test_of_an_act_those_that_somebody_may_see_are_told(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig={"id": "lamp", "class": "DummySwitch", "name": "Lamp"})
    for page, roles in (("hidden", ["admin"]), ("hidden too", ["admin"]), ("open", None)):
        await hub.ask("addPage", pageId=page, page={"name": page, "allowedRoles": roles})
        await hub.ask("addDeviceToPage", pageId=page, deviceId="lamp")
    await hub.ask("updatePageOrder", pageOrder=["open", "hidden", "hidden too"])
    await hub.ask("removeDevice", deviceId="lamp")
    act = (await hub.newest())["act"]
    (line,) = await hub.ask("getRevisions", caller=somebody(pages="read"), act=act, limit=1)
    assert line["text"].startswith("page open: ")


async def test_a_page_of_others_is_neither_told_nor_restored(hub: Revised) -> None:
    await hub.ask("addPage", pageId="open", page={"name": "Open"})
    await hub.ask("addPage", pageId="hidden", page={"name": "Once open"})
    open_then = (await hub.newest())["revision"]
    await hub.ask("updatePage", pageId="hidden", page={"name": "HIDDEN", "allowedRoles": ["admin"]})
    hidden = (await hub.newest())["revision"]
    await hub.ask("updatePageOrder", pageOrder=["hidden", "open"])
    bob, before = somebody(pages="write"), hub.picture()
    for name, given in (
        ("restore", {"kind": "page", "id": "hidden", "version": 1, "dryRun": True}),
        ("restore", {"kind": "page", "id": "hidden", "version": 2}),
        ("undoRevision", {"revision": open_then, "force": True}),
        ("getRevision", {"revision": hidden}),
        ("getRevisionDifference", {"revision": open_then, "to": hidden}),
    ):
        with pytest.raises(Forbidden) as refused:
            await hub.ask(name, caller=bob, **given)
        assert "HIDDEN" not in refused.value.message
    with pytest.raises(Stale) as stale:
        await hub.ask("updatePage", caller=bob, pageId="hidden", page={"name": "Mine"}, revision=open_then)
    assert "HIDDEN" not in orjson.dumps([stale.value.message, stale.value.details]).decode()
    assert (await hub.newest(caller=bob))["text"] == "pages were put in order: open"
    assert hub.picture() == before
    await hub.ask("removePage", pageId="hidden")
    with pytest.raises(Forbidden):
        await hub.ask("restore", caller=bob, kind="page", id="hidden", version=2, dryRun=True)
