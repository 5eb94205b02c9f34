"""Operations on groups: list, define, order, and what belongs to them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.api.operations.pimatic.desk import Desk
from tests.home.homes import a_device


async def two_groups() -> Desk:
    desk = Desk(a_device("DummySwitch", "one"), a_device("DummySwitch", "two"))
    await desk.ask("addGroup", groupId="first", group={"name": "First"})
    await desk.ask("addGroup", groupId="second", group={"name": "Second", "devices": ["one"]})
    return desk


async def test_a_group_comes_changes_and_goes() -> None:
    desk = await two_groups()
    empty = {"id": "second", "name": "Second", "devices": [], "rules": [], "variables": []}
    assert (await desk.ask("getGroups"))[1] == empty
    assert await desk.kept_after("updateGroup", groupId="second", group={"name": 7}) == {**empty, "name": 7}
    assert await desk.kept_after("removeGroup", groupId="second") == [{**empty, "name": 7}]
    assert await desk.ask("removeGroup", groupId="second") == []


async def test_everybody_hears_of_the_removal_of_a_group_that_is_not_there() -> None:
    desk = Desk()
    heard: list[Any] = []
    desk.hub.announcements.subscribe(lambda *told: heard.append(told))
    assert await desk.ask("removeGroup", groupId="nope") == []
    assert heard == [("groupRemoved", None, "groups:read")]


async def test_a_member_is_in_one_group_only() -> None:
    desk = await two_groups()
    await desk.kept_after("addDeviceToGroup", groupId="first", deviceId="one")
    moved = await desk.kept_after("addDeviceToGroup", groupId="second", deviceId="one")
    assert (moved["id"], moved["devices"]) == ("second", ["one"])
    assert [group["devices"] for group in await desk.ask("getGroups")] == [[], ["one"]]
    left = await desk.kept_after("removeDeviceFromGroup", groupId="second", deviceId="one")
    assert left["devices"] == []


@pytest.mark.parametrize(
    ("operation", "key", "kind"),
    [("addRuleToGroup", "ruleId", "rules"), ("addVariableToGroup", "variableName", "variables")],
)
async def test_rules_and_variables_have_a_place(operation: str, key: str, kind: str) -> None:
    desk = await two_groups()
    for name, position in (("a", None), ("b", 0), ("c", "1"), ("d", 99), ("e", -1)):
        given = {} if position is None else {"position": position}
        await desk.kept_after(operation, groupId="first", **{key: name}, **given)
    assert (await desk.ask("getGroups"))[0][kind] == ["b", "c", "a", "e", "d"]
    removed = operation.replace("add", "remove").replace("To", "From")
    assert (await desk.kept_after(removed, groupId="first", **{key: "c"}))[kind] == ["b", "a", "e", "d"]


async def test_members_are_put_in_order_by_changing_the_group() -> None:
    desk = await two_groups()
    for device_id in ("one", "two"):
        await desk.ask("addDeviceToGroup", groupId="first", deviceId=device_id)
    group = await desk.kept_after("updateGroup", groupId="first", group={"devicesOrder": ["two"]})
    assert group["devices"] == ["two", "one"]
    with desk.refuses("devicesOrder"):
        await desk.ask("updateDeviceGroupOrder", groupId="first", deviceOrder=["one"])


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("addGroup", {"groupId": "first", "group": {"name": "x"}}),
        ("addGroup", {"groupId": "new", "group": {}}),
        ("addGroup", {"groupId": "new", "group": "text"}),
        ("updateGroup", {"groupId": "nope", "group": {"name": "x"}}),
        ("addDeviceToGroup", {"groupId": "nope", "deviceId": "one"}),
        ("addRuleToGroup", {"groupId": "first", "ruleId": "r", "position": "x"}),
        ("removeDeviceFromGroup", {"groupId": "first", "deviceId": "one"}),
        ("removeRuleFromGroup", {"groupId": "nope", "ruleId": "r"}),
        ("updateVariableGroupOrder", {"groupId": "first"}),
        ("updateGroupOrder", {"groupOrder": "first"}),
    ],
)
async def test_what_cannot_be_is_a_bad_request(operation: str, given: dict[str, Any]) -> None:
    desk = await two_groups()
    with desk.refuses():
        await desk.ask(operation, **given)


async def test_the_order_is_that_of_the_list() -> None:
    desk = await two_groups()
    assert await desk.kept_after("updateGroupOrder", groupOrder=["second"]) == ["second"]
    assert [group["id"] for group in await desk.ask("getGroups")] == ["second", "first"]


@pytest.mark.parametrize(("position", "rules"), [(10**300, ["a", "r"]), (-(10**30), ["r", "a"]), (1e30, ["a", "r"])])
async def test_a_position_far_outside_is_the_first_or_last(position: float, rules: list[str]) -> None:
    desk = await two_groups()
    await desk.ask("addRuleToGroup", groupId="first", ruleId="a")
    await desk.ask("addRuleToGroup", groupId="second", ruleId="r")
    group = await desk.kept_after("addRuleToGroup", groupId="first", ruleId="r", position=position)
    assert group["rules"] == rules


@pytest.mark.parametrize("position", [10**400, math.nan, -math.inf, [1], True])
async def test_what_is_no_position_leaves_a_member_where_it_is(position: Any) -> None:
    desk = await two_groups()
    await desk.ask("addRuleToGroup", groupId="second", ruleId="r")
    before = await desk.ask("getGroups")
    with desk.refuses("position"):
        await desk.ask("addRuleToGroup", groupId="first", ruleId="r", position=position)
    assert await desk.ask("getGroups") == before


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("updateGroupOrder", {"groupOrder": ["x"] * 10_001}),
        ("updateDeviceOrder", {"deviceOrder": ["x"] * 10_001}),
        ("updateGroup", {"groupId": "first", "group": {"rulesOrder": ["x"] * 10_001}}),
        ("updatePage", {"pageId": "page", "page": {"devicesOrder": ["x"] * 10_001}}),
    ],
)
async def test_there_is_an_end_to_orders(operation: str, given: dict[str, Any]) -> None:
    desk = await two_groups()
    await desk.ask("addPage", pageId="page", page={"name": "Page"})
    with desk.refuses("10001", "10000"):
        await desk.ask(operation, **given)
