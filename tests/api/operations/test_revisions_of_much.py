"""Revisions of much and of long ago: who named what was not there, many versions, many things in one act."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hallway.errors import Conflict, NotFound
from hallway.home.values import Attributes
from hallway.store.revisions import StoredRevisions
from tests.api.operations.revised import Revised

LAMP: Attributes = {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Revised]:
    hub = Revised(tmp_path)
    yield hub
    await hub.store.close()


@pytest.mark.parametrize("wholly", [True, False])
async def test_who_named_something_before_it_came_names_it_still_once_it_is_gone_again(
    hub: Revised, wholly: bool
) -> None:
    await hub.ask("addGroup", groupId="lights", group={"name": "Lights"})
    await hub.ask("addDeviceToGroup", groupId="lights", deviceId="lamp")
    await hub.ask("addPage", pageId="home", page={"name": "Home"})
    await hub.ask("addDeviceToPage", pageId="home", deviceId="lamp")
    before, then = hub.picture(), (await hub.newest())["revision"]
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    came = (await hub.newest())["revision"]
    await hub.ask("addPage", pageId="later", page={"name": "Later"})
    await hub.ask("addDeviceToPage", pageId="later", deviceId="lamp")
    if wholly:
        await hub.ask("restore", revision=then)
        assert hub.picture() == before
    else:
        await hub.ask("undoRevision", revision=came)
        assert hub.picture()["group", "lights"] == before["group", "lights"]
        assert hub.picture()["page", "home"] == before["page", "home"]
        assert hub.picture()["page", "later"]["devices"] == []


@pytest.mark.parametrize("committed", [True, False])
async def test_of_what_was_removed_after_many_edits_nobody_knows_how_it_was_at_first(
    hub: Revised, committed: bool
) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    await hub.ask("addVariable", name="x", type="value", valueOrExpression=1)
    first = (await hub.newest())["revision"]
    for number in range(110):
        await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": f"Lamp {number}"})
    await hub.ask("removeDevice", deviceId="lamp")
    removed = (await hub.newest())["revision"]
    await hub.commit()
    if not committed:
        await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    before = hub.picture()
    with pytest.raises(Conflict, match="device lamp: give force"):
        await hub.ask("restore", revision=first)
    with pytest.raises(NotFound, match="not kept any more"):
        await hub.ask("restore", kind="device", id="lamp", revision=first)
    assert hub.picture() == before
    left = await hub.ask("restore", revision=first, force=True)
    assert [line["text"] for line in left["left"]] == ["device lamp: its version of then is not kept any more"]
    await hub.ask("undoRevision", revision=removed, force=True)
    assert hub.home.device("lamp").config["name"] == "Lamp 109"


async def test_much_that_goes_in_one_go_comes_back_where_it_stood(hub: Revised) -> None:
    config = await hub.ask("getConfig")
    ids = [f"d{number}" for number in range(120)]
    many = [{**LAMP, "id": device_id} for device_id in ids]
    page = {"id": "p", "name": "P", "devices": [{"deviceId": device_id} for device_id in ids]}
    group = {"id": "g", "name": "G", "devices": ids, "rules": [], "variables": []}
    full = {**config, "devices": [*config["devices"], *many], "pages": [page], "groups": [group]}
    await hub.ask("updateConfig", config=full)
    for less in (config, {**full, "devices": config["devices"]}):
        before = hub.picture()
        await hub.ask("updateConfig", config=less)
        await hub.commit()
        await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
        assert hub.picture() == before


async def test_what_waits_for_its_commit_is_not_read_anew_for_each_thing(
    hub: Revised, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = await hub.ask("getConfig")
    many = [{**LAMP, "id": f"d{number}"} for number in range(50)]
    await hub.ask("updateConfig", config={**config, "devices": [*config["devices"], *many]})
    before = hub.picture()
    await hub.ask("updateConfig", config=config)
    newest, looked_up = (await hub.newest())["revision"], []
    read = StoredRevisions._last

    def counted(revisions: StoredRevisions, *which: str) -> tuple[int, Attributes | None]:
        looked_up.append(which)
        return read(revisions, *which)

    monkeypatch.setattr(StoredRevisions, "_last", counted)
    await hub.ask("undoRevision", revision=newest)
    assert hub.picture() == before
    assert len(looked_up) <= 5 * len(many)
