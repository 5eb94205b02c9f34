"""Operations on pages: list, define, order, and what stands on them."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.access.callers import Caller
from hallway.home.changes import Context
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import a_device


async def test_a_page_comes_changes_and_goes() -> None:
    desk = Desk(a_device("DummySwitch", "one"), a_device("DummySwitch", "two"))
    assert await desk.kept_after("addPage", pageId="up", page={"name": "Upstairs"}) == {
        "id": "up",
        "name": "Upstairs",
        "devices": [],
    }
    await desk.kept_after("addDeviceToPage", pageId="up", deviceId="one")
    page = await desk.kept_after("addDeviceToPage", pageId="up", deviceId="two")
    assert page["devices"] == [{"deviceId": "one"}, {"deviceId": "two"}]
    changed = await desk.kept_after("updatePage", pageId="up", page={"name": "Top", "devicesOrder": ["two"]})
    assert changed == {"id": "up", "name": "Top", "devices": [{"deviceId": "two"}, {"deviceId": "one"}]}
    assert await desk.ask("getPageById", pageId="up") == changed
    page = await desk.kept_after("removeDeviceFromPage", pageId="up", deviceId="two")
    assert page["devices"] == [{"deviceId": "one"}]
    assert await desk.kept_after("removePage", pageId="up") == [page]
    assert await desk.ask("getPages") == []


async def test_what_is_not_there_is_removed_already_and_everybody_hears_of_it() -> None:
    desk = Desk()
    heard: list[Any] = []
    desk.hub.announcements.subscribe(lambda *told: heard.append(told))
    assert await desk.ask("removePage", pageId="nope") == []
    assert heard == [("pageRemoved", None, "pages:read")]
    assert await desk.ask("getPageById", pageId="nope") is None


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("addPage", {"pageId": "up", "page": {"name": "Again"}}),
        ("addPage", {"pageId": "new", "page": {}}),
        ("addPage", {"pageId": "new", "page": "text"}),
        ("addPage", {"pageId": "new"}),
        ("updatePage", {"pageId": "nope", "page": {"name": "x"}}),
        ("updatePage", {"pageId": "up"}),
        ("addDeviceToPage", {"pageId": "nope", "deviceId": "one"}),
        ("removeDeviceFromPage", {"pageId": "up", "deviceId": "one"}),
        ("updatePageOrder", {"pageOrder": "up"}),
    ],
)
async def test_what_cannot_be_is_a_bad_request(operation: str, given: dict[str, Any]) -> None:
    desk = Desk()
    await desk.ask("addPage", pageId="up", page={"name": "Upstairs"})
    with desk.refuses():
        await desk.ask(operation, **given)


async def test_the_order_is_that_of_the_list() -> None:
    desk = Desk()
    for page_id in ("one", "two"):
        await desk.ask("addPage", pageId=page_id, page={"name": page_id})
    assert await desk.kept_after("updatePageOrder", pageOrder=["two"]) == ["two"]
    assert [page["id"] for page in await desk.ask("getPages")] == ["two", "one"]


async def test_a_page_is_for_the_roles_that_it_names() -> None:
    desk = Desk()
    added = await desk.kept_after("addPage", pageId="up", page={"name": "Up", "allowedRoles": ["admin"]})
    assert added == {"id": "up", "name": "Up", "devices": [], "allowedRoles": ["admin"]}
    guest = Caller("guest", frozenset({"pages:read"}), Context("pimatic"), role="guest")
    for caller, seen in ((ADMIN, added), (guest, None)):
        assert await desk.ask("getPageById", caller=caller, pageId="up") == seen
        assert await desk.ask("getPages", caller=caller) == ([] if seen is None else [seen])
    changed = await desk.kept_after("updatePage", pageId="up", page={"allowedRoles": ["guest"]})
    assert await desk.ask("getPages", caller=guest) == [changed]
    assert await desk.ask("getPages") == []
    assert "allowedRoles" not in await desk.kept_after("updatePage", pageId="up", page={"allowedRoles": None})
    assert len(await desk.ask("getPages")) == 1


@pytest.mark.parametrize("roles", ["admin", [1], {}])
async def test_roles_that_are_no_list_of_names_are_refused(roles: Any) -> None:
    desk = Desk()
    await desk.ask("addPage", pageId="up", page={"name": "Up"})
    with desk.refuses("allowedRoles"):
        await desk.ask("addPage", pageId="new", page={"name": "New", "allowedRoles": roles})
    with desk.refuses("allowedRoles"):
        await desk.ask("updatePage", pageId="up", page={"allowedRoles": roles})
