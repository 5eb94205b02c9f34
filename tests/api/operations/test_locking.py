"""An edit that names the revision it is based on counts only if nobody was there before; who names none is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hallway.access.people import Person
from hallway.api.operations.base import About
from hallway.api.operations.locking import revision_of
from hallway.api.operations.pimatic import applying
from hallway.api.operations.table import OPERATIONS
from hallway.errors import InvalidInput, Stale
from hallway.home.values import Attributes
from tests.api.operations.revised import NOW, Revised

LAMP: Attributes = {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Revised]:
    hub = Revised(tmp_path)
    yield hub
    await hub.store.close()


@pytest.mark.parametrize("stored", [True, False])
async def test_who_saw_an_older_one_is_told_what_is_different_now(hub: Revised, stored: bool) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    seen = (await hub.newest())["revision"]
    await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "Light"}, revision=seen)
    now = (await hub.newest())["revision"]
    if stored:
        await hub.commit()
    before = hub.picture()
    with pytest.raises(Stale) as refused:
        await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "Mine"}, revision=seen)
    assert refused.value.message == (
        f"device lamp was changed meanwhile: yours is based on revision {seen}, it is at {now} now, edited by ann; "
        "look at it again. Nothing was changed"
    )
    assert refused.value.details == {
        "kind": "device",
        "id": "lamp",
        "yours": seen,
        "now": now,
        "text": 'device lamp: name was "Lamp", is "Light"',
        "fields": [{"field": "name", "was": "Lamp", "is": "Light"}],
        "author": "ann",
        "door": "pimatic",
        "time": round(NOW * 1000),
    }
    assert hub.picture() == before
    await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "Mine"})
    assert hub.home.device("lamp").config["name"] == "Mine"


async def test_a_new_one_can_be_wanted_not_to_be_there_yet(hub: Revised) -> None:
    await hub.ask("addGroup", groupId="g", group={"name": "G"}, revision=0)
    await hub.ask("removeGroup", groupId="g", revision=(await hub.newest())["revision"])
    with pytest.raises(Stale, match="group g was changed meanwhile"):
        await hub.ask("addGroup", groupId="g", group={"name": "G"}, revision=0)


async def test_a_whole_configuration_is_based_on_the_newest_revision_of_all(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    config, seen = await hub.ask("getConfig"), (await hub.newest())["revision"]
    await hub.ask("addGroup", groupId="g", group={"name": "G"})
    with pytest.raises(Stale, match="the home was changed meanwhile") as refused:
        await hub.ask("updateConfig", config=config, revision=seen)
    assert refused.value.details["changes"] == ["group g was added"]
    await hub.ask("updateConfig", config=await hub.ask("getConfig"), revision=(await hub.newest())["revision"])


async def test_who_edits_while_passwords_are_hashed_was_there_before(
    hub: Revised, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    config, seen = await hub.ask("getConfig"), (await hub.newest())["revision"]
    config["users"].append({"username": "guest", "password": "new", "role": "admin"})

    async def meanwhile(person: Person, _password: str) -> Person:
        await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "Theirs"})
        return person

    monkeypatch.setattr(applying, "hashed", meanwhile)
    with pytest.raises(Stale, match="the home was changed meanwhile") as refused:
        await hub.ask("updateConfig", config=config, revision=seen)
    assert refused.value.details["changes"] == ['device lamp: name was "Lamp", is "Theirs"']
    assert hub.home.device("lamp").config["name"] == "Theirs"
    assert hub.people.user("guest") is None
    await hub.ask("updateConfig", config=config)
    assert hub.home.device("lamp").config["name"] == "Lamp"


@pytest.mark.parametrize("given", ["", 'W/"abc"', "-1", "1.5", True, "9" * 30, [1], {}])
async def test_what_is_no_revision_is_refused(hub: Revised, given: Any) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    with pytest.raises(InvalidInput, match="give the number that X-Hallway-Revision told"):
        await hub.ask("removeDevice", deviceId="lamp", revision=given)
    assert "lamp" in hub.home.devices


@pytest.mark.parametrize("given", [1, "1", '"1"', 1.0])
async def test_a_revision_may_be_written_as_number_or_text(hub: Revised, given: Any) -> None:
    if given == 1.0 and isinstance(given, float):
        given = 1
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    with pytest.raises(Stale):
        await hub.ask("removeDevice", deviceId="lamp", revision=str(10**6) if given == 1 else f'"{10**6}"')


async def test_every_edit_of_something_that_is_kept_can_name_a_revision(hub: Revised) -> None:
    edits = [operation for operation in OPERATIONS if operation.about is not None and operation.methods != ("GET",)]
    for operation in edits:
        (parameter,) = [known for known in operation.parameters if known.name == "revision"]
        assert parameter.beyond, operation.name
    assert {"updateDeviceByConfig", "removeRule", "updateGroup", "updateConfig", "addDeviceToPage", "updateScene"} <= {
        operation.name for operation in edits
    }
    assert revision_of(hub.hub, About("device", ("deviceId",)), {"deviceId": "filed"}) == 0
