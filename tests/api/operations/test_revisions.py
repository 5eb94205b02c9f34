"""Revisions as people ask for them: what the answers are like, who may see and undo what, and what is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hallway.access.people import Person
from hallway.errors import Conflict, Forbidden, InvalidInput, NotFound, Stale
from hallway.home.values import Attributes
from tests.api.operations.revised import ANN, NOW, Revised, somebody

LAMP: Attributes = {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}
FAN: Attributes = {"id": "fan", "class": "DummySwitch", "name": "Fan"}
LINE = {
    "revision",
    "kind",
    "id",
    "version",
    "act",
    "time",
    "author",
    "door",
    "change",
    "text",
    "forgotten",
}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Revised]:
    hub = Revised(tmp_path)
    yield hub
    await hub.store.close()


async def furnish(hub: Revised) -> None:
    """A lamp and a fan, both in a group and on a page, and a rule."""
    for config in (LAMP, FAN):
        await hub.ask("addDeviceByConfig", deviceConfig=config)
    await hub.ask("addGroup", groupId="lights", group={"name": "Lights"})
    await hub.ask("addPage", pageId="up", page={"name": "Up"})
    for device_id in ("lamp", "fan"):
        await hub.ask("addDeviceToGroup", groupId="lights", deviceId=device_id)
        await hub.ask("addDeviceToPage", pageId="up", deviceId=device_id)
    await hub.ask("addRuleByString", ruleId="r", rule={"name": "R", "ruleString": "when lamp is on then turn fan on"})


# ---------------------------------------------------------------------- looking


async def test_an_edit_is_a_revision_with_author_door_time_and_a_sentence(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    hub.clock.advance(1)
    await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "Light"})
    newest, first = await hub.ask("getRevisions")
    assert set(newest) == LINE
    assert (first["change"], first["text"], first["version"]) == ("added", "device lamp was added", 1)
    assert newest == {
        "revision": newest["revision"],
        "kind": "device",
        "id": "lamp",
        "version": 2,
        "act": newest["revision"],
        "time": round((NOW + 1) * 1000),
        "author": "ann",
        "door": "pimatic",
        "change": "changed",
        "text": 'device lamp: name was "Lamp", is "Light"',
        "forgotten": False,
    }
    whole = await hub.ask("getRevision", revision=newest["revision"])
    field = {"field": "name", "was": "Lamp", "is": "Light"}
    assert whole == {**newest, "current": True, "was": LAMP, "is": {**LAMP, "name": "Light"}, "fields": [field]}
    difference = await hub.ask("getRevisionDifference", revision=newest["revision"])
    assert difference == {"text": newest["text"], "forgotten": False, "fields": [field]}
    back = await hub.ask("getRevisionDifference", revision=newest["revision"], to=first["revision"])
    assert back["fields"] == [{"field": "name", "was": "Light", "is": "Lamp"}]


@pytest.mark.parametrize("where", ["in the redo log", "in home.db", "in both"])
async def test_the_list_goes_on_where_it_ended_wherever_revisions_stand(hub: Revised, where: str) -> None:
    for number in range(7):
        await hub.ask("addDeviceByConfig", deviceConfig={**LAMP, "id": f"lamp{number}"})
        if where == "in home.db" or (where == "in both" and number == 3):
            await hub.commit()
    found: list[Any] = []
    before = None
    while page := await hub.ask("getRevisions", limit=3, before=before):
        assert len(page) <= 3
        found += page
        before = page[-1]["revision"]
    assert [line["id"] for line in found] == [f"lamp{number}" for number in reversed(range(7))]
    assert [line["id"] for line in await hub.ask("getRevisions", kind="device", id="lamp5")] == ["lamp5"]
    assert await hub.ask("getRevisions", kind="rule") == []


async def test_what_was_removed_with_a_device_is_one_act(hub: Revised) -> None:
    await furnish(hub)
    await hub.ask("removeDevice", deviceId="lamp")
    act = (await hub.newest())["act"]
    found = await hub.ask("getRevisions", act=act)
    assert [(line["kind"], line["change"]) for line in found] == [
        ("device", "removed"),
        ("page", "changed"),
        ("group", "changed"),
    ]
    assert [line["text"] for line in found][2] == "group lights: devices: lamp went"


async def test_it_is_told_when_the_version_before_is_forgotten(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    for number in range(110):
        await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": f"Lamp {number}"})
    await hub.commit()
    found: list[Any] = []
    while page := await hub.ask("getRevisions", limit=100, before=found[-1]["revision"] if found else None):
        found += page
    assert [line["revision"] for line in found if line["forgotten"]] == [found[-2]["revision"]]
    oldest = found[-2]["revision"]
    with pytest.raises(Conflict, match="nobody knows how device lamp was before revision"):
        await hub.ask("undoRevision", revision=oldest, force=True)
    with pytest.raises(NotFound, match="not kept any more"):
        await hub.ask("restore", kind="device", id="lamp", revision=found[-1]["revision"])
    with pytest.raises(Conflict, match="device lamp: give force"):
        await hub.ask("restore", revision=found[-1]["revision"])
    left = await hub.ask("restore", revision=found[-1]["revision"], force=True)
    assert left["left"] == [
        {"kind": "device", "id": "lamp", "text": "device lamp: its version of then is not kept any more"}
    ]


# ---------------------------------------------------------------------- undoing


async def test_a_removed_device_comes_back_at_its_place_in_group_and_page(hub: Revised) -> None:
    await furnish(hub)
    before = hub.picture()
    await hub.ask("removeDevice", deviceId="lamp")
    assert not hub.home.rules.get("r").valid
    removed = await hub.newest()
    undone = await hub.ask("undoRevision", revision=removed["revision"])
    assert hub.picture() == before
    assert hub.home.order("device") == ("filed", "lamp", "fan")
    assert hub.home.rules.get("r").valid
    assert [change["text"] for change in undone["changes"]] == [
        "group lights: devices: lamp came",
        'page up: devices.lamp is {"deviceId":"lamp"} now and was not there',
        "device lamp was added",
    ]
    assert (undone["dryRun"], undone["left"]) == (False, [])
    again = await hub.ask("undoRevision", revision=undone["act"])
    assert "lamp" not in hub.home.devices
    await hub.restart()
    await hub.ask("undoRevision", revision=again["act"])
    assert hub.picture() == before


async def test_what_was_changed_since_is_not_overwritten_unless_that_is_wanted(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "A"})
    second = (await hub.newest())["revision"]
    await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "name": "B"})
    third = (await hub.newest())["revision"]
    with pytest.raises(Stale, match=f"device lamp was changed since revision {second}") as refused:
        await hub.ask("undoRevision", revision=second)
    assert refused.value.details == {
        "kind": "device",
        "id": "lamp",
        "text": 'device lamp: name was "A", is "B"',
        "fields": [{"field": "name", "was": "A", "is": "B"}],
        "yours": second,
        "now": third,
    }
    assert hub.home.device("lamp").config["name"] == "B"
    await hub.ask("undoRevision", revision=third)
    await hub.ask("undoRevision", revision=second)  # it is again as that one left it
    assert hub.home.device("lamp").config["name"] == "Lamp"
    await hub.ask("undoRevision", revision=third, force=True)
    assert hub.home.device("lamp").config["name"] == "A"


async def test_one_of_an_act_can_be_undone_alone(hub: Revised) -> None:
    await furnish(hub)
    await hub.ask("removeDevice", deviceId="lamp")
    removed = (await hub.newest())["revision"]
    await hub.ask("undoRevision", revision=removed, alone=True)
    assert "lamp" in hub.home.devices
    assert hub.home.groups.get("lights").devices == ("fan",)


async def test_a_dry_run_tells_the_same_and_changes_nothing(hub: Revised) -> None:
    await furnish(hub)
    await hub.ask("removeDevice", deviceId="lamp")
    number, before = (await hub.newest())["revision"], hub.picture()
    dry = await hub.ask("undoRevision", revision=number, dryRun=True)
    assert (hub.picture(), (await hub.newest())["revision"]) == (before, number)
    done = await hub.ask("undoRevision", revision=number)
    assert {**dry, "dryRun": False, "act": done["act"]} == done


async def test_what_comes_and_goes_by_itself_keeps_nothing_from_being_undone(hub: Revised) -> None:
    await furnish(hub)
    await hub.ask("addDeviceByConfig", deviceConfig={**FAN, "id": "last"})
    hub.home.add_device({**LAMP, "id": "weather"}, "reported")
    await hub.ask("removeDevice", deviceId="lamp")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    back, then = (await hub.newest())["act"], hub.home.order("device")
    await hub.kill()
    await hub.ask("removeDevice", deviceId="fan")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    assert [*hub.home.order("device"), "weather"] == list(then)
    await hub.ask("undoRevision", revision=back)
    assert "lamp" not in hub.home.devices


async def test_what_nobody_can_do_any_more_is_refused_as_a_whole(hub: Revised) -> None:
    await hub.ask("addVariable", name="x", type="value", valueOrExpression=1)
    await hub.ask("addVariable", name="y", type="expression", valueOrExpression="$x + 1")
    await hub.ask("removeVariable", name="y")
    number = (await hub.newest())["revision"]
    await hub.ask("removeVariable", name="x")
    before = hub.picture()
    with pytest.raises(InvalidInput, match=r"variable \$y: .*there is no variable \$x.*\(nothing was changed\)"):
        await hub.ask("undoRevision", revision=number)
    assert hub.picture() == before


async def test_a_variable_keeps_the_value_that_it_has(hub: Revised) -> None:
    await hub.ask("addVariable", name="x", type="value", valueOrExpression=1)
    await hub.ask("updateVariable", name="x", type="value", valueOrExpression=5)
    await hub.ask("updateVariable", name="x", type="value", valueOrExpression=5, unit="W")
    await hub.ask("updateVariable", name="x", type="value", valueOrExpression=7, unit="W")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    assert (hub.home.value("x"), hub.home.unit("x")) == (7, "")
    await hub.ask("removeVariable", name="x")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    assert hub.home.value("x") == 7


@pytest.mark.parametrize("end", ["none", "restart", "kill"])
async def test_what_was_removed_comes_back_with_its_last_values(hub: Revised, end: str) -> None:
    await hub.ask("addVariable", name="x", type="value", valueOrExpression=5)
    await hub.ask("addVariable", name="twice", type="expression", valueOrExpression="$x * 2")
    hub.home.set_variable("x", 8, ANN.context)
    await hub.ask("addDeviceByConfig", deviceConfig={"id": "light", "class": "DummyDimmer", "name": "Light"})
    hub.home.act("light", "changeDimlevelTo", {"dimlevel": 40}, ANN.context)
    buttons = [{"id": "ding", "text": "Ding"}]
    bell = {"id": "bell", "class": "ButtonsDevice", "name": "Bell", "buttons": buttons}
    await hub.ask("addDeviceByConfig", deviceConfig=bell)
    hub.home.act("bell", "buttonPressed", {"buttonId": "ding"}, ANN.context)
    await hub.ask("removeVariable", name="twice")
    without_twice = (await hub.newest())["revision"]
    await hub.ask("removeVariable", name="x")
    without_x = (await hub.newest())["revision"]
    await hub.ask("removeDevice", deviceId="light")
    without_light = (await hub.newest())["revision"]
    await hub.ask("removeDevice", deviceId="bell")
    without_bell = (await hub.newest())["revision"]
    if end != "none":
        await (hub.restart() if end == "restart" else hub.kill())
    for number in (without_bell, without_light, without_x, without_twice):
        await hub.ask("undoRevision", revision=number)
    assert (hub.home.value("x"), hub.home.value("twice")) == (8, 16)
    assert (hub.home.value("light.dimlevel"), hub.home.value("light.state")) == (40, True)
    assert hub.home.devices["bell"].value("button") is None
    await hub.restart()
    assert (hub.home.value("x"), hub.home.value("light.dimlevel")) == (8, 40)


async def test_a_thing_of_another_class_does_not_get_the_values(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    added = (await hub.newest())["revision"]
    await hub.ask("updateDeviceByConfig", deviceConfig={**LAMP, "class": "DummyDimmer"})
    hub.home.act("lamp", "changeDimlevelTo", {"dimlevel": 40}, ANN.context)
    await hub.ask("removeDevice", deviceId="lamp")
    await hub.ask("restore", kind="device", id="lamp", revision=added)
    assert hub.home.devices["lamp"].value("state") is False


async def test_the_last_values_of_the_last_hundred_are_kept(hub: Revised) -> None:
    for number in range(103):
        await hub.ask("addVariable", name=f"x{number}", type="value", valueOrExpression=0)
        hub.home.set_variable(f"x{number}", number, ANN.context)
        await hub.ask("removeVariable", name=f"x{number}")
    hub.home.add_variable({"name": "large", "value": 0}, ANN.context)
    hub.home.set_variable("large", "y" * 2**17, ANN.context)
    hub.home.remove_variable("large", ANN.context)
    await hub.restart()
    assert len([note for note in hub.store.saved.notes if note.owner == "removed"]) in (0, 100)
    for name, expected in (("x102", 102), ("x3", 3), ("x2", 0), ("large", 0)):
        await hub.ask("undoRevision", revision=(await hub.newest(kind="variable", id=name))["revision"])
        assert hub.home.value(name) == expected


async def test_what_the_file_has_is_not_undone_here(hub: Revised) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    number = (await hub.newest())["revision"]
    await hub.ask("removeDevice", deviceId="lamp")
    removed = (await hub.newest())["revision"]
    hub.home.add_device(LAMP, "file")
    with pytest.raises(Conflict, match=r"device lamp stands in configuration\.yaml: edit it there"):
        await hub.ask("undoRevision", revision=removed)
    told = await hub.ask("restore", revision=number)
    assert told["left"] == [{"kind": "device", "id": "lamp", "text": "device lamp: it stands in configuration.yaml"}]


# ---------------------------------------------------------------------- people, settings


async def config_with(hub: Revised, **changed: Any) -> Any:
    return {**await hub.ask("getConfig"), **changed}


async def test_a_person_comes_back_with_their_password_which_nobody_sees(hub: Revised) -> None:
    people = [
        {"username": "ann", "role": "admin", "password": "secret-1"},
        {"username": "bob", "role": "guest", "password": "secret-2"},
    ]
    await hub.ask("updateConfig", config=await config_with(hub, users=people))
    bob = hub.people.user("bob")
    assert isinstance(bob, Person)
    ann_only = await config_with(hub, users=[{"username": "ann", "role": "admin"}])
    await hub.ask("updateConfig", config=ann_only)
    assert hub.people.user("bob") is None
    gone = await hub.newest(kind="user")
    told = await hub.ask("getRevision", revision=gone["revision"])
    assert told["was"] == {"username": "bob", "role": "guest", "password": "xxxxxxxxxx"}
    await hub.ask("undoRevision", revision=gone["revision"])
    again = hub.people.user("bob")
    assert again is not None
    assert (again.hash, again.role) == (bob.hash, "guest")
    assert again.stamp != bob.stamp
    other = [{"username": "ann", "role": "admin"}, {"username": "bob", "role": "guest", "password": "secret-3"}]
    await hub.ask("updateConfig", config=await config_with(hub, users=other))
    newest = await hub.newest(kind="user")
    assert newest["text"] == "user bob: password is another one"
    everything = str(
        [await hub.ask("getRevision", revision=line["revision"]) for line in await hub.ask("getRevisions")]
    )
    for secret in (bob.hash, "argon2", again.stamp, "secret"):
        assert secret not in everything


async def test_somebody_must_be_left_who_may_undo_it(hub: Revised) -> None:
    people = [{"username": "ann", "role": "admin", "password": "secret-1"}]
    await hub.ask("updateConfig", config=await config_with(hub, users=people))
    more = [{"username": "ann", "role": "admin"}, {"username": "eve", "role": "admin", "password": "secret-2"}]
    await hub.ask("updateConfig", config=await config_with(hub, users=more))
    added = (await hub.newest(kind="user"))["revision"]
    less = [{"username": "ann", "role": "guest"}, {"username": "eve", "role": "admin"}]
    await hub.ask("updateConfig", config=await config_with(hub, users=less))
    with pytest.raises(InvalidInput, match="nobody would be left"):
        await hub.ask("undoRevision", revision=added)


async def test_a_whole_configuration_is_one_act(hub: Revised) -> None:
    await furnish(hub)
    before = hub.picture()
    filed = {"id": "filed", "class": "DummySwitch", "name": "Of the file"}
    config = await config_with(hub, devices=[filed, FAN], rules=[], plugins=[{"plugin": "cron", "active": True}])
    config["settings"]["locale"] = "de"
    await hub.ask("updateConfig", config=config)
    assert hub.picture() != before
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    assert hub.picture() == before


async def test_secrets_of_plugins_are_kept_and_never_shown(hub: Revised) -> None:
    first = [{"plugin": "mail", "password": "one"}]
    await hub.ask("updateConfig", config=await config_with(hub, plugins=first))
    await hub.ask("updatePluginConfig", pluginName="mail", config={"password": "two"})
    newest = await hub.newest()
    assert newest["text"] == "plugin mail: password is another one"
    await hub.ask("undoRevision", revision=newest["revision"])
    assert hub.hub.kept.get("plugin", "mail") == {"plugin": "mail", "password": "one"}


# ---------------------------------------------------------------------- restoring


async def test_one_thing_is_restored_by_version_time_or_revision(hub: Revised) -> None:
    for name in ("One", "Two", "Three"):
        known = "lamp" in hub.home.devices
        await hub.ask("updateDeviceByConfig" if known else "addDeviceByConfig", deviceConfig={**LAMP, "name": name})
        hub.clock.advance(60)
    third, second, first = [line["revision"] for line in await hub.ask("getRevisions")]
    await hub.ask("restore", kind="device", id="lamp", version=1)
    assert hub.home.device("lamp").config["name"] == "One"
    await hub.ask("restore", kind="device", id="lamp", revision=third)
    assert hub.home.device("lamp").config["name"] == "Three"
    await hub.ask("restore", kind="device", id="lamp", at=round((NOW + 90) * 1000))
    assert hub.home.device("lamp").config["name"] == "Two"
    await hub.ask("restore", kind="device", id="lamp", at="2027-01-15T08:00:30Z")
    assert hub.home.device("lamp").config["name"] == "One"
    nothing = await hub.ask("restore", kind="device", id="lamp", revision=first)
    assert (nothing["changes"], nothing["act"]) == ([], None)
    assert second


async def test_the_whole_home_is_restored_and_that_undone(hub: Revised) -> None:
    await furnish(hub)
    hub.clock.advance(60)
    then = hub.picture()
    await hub.ask("removeDevice", deviceId="lamp")
    await hub.ask("removeRule", ruleId="r")
    await hub.ask("updateGroup", groupId="lights", group={"name": "Others"})
    await hub.ask("addVariable", name="x", type="value", valueOrExpression=1)
    later = hub.picture()
    restored = await hub.ask("restore", at=round((NOW + 30) * 1000))
    assert hub.picture() == then
    assert {change["kind"] for change in restored["changes"]} == {"device", "rule", "group", "page", "variable"}
    await hub.ask("undoRevision", revision=restored["act"])
    assert hub.picture() == later


async def test_a_kill_right_after_an_undo_keeps_it(hub: Revised) -> None:
    await furnish(hub)
    before = hub.picture()
    await hub.commit()
    await hub.ask("removeDevice", deviceId="lamp")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    await hub.kill()
    assert hub.picture() == before


# ---------------------------------------------------------------------- who may


async def test_whoever_may_not_read_a_kind_does_not_see_its_revisions(hub: Revised) -> None:
    await furnish(hub)
    caller = somebody(rules="read")
    found = await hub.ask("getRevisions", caller=caller)
    assert {line["kind"] for line in found} == {"rule"}
    with pytest.raises(Forbidden, match="devices:read, which bob lacks"):
        await hub.ask("getRevisions", caller=caller, kind="device")
    device = (await hub.newest(kind="device"))["revision"]
    for name, more in (("getRevision", {}), ("getRevisionDifference", {}), ("undoRevision", {"dryRun": True})):
        with pytest.raises(Forbidden, match="bob may not see"):
            await hub.ask(name, caller=caller, revision=device, **more)
    with pytest.raises(Forbidden):
        await hub.ask("restore", caller=caller, kind="device", id="lamp", revision=device)
    assert await hub.ask("getRevisions", caller=somebody()) == []


async def test_whoever_may_not_write_a_kind_does_not_undo_it(hub: Revised) -> None:
    await furnish(hub)
    number, before = (await hub.newest(kind="rule"))["revision"], hub.picture()
    with pytest.raises(Forbidden, match="rule r: this needs the permission rules:write, which bob lacks"):
        await hub.ask("undoRevision", caller=somebody(rules="read", devices="write"), revision=number)
    with pytest.raises(Forbidden, match="config:write"):
        await hub.ask("restore", caller=somebody(rules="write", devices="write"), revision=number)
    assert hub.picture() == before
    await hub.ask("undoRevision", caller=somebody(rules="write"), revision=number)
    assert "r" not in hub.home.rules


async def test_a_page_is_for_its_roles_here_too(hub: Revised) -> None:
    await hub.ask("addPage", pageId="secret", page={"name": "Secret", "allowedRoles": ["admin"]})
    assert await hub.ask("getRevisions", caller=somebody(pages="write")) == []
    number = (await hub.newest())["revision"]
    with pytest.raises(Forbidden):
        await hub.ask("undoRevision", caller=somebody(pages="write"), revision=number)
    assert await hub.ask("getRevisions", caller=ANN) != []


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("getRevision", {"revision": "x"}, "revision is 'x': give the number of a revision"),
        ("getRevision", {"revision": "9" * 40}, "give the number"),
        ("getRevision", {"revision": 99}, "there is no revision 99"),
        ("undoRevision", {"revision": 0}, "there is no revision 0"),
        ("getRevisions", {"kind": "nonsense"}, "kind is 'nonsense': give one of device, variable"),
        ("getRevisions", {"id": "lamp"}, "give kind along with id"),
        ("getRevisions", {"limit": 101}, "limit is 101: give a whole number from 1 to 100"),
        ("getRevisions", {"limit": 1.5}, "limit is 1.5: give a whole number"),
        ("getRevisions", {"before": 0}, "before is 0"),
        ("getRevisions", {"before": "2026-11-22"}, "before is '2026-11-22': give a number"),
        ("getRevisions", {"limit": "12:00"}, "limit is '12:00': give a number"),
        ("getRevisions", {"limit": "1;2"}, "limit is '1;2': give a number"),
        ("getHistoryPoints", {"series": "lamp.state", "count": "2026-13-45"}, "count is '2026-13-45'"),
        ("getUpcoming", {"days": "1 d"}, "days is '1 d': give a number"),
        ("getRevisions", {"act": 12}, "nothing is kept of what was done with revision 12"),
        ("undoRevision", {"revision": 1, "force": "perhaps"}, "force is 'perhaps': give true or false"),
        ("restore", {}, "give one of at"),
        ("restore", {"at": 1, "revision": 2}, "give one of at"),
        ("restore", {"version": 1}, "give kind along with id and version"),
        ("restore", {"kind": "device", "at": 1}, "give the id of the device too"),
        ("restore", {"kind": "device", "id": 7, "at": 1}, "id must be a text"),
        ("restore", {"kind": "device", "id": "none", "at": 1}, "device none has no revisions"),
        ("restore", {"kind": "device", "id": "lamp", "version": 9}, "there is no version 9 of device lamp"),
        ("restore", {"at": "yesterday"}, "at is 'yesterday': give a date such as"),
        ("restore", {"at": 1}, "nothing is known of that moment"),
        ("restore", {"at": [1]}, "at must be a number"),
    ],
)
async def test_a_wrong_question_is_refused_with_a_sentence(
    hub: Revised, name: str, given: dict[str, Any], words: str
) -> None:
    await hub.ask("addDeviceByConfig", deviceConfig=LAMP)
    number = (await hub.newest())["revision"]
    if given.get("revision") == 1:
        given = {**given, "revision": number}
    before = hub.picture()
    with pytest.raises((InvalidInput, NotFound)) as refused:
        await hub.ask(name, **given)
    assert words in refused.value.message
    assert hub.picture() == before


async def test_somebody_without_a_role_keeps_nobody_from_undoing_what_is_not_about_them(hub: Revised) -> None:
    hub.people.put_user(Person("ann", "admin", stamp="1"), "hers")
    hub.people.put_user(Person("eve", "readonly", stamp="1"), "her own")
    await hub.ask("addVariable", name="v", type="value", valueOrExpression=3)
    await hub.ask("removeVariable", name="v")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    assert hub.home.variables.get("v").value == 3
    assert hub.people.user("eve") is not None


async def test_a_home_that_nobody_may_configure_can_be_edited_by_who_may(hub: Revised) -> None:
    hub.people.put_user(Person("eve", "resident", stamp="1"), "her own")
    await hub.ask("addVariable", name="v", type="value", valueOrExpression=3)
    await hub.ask("removeVariable", name="v")
    await hub.ask("undoRevision", revision=(await hub.newest())["revision"])
    assert "v" in hub.home.variables


@pytest.mark.parametrize("removed", [True, False])
async def test_what_was_before_may_be_lost(hub: Revised, tmp_path: Path, removed: bool) -> None:
    await hub.ask("addVariable", name="v", type="value", valueOrExpression=3)
    if removed:
        await hub.ask("removeVariable", name="v")
    else:
        await hub.ask("updateVariable", name="v", type="value", valueOrExpression=4)
        await hub.ask("updateVariable", name="v", type="expression", valueOrExpression="4 * 4")
    await hub.commit()
    newest = (await hub.newest())["version"]
    with closing(sqlite3.connect(tmp_path / "0" / "home.db")) as other:
        other.execute("DELETE FROM definition WHERE id = 'v' AND version < ?", (newest,))
        other.commit()
    told = await hub.newest()
    assert (told["change"], told["text"], told["forgotten"]) == (
        ("removed", "variable $v was removed", True) if removed else ("changed", "variable $v was changed", True)
    )
